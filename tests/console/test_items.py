"""The table of a store's items, and the page of one: found, sorted, leafed through, edited, undone."""

import re

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.models import store_member
from tests.conftest import Person
from tests.support import images
from tests.support.console_browser import Browser, said, values, wrong
from tests.support.databases import transaction
from tests.support.item_catalogues import fill

CHAIR = "/console/store/ikea/item/chair"


def listed(page: testing.Result) -> list[str]:
    return re.findall(r'<td class="name">.*?<a href="[^"]*">([^<]*)</a>', page.text)


def link(page: testing.Result, rel: str) -> str | None:
    match = re.search(rf'rel="{rel}" href="([^"]*)"', page.text)
    return match[1].replace("&amp;", "&") if match else None


# Finding


def test_leafing_to_the_end_and_back_shows_each_item_once(alices: Browser, alice: Person) -> None:
    names = [f"item {number:03}" for number in range(130)]
    fill(alice, ({"name": name, "stock": number % 7} for number, name in enumerate(names)))
    for sort in ("name", "-name", "price", "-stock", "updated"):
        pages, place = [], f"/console/store/ikea?sort={sort}"
        while place:
            page = alices.get(place)
            pages.append(listed(page))
            last, place = place, link(page, "next")
        assert [len(each) for each in pages] == [50, 50, 31]
        assert sorted(name for each in pages for name in each) == ["chair", *names]
        back, place = [], last
        while place:
            page = alices.get(place)
            back.append(listed(page))
            place = link(page, "prev")
        assert back == pages[::-1], sort


def test_the_search_and_the_filters(alices: Browser, alice: Person) -> None:
    fill(
        alice,
        [
            {"name": "oak table", "price": 300, "tags": ["kitchen"], "stock": 3},
            {"name": "oak desk", "price": 200, "sku": "D-1"},
            {"name": "lamp", "price": 20, "archived": True},
        ],
    )
    for query, found in (
        ("", ["chair", "oak desk", "oak table"]),
        ("?q=oak", ["oak desk", "oak table"]),
        ("?q=OAK+tab", ["oak table"]),
        ("?q=D-1", ["oak desk"]),
        ("?tag=kitchen", ["oak table"]),
        ("?stock=in", ["oak table"]),
        ("?stock=out", ["chair", "oak desk"]),
        ("?archived=yes", ["lamp"]),
        ("?archived=any&sort=-price", ["oak table", "oak desk", "lamp", "chair"]),
        ("?price_min=200&price_max=250,5", ["oak desk"]),
        ("?q=oak&sort=-price", ["oak table", "oak desk"]),
        ("?q=nothing", []),
    ):
        page = alices.get(f"/console/store/ikea{query}")
        assert (query, listed(page)) == (query, found)
    assert "No results" in said(page)


@pytest.mark.parametrize(
    "query", ["sort=size", "price_min=abc", "after=nonsense", "q=%21", "stock=some", "price_min=1.999"]
)
def test_what_cannot_be_searched_is_told_on_the_page(alices: Browser, query: str) -> None:
    page = alices.get(f"/console/store/ikea?{query}")
    assert page.status_code == 200
    assert "These filters are not valid" in said(page)


def test_the_items_of_all_stores(alices: Browser, engine: sa.Engine, alice: Person) -> None:
    with transaction(engine) as conn:
        tokyo = store_member.create_store(conn, 1, "tokyo", "JPY")
    fill(alice, [{"name": "futon", "price": 24800}], tokyo.id)
    page = alices.get("/console/items")
    assert listed(page) == ["chair", "futon"]
    assert '<data class="money" value="24800" data-currency="JPY">24,800 JPY</data>' in page.text


# Editing in place


def test_prices_and_stocks_are_saved_together(alices: Browser, alice: Person) -> None:
    (lamp,) = fill(alice, [{"name": "lamp", "price": 20, "stock": 5}])
    form = {"price.1": "17,50", "was-price.1": "15.99", "delta.1": "+3", f"delta.{lamp['id']}": "-2"}
    form |= {f"price.{lamp['id']}": "20.00", f"was-price.{lamp['id']}": "20.00", "back": "/console/store/ikea?q=a"}
    answer = alices.post("/console/store/ikea", form)
    assert answer.headers["location"] == "/console/store/ikea?q=a"
    assert "2 items are saved." in said(alices.follow(answer))
    found = {each["name"]: (each["price"], each["stock"]) for each in alice.get("/items").json["items"]}
    assert found == {"chair": (17.5, 3), "lamp": (20, 3)}


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(alices: Browser, alice: Person) -> None:
    (lamp,) = fill(alice, [{"name": "lamp", "price": 20, "stock": 5}])
    for typed, words in (
        ("abc", "A price is a number"),
        ("1.999", "at most 2 digits"),
        ("-1", "A price is"),
        ("1,234", "A price"),
    ):
        form = {"price.1": typed, "was-price.1": "15.99", f"delta.{lamp['id']}": "1", "back": "/console/store/ikea"}
        page = alices.post("/console/store/ikea", form)
        assert page.status_code == 400
        assert words in wrong(page)["price.1"]
        assert values(page)["price.1"] == typed
        assert values(page)[f"delta.{lamp['id']}"] == "1"
    page = alices.post("/console/store/ikea", {f"delta.{lamp['id']}": "-6"})
    assert wrong(page) == {f"delta.{lamp['id']}": "5 on hand: that does not go with -6."}
    assert {each["name"]: each["stock"] for each in alice.get("/items").json["items"]} == {"chair": 0, "lamp": 5}


