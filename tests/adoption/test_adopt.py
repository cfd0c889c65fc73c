"""`storekeeper adopt`: the course's database in each of its shapes, into both kinds of ours."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import Result
from falcon import testing

from storekeeper.database.engine import create_engine, metadata
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support import course_databases
from tests.support.cast import PASSWORD
from tests.support.cli_runner import run_with, says


@pytest.fixture
def engine(url: str) -> sa.Engine:
    """In place of the one with the cast: a database without a row."""
    return create_engine(url)


class Adopting:
    """Runs the command; and tells what it decided."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.report = folder / "report.jsonl"
        self.file = folder / "data.db"

    def run(self, *args: str) -> Result:
        self.report.unlink(missing_ok=True)
        return run_with(self.settings, "adopt", str(self.file), "--report", str(self.report), *args)

    def done(self, *args: str) -> str:
        result = self.run(*args)
        assert result.exit_code == 0, result.output
        assert result.stderr == ""
        return result.stdout

    def decided(self, *kinds: str) -> list[tuple[Any, Any, Any]]:
        """The id, the old and the new value of each decision of these kinds."""
        return [(each["id"], each["old"], each["new"]) for each in self.decisions() if each["kind"] in kinds]

    def reasons(self, kind: str) -> list[str]:
        return [each["reason"] for each in self.decisions() if each["kind"] == kind]

    def decisions(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.report.read_bytes().splitlines()]


@pytest.fixture
def adopting(settings: Settings, tmp_path: Path) -> Adopting:
    return Adopting(settings, tmp_path)


def contents(engine: sa.Engine) -> dict[str, list[Any]]:
    """The rows of each table, in the order of its primary key."""
    with engine.connect() as conn:
        return {
            table.name: list(conn.execute(table.select().order_by(*table.primary_key)).all())
            for table in metadata.sorted_tables
        }


def on_disk(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()}


def login(client: testing.TestClient, username: str, password: str) -> int:
    return client.simulate_post("/login", json={"username": username, "password": password}).status_code


def prices(client: testing.TestClient, store: str) -> dict[str, Any]:
    """As they are written: 15.90 is not 15.9."""
    answer = client.simulate_get(f"/store/{store}")
    assert answer.status_code == 200, answer.text
    held = json.loads(answer.text, parse_float=str)["items"]
    return {each["name"]: each["price"] for each in held}


# The shapes


@pytest.mark.parametrize("shape", course_databases.SHAPES)
def test_each_shape(shape: str, adopting: Adopting, client: testing.TestClient) -> None:
    course_databases.usual(adopting.file, shape)
    before = adopting.file.read_bytes(), adopting.file.stat().st_mtime_ns
    told = adopting.done("--owner", "jose", "--admin", "jose")
    assert told.endswith("\nDone.\n")
    assert (adopting.file.read_bytes(), adopting.file.stat().st_mtime_ns) == before
    assert prices(client, "ikea") == {"chair": "15.99", "desk": "15.99"}
    assert prices(client, "tesco") == {"bread": "19.99"}
    jose = Person(client, "jose", 1, PASSWORD if shape == "today" else course_databases.CLEAR)
    assert jose.get("/item/chair?store_id=1").json["tags"] == (["garden", "wood"] if shape == "today" else [])
    assert [each["role"] for each in jose.get("/store/tesco/members").json["members"]] == ["owner"]
    assert jose.delete("/item/bread").status_code == 200
    is_stopped = shape in ("activated", "confirmed", "github", "orders")
    assert login(client, "rolf", PASSWORD if shape == "today" else "jose") == (401 if is_stopped else 200)
    assert adopting.decided("user_inactive") == ([(2, "rolf", "rolf")] if is_stopped else [])
    orders = {
        ("items_in_order", "3 rows. Storekeeper has no orders."),
        ("orders", "2 rows. Storekeeper has no orders."),
    }
    left_out = {(each["old"], each["reason"]) for each in adopting.decisions() if each["kind"] == "table_not_taken"}
    assert left_out == (orders if shape == "orders" else set())


