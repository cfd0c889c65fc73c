"""Look-ups of items with the check of the session in one statement. Otherwise as `item.get`."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from storekeeper.database.compiled_query import CompiledQuery, Row, limited
from storekeeper.models.item import CANDIDATES, by_name, is_named, items, select
from storekeeper.models.session import LIVE_COLUMNS, LiveSession, check_live, live_select
from storekeeper.models.store import stores

Join = tuple[sa.Table, sa.ColumnElement[bool]]


class AuthorizedLookup:
    """A look-up and the session's check in one statement: on PostgreSQL each one costs as much as all the rest.

    It finds the `columns` in tables that are joined to the session one after the other, each by its condition; the
    first column is never NULL where there is a row.
    """

    def __init__(self, columns: Sequence[sa.ColumnElement[Any]], *joins: Join, maximum: int) -> None:
        joined = live_select.add_columns(*columns)
        for join in joins:
            joined = joined.outerjoin(*join)
        self._query = CompiledQuery(limited(joined, maximum))

    def bind(self, session_id: int, values: Mapping[str, Any]) -> tuple[CompiledQuery, Mapping[str, Any]]:
        """The query for such a session, and its values. `check` takes the rows."""
        return self._query, {"session_id": session_id, **values}

    def check(self, rows: Sequence[Row], user_id: int) -> tuple[LiveSession, list[Row]]:
        """The live session and the rows. TokenRevoked for a dead one."""
        live = check_live(rows[0] if rows else None, user_id)
        return live, [row[LIVE_COLUMNS:] for row in rows if row[LIVE_COLUMNS] is not None]


_of_its_store = stores, stores.c.id == items.c.store_id
_by_name = AuthorizedLookup((*by_name.selected_columns,), (items, is_named), _of_its_store, maximum=CANDIDATES)
_in_store = AuthorizedLookup(
    (*select.selected_columns,),
    (items, sa.and_(items.c.store_id == sa.bindparam("store_id"), is_named)),
    _of_its_store,
    maximum=1,
)
_in_named_store = AuthorizedLookup(
    (*select.selected_columns,),
    (stores, stores.c.name == sa.bindparam("store")),
    (items, sa.and_(items.c.store_id == stores.c.id, is_named)),
    maximum=1,
)


def item(name: str, store_ref: int | str | None = None) -> tuple[AuthorizedLookup, dict[str, Any]]:
    """The query that finds the item, and its values: for `Guard.read_one`. `item.exactly_one` takes the rows."""
    if store_ref is None:
        return _by_name, {"name": name}
    if isinstance(store_ref, int):
        return _in_store, {"name": name, "store_id": store_ref}
    return _in_named_store, {"name": name, "store": store_ref}
