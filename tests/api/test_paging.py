"""Pages: over (sort key, id), in the body and the header alike, and true while others write."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from storekeeper.database import compiled_query, dialects
from storekeeper.database.compiled_query import CompiledQuery, execute
from storekeeper.database.executor import Database
from storekeeper.domain.money import PriceInput
from storekeeper.models import item, item_queries, journal_feed, paging, session, store_items, store_member, user
from storekeeper.models.item_fields import Fields
from storekeeper.models.session import SessionLimits
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cast import HASHED
from tests.support.databases import transaction
from tests.support.raw_requests import Answer


class Reader:
    """Asks for pages as the answers say, with Root's token."""

    def __init__(self, root: Person) -> None:
        self._app = root.client.app
        self._headers = list(bearer(root.pair["access_token"]).items())

    def get(self, target: str) -> Answer:
        answer = raw_requests.send(self._app, "GET", target, self._headers)
        assert answer.status == 200, answer.body
        return answer

    def pages(self, target: str | None) -> Iterator[Answer]:
        for _ in range(100):
            if not target:
                return
            yield (answer := self.get(target))
            target = answer.json.get("next")
        raise AssertionError("there is no end to it")


@pytest.fixture
def reader(root: Person) -> Reader:
    return Reader(root)


@pytest.fixture
def shop(engine: sa.Engine) -> sa.Engine:
    """Three stores: "ikea" with 8 items, "aldi" with 5 of the same names, and "lidl" with none."""
    with transaction(engine) as conn:
        store_member.create_store(conn, 1, "aldi", "EUR")
        store_member.create_store(conn, 1, "lidl", "EUR")
        for name in "gfedcba":
            item.add(conn, 1, 1, name, Fields(price=PriceInput(1)))
        for name in "edcba":
            item.add(conn, 1, 2, name, Fields(price=PriceInput(2)))
    return engine


def names(answer: Answer, list_name: str = "items") -> list[str]:
    return [each["name"] for each in answer.json[list_name]]


@pytest.mark.usefixtures("shop")
def test_with_few_rows_the_answer_is_the_courses(reader: Reader) -> None:
    for path, members in (
        ("/items", {"items"}),
        ("/items?limit=13", {"items"}),
        ("/stores", {"stores"}),
        ("/store/ikea?limit=8", {"id", "name", "currency", "negative_stock", "version", "items"}),
        ("/users?limit=4", {"users"}),
        ("/sessions?limit=1", {"sessions"}),
        ("/store/ikea/members?limit=2", {"members"}),
    ):
        answer = reader.get(path)
        assert answer.json.keys() == members, path
        assert "link" not in answer.headers, path


@pytest.mark.usefixtures("shop")
def test_beyond_the_page_the_body_and_the_header_say_where_it_goes_on(reader: Reader) -> None:
    for path in ("/items", "/stores", "/store/ikea", "/users", "/store/ikea/members"):
        answer = reader.get(f"{path}?limit=1")
        assert answer.json["next"].startswith(f"{path}?limit=1&cursor="), path
        assert answer.headers["link"] == f"<{answer.json['next']}>; rel=next", path


@pytest.mark.usefixtures("shop")
def test_every_row_is_on_one_page(reader: Reader) -> None:
    everything = reader.get("/items").json["items"]
    assert len(everything) == 13
    for limit in (1, 2, 5, 12, 13, 14):
        pages = [page.json["items"] for page in reader.pages(f"/items?limit={limit}")]
        assert [row for page in pages for row in page] == everything, limit
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert 0 < len(pages[-1]) <= limit, "no page is empty"


@pytest.mark.usefixtures("shop")
def test_equal_names_are_told_apart_by_their_ids(reader: Reader) -> None:
    expected = sorted((row["name"], row["id"]) for row in reader.get("/items").json["items"])
    for limit in (1, 2, 3):
        pages = reader.pages(f"/items?sort=name&limit={limit}")
        found = [(row["name"], row["id"]) for page in pages for row in page.json["items"]]
        assert found == expected, limit


