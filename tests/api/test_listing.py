"""Lists of items: filters, sorts and counts, against looking at every item; pages while others write."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from storekeeper.database.compiled_query import execute
from storekeeper.models.item import items as item_table
from tests.conftest import Person
from tests.support import raw_requests
from tests.support.databases import transaction
from tests.support.item_catalogues import PROPERTY, Item, best_first, empty, fill, names, page, walk, wrong

BARCODES = ("4006381333931", "96385074", "036000291452", "00012345600012")


@pytest.fixture(autouse=True)
def _no_items(engine: sa.Engine, alice: Person) -> None:
    """Two stores, "ikea" (1) and "lidl" (2), without items."""
    empty(engine)
    assert alice.post("/store/lidl").json["id"] == 2


# Filters

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text("ab-", min_size=1, max_size=3),
            "store_id": st.sampled_from([1, 2]),
            "price": st.sampled_from([0, 1, 1.99, 2]),
        },
        optional={
            "sku": st.sampled_from(["1", "01", "a"]),
            "barcode": st.sampled_from(BARCODES),
            "stock": st.integers(0, 2),
            "tags": st.lists(st.sampled_from(["a", "b", "a b", "b%"]), max_size=20),
            "archived": st.booleans(),
        },
    ),
    max_size=10,
    unique_by=lambda row: (row["store_id"], row["name"]),
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "q": st.sampled_from(["a", "b", "a b", "01"]),
        "tag": st.sampled_from(["a", "b", "A;b", "a b", "b%", "none"]),
        "sku": st.sampled_from(["1", "01", " a "]),
        "barcode": st.sampled_from(BARCODES),
        "in_stock": st.sampled_from(["true", "false"]),
        "updated_since": st.sampled_from([999, 1000, 1001]),
        "archived": st.sampled_from(["no", "yes", "any"]),
        "price_min": st.sampled_from(["0", "1.99", "2.00"]),
        "price_max": st.sampled_from(["0", "1.99", "2.00"]),
    },
)
MEETS: dict[str, Callable[[Item, Any], bool]] = {
    "q": lambda item, q: bool(best_first([item], q)),
    "tag": lambda item, tag: set(tag.lower().split(";")) <= set(item["tags"]),
    "sku": lambda item, sku: item["sku"] == sku.strip(),
    "barcode": lambda item, barcode: item["barcode"] == barcode,
    "in_stock": lambda item, wanted: (item["stock"] > 0) == (wanted == "true"),
    "updated_since": lambda item, since: item["updated_at"] >= since,
    "archived": lambda item, wanted: wanted == "any" or item["archived"] == (wanted == "yes"),
    "price_min": lambda item, least: item["price"] >= float(least),
    "price_max": lambda item, most: item["price"] <= float(most),
}


def wanted(items: list[Item], query: dict[str, Any]) -> list[Item]:
    return [each for each in items if all(MEETS[field](each, value) for field, value in query.items())]


@PROPERTY
@given(rows=ROWS, queries=st.lists(QUERIES, min_size=1, max_size=5))
def test_a_list_has_the_items_that_meet_all_that_is_asked(
    alice: Person, engine: sa.Engine, rows: list[Item], queries: list[dict[str, Any]]
) -> None:
    empty(engine)
    fill(alice, distinct(rows))
    with transaction(engine) as conn:
        conn.execute(sa.update(item_table).values(updated_at=999 + item_table.c.id % 3))
    items = walk(alice, "/items", archived="any")
    assert len(items) == len(rows)
    for query in queries:
        shown = wanted(items, {"archived": "no"} | query)
        ikeas = [each for each in shown if each["store_id"] == 1]
        assert (query, walk(alice, "/store/ikea/items", sort="id", limit=3, **query)) == (query, ikeas)
        assert (query, total(alice, {"store_id": 1} | query)) == (query, len(ikeas))
        if not query.keys() & {"price_min", "price_max"}:
            assert (query, walk(alice, "/items", sort="id", limit=3, **query)) == (query, shown)
            assert (query, total(alice, query)) == (query, len(shown))


def distinct(rows: list[Item]) -> Iterator[Item]:
    """The rows; a SKU or barcode only for the first that has it in its store."""
    taken: set[Any] = set()
    for row in rows:
        unique = {(field, row["store_id"], row.get(field)): field for field in ("sku", "barcode")}
        yield {**row, **{field: None for key, field in unique.items() if key in taken}}
        taken |= unique.keys()


def total(person: Person, query: dict[str, Any]) -> int:
    answer = person.get(f"/items?{urlencode(query)}", headers={"Prefer": "count=exact"})
    assert answer.headers["Preference-Applied"] == "count=exact"
    found: int = answer.json["total"]
    return found


def test_the_sku_and_the_barcode_are_exact(alice: Person) -> None:
    fill(alice, [{"name": "a", "sku": "007", "barcode": "4006381333931"}, {"name": "b", "sku": "7"}, {"name": "c"}])
    fill(alice, [{"name": "d", "sku": "007"}], 2)
    for query, expected in (
        ({"sku": "007"}, ["a", "d"]),
        ({"sku": "7"}, ["b"]),
        ({"sku": "07"}, []),
        ({"sku": "a"}, []),
    ):
        assert names(page(alice, "/items", **query)["items"]) == expected
    assert names(page(alice, "/items", barcode="4006381333931")["items"]) == ["a"]
    assert names(page(alice, "/store/lidl/items", barcode="4006381333931")["items"]) == []


REFUSED = (
    ("price_min=1", "price_min"),
    ("price_max=1", "price_max"),
    ("sort=price", "sort"),
    ("sort=-stock", "sort"),
    ("sort=rank", "sort"),
    ("sort=size", "sort"),
    ("tag=", "tag"),
    ("tag=%3B", "tag"),
    ("tag=a%3B", "tag"),
    ("tag=%20", "tag"),
    ("tag=%00", "tag"),
    (f"tag={'a' * 41}", "tag"),
    ("sku=", "sku"),
    ("sku=%20", "sku"),
    ("sku=a%00", "sku"),
    ("barcode=4006381333932", "barcode"),
    ("barcode=400638133393x", "barcode"),
    ("barcode=1", "barcode"),
    ("in_stock=1", "in_stock"),
    ("in_stock=True", "in_stock"),
    ("updated_since=-1", "updated_since"),
    (f"updated_since={2**53}", "updated_since"),
    ("updated_since=1.0", "updated_since"),
    ("archived=maybe", "archived"),
    ("store_id=0", "store_id"),
    ("store_id=1&price_min=1.999", "price_min"),
    ("store_id=1&price_max=1.999", "price_max"),
    ("store_id=1&price_min=-1", "price_min"),
    ("store_id=1&price_min=1e", "price_min"),
    ("store_id=1&price_min=1E400", "price_min"),
    ("store_id=1&price_min=1e999999999", "price_min"),
    ("store_id=1&price_max=1e-999", "price_max"),
    ("store_id=1&price_max=1.999E0", "price_max"),
    ("store_id=1&price_min=1,5", "price_min"),
    ("store_id=1&price_max=10000000001", "price_max"),
)


def test_what_cannot_be_asked_is_named(alice: Person) -> None:
    fill(alice, [{"name": "a"}])
    for query, field in REFUSED:
        assert (query, wrong(alice.get(f"/items?{query}"))) == (query, {field})


@pytest.mark.parametrize(
    ("currency", "prices", "least", "expected", "refused"),
    [
        ("JPY", [99, 100, 101], "100", [100, 101], "100.5"),
        ("KWD", [0.999, 1.001, 1.002], "1.001", [1.001, 1.002], "1.0001"),
        ("CLF", [0.0001, 0.0002], "0.00020", [0.0002], "0.00021"),
    ],
)
def test_a_range_of_prices_is_in_the_stores_currency(
    currency: str, prices: list[float], least: str, expected: list[float], refused: str, alice: Person
) -> None:
    assert alice.post("/store/far", {"currency": currency}).json["id"] == 3
    fill(alice, ({"name": f"{price}", "price": price} for price in prices), 3)
    for path in ("/store/far/items?", "/items?store_id=3&"):
        found = alice.get(f"{path}price_min={least}").json["items"]
        assert [each["price"] for each in found] == expected
        assert wrong(alice.get(f"{path}price_min={refused}")) == {"price_min"}


def test_a_range_of_prices_may_have_exponents(alice: Person) -> None:
    """Java's generated client sends them. Whatever is taken, the way to the next page repeats."""
    fill(alice, [{"name": "a", "price": 9999999.99}, {"name": "b", "price": 10**7}, {"name": "c", "price": 10**7 + 1}])
    exact = names(walk(alice, "/store/ikea/items", limit=1, price_min="10000000"))
    assert exact == ["b", "c"]
    for least in ("1.0E7", "1E7", "1e+07", "10000000000e-3", "010000000"):
        assert (least, names(walk(alice, "/store/ikea/items", limit=1, price_min=least))) == (least, exact)
    for least in ("0", "0.0000000", "0.0e-999", "0E999"):
        assert (least, names(walk(alice, "/store/ikea/items", limit=1, price_min=least))[-1]) == (least, "c")
    assert names(walk(alice, "/store/ikea/items", price_min="9.99999999e6", price_max="9.99999999E6")) == ["a"]
    assert alice.get("/items?store_id=1&price_min=1E400").json["message"] == "A price is from 0 to 10000000000.00 EUR."


