"""What migrations make of what is there already."""

from typing import Any

import sqlalchemy as sa

from storekeeper import schema
from tests.catalogue import fill
from tests.conftest import Person
from tests.test_schema import at_version

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
    with at_version(engine.url.render_as_string(hide_password=False), "0006"):
        assert schema.migrate(engine)
    assert _documents(engine) == marked


def _documents(engine: sa.Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.scalars(sa.text("SELECT document::text FROM item_search ORDER BY rowid")))