def test_names_are_in_the_order_of_their_code_points(alice: Person, reader: Reader) -> None:
    """On both databases, whatever their locale: or a cursor would not mean the same on both."""
    given = ["Z", "a", "É", "é", "ß", "z", "_", "~", "0", "10", "9", "Ａ", "😀", "\ue000", "a b", "a-b", "ab"]
    for name in given:
        assert alice.put(f"/item/{quote(name)}", {"price": 1, "store_id": 1}).status_code == 201
    expected = sorted([*given, "chair"])
    for limit in (1, 4, 200):
        assert [name for page in reader.pages(f"/items?sort=name&limit={limit}") for name in names(page)] == expected


@pytest.mark.usefixtures("shop")
def test_anonymous_pages_too(reader: Reader, client: Any) -> None:
    first = raw_requests.send(client.app, "GET", "/items?limit=12")
    second = raw_requests.send(client.app, "GET", first.json["next"])
    assert first.json["items"] + second.json["items"] == [row["name"] for row in reader.get("/items").json["items"]]
    assert first.json["message"] == second.json["message"] == "More data available if you log in."
    assert second.json.keys() == {"items", "message"}


ODD = ("a/b", "ü%?#&=", 'say "hi"', "<script>", "two words", "%2F", "椅子", "a;b,c", "...")


def test_paths_of_pages_have_their_names_escaped(alice: Person, reader: Reader) -> None:
    for name in ODD:
        path = f"/store/{quote(name, safe='')}"
        assert alice.post(path).status_code == 201
        for number in range(3):
            assert alice.put(f"{path}/item/{number}", {"price": 1}).status_code == 201
    for name in ODD:
        pages = list(reader.pages(f"/store/{quote(name, safe='')}?limit=2"))
        assert [names(page) for page in pages] == [["0", "1"], ["2"]], name
        assert pages[0].headers["link"] == f"<{pages[0].json['next']}>; rel=next"
    for page in reader.pages("/stores?limit=2"):
        for store in page.json["stores"]:
            rest = [names(answer) for answer in reader.pages(store.get("next"))]
            assert rest == ([] if store["name"] == "ikea" else [["2"]]), store


def test_a_path_that_was_not_escaped_comes_back_escaped(alice: Person, reader: Reader) -> None:
    assert alice.post("/store/%3Ca%3E%22").status_code == 201
    for number in range(2):
        assert alice.put(f"/store/%3Ca%3E%22/item/{number}", {"price": 1}).status_code == 201
    answer = reader.get('/store/<a>"?limit=1')
    assert answer.json["next"].startswith("/store/%3Ca%3E%22?limit=1&cursor=")
    assert answer.headers["link"] == f"<{answer.json['next']}>; rel=next"
    assert names(reader.get(answer.json["next"])) == ["1"]


@pytest.mark.usefixtures("shop")
def test_each_store_says_where_its_items_go_on(reader: Reader) -> None:
    stores = reader.get("/stores?limit=5").json["stores"]
    assert [(store["name"], len(store["items"]), "next" in store) for store in stores] == [
        ("ikea", 5, True),
        ("aldi", 5, False),
        ("lidl", 0, False),
    ]
    rest = list(reader.pages(stores[0]["next"]))
    assert [row for page in rest for row in page.json["items"]] == reader.get("/store/ikea").json["items"][5:]


@pytest.mark.usefixtures("shop")
def test_stores_come_in_pages_themselves(reader: Reader) -> None:
    for sort, expected in (("id", ["ikea", "aldi", "lidl"]), ("name", ["aldi", "ikea", "lidl"])):
        for limit in (1, 2, 3):
            pages = list(reader.pages(f"/stores?sort={sort}&limit={limit}"))
            assert [name for page in pages for name in names(page, "stores")] == expected
            assert all(len(store["items"]) <= limit for page in pages for store in page.json["stores"])


def test_a_page_has_100_rows_unless_asked_otherwise(engine: sa.Engine, reader: Reader) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.insert(item.items), [{"store_id": 1, "name": f"{n}", "price_minor": n} for n in range(200)])
    for path in ("/items", "/store/ikea"):
        assert [len(page.json["items"]) for page in reader.pages(path)] == [100, 100, 1], path
        assert [len(page.json["items"]) for page in reader.pages(f"{path}?limit=200")] == [200, 1], path
    (store,) = reader.get("/stores").json["stores"]
    assert len(store["items"]) == 100
    assert sum(len(page.json["items"]) for page in reader.pages(store["next"])) == 101