def test_a_store_that_is_not_there(alice: Person) -> None:
    for target in ("/items?store_id=99", "/items?store_id=99&q=a", "/store/aldi/items", "/store/aldi/items?tag=a"):
        for headers in ({}, {"Prefer": "count=exact"}, {"Accept": "text/csv"}):
            answer = alice.get(target, headers=headers)
            assert (answer.status_code, answer.json["message"]) == (404, "Store not found.")


# Sorts

KEYS: dict[str, Callable[[Item], Any]] = {
    "id": lambda item: item["id"],
    "name": lambda item: item["name"],
    "updated": lambda item: item["updated_at"],
    "price": lambda item: item["price"],
    "stock": lambda item: item["stock"],
}
SORTS = [f"{minus}{key}" for key in KEYS for minus in ("", "-")]


@pytest.mark.parametrize("query", [{}, {"q": "oak"}, {"tag": "t"}, {"q": "oak", "tag": "t", "in_stock": "true"}])
def test_every_order_is_total(query: dict[str, Any], alice: Person, engine: sa.Engine) -> None:
    """Of items that are equal in the key, the ids decide."""
    rows = [
        {"name": f"{chr(97 + n * 5 % 7)} oak {n}", "price": n % 3, "stock": n * 2 % 5, "tags": ["t"] if n % 4 else []}
        for n in range(14)
    ]
    fill(alice, rows)
    fill(alice, rows, 2)
    with transaction(engine) as conn:
        conn.execute(sa.update(item_table).values(updated_at=1000 + item_table.c.id * 3 % 5))
    items = wanted(walk(alice, "/items"), query)
    for sort in SORTS:
        key, is_down = KEYS[sort.removeprefix("-")], sort.startswith("-")
        expected = sorted(items, key=lambda item: (key(item), item["id"]), reverse=is_down)
        for limit in (1, 4, 200):
            ikeas = [each for each in expected if each["store_id"] == 1]
            assert (sort, walk(alice, "/store/ikea/items", sort=sort, limit=limit, **query)) == (sort, ikeas)
        if sort.removeprefix("-") in ("id", "name", "updated"):
            assert (sort, walk(alice, "/items", sort=sort, limit=5, **query)) == (sort, expected)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("tag", [None, "t"])