def test_who_was_slower_sees_both_prices_and_chooses(alices: Browser, bob: Person, alice: Person) -> None:
    seen = values(alices.get("/console/store/ikea"))
    bob.patch("/item/chair", {"price": 17})
    bob.post("/item/chair/stock", {"delta": 4})
    page = alices.post("/console/store/ikea", seen | {"price.1": "16"})
    assert page.status_code == 409
    assert "Somebody else has changed it to 17.00" in wrong(page)["price.1"]
    assert alice.get("/item/chair").json["price"] == 17
    again = values(page)
    assert (again["price.1"], again["was-price.1"]) == ("16", "17.00")
    assert alices.post("/console/store/ikea", again).status_code == 303
    assert alice.get("/item/chair").json["price"] == 16


def test_a_stock_that_others_change_is_no_conflict(alices: Browser, bob: Person, alice: Person) -> None:
    seen = values(alices.get("/console/store/ikea"))
    bob.post("/item/chair/stock", {"delta": 4})
    assert alices.post("/console/store/ikea", seen | {"price.1": "16", "delta.1": "2"}).status_code == 303
    chair = alice.get("/item/chair").json
    assert (chair["price"], chair["stock"]) == (16, 6)


def test_an_item_of_another_store_is_not_reached_through_this_one(
    client: testing.TestClient, engine: sa.Engine, alice: Person
) -> None:
    with transaction(engine) as conn:
        store_member.create_store(conn, 3, "hut", "EUR")
    carols = Browser(client, "carol")
    assert carols.post("/console/store/hut", {"price.1": "1", "was-price.1": "15.99"}).status_code == 404
    assert carols.post("/console/store/hut/selection", {"item": "1", "action": "archive"}).status_code == 404
    assert alice.get("/item/chair").json["price"] == 15.99


# Several at once


@pytest.mark.parametrize(
    ("action", "value", "field", "after"),
    [
        ("percent", "10", "price", [17.59, 22]),
        ("percent", "-50 %", "price", [8.0, 10]),
        ("percent", "2,5", "price", [16.39, 20.5]),
        ("price", "5,5", "price", [5.5, 5.5]),
        ("tag", " Sale ", "tags", [["sale"], ["old", "sale"]]),
        ("untag", "old", "tags", [[], []]),
        ("archive", "", "archived", [True, True]),
        ("restore", "", "archived", [False, False]),
    ],
)
def test_the_ticked_items_are_changed(
    alices: Browser, alice: Person, action: str, value: str, field: str, after: list[object]
) -> None:
    (lamp,) = fill(alice, [{"name": "lamp", "price": 20, "tags": ["old"]}])
    form = [
        ("item", "1"),
        ("was-price.1", "15.99"),
        ("item", str(lamp["id"])),
        (f"was-price.{lamp['id']}", "20.00"),
        ("action", action),
        ("value", value),
        ("back", "/console/store/ikea"),
    ]
    assert alices.post("/console/store/ikea/selection", form).status_code == 303
    assert [alice.get(f"/item/{name}").json[field] for name in ("chair", "lamp")] == after


@pytest.mark.parametrize(
    "form",
    [
        [("action", "archive")],
        [("item", "1"), ("action", "explode")],
        [("item", "1"), ("action", "percent"), ("value", "NaN")],
        [("item", "1"), ("action", "percent"), ("value", "-101")],
        [("item", "1"), ("action", "price"), ("value", "")],
        [("item", "1"), ("action", "tag"), ("value", "a;b")],
    ],
)
def test_a_change_of_several_that_makes_no_sense(alices: Browser, form: list[tuple[str, str]]) -> None:
    page = alices.post("/console/store/ikea/selection", form)
    assert (page.status_code, [*wrong(page)]) == (400, ["value"])


# One item


