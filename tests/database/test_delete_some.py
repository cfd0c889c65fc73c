"""Few old rows are deleted at a time, whatever plan the database makes."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from storekeeper.database.compiled_query import delete_some
from storekeeper.models.network_rate import rates

# Without these, PostgreSQL is left with a loop that runs a subquery for each row.
OTHER_PLANS = ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize")


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as conn:
        conn.execute(sa.insert(rates), [{"bucket": str(n), "minute": n, "count": 1} for n in range(60)])
        if engine.dialect.name == "postgresql":
            for plan in OTHER_PLANS:
                conn.exec_driver_sql(f"SET LOCAL enable_{plan} = off")
        yield conn


def test_no_more_than_so_many_are_deleted(conn: sa.Connection) -> None:
    old = sa.select(rates.c.bucket).where(rates.c.minute < 25)
    counts = [conn.execute(delete_some(old, 10)).rowcount for _ in range(4)]
    assert counts == [10, 10, 5, 0]
    assert conn.scalar(sa.select(sa.func.min(rates.c.minute))) == 25


def test_a_key_may_be_of_several_columns(conn: sa.Connection) -> None:
    old = sa.select(rates.c.bucket, rates.c.minute).where(rates.c.minute < 25)
    assert conn.execute(delete_some(old, 10)).rowcount == 10