def test_no_item_is_repeated_or_dropped_while_others_write(sort: str, tag: str | None, alice: Person) -> None:
    rows = [{"name": f"m{n}", "price": 10 + n % 3, "stock": 10 + n % 4, "tags": ["t"]} for n in range(12)]
    items = fill(alice, [*rows, *({"name": f"x{n}", "price": 11, "stock": 11, "tags": ["t"]} for n in range(4))])
    kept = {each["id"] for each in items[:12]}
    seen: list[int] = []
    answer = page(alice, "/store/ikea/items", sort=sort, limit=3, tag=tag)
    for n in count():
        seen += [each["id"] for each in answer["items"]]
        edge = {"price": 11, "stock": 11, "tags": ["t"]}
        fill(alice, [{"name": name, **edge} for name in (f"a{n}", f"m{n}5", f"z{n}")] if n < 4 else [])
        if n < 4 and (n % 2 or items[12 + n]["id"] not in seen):
            alice.delete(f"/item/x{n}")
        if "next" not in answer:
            break
        answer = alice.get(answer["next"]).json
    assert len(seen) == len(set(seen)), "repeated"
    assert kept <= set(seen), "dropped"


def test_a_cursor_is_good_for_its_own_order_only(alice: Person) -> None:
    fill(alice, ({"name": f"{n}"} for n in range(3)))
    for of in SORTS:
        cursor = page(alice, "/store/ikea/items", limit=1, sort=of)["next"].partition("cursor=")[2]
        for sort in SORTS:
            answer = alice.get(f"/store/ikea/items?limit=1&sort={sort}&cursor={cursor}")
            assert (of, sort, answer.status_code) == (of, sort, 200 if sort == of else 400)