def test_the_current_edition_after_its_last_section(adopting: Adopting, client: testing.TestClient) -> None:
    """Its API lets two items of a store, and two tags, have one name."""
    course_databases.make(
        adopting.file,
        course_databases.MAILED,
        users=[(1, "jose", "jose@shop.example", course_databases.PASSLIB)],
        stores=[(1, "ikea"), (2, "tesco")],
        items=[(1, "chair", "Of oak.", 17.0, 1), (2, "chair", None, 15.99, 1), (5, "milk", None, 2.0, 2)],
        tags=[(1, "Garden", 1), (2, "Garden", 2), (4, "unused", 1)],
        items_tags=[(1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 5, 2)],
    )
    adopting.done()
    held = [each for store in ("ikea", "tesco") for each in client.simulate_get(f"/store/{store}").json["items"]]
    assert [(each["name"], each["description"], each["tags"]) for each in held] == [
        ("chair", "Of oak.", ["garden"]),
        ("chair (2)", "", []),
        ("milk", "", ["garden"]),
    ]
    assert login(client, "jose", PASSWORD) == 200
    assert [(each["kind"], each["id"], each["old"], each["new"]) for each in adopting.decisions()] == [
        ("item_renamed", 2, "chair", "chair (2)"),
        ("tag_not_taken", 4, "unused", None),
        ("column_not_taken", None, "users.email", None),
    ]


def test_whoever_came_by_github_has_to_get_a_password(adopting: Adopting, client: testing.TestClient) -> None:
    course_databases.usual(adopting.file, "github")
    adopting.done()
    assert adopting.decided("password_reset") == [(3, "octocat", "octocat")]
    for password in ("", "None", "octocat"):
        assert login(client, "octocat", password) == 401
    reset = run_with(adopting.settings, "users", "reset-password", "octocat", "--password-stdin", stdin=PASSWORD)
    assert reset.exit_code == 0, reset.output
    assert login(client, "octocat", PASSWORD) == 200


def test_columns_in_another_order_and_tables_that_nobody_knows(adopting: Adopting, client: testing.TestClient) -> None:
    shape = """
        CREATE TABLE "Items" (store_id INTEGER, "Price" FLOAT, colour TEXT, name TEXT, id INTEGER PRIMARY KEY);
        CREATE TABLE stores (name TEXT, id INTEGER PRIMARY KEY);
        CREATE TABLE "wish list" (id INTEGER PRIMARY KEY, "a ""quoted"" one" TEXT);
        INSERT INTO items VALUES (1, 15.99, 'red', 'chair', 1), (1, 5, NULL, 'stool', 2);
        INSERT INTO stores VALUES ('ikea', 1);
        INSERT INTO "wish list" VALUES (1, 'x');
    """
    course_databases.make(adopting.file, shape)
    assert "owned by" not in adopting.done()
    assert prices(client, "ikea") == {"chair": "15.99", "stool": "5.00"}
    assert [(each["old"], each["reason"]) for each in adopting.decisions()] == [
        ("wish list", "1 rows. Storekeeper does not know it."),
        ("items.colour", "1 values. Storekeeper does not know it."),
    ]


# Passwords


@pytest.mark.parametrize(
    ("stored", "password"),
    [
        (course_databases.CLEAR, course_databases.CLEAR),
        ("jose", "jose"),
        (" spaces ", " spaces "),
        ("pässwörd", "pässwörd"),
        ("$2b$12$not a hash", "$2b$12$not a hash"),
        (12345, "12345"),
        (b"bytes", "bytes"),
        (course_databases.PASSLIB, PASSWORD),
        (course_databases.PASSLIB_SHA512, "pässwörd"),
        (course_databases.WERKZEUG_SHA256, PASSWORD),
        (course_databases.WERKZEUG_SCRYPT, PASSWORD),
    ],
)
def test_whoever_could_log_in_still_can(
    stored: Any, password: str, adopting: Adopting, client: testing.TestClient, engine: sa.Engine
) -> None:
    course_databases.make(adopting.file, course_databases.LECTURE, users=[(1, "jose", stored)])
    adopting.done()
    assert adopting.decisions() == []
    assert login(client, "jose", "wrong") == 401
    assert login(client, "jose", password) == 200
    (row,) = contents(engine)["users"]
    assert row.password_hash.startswith("$argon2id$")
    assert login(client, "jose", password) == 200
    if str(stored) != password:
        assert login(client, "jose", str(stored)) == 401  # the hash is no password


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        b"\xff\xfe",
        "with a \0",
        "x" * 257,
        course_databases.BCRYPT,
        course_databases.PASSLIB.replace("1000", "2000001"),
        "pbkdf2:sha256:999999999$salt$" + "0" * 64,
        "pbkdf2:sha256:1000$salt$" + "0" * 62,
        "scrypt:1048576:8:1$salt$" + "0" * 128,
        "scrypt:1000:8:1$salt$" + "0" * 128,
        "sha256$salt$" + "0" * 64,
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g",
    ],
    ids=lambda stored: str(stored)[:30],
)
def test_what_cannot_be_checked_fits_nothing(stored: Any, adopting: Adopting, client: testing.TestClient) -> None:
    course_databases.make(adopting.file, course_databases.LECTURE, users=[(1, "jose", stored)])
    adopting.done()
    assert adopting.decided("password_reset") == [(1, "jose", "jose")]
    for tried in ("", "None", "\ufffd\ufffd", str(stored).replace("\0", ""), PASSWORD):
        assert login(client, "jose", tried) == 401


