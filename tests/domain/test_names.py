"""Names of stores and items: which are allowed, and which are the same."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storekeeper.adoption import renaming
from storekeeper.domain import names
from storekeeper.errors import Invalid
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cli_runner import run_with
from tests.support.console_browser import Browser

E_ACUTE, E_AND_ACUTE = "\u00e9", "e\u0301"
ALLOWED = (
    "a",
    "x" * 80,
    "\U0001fa91" * 80,
    E_AND_ACUTE * 80,
    "two words",
    "Stuhl, grün",
    "стул",
    "椅子",
    "כיסא",
    "كرسي",
    "कुर्सी",
    "🪑",
    "❤️",
    "👍🏽",
    "🇫🇷",
    "🫨",  # of 2022, which the Unicode tables of Python 3.11 do not know
    "🪾",  # of 2024
    "a/b",
    "/",
    "//",
    "50% off",
    "%2F",
    "%",
    "a+b",
    "a?b#c&d=e",
    'a"b',
    "a'b",
    "a\\b",
    "<b>",
    "...",
    ".a",
    "null",
    "a\u00a0b",
    "\ue000",
    "\ufffc",
)
NOT_SEEN = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e",
    *"\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e",
    *"\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206f",
    *"\u3164\ufeff\uffa0\ufff0\ufff9\ufffb\ufdd0\ufdef\ufffe\uffff",
    *"\U000e0001\U000e0020\U000e007f\U0001d173\U0001fffe\U0010ffff",
)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_good_name(name: str) -> None:
    assert names.of_thing(name) == unicodedata.normalize("NFC", name)


def test_what_cannot_be_seen_is_in_no_name() -> None:
    for char in NOT_SEEN:
        at_an_end = (char, f"a{char}", f"{char}a") if char not in names.WHITE_SPACE else ()
        for name in (*at_an_end, f"a{char}b"):
            with pytest.raises(Invalid, match=f"U\\+{ord(char):04X}"):
                names.of_thing(name)


def test_half_of_a_surrogate_pair_is_in_no_name() -> None:
    for name in ("\ud800", "a\udfff"):
        with pytest.raises(Invalid):
            names.of_thing(name)


@pytest.mark.parametrize("name", ["", "x" * 81, "\U0001fa91" * 81, E_AND_ACUTE * 81, "\u0958" * 41])
def test_a_name_has_1_to_80_characters_after_normalisation(name: str) -> None:
    with pytest.raises(Invalid, match="1 to 80 characters"):
        names.of_thing(name)


@given(st.text(max_size=100))
@settings(max_examples=300)
def test_a_name_is_in_one_spelling_or_refused(text: str) -> None:
    try:
        name = names.of_thing(text)
    except Invalid:
        return
    assert name == unicodedata.normalize("NFC", text.strip(names.WHITE_SPACE))
    assert names.of_thing(unicodedata.normalize("NFD", text)) == name
    assert names.of_thing(name) == name
    assert name.encode().decode() == name


def test_names_come_back_as_they_were_given(alice: Person) -> None:
    """Through the path, the database and JSON."""
    for name in ALLOWED:
        stored = unicodedata.normalize("NFC", name)
        path = quote(name, safe="")
        assert alice.post(f"/store/{path}").json["name"] == stored
        assert alice.put(f"/store/{path}/item/{path}", {"price": 1}).json["name"] == stored
        shown = alice.get(f"/store/{path}").json
        assert (shown["name"], [item["name"] for item in shown["items"]]) == (stored, [stored])
        assert alice.get(f"/item/{path}?store_id={shown['id']}").json["name"] == stored


def test_two_spellings_are_one_store(alice: Person) -> None:
    composed, decomposed = (quote(f"caf{spelling}") for spelling in (E_ACUTE, E_AND_ACUTE))
    assert alice.post(f"/store/{decomposed}").json["name"] == f"caf{E_ACUTE}"
    answer = alice.post(f"/store/{composed}")
    assert answer.status_code == 400
    assert answer.json["message"] == f"A store with name 'caf{E_ACUTE}' already exists."
    assert alice.get(f"/store/{composed}").json == alice.get(f"/store/{decomposed}").json


def test_two_spellings_are_one_item(alice: Person) -> None:
    composed, decomposed = (quote(f"caf{spelling}") for spelling in (E_ACUTE, E_AND_ACUTE))
    assert alice.put(f"/item/{composed}", {"price": 1, "store_id": 1}).status_code == 201
    assert alice.put(f"/item/{decomposed}", {"price": 2, "store_id": 1}).status_code == 200
    assert alice.post(f"/item/{decomposed}", {"price": 2, "store_id": 1}).status_code == 400
    assert alice.get(f"/item/{composed}").json["price"] == 2


def test_names_that_only_look_alike_are_two(alice: Person) -> None:
    """Items may be called as their makers like: no folding of case or compatibility forms."""
    for name in ("Chair", "CHAIR", "ｃhair", "ch air", "сhair"):
        assert alice.post(f"/item/{quote(name)}", {"price": 1, "store_id": 1}).status_code == 201, name


# White space at the ends


def test_white_space_is_what_unicode_says() -> None:
    """The property White_Space of PropList.txt: what Python calls a space, but for four control characters."""
    python = {char for char in map(chr, range(0x110000)) if char.isspace()}
    assert set(names.WHITE_SPACE) == python - set("\x1c\x1d\x1e\x1f")


@pytest.mark.parametrize("space", names.WHITE_SPACE)
def test_it_is_no_part_of_a_name(space: str) -> None:
    for name in (f"{space}chair", f"chair{space}", f"{space} {space}chair {space}"):
        assert names.of_thing(name) == "chair"
        assert names.of_sku(name) == "chair"
        assert names.of_tag(name) == "chair"
    for nothing in (space, space * 100):
        with pytest.raises(Invalid, match="1 to 80 characters"):
            names.of_thing(nothing)


def test_nor_on_any_interface(alice: Person, settings: Settings) -> None:
    spaced, quoted = "\u00a0chair\u2003", quote("\u00a0chair\u2003")
    store, headers = quote("ikea\u3000"), {"Content-Type": "text/csv"}
    assert alice.get(f"/item/{quoted}").json["id"] == 1
    assert alice.get(f"/store/{store}/item/{quoted}").json["id"] == 1
    assert alice.post(f"/item/{quoted}", {"price": 1, "store_id": 1}).json["error"] == "already_exists"
    assert alice.put(f"/item/{quoted}", {"price": 2, "store_id": 1}).status_code == 200
    assert alice.patch("/item/chair", {"name": f" {spaced} "}).json["name"] == "chair"
    assert alice.patch("/store/ikea", {"name": "ikea\t"}).json["name"] == "ikea"
    assert alice.post(f"/store/{store}").json["error"] == "already_exists"
    (result,) = alice.post("/items/bulk", [{"store_id": 1, "name": spaced, "price": 3}]).json["results"]
    assert (result["status"], result["item"]["id"]) == (200, 1)
    assert alice.post("/webhooks", {"url": "https://shop.example/", "store": " ikea "}).json["store"] == "ikea"
    assert alice.get(f"/imports?store={store}").status_code == 200
    lines = f"name,price,store\n{spaced},4,\u00a0ikea\n"
    assert alice.post(f"/imports?store={store}", body=lines, headers=headers).status_code == 202
    assert run_with(settings, "imports", "run").exit_code == 0
    browser = Browser(alice.client, "alice")
    form = {"name": f"\u00a0lamp{spaced[-1]}", "price": "5", "currency": "EUR"}
    assert browser.post("/console/store/ikea/new-item", form).status_code == 303
    assert browser.post("/console/new-store", form).status_code == 303
    assert browser.post("/console/store/ikea", {"name.1": f"{spaced}!\u2003", "was-name.1": "chair"}).status_code == 303
    assert alice.get("/store/lamp").json["name"] == "lamp"
    assert [each["name"] for each in alice.get("/store/ikea").json["items"]] == ["chair\u2003!", "lamp"]
    assert run_with(settings, "history", f"lamp{spaced[-1]}", "--store", "\u00a0ikea").exit_code == 0
    assert "lamp" in run_with(settings, "find", "--store", " ikea\u00a0").output


# Dots


@pytest.mark.parametrize("name", [".", "..", " . ", "\u00a0.."])
def test_a_dot_or_two_are_no_name(alice: Person, name: str, settings: Settings) -> None:
    """A client makes another path of such a segment, so that nobody would find it again."""
    headers, path = list(bearer(alice.pair["access_token"]).items()), quote(name, safe="").replace(".", "%2E")
    for target in (f"/store/{path}", f"/item/{path}", f"/store/ikea/item/{path}"):
        answer = raw_requests.send(
            alice.client.app, "POST", target, [*headers, raw_requests.JSON], b'{"price": 1, "store_id": 1}'
        )
        assert answer.status == 400, target
        assert "A name cannot be" in answer.json["message"]
    for target in ("/item/chair", "/store/ikea"):
        assert "A name cannot be" in alice.patch(target, {"name": name}).json["message"]
    assert alice.post("/items/bulk", [{"store_id": 1, "name": name, "price": 3}]).status_code == 400
    with pytest.raises(Invalid):
        names.of_new_user(name)
    assert renaming.correct_name(7, name, renaming.ITEMS).name == "item-7"
    assert renaming.correct_name(7, name, renaming.STORES).name == "store-7"


# Segments of paths


def test_an_empty_segment_leads_nowhere(root: Person) -> None:
    """`//audit` is not `/audit`: a proxy's rule for the one would let the other pass."""
    headers = list(bearer(root.pair["access_token"]).items())
    assert raw_requests.send(root.client.app, "GET", "/audit", headers).status == 200
    for target in (
        *("//audit", "///audit", "/audit/", "/audit//", "//", "/store/", "/store//", "/store//items", "//store/ikea"),
        *("/store/ikea//item/chair", "/store/ikea/item/chair/", "/item/", "/user//password", "//docs", "/docs/"),
        *("//console", "/console//", "/console//users", "/console/users/", "//console/users", "/images//small"),
    ):
        is_page = target.lstrip("/").startswith("console")  # where a form of another site's is refused before that
        for method in ("GET", "HEAD", "OPTIONS", *(() if is_page else ("POST", "DELETE"))):
            assert raw_requests.send(root.client.app, method, target, headers).status == 404, (method, target)
    for name in ("a//b", "/", "//"):  # a slash of a name is no such thing
        assert root.post(f"/store/{quote(name, safe='')}").status_code == 201
