"""Items looked up by whoever is signed in: the same as `item.get`, and the session's check, in one statement."""

from typing import Any

import sqlalchemy as sa

from storekeeper.models.item import CANDIDATES, by_name, is_named, items, select
from storekeeper.models.session import Guarded
from storekeeper.models.store import stores

_of_its_store = stores, stores.c.id == items.c.store_id
_by_name = Guarded((*by_name.selected_columns,), (items, is_named), _of_its_store, most=CANDIDATES)
_in_store = Guarded(
    (*select.selected_columns,),
    (items, sa.and_(items.c.store_id == sa.bindparam("store_id"), is_named)),
    _of_its_store,
    most=1,
)
_in_named_store = Guarded(
    (*select.selected_columns,),
    (stores, stores.c.name == sa.bindparam("store")),
    (items, sa.and_(items.c.store_id == stores.c.id, is_named)),
    most=1,
)


def item(name: str, which: int | str | None = None) -> tuple[Guarded, dict[str, Any]]:
    """The query that finds the item, and its values: for `Guard.fetch`. `item.only` takes the rows."""
    if which is None:
        return _by_name, {"name": name}
    if isinstance(which, int):
        return _in_store, {"name": name, "store_id": which}
    return _in_named_store, {"name": name, "store": which}