def test_no_password_is_ever_told(adopting: Adopting) -> None:
    secrets = ["tiger 42 in clear", course_databases.PASSLIB, course_databases.BCRYPT, "y" * 300]
    course_databases.make(
        adopting.file, course_databases.LECTURE, users=[(n, "bob", each) for n, each in enumerate(secrets)][:1]
    )
    with closing(sqlite3.connect(adopting.file)) as db, db:
        course_databases.fill(db, "users", [(n, f"bob{n} ", each) for n, each in enumerate(secrets, 10)])
    told = adopting.done() + adopting.report.read_text()
    assert [each for each in secrets if each[:40] in told] == []
    assert "Passwords in clear text, hashed at once: 2\n" in told
    assert "Passwords hashed in another way, hashed anew at the next login: 1\n" in told
    assert len(adopting.decided("password_reset")) == 2


# Prices, names and stores


def test_damaged_users(adopting: Adopting, client: testing.TestClient, engine: sa.Engine) -> None:
    users = ["bob", "Bob", "bob-2", " carol ", "ｂｏｂ", "john smith", "???", None, "x" * 81, b"\xff", "\ufb00" * 41]
    course_databases.make(
        adopting.file,
        course_databases.LECTURE,
        users=[(n, each, course_databases.CLEAR) for n, each in enumerate(users, 1)],
    )
    told = adopting.done("--admin", "BOB-2")
    assert [(row.username, row.is_admin) for row in contents(engine)["users"]] == [
        ("bob", False),
        ("Bob-3", False),
        ("bob-2", True),
        ("carol", False),
        ("ｂｏｂ-4", False),
        ("john-smith", False),
        ("user-7", False),
        ("user-8", False),
        ("x" * 80, False),
        ("user-10", False),
        ("\ufb00" * 40, False),
    ]
    assert {id for id, _, _ in adopting.decided("user_renamed")} == {2, 4, 5, 6, 7, 8, 9, 10, 11}
    assert "  2: 'Bob' -> 'Bob-3'  It is the same as 'bob' (user 1).\n" in told
    assert "  4: ' carol ' -> 'carol'  There are spaces at its ends.\n" in told
    assert login(client, "carol", course_databases.CLEAR) == 200


def test_damaged_stores_and_items(adopting: Adopting, client: testing.TestClient, engine: sa.Engine) -> None:
    stores = [(1, " ikea"), (2, "ikea"), (3, None), (4, "two\twords\u200b"), (5, "ikea (2)")]
    items = [
        (1, "chair", 15.99, 2),
        (2, "chair", 15.989999771118164, 2),  # the same
        (3, "chair", 14, 2),
        (4, "chair (2)", 1, 2),
        (5, "chair ", 13, 2),
        (6, "chair", 15.99, 1),
        (7, "a" * 100, 1, 1),
        (8, "lost", 1, None),
        (9, "lost", 2, 99),
        (10, "odd", 1, "text"),
        (11, b"\xffbytes", 1, 1),
    ]
    course_databases.make(adopting.file, course_databases.LECTURE, stores=stores, items=items)
    adopting.done()
    assert [row.name for row in contents(engine)["stores"]] == [
        "ikea (3)",
        "ikea",
        "store-3",
        "two words",
        "ikea (2)",
    ]
    assert prices(client, "ikea") == {"chair": "15.99", "chair (2)": "1.00", "chair (3)": "14.00", "chair (4)": "13.00"}
    assert prices(client, "ikea (3)") == {"chair": "15.99", "a" * 80: "1.00", "\ufffdbytes": "1.00"}
    assert adopting.decided("item_merged") == [(2, "chair", None)]
    assert adopting.decided("item_not_taken") == [(8, "lost", None), (9, "lost", None), (10, "odd", None)]
    assert adopting.reasons("item_not_taken")[1] == "Its store 99 is gone. (price: 2.0)"


@pytest.mark.parametrize("name", ["lost property", "ikea"])
def test_items_without_a_store_go_where_the_operator_says(
    name: str, adopting: Adopting, client: testing.TestClient
) -> None:
    items = [(1, "chair", 1, 1), (2, "chair", 2, None), (3, "stool", 3, 7)]
    course_databases.make(adopting.file, course_databases.LECTURE, stores=[(1, "ikea")], items=items)
    adopting.done("--lost-store", name)
    assert adopting.decided("item_moved") == [(2, "chair", name), (3, "stool", name)]
    held = prices(client, name)
    assert held["stool"] == "3.00"
    assert held.get("chair (2)" if name == "ikea" else "chair") == "2.00"


