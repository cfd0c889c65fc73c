"""Look-ups of items with the check of the session in one statement. Otherwise as `item.get`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from storekeeper.database.compiled_query import CompiledQuery, limited
from storekeeper.database.records import Row, optional, reader
from storekeeper.models.item import CANDIDATES, FoundItem, found_item, is_named, items, select_found
from storekeeper.models.session import LiveSession, check_live, live_select
from storekeeper.models.store import stores

T = TypeVar("T")
Join = tuple[sa.Table, sa.ColumnElement[bool]]


class AuthorizedLookup(Generic[T]):
    """A look-up and the session's check in one statement: on PostgreSQL each one costs as much as all the rest.

    It finds the columns of a `record` in tables that are joined to the session one after the other, each by its
    condition. The column `id` is never NULL where there is a row.
    """

    def __init__(
        self, columns: Iterable[sa.ColumnElement[Any]], record: Callable[..., T], *joins: Join, maximum: int
    ) -> None:
        joined = live_select.add_columns(*columns)
        for join in joins:
            joined = joined.outerjoin(*join)
        names = [str(column.key) for column in joined.selected_columns]
        self._query = CompiledQuery(limited(joined, maximum))
        # One of each for a row, and nothing that holds them: that took 1 % of a look-up.
        self._read_session = reader(LiveSession, names)
        self._read = reader(optional(record, "id"), names)

    def bind(self, session_id: int, values: Mapping[str, Any]) -> tuple[CompiledQuery[Row], Mapping[str, Any]]:
        """The query for such a session, and its values. `check` takes what it finds."""
        return self._query, {"session_id": session_id, **values}

    def check(self, rows: Sequence[Row], user_id: int) -> tuple[LiveSession, list[T]]:
        """The live session, and what was found. TokenRevoked for a dead one."""
        live = check_live(self._read_session(rows[0]) if rows else None, user_id)
        return live, [found for row in rows if (found := self._read(row)) is not None]


_columns = tuple(select_found.selected_columns)
_of_its_store = stores, stores.c.id == items.c.store_id
_by_name = AuthorizedLookup(_columns, found_item, (items, is_named), _of_its_store, maximum=CANDIDATES)
_in_store = AuthorizedLookup(
    _columns,
    found_item,
    (items, sa.and_(items.c.store_id == sa.bindparam("store_id"), is_named)),
    _of_its_store,
    maximum=1,
)
_in_named_store = AuthorizedLookup(
    _columns,
    found_item,
    (stores, stores.c.name == sa.bindparam("store")),
    (items, sa.and_(items.c.store_id == stores.c.id, is_named)),
    maximum=1,
)


def item(name: str, store_ref: int | str | None = None) -> tuple[AuthorizedLookup[FoundItem], dict[str, Any]]:
    """The query that finds the item, and its values: for `Guard.read_one`. `item.exactly_one` takes what it finds."""
    if store_ref is None:
        return _by_name, {"name": name}
    if isinstance(store_ref, int):
        return _in_store, {"name": name, "store_id": store_ref}
    return _in_named_store, {"name": name, "store": store_ref}
