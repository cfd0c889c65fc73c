"""What migrations make of what is there already."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine
from storekeeper.models import item_search
from tests.conftest import Person
from tests.database.test_schema import at_version, empty_url  # noqa: F401  a fixture
from tests.support.item_catalogues import fill

# As the documents were before 0007: weights told the words of a title.
_WITH_WEIGHTS = """
    UPDATE item_search SET document = (
        SELECT string_agg(
            CASE WHEN lexeme LIKE '\xb6%' THEN quote_literal(substr(lexeme, 2)) || ':1A'
                 ELSE quote_literal(lexeme) || ':2C' END, ' ')::tsvector
        FROM unnest(document)
    )
"""
ROWS: list[dict[str, Any]] = [
    {"name": "Oak chair, chair", "sku": "C-1", "description": "A chair of oak", "tags": ["late summer"]},
    {"name": "木製の椅子", "barcode": "4006381333931"},
    {"name": "\U0001fa91", "description": "no word in the title"},
    {"name": "it's a \\", "description": "'':1A § ¶x"},
]


def test_the_words_of_titles_are_marked(alice: Person, engine: sa.Engine) -> None:
    """0007, for PostgreSQL. What is marked already stays as it is: 0002 writes so."""
    fill(alice, ROWS)
    if engine.dialect.name == "sqlite":
        return
    marked = _documents(engine)
    with engine.begin() as conn:
        conn.exec_driver_sql(f"{_WITH_WEIGHTS.replace('%', '%%')} WHERE rowid <> 1")
    weighted = _documents(engine)
    assert [now == before for now, before in zip(weighted, marked, strict=True)] == [True, *[False] * len(ROWS)]
    with at_version(engine.url.render_as_string(hide_password=False), "0006"), engine.begin() as conn:
        schema_version._upgrade(conn, "0007")
    assert _documents(engine) == marked


def _documents(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(sa.text("SELECT document::text FROM item_search ORDER BY rowid")))


def test_the_words_of_the_first_items_are_indexed(empty_url: str) -> None:  # noqa: F811
    """0002: it writes what the program would."""
    names = ("Oak chair, chair", "木製の椅子", "Smørrebrød Ⅷ", "it's a \\", "\U0001fa91")
    engine = create_engine(empty_url)
    with engine.begin() as conn:
        schema_version._upgrade(conn, "0001")
        conn.execute(sa.text("INSERT INTO stores (id, name, currency) VALUES (7, 'ikea', 'EUR')"))
        for id, name in enumerate(names, 1):
            values = {"id": id, "name": name}
            conn.execute(
                sa.text("INSERT INTO items (id, store_id, name, price_minor) VALUES (:id, 7, :name, 1)"), values
            )
    schema_version.migrate(engine)
    made = _indexed(engine)
    with engine.begin() as conn:
        entries = [item_search.SearchDocument(id, 7, name, None, None, "", "") for id, name in enumerate(names, 1)]
        item_search.index(conn, entries)
    assert made == _indexed(engine)
    assert "smorrebrod" in str(made)


def _indexed(engine: sa.Engine) -> list[Any]:
    if engine.dialect.name == "postgresql":
        return list(_documents(engine))
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'item_search', 'col')")
        return list(map(tuple, conn.exec_driver_sql("SELECT * FROM vocabulary")))


def test_migrations_import_nothing_of_the_program() -> None:
    """They stay as they are, while it changes."""
    for path in schema_version.MIGRATIONS.glob("versions/*.py"):
        imported = re.findall(r"^\s*(?:from|import) storekeeper\b.*", path.read_text(), re.M)
        assert not imported, f"{path.name}: {imported}"


HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaA"


def leaked(id: int, name: str) -> dict[str, Any]:
    """The user as 223c058 told of a registration."""
    return {"id": id, "username": name, "is_admin": name, "is_active": HASH}


def told(id: int, name: str, is_admin: bool, is_active: bool = True) -> dict[str, Any]:
    return {"id": id, "username": name, "is_admin": is_admin, "is_active": is_active}


# Of a user each: what the journal says of them, action by action, as before and after; and whether the user is there
# and an administrator now.
JOURNAL: list[tuple[str, bool, bool, list[tuple[str, Any, Any]]]] = [
    ("ann", True, False, [("create", None, leaked(1, "ann"))]),
    ("ben", True, True, [("create", None, leaked(2, "ben"))]),
    (
        "cem",
        True,
        False,
        [("create", None, leaked(3, "cem")), ("update", {"is_admin": True}, told(3, "cem", is_admin=False))],
    ),
    (
        "dóra",
        True,
        True,
        [
            ("create", None, leaked(4, "dóra")),
            ("update", {"is_active": True}, told(4, "dóra", is_admin=False, is_active=False)),
            ("update", {"is_admin": False, "is_active": False}, told(4, "dóra", is_admin=True)),
        ],
    ),
    ("eve", False, False, [("create", None, leaked(5, "eve")), ("delete", told(5, "eve", is_admin=True), None)]),
    ("fay", True, False, [("create", None, told(6, "fay", is_admin=False)), ("password", {}, told(6, "fay", False))]),
]
REPAIRED = {"ann": False, "ben": True, "cem": True, "dóra": False, "eve": True, "fay": False}


@pytest.fixture
def leaky_url(empty_url: str) -> str:  # noqa: F811
    """A database of version 0007 in which JOURNAL stands."""
    with create_engine(empty_url).begin() as conn:
        schema_version._upgrade(conn, "0007")
        for id, (name, is_there, is_admin, rows) in enumerate(JOURNAL, 1):
            if is_there:
                user = "INSERT INTO users VALUES (:id, :name, :name, :hash, :is_admin, true)"
                conn.execute(sa.text(user), {"id": id, "name": name, "hash": HASH, "is_admin": is_admin})
            for action, before, after in rows:
                change = """INSERT INTO changes (at, request, kind, action, subject_id, before, after)
                            VALUES (0, 'r', 'user', :action, :id, :before, :after)"""
                states = {"before": text_of(before), "after": text_of(after)}
                conn.execute(sa.text(change), {"action": action, "id": id} | states)
    return empty_url


def text_of(state: Any) -> str | None:
    return None if state is None else json.dumps(state, ensure_ascii=False, separators=(",", ":"))


def test_hashes_leave_the_journal(leaky_url: str) -> None:
    """0009: what stands there is what was so, the operator hears whose hashes they were, and it cannot come back."""
    notices: list[str] = []
    engine = create_engine(leaky_url)
    assert schema_version.migrate(engine, notices.append)
    with engine.connect() as conn:
        rows = conn.execute(sa.text("SELECT action, before, after FROM changes ORDER BY id")).all()
    expected = []
    for id, (name, _, _, changes) in enumerate(JOURNAL, 1):
        first = ("create", None, text_of(told(id, name, REPAIRED[name])))
        expected += [first, *((action, text_of(before), text_of(after)) for action, before, after in changes[1:])]
    assert [tuple(row) for row in rows] == expected
    (notice,) = notices
    assert "Users: ann, ben, cem, dóra and 1 deleted." in notice
    assert ("VACUUM FULL" in notice) is (engine.dialect.name == "postgresql")
    with pytest.raises(sa.exc.DatabaseError, match="not to be altered"), engine.begin() as conn:
        conn.execute(sa.text("UPDATE changes SET user_id = 7"))
    columns = "at, request, kind, action, subject_id, after"
    again = f"INSERT INTO changes ({columns}) VALUES (0, 'r', 'user', 'create', 1, :after)"
    with pytest.raises(sa.exc.DatabaseError, match="no password hash"), engine.begin() as conn:
        conn.execute(sa.text(again), {"after": text_of(leaked(1, "ann"))})


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_hashes_leave_the_file(leaky_url: str) -> None:
    """Not only the rows: SQLite leaves the bytes of what was replaced where they were, until VACUUM."""
    engine = create_engine(leaky_url)
    path = Path(str(engine.url.database))
    schema_version.migrate(engine)
    left = [file for file in path.parent.glob(f"{path.name}*") if b'"is_active":"$argon2id' in file.read_bytes()]
    assert left == []


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_a_file_that_is_in_use_is_written_anew_at_the_next_start(leaky_url: str) -> None:
    notices: list[str] = []
    engine = create_engine(leaky_url, 0.1)
    reader = create_engine(leaky_url).connect()
    reader.exec_driver_sql("BEGIN")
    reader.exec_driver_sql("SELECT count(*) FROM changes").all()
    assert schema_version.migrate(engine, notices.append)
    assert "The next start tries again." in notices[1]
    reader.close()
    notices.clear()
    assert not schema_version.migrate(engine, notices.append)
    assert notices == []
    assert b'"is_active":"$argon2id' not in Path(str(engine.url.database)).read_bytes()


def test_without_a_leak_there_is_nothing_to_say(empty_url: str) -> None:  # noqa: F811
    notices: list[str] = []
    engine = create_engine(empty_url)
    assert schema_version.migrate(engine, notices.append)
    assert notices == []
    if engine.dialect.name == "sqlite":
        with engine.connect() as conn:
            assert conn.exec_driver_sql("PRAGMA user_version").scalar() == 0


def test_the_later_of_two_names_gets_a_number(empty_url: str) -> None:  # noqa: F811
    """Also where it is the earlier that had white space."""
    engine = create_engine(empty_url)
    with engine.begin() as conn:
        schema_version._upgrade(conn, "0007")
        conn.execute(sa.text("INSERT INTO stores (id, name, currency) VALUES (1, 'a', 'JPY'), (2, 'b', 'KWD')"))
        item = sa.text("INSERT INTO items (id, store_id, name, price_minor) VALUES (:id, :store, :name, 1234)")
        given = ["chair\u00a0", "chair", "chair (2)", " chair (3) ", "\u3000chair", "item-7", "", "  ", "item-9"]
        conn.execute(item, [{"id": id, "store": 1, "name": name} for id, name in enumerate(given, 1)])
        conn.execute(item, [{"id": 20, "store": 2, "name": " chair"}])
    notices: list[str] = []
    schema_version.migrate(engine, notices.append)
    with engine.connect() as conn:
        found = [row.name for row in conn.execute(sa.text("SELECT name FROM items ORDER BY id"))]
        prices = conn.scalars(
            sa.text("SELECT after FROM changes WHERE subject_id IN (1, 20) ORDER BY subject_id")
        ).all()
    renamed = ["chair", "chair (4)", "chair (2)", "chair (3)", "chair (5)", "item-7", "item-7 (2)", "item-8", "item-9"]
    assert found == [*renamed, "chair"]
    assert ['"price":1234,' in prices[0], '"price":1.234,' in prices[1]] == [True, True]
    assert len([notice for notice in notices if notice.startswith("item ")]) == 7