def test_the_number_of_statements_is_the_same_for_any_number_of_items(
    db: Database, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []

    def note(conn: sa.Connection, sql: str, *more: Any) -> Any:
        statements.append(sql)
        return execute(conn, sql, *more)

    sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))
    monkeypatch.setattr(compiled_query, "execute", note)

    def count(path: str) -> int:
        statements.clear()
        reader.get(path)
        return len(statements)

    few = count("/stores"), count("/store/ikea"), count("/items")
    with transaction(db.engine) as conn:
        for number in range(30):
            item.add(conn, 1, 1, f"{number}", Fields(price=PriceInput(1)))
    assert (count("/stores"), count("/store/ikea"), count("/items")) == few
    assert few == (2, 2, 2)  # stores and their items; a store and its items; the session and the items


def test_the_items_of_all_stores_of_a_page_take_one_trip(
    engine: sa.Engine, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[int] = []

    def note(conn: sa.Connection, asked: Any) -> Any:
        trips.append(len(asked))
        return compiled_query.fetch_together(conn, asked)

    monkeypatch.setattr(paging, "fetch_together", note)
    with transaction(engine) as conn:
        for number in range(30):
            created = store_member.create_store(conn, 1, f"store {number}", "EUR")
            item.add(conn, 1, created.id, "stool", Fields(price=PriceInput(1)))
    stores = reader.get("/stores").json["stores"]
    assert [[each["name"] for each in store["items"]] for store in stores] == [["chair"], *[["stool"]] * 30]
    assert trips == [31]


FIRST = {"position_0": 0, "position_1": 0}  # where a further page begins: before all that there is, or behind
LAST = {"position_0": 2**40, "position_1": 2**40}


def test_a_page_of_a_store_is_found_among_what_is_its_own(engine: sa.Engine) -> None:
    """Of a newer store too. By the ids of all items, PostgreSQL first read those of the older ones."""
    with transaction(engine) as conn:
        *older, newer = (store_member.create_store(conn, 1, f"store {number}", "EUR").id for number in range(8))
        of = [older[n % 7] if n < 9000 else newer for n in range(10_000)]
        names = "store_id", "name", "price_minor", "stock", "updated_at"
        rows = ((of[n], f"{n}", n, n, n) for n in range(10_000))
        dialects.insert_many(conn, "items", [dict(zip(names, row, strict=True)) for row in rows])
        change = {"at": 1, "request": "", "kind": "item", "action": "create"}
        dialects.insert_many(conn, "changes", [change | {"store_id": of[n], "subject_id": n} for n in range(10_000)])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("ANALYZE items, changes")
        shapes = [
            item_queries.FilterShape(conn.dialect.name, ("store_id",), in_stock, "no") for in_stock in (None, True)
        ]
        history = journal_feed._pages(conn.dialect.name, ("store_id",))
        sorts = "id", "updated", "price", "stock"
        for shape, sort, falls, is_further in product(shapes, sorts, (False, True), (False, True)):
            page = item_queries.pages(shape).query(f"-{sort}" if falls else sort, 20, is_further=is_further)
            assert f"ix_items_store_id_{sort}" in _plan(conn, page, store_id=newer, **(LAST if falls else FIRST))
        for is_further in (False, True):
            page = history.query("-id", 20, is_further=is_further)
            assert "ix_changes_store_id_id" in _plan(conn, page, store_id=older[0], **LAST)


def test_changes_are_read_in_their_order(engine: sa.Engine) -> None:
    """SQLite went by the index of kinds, and sorted all that was changed, for each page."""
    change = {"at": 1, "request": "", "kind": "item", "action": "create", "store_id": 1}
    with transaction(engine) as conn:
        dialects.insert_many(conn, "changes", [change | {"subject_id": n} for n in range(10_000)])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("ANALYZE changes")
        by_id = "PRIMARY KEY" if conn.dialect.name == "sqlite" else "pk_changes"
        for of_store, index in ((False, by_id), (True, "ix_changes_store_id_id")):
            page = journal_feed._following(conn.dialect.name, 20, of_store=of_store)
            assert index in _plan(conn, page, store_id=1, after=9, end=9999)
        audit = journal_feed._pages(conn.dialect.name, ("kind",)).query("-id", 20, is_further=False)
        _plan(conn, audit, kind="item")


def _plan(conn: sa.Connection, page: CompiledQuery, **values: Any) -> str:
    """How a page is found. Nothing has to be sorted."""
    text = page._statement.params(values).compile(conn, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
    plan = "\n".join(str(row[-1]) for row in conn.exec_driver_sql(f"{explain} {text}"))
    assert not any(word in plan for word in ("Sort", "TEMP B-TREE")), plan
    return plan


# The paths of lists, how a row comes to be there that sorts by its name, and how it goes.
Change = Callable[[sa.Connection, str], None]


def add_item(conn: sa.Connection, name: str) -> None:
    item.add(conn, 1, 1, name, Fields(price=PriceInput(1)))


def add_store(conn: sa.Connection, name: str) -> None:
    store_member.create_store(conn, 1, name, "EUR")


def add_user(conn: sa.Connection, name: str) -> None:
    user.add(conn, name, HASHED)


def add_member(conn: sa.Connection, name: str) -> None:
    add_user(conn, name)
    store_member.put(conn, 1, "ikea", name, "clerk")


def remove(table: sa.Table, column: str) -> Change:
    return lambda conn, name: conn.execute(sa.delete(table).where(table.c[column] == name)) and None


def leave(conn: sa.Connection, name: str) -> None:
    store_member.delete(conn, 1, "ikea", name)


LISTS: dict[str, tuple[str, str, Change, Change]] = {
    "/items": ("items", "name", add_item, remove(item.items, "name")),
    "/store/ikea": ("items", "name", add_item, remove(item.items, "name")),
    "/stores": ("stores", "name", add_store, lambda conn, name: store_items.delete_store(conn, 1, name, False)),
    "/users": ("users", "username", add_user, remove(user.users, "username")),
    "/store/ikea/members": ("members", "username", add_member, leave),
}


@pytest.mark.parametrize(
    ("path", "sort"), [("/items", "id"), *((path, "name") for path in LISTS), ("/store/ikea/members", "id")]
)
def test_no_row_is_repeated_or_dropped_while_others_write(
    path: str, sort: str, engine: sa.Engine, reader: Reader
) -> None:
    list_name, key, add, take_away = LISTS[path]
    lasting = [f"m{n}" for n in range(10)]
    with transaction(engine) as conn:
        for name in ("m0", "x0", "m1", "m2", "x1", "m3", "m4", "m5", "x2", "m6", "m7", "m8", "x3", "m9"):
            add(conn, name)
    found: list[str] = []
    for number, page in enumerate(reader.pages(f"{path}?sort={sort}&limit=2")):
        rows = [row[key] for row in page.json[list_name]]
        found += rows
        with transaction(engine) as conn:
            for name in (f"a{number}", f"m{number}5", f"z{number:03}") if number < 12 else ():
                add(conn, name)  # before, among and after what is there
            if f"x{number}" in ("x0", "x1", "x2", "x3"):
                take_away(conn, f"x{number}")
    assert len(found) == len(set(found)), "repeated"
    assert [name for name in found if name in lasting] == lasting, "dropped, or out of order"


@pytest.mark.parametrize("sort", ["id", "name"])
def test_a_page_goes_on_where_the_last_row_was_even_if_it_is_gone(sort: str, engine: sa.Engine, reader: Reader) -> None:
    with transaction(engine) as conn:
        for name in "defg":
            add_item(conn, name)
    first = reader.get(f"/items?sort={sort}&limit=2")
    with transaction(engine) as conn:
        conn.execute(sa.delete(item.items).where(item.items.c.id == first.json["items"][-1]["id"]))
    rest = [name for page in reader.pages(first.json["next"]) for name in names(page)]
    assert rest == list("efg")


def test_sessions_come_in_pages(engine: sa.Engine, reader: Reader) -> None:
    with transaction(engine) as conn:
        for number in range(4):
            session.begin(conn, 4, SessionLimits(3600), f"device {number}", "")
    pages = list(reader.pages("/sessions?limit=2"))
    assert [len(page.json["sessions"]) for page in pages] == [2, 2, 1]
    ids = [row["id"] for page in pages for row in page.json["sessions"]]
    assert len(set(ids)) == 5
    assert sum(row["is_current"] for page in pages for row in page.json["sessions"]) == 1