def test_no_store_is_made_for_nothing(adopting: Adopting, engine: sa.Engine) -> None:
    course_databases.usual(adopting.file, "lecture")
    adopting.done("--lost-store", "lost property")
    assert [row.name for row in contents(engine)["stores"]] == ["ikea", "tesco"]


def test_damaged_prices(adopting: Adopting, client: testing.TestClient) -> None:
    good = [15.989999771118164, 19.990000000000002, 0.1 + 0.2, 0, -0.0, 1e10, 7]
    doubtful = {15.994: "15.99", 15.995: "16.00", 15.985: "15.98", 131072.015625: "131072.02", 1e-9: "0.00"}
    bad = [None, -1, -0.001, 1e10 + 0.01, 1e308, 9e999, -9e999, "dear", b"1.0", 2**62]
    every = [*good, *doubtful, *bad]
    items = [(n, f"item {n}", each, 1) for n, each in enumerate(every, 1)]
    course_databases.make(adopting.file, course_databases.LECTURE, stores=[(1, "ikea")], items=items)
    told = adopting.done()
    kept = ["15.99", "19.99", "0.30", "0.00", "0.00", "10000000000.00", "7.00", *doubtful.values()]
    assert list(prices(client, "ikea").values()) == kept
    assert [(old, new) for _, old, new in adopting.decided("price_rounded")] == [
        (old, f"{new} EUR") for old, new in doubtful.items()
    ]
    assert [id for id, _, _ in adopting.decided("item_not_taken")] == [*range(13, 23)]
    assert "  8: 15.994 -> '15.99 EUR'  The price of 'item 8'.\n" in told


def test_another_currency_has_other_digits(adopting: Adopting, client: testing.TestClient) -> None:
    items = [(1, "chair", 1599, 1), (2, "desk", 1599.5, 1)]
    course_databases.make(adopting.file, course_databases.LECTURE, stores=[(1, "ikea")], items=items)
    adopting.done("--currency", "JPY")
    assert client.simulate_get("/store/ikea").json["currency"] == "JPY"
    assert adopting.decided("price_rounded") == [(2, 1599.5, "1600 JPY")]


def test_damaged_tags(adopting: Adopting, client: testing.TestClient) -> None:
    tags = [(n, f"tag {n:02}", 1) for n in range(1, 26)] + [(50, " Bits;Bobs ", 1), (51, None, 1), (52, "x" * 50, 1)]
    shape = course_databases.TODAY.replace("name VARCHAR(80) NOT NULL UNIQUE, store_id", "name VARCHAR(80), store_id")
    links = [(None, 1, id) for id, *_ in tags if id < 50] + [(None, 2, id) for id in (50, 50, 51, 52, 99)]
    items = [(1, "chair", 1, 1), (2, "desk", 2, 1)]
    course_databases.make(adopting.file, shape, stores=[(1, "ikea")], items=items, tags=tags, items_tags=links)
    adopting.done()
    chair, desk = client.simulate_get("/store/ikea").json["items"]
    assert chair["tags"] == [f"tag {n:02}" for n in range(1, 21)]
    assert desk["tags"] == ["bits bobs", "tag-51", "x" * 40]
    assert len(adopting.decided("tag_not_taken")) == 5
    assert {id for id, _, _ in adopting.decided("tag_renamed")} == {50, 51, 52}


def test_a_tag_that_no_item_keeps_is_told(adopting: Adopting, client: testing.TestClient) -> None:
    tags = [(1, "Garden", 1), (2, "sale", 1), (3, " Old ", 1), (4, "Lost", 1)]
    items = [(1, "chair", 1, 1), (2, "stool", 1, 99)]  # the stool's store is gone
    links = [(1, 1, 1), (2, 2, 4), (3, 99, 2)]  # there is no item 99
    course_databases.make(
        adopting.file, course_databases.TODAY, stores=[(1, "ikea")], items=items, tags=tags, items_tags=links
    )
    told = adopting.done()
    assert client.simulate_get("/store/ikea").json["items"][0]["tags"] == ["garden"]
    assert adopting.decided("tag_not_taken") == [(2, "sale", None), (3, " Old ", None), (4, "Lost", None)]
    assert adopting.decided("tag_renamed") == []
    assert "  2: 'sale'  No item that is taken over has it.\n" in told