# Counts


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the database from now on."""
    asked: list[str] = []

    def note(conn: sa.Connection, sql: str, *more: Any) -> Any:
        asked.append(sql)
        return execute(conn, sql, *more)

    monkeypatch.setattr("storekeeper.database.compiled_query.execute", note)
    return asked


def test_nothing_is_counted_unless_asked(alice: Person, statements: list[str]) -> None:
    fill(alice, ({"name": f"{n}"} for n in range(5)))
    for prefer, expected in (("", None), ("count=none", None), ("count=exact", 5), ("respond-async, count=exact", 5)):
        statements.clear()
        answer = alice.get("/items?limit=2", headers={"Prefer": prefer} if prefer else {})
        assert answer.json.get("total") == expected
        assert answer.headers.get("Preference-Applied") == (None if expected is None else "count=exact")
        assert any("count(" in statement for statement in statements) == (expected is not None)
    following = alice.get(answer.json["next"], headers={"Prefer": "count=exact"})
    assert following.json["total"] == 5, "all of them, on every page"


def test_to_count_all_that_are_not_archived_no_item_is_read(
    alice: Person, engine: sa.Engine, statements: list[str]
) -> None:
    """Of a hundred thousand, SQLite took 5 ms. PostgreSQL decides by itself."""
    assert (total(alice, {}), total(alice, {"store_id": 1})) == (0, 0)
    counts = [statement for statement in statements if "count(" in statement]
    assert len(counts) == 2
    if engine.dialect.name == "sqlite":
        for each in counts:
            with engine.connect() as conn:
                steps = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}", {"store_id": 1})]
            assert len([step for step in steps if "items USING COVERING INDEX" in step]) == 2


def test_the_names_for_everybody_are_filtered_too(alice: Person) -> None:
    fill(alice, [{"name": "oak", "tags": ["t"]}, {"name": "elm"}, {"name": "oak tree", "archived": True}])
    for query, expected in (("q=oak", ["oak"]), ("tag=t", ["oak"]), ("sort=-name", ["oak", "elm"])):
        answer = raw_requests.send(alice.client.app, "GET", f"/items?{query}", [("Prefer", "count=exact")])
        assert (answer.json["items"], answer.json["total"]) == (expected, len(expected))
