"""What a database consists of: every name in it, with what each of them says, to be compared with another's."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.engine import metadata

TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
}


def describe(engine: sa.Engine) -> dict[str, Any]:
    """Of each declared table columns, indexes and constraints: Alembic does not compare all of it."""
    with engine.connect() as conn:
        inspector, described = sa.inspect(conn), {}
        for table in metadata.sorted_tables:
            columns = [
                each | {"type": each["type"].compile(conn.dialect)} for each in inspector.get_columns(table.name)
            ]
            described[table.name] = {
                "columns": columns,
                "checks": sorted(inspector.get_check_constraints(table.name), key=str),
                "uniques": sorted(inspector.get_unique_constraints(table.name), key=str),
                "keys": sorted(inspector.get_foreign_keys(table.name), key=str),
                "indexes": sorted(map(_plain, inspector.get_indexes(table.name)), key=str),
                "primary": inspector.get_pk_constraint(table.name),
                "options": _never_reuses_ids(conn, table.name),
            }
    return described


def triggers(engine: sa.Engine) -> list[tuple[str, str]]:
    with engine.connect() as conn:
        return [(name, sql) for name, sql in conn.execute(sa.text(TRIGGERS[conn.dialect.name]))]


def _plain(index: Any) -> dict[str, Any]:
    """With the condition of a partial one as text: as clauses, no two are the same."""
    options = index.get("dialect_options", {})
    return index | {"dialect_options": {name: str(value) for name, value in options.items()}}


def _never_reuses_ids(conn: Connection, name: str) -> bool:
    if conn.dialect.name != "sqlite":
        return True
    made = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
    return "AUTOINCREMENT" in conn.execute(made, {"name": name}).scalar_one()
