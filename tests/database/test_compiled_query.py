"""A compiled query raises what SQLAlchemy would, as commands and imports tell a lost database from a fault by that."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, ProgrammingError

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery, execute
from storekeeper.errors import Conflict
from storekeeper.models.network_rate import rates
from storekeeper.models.store import stores

NOWHERE = sa.select(sa.table("nowhere", sa.column("id")))
ADDED = sa.insert(rates).values(bucket=sa.bindparam("new"), minute=1, count=1).returning(rates.c.bucket)


def test_a_refused_statement(engine: sa.Engine) -> None:
    kind = OperationalError if engine.dialect.name == "sqlite" else ProgrammingError
    for run in (lambda conn: conn.execute(NOWHERE), CompiledQuery(NOWHERE).fetch_all):
        with engine.connect() as conn, pytest.raises(kind, match="nowhere"):
            run(conn)


def test_a_broken_constraint(engine: sa.Engine) -> None:
    query = CompiledQuery(ADDED)
    with engine.connect() as conn:
        query.fetch_all(conn, new="a")
        with pytest.raises(Conflict):
            query.fetch_all(conn, new="a")


def test_rows_that_cannot_be_read(engine: sa.Engine) -> None:
    """SQLite finds that out as it fetches them."""
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL stores no such text")
    with engine.connect() as conn:
        conn.exec_driver_sql("INSERT INTO rates VALUES ('a', 1, 1), (CAST(x'ff' AS TEXT), 1, 1)")
        with pytest.raises(OperationalError, match="Could not decode to UTF-8"):
            CompiledQuery(sa.select(rates.c.bucket).order_by(rates.c.bucket)).fetch_all(conn)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_connection_that_was_lost(engine: sa.Engine) -> None:
    def copy(conn: sa.Connection) -> Any:
        dialects.copy(conn, "rates", ("bucket", "minute", "count"), [("a", 1, 1)])

    for run in (CompiledQuery(sa.select(stores)).fetch_all, lambda conn: execute(conn, "SELECT 1", {}), copy):
        with engine.connect() as conn, engine.connect() as other:
            number = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            other.exec_driver_sql(f"SELECT pg_terminate_backend({number})")
            with pytest.raises(OperationalError):
                run(conn)
            conn.invalidate()