def test_descriptions(adopting: Adopting, client: testing.TestClient) -> None:
    bad = {"nul \0 inside": "nul  inside", "x" * 4001: "x" * 4000, "e" + "\u0316" * 50: "e" + "\u0316" * 30}
    every = ["Of oak.", None, "", "Two\r\nlines", 12, *bad]
    items = [(n, f"item {n}", 1, 1, each) for n, each in enumerate(every, 1)]
    items += [(20, "item 1", 1, 1, "Of ash."), (21, "item 1", 1, 1, "Of oak.")]
    course_databases.make(adopting.file, course_databases.DESCRIBED, stores=[(1, "ikea")], items=items)
    adopting.done()
    held = {each["name"]: each["description"] for each in client.simulate_get("/store/ikea").json["items"]}
    kept = ["Of oak.", "", "", "Two\nlines", "12", *bad.values()]
    assert held == {f"item {n}": each for n, each in enumerate(kept, 1)} | {"item 1 (2)": "Of ash."}
    assert [(id, new) for id, _, new in adopting.decided("description_changed")] == [*enumerate(bad.values(), 6)]
    assert adopting.decided("item_merged") == [(21, "item 1", None)]
    assert adopting.decided("column_not_taken") == []
    assert "item 1" in client.simulate_get("/items", params={"q": "oak"}).text


def test_adopted_items_are_found_by_their_words(adopting: Adopting, client: testing.TestClient) -> None:
    course_databases.usual(adopting.file, "today")
    adopting.done()
    found = client.simulate_get("/items", params={"q": "gard", "tag": "wood"})
    assert "chair" in found.text, found.text


# Into what


def test_a_dry_run_tells_the_same_and_changes_nothing(adopting: Adopting, engine: sa.Engine) -> None:
    course_databases.usual(adopting.file, "orders")
    before = contents(engine)
    dry = adopting.done("--dry-run"), adopting.report.read_bytes()
    assert contents(engine) == before
    wet = adopting.done(), adopting.report.read_bytes()
    assert contents(engine) != before
    assert dry == (wet[0].replace("Done.", "This was a dry run: nothing is written."), wet[1])


def test_nobody_is_owner_or_administrator_unasked(adopting: Adopting, engine: sa.Engine) -> None:
    course_databases.usual(adopting.file, "later")
    assert "without an owner, so that only administrators may change them" in adopting.done()
    found = contents(engine)
    assert not any(row.is_admin for row in found["users"])
    assert found["store_members"] == []


def test_a_second_run_is_refused_unless_it_is_meant(adopting: Adopting, engine: sa.Engine) -> None:
    course_databases.usual(adopting.file, "later")
    adopting.done()
    before = contents(engine)
    message = "There are stores in Storekeeper's database. --into-existing adopts beside them, not into them."
    says(adopting.run(), 1, message)
    assert contents(engine) == before
    assert not adopting.report.exists()
    adopting.done("--into-existing", "--owner", "JOSE")
    found = contents(engine)
    assert [row.name for row in found["stores"]] == ["ikea", "tesco", "ikea (2)", "tesco (2)"]
    assert [row.username for row in found["users"]] == ["jose", "rolf", "jose-2", "rolf-2"]
    assert [(row.store_id, row.user_id) for row in found["store_members"]] == [(3, 1), (4, 1)]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--owner", "nobody"], "There will be no user 'nobody'. A dry run tells the new names."),
        (["--admin", "nobody"], "There will be no user 'nobody'. A dry run tells the new names."),
        (["--currency", "EURO"], "A currency is an active ISO 4217 code, such as EUR."),
        (["--lost-store", ""], "A name has 1 to 80 characters."),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["wet", "dry"])
def test_a_wish_that_cannot_be_met(
    args: list[str], message: str, dry: list[str], adopting: Adopting, engine: sa.Engine
) -> None:
    course_databases.usual(adopting.file, "later")
    before = contents(engine)
    says(adopting.run(*args, *dry), 1, message)
    assert contents(engine) == before
    assert not adopting.report.exists()


def test_thousands_of_the_same_name_are_numbered(adopting: Adopting, engine: sa.Engine) -> None:
    items = [(n, "chair", n / 100, 1) for n in range(5000)]
    course_databases.make(adopting.file, course_databases.LECTURE, stores=[(1, "ikea")], items=items)
    told = adopting.done()
    assert "and 4,979 more: --report FILE writes them all to a file" in told
    assert len(told.splitlines()) < 40
    names = [row.name for row in contents(engine)["items"]]
    assert len(set(names)) == 5000
    assert (names[0], names[-1]) == ("chair", "chair (5000)")