def test_an_item_is_edited_and_renamed(alices: Browser, alice: Person) -> None:
    seen = values(alices.get(CHAIR))
    form = seen | {
        "name.1": "arm/chair",
        "sku.1": "A-1",
        "tags.1": "Garden, sale",
        "description.1": "Oak.",
        "delta.1": "2",
    }
    answer = alices.post(CHAIR, form)
    assert answer.headers["location"] == "/console/store/ikea/item/arm%2Fchair"
    assert "<h1>arm/chair</h1>" in alices.follow(answer).text
    now = alice.get("/item/arm%2Fchair").json
    assert {name: now[name] for name in ("sku", "tags", "description", "stock")} == {
        "sku": "A-1",
        "tags": ["garden", "sale"],
        "description": "Oak.",
        "stock": 2,
    }


def test_an_edit_that_is_refused(alices: Browser, alice: Person) -> None:
    fill(alice, [{"name": "lamp", "sku": "L-1"}])
    for changes, status, field in (
        ({"barcode.1": "123"}, 400, "barcode.1"),
        ({"name.1": "a\u200bb"}, 400, "name.1"),
        ({"name.1": "lamp"}, 400, None),
        ({"sku.1": "L-1"}, 400, None),
    ):
        page = alices.post(CHAIR, values(alices.get(CHAIR)) | changes)
        assert (page.status_code, [*wrong(page)]) == (status, [field] if field else []), said(page)
        ((name, typed),) = changes.items()
        assert values(page)[name] == typed


def test_fields_that_others_have_changed_meanwhile(alices: Browser, bob: Person, alice: Person) -> None:
    seen = values(alices.get(CHAIR))
    bob.patch("/item/chair", {"description": "Pine.", "sku": "B-1"})
    page = alices.post(CHAIR, seen | {"sku.1": "A-1", "tags.1": "new"})
    assert (page.status_code, [*wrong(page)]) == (409, ["sku.1"])
    assert "“B-1”" in said(page)
    assert alices.post(CHAIR, values(page) | {"description.1": "Pine."}).status_code == 303
    now = alice.get("/item/chair").json
    assert (now["sku"], now["tags"], now["description"]) == ("A-1", ["new"], "Pine.")


def test_a_new_item(alices: Browser, alice: Person) -> None:
    form = {
        "name": "lamp",
        "price": "19,90",
        "stock": "3",
        "tags": "light, new",
        "sku": "",
        "barcode": "",
        "description": "",
    }
    for changes, field in (({"price": ""}, "price"), ({"name": ""}, "name"), ({"stock": "x"}, "stock")):
        page = alices.post("/console/store/ikea/new-item", form | changes)
        assert (page.status_code, [*wrong(page)]) == (400, [field])
        assert values(page)["tags"] == "light, new"
    taken = alices.post("/console/store/ikea/new-item", form | {"name": "chair"})
    assert "An item with name 'chair' already exists." in said(taken)
    answer = alices.post("/console/store/ikea/new-item", form | {"then": "another"})
    assert answer.headers["location"] == "/console/store/ikea/new-item"
    lamp = alice.get("/item/lamp").json
    assert (lamp["price"], lamp["stock"], lamp["tags"], lamp["sku"]) == (19.9, 3, ["light", "new"], None)


def test_the_picture(alices: Browser, client: testing.TestClient) -> None:
    png = images.encoded(images.two_colours(8, 8), "PNG")
    page = alices.follow(alices.post(f"{CHAIR}/image", file=("chair.png", png)))
    (image,) = re.findall(r'<img class="picture" src="([^"]*)"', page.text)
    assert client.simulate_get(image).headers["content-type"] == "image/webp"
    for data, words in ((b"GIF89a nonsense", "not a whole PNG"), (b"", "Choose a file that is not empty.")):
        refused = alices.post(f"{CHAIR}/image", file=("chair.png", data))
        assert refused.status_code == 400
        assert words in " ".join(wrong(refused).values())
    page = alices.follow(alices.post(f"{CHAIR}/image/remove"))
    assert "There is no picture yet." in said(page)


def test_a_form_with_a_file_that_is_cut_changes_nothing(alices: Browser, alice: Person) -> None:
    png = images.encoded(images.two_colours(8, 8), "PNG")
    for body in (
        b"",
        b"nonsense",
        b"------boundary\r\n",
        b'------boundary\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + png,
    ):
        headers = {"Content-Type": "multipart/form-data; boundary=----boundary", "Sec-Fetch-Site": "same-origin"}
        cookie = f"storekeeper={alices.cookies['storekeeper']}"
        answer = alices.client.simulate_post(f"{CHAIR}/image", body=body, headers=headers | {"Cookie": cookie})
        assert answer.status_code == 400
    assert alice.get("/item/chair").json["image"] is None


