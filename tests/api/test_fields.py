"""What may be said of an item, and how it is kept: the same verdicts on both databases."""

from json import dumps
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.item_catalogues import wrong

EAN = "4006381333931"

# A field, what is sent and what it becomes.
TAKEN: list[tuple[str, Any, Any]] = [
    ("sku", "007", "007"),
    ("sku", "  A-1/b  ", "A-1/b"),
    ("sku", "e\u0301" * 32, "\u00e9" * 32),
    ("sku", "🪑" * 64, "🪑" * 64),
    ("barcode", "96385074", "96385074"),
    ("barcode", "036000291452", "036000291452"),
    ("barcode", EAN, EAN),
    ("barcode", "00012345600012", "00012345600012"),
    ("description", "a\r\nb\rc\n\td\n", "a\nb\nc\n\td\n"),
    (
        "description",
        "e\u0301 \u2028\u200b\u202e🪑\ud7ff\ufffe\U0010ffff\x01",
        "\u00e9 \u2028\u200b\u202e🪑\ud7ff\ufffe\U0010ffff\x01",
    ),
    ("description", "🪑" * 4000, "🪑" * 4000),
    ("tags", ["b", "A", "a", "B", " a "], ["a", "b"]),
    ("tags", ["Late  Summer", "STRASSE", "straße"], ["late summer", "strasse"]),
    ("tags", ["É", "e\u0301", "🪑", "椅子", "Z"], ["z", "\u00e9", "椅子", "🪑"]),
    ("tags", [f"{n:02}" for n in range(20)], [f"{n:02}" for n in range(20)]),
    ("tags", ["x" * 40], ["x" * 40]),
    ("stock", 10**12, 10**12),
    ("price", "9999999999.99", 9999999999.99),
    ("name", "e\u0301", "\u00e9"),
    ("name", "\u00e9", "\u00e9"),
    ("name", "🪑" * 80, "🪑" * 80),
]
REFUSED: list[tuple[str, Any]] = [
    *(("sku", sku) for sku in (" ", "a\0", "a\nb", "x" * 65, "\u200b", 7, ["7"], True)),
    *(
        ("barcode", code)
        for code in ("4006381333932", "123", "4006381333931 ", "٤٠٠٦٣٨١٣", f"{EAN}\0", "4" * 21, 96385074)
    ),
    *(("description", text) for text in ("a\0b", "x" * 4001, 1, ["a"])),
    *(("tags", tags) for tags in (["a;b"], ["a\u037e"], [""], [" "], ["a\0"], ["x" * 41], "a", [1], [None], {})),
    ("tags", [f"{n}" for n in range(21)]),
    ("tags", ["\u200b"]),
    *(("stock", stock) for stock in (-1, 10**12 + 1, -(10**12), 10**30, -(10**400), 1.5, 1.0, "1", True, 1e400)),
    *(("archived", flag) for flag in (0, 1, "true", "")),
    *(("price", price) for price in (-1, 1.999, 10**11, 10**400, "1,5", "", "NaN", True, [], 1e-9)),
    *(("name", name) for name in ("", "a\0", "x" * 81, "a\nb", "\u202e", 1, None)),
    *((field, 1) for field in ("id", "image", "updated_at", "currency", "store_id", "archived_at", "nonsense")),
]


def test_what_is_taken(alice: Person) -> None:
    path = "/item/chair"
    for field, value, expected in TAKEN:
        answer = alice.patch(path, {field: value})
        assert (field, value, answer.status_code) == (field, value, 200), answer.text
        assert answer.json[field] == expected
        path = f"/item/{quote(answer.json['name'], safe='')}"
        assert alice.get(path).json[field] == expected
        assert alice.patch(path, {field: expected}).json[field] == expected, "as it was answered"


def test_what_is_refused_is_named_and_nothing_is_changed(alice: Person) -> None:
    before = alice.patch("/item/chair", {"sku": "1", "tags": ["t"]}).json
    for field, value in REFUSED:
        body = raw_json({field: value, "description": "changed"} if field != "description" else {field: value})
        headers = [*bearer(alice.pair["access_token"]).items(), raw_requests.JSON]
        answer = raw_requests.send(alice.client.app, "PATCH", "/item/chair", headers, body)
        assert (field, value, answer.status) == (field, value, 400), answer.body
        assert answer.wrong == {field}, (value, answer.body)
    assert alice.get("/item/chair").json == before


def raw_json(body: dict[str, Any]) -> bytes:
    """With the numbers that `json.dumps` would write in another way, or not at all."""
    numbers = ", ".join(f'"{name}": {"1e400" if value == 1e400 else dumps(value)}' for name, value in body.items())
    return f"{{{numbers}}}".encode()


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800", "a\\ud83d"])
def test_half_of_a_surrogate_pair_is_no_text(text: str, alice: Person) -> None:
    for member in (f'"sku": "{text}"', f'"description": "{text}"', f'"tags": ["{text}"]', f'"name": "{text}"'):
        headers = [*bearer(alice.pair["access_token"]).items(), raw_requests.JSON]
        answer = raw_requests.send(alice.client.app, "PATCH", "/item/chair", headers, f"{{{member}}}".encode())
        assert (answer.status, answer.json["error"]) == (400, "invalid")


def test_all_that_is_wrong_is_named_at_once(alice: Person) -> None:
    well_formed = {"sku": " ", "barcode": "1", "tags": ["a;b"], "price": 1.999, "description": "\0"}
    malformed: dict[str, Any] = {"sku": 1, "barcode": 2, "tags": 3, "stock": "4", "archived": 5, "x": 6}
    for said in (well_formed, malformed):
        assert wrong(alice.patch("/item/chair", said)) == said.keys()
        assert wrong(alice.put("/item/chair", {"price": 1, "store_id": 1} | said)) == said.keys()
        assert wrong(alice.post("/store/ikea/item/lamp", {"price": 1} | said)) == said.keys()