def test_archiving_and_deleting(alices: Browser, bobs: Browser, alice: Person) -> None:
    assert "archived" in said(alices.follow(alices.post(f"{CHAIR}/archive", {"archived": "yes"})))
    assert alice.get("/items").json["items"] == []
    alices.post(f"{CHAIR}/archive", {"archived": "no"})
    assert "Delete …" not in said(bobs.get(CHAIR))
    assert "Delete chair?" in said(alices.get(f"{CHAIR}/delete"))
    assert "chair is deleted." in said(alices.follow(alices.post(f"{CHAIR}/delete")))
    assert alice.get("/item/chair").status_code == 404


# Its past


def test_the_history_is_told_in_words(alices: Browser, bob: Person) -> None:
    bob.patch("/item/chair", {"price": "17.50"})
    bob.patch("/item/chair", {"price": "12", "tags": ["<b>", "a~b^c"]})
    bob.post("/item/chair/stock", {"delta": 5})
    bob.post("/item/chair/stock", {"delta": -2})
    bob.patch("/item/chair", {"description": "Oak <script>", "archived": True, "sku": "S-1"})
    page = alices.get(CHAIR)
    story = said(page).partition("History")[2]
    for sentence in (
        "bob raised the price from 15.99 EUR to 17.50 EUR .",
        "bob lowered the price from 17.50 EUR to 12.00 EUR , and changed the tags from none to <b>, a~b^c.",
        "bob added 5 to the stock: 5 on hand.",
        "bob took 2 from the stock: 3 on hand.",
        "bob changed the SKU from nothing to “S-1”, and changed the description from nothing to “Oak <script>”, "
        "and archived it.",
        "The operator added it at 15.99 EUR .",
    ):
        assert sentence in story, story
    assert "<script>" not in page.text.replace("<script src", "")


def test_the_chart_tells_the_price_over_time(alices: Browser, bob: Person) -> None:
    assert "<svg" not in alices.get(CHAIR).text, "there is nothing to see yet"
    bob.patch("/item/chair", {"price": "17.50"})
    page = alices.get(CHAIR)
    assert page.text.count("<circle") == 2
    assert ">17.50</text>" in page.text
    assert ">15.99</text>" in page.text
    assert "The price of chair from " in said(page)


def test_strangers_are_told_nothing_of_the_past(client: testing.TestClient, engine: sa.Engine) -> None:
    page = Browser(client, "carol").get(CHAIR)
    assert "History" not in said(page)
    assert "15.99 EUR" in said(page)


def undo(browser: Browser, words: str) -> testing.Result:
    """Take back the newest change that is told with these words."""
    page = browser.get(CHAIR)
    entries = re.findall(r"<li>.*?</li>", page.text, re.DOTALL)
    entry = next(each for each in entries if words in re.sub(r"<[^>]*>", "", each))
    (change,) = re.findall(r'name="change" value="(\d+)"', entry)
    return browser.post(f"{CHAIR}/undo", {"change": change})


def test_changes_are_undone(alices: Browser, bob: Person, alice: Person) -> None:
    bob.patch("/item/chair", {"price": "17.50", "tags": ["new"], "sku": "S-1"})
    bob.post("/item/chair/stock", {"delta": 5})
    bob.post("/item/chair/stock", {"delta": -2})
    assert undo(alices, "added 5").status_code == 400, "so many are not there any more"
    assert undo(alices, "took 2").status_code == 303
    assert undo(alices, "raised the price").status_code == 303
    chair = alice.get("/item/chair").json
    assert (chair["price"], chair["tags"], chair["sku"], chair["stock"]) == (15.99, [], None, 5)
    assert undo(alices, "lowered the price").status_code == 303
    assert alice.get("/item/chair").json["price"] == 17.5


def test_undoing_what_was_changed_since_shows_both_values(alices: Browser, bob: Person, alice: Person) -> None:
    bob.patch("/item/chair", {"price": "17.50"})
    bob.patch("/item/chair", {"price": "18"})
    page = undo(alices, "from 15.99")
    assert (page.status_code, [*wrong(page)]) == (409, ["price.1"])
    assert values(page)["price.1"] == "15.99"
    assert alice.get("/item/chair").json["price"] == 18
    assert alices.post(CHAIR, values(page)).status_code == 303
    assert alice.get("/item/chair").json["price"] == 15.99


def test_what_cannot_be_undone(alices: Browser, bob: Person) -> None:
    assert alices.post(f"{CHAIR}/undo", {"change": "999999"}).status_code == 404
    assert alices.post(f"{CHAIR}/undo", {"change": "x"}).status_code == 400
    first = alices.client.simulate_get("/audit")
    assert first.status_code == 401
