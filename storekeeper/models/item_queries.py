"""The statements that find items: made once for each shape of a filter, whatever its values are.

To put one together takes longer than to run it. A shape says which conditions there are; the values come with each
request, by the names of the parameters.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from storekeeper.database import dialects
from storekeeper.database.compiled_query import CompiledQuery, limited
from storekeeper.database.records import nested, scalar
from storekeeper.models import item, item_search
from storekeeper.models.item import Item, items
from storekeeper.models.paging import CACHE_SIZE, Paginator

CANDIDATES = 500


class RankPosition(NamedTuple):
    """Where a ranked list goes on: behind an item of that tier, length and id; and where the candidates end."""

    after_tier: int
    after_length: int
    after_id: int
    title_end: int
    words_end: int


class RankedItem(msgspec.Struct, frozen=True):
    item: Item
    position: RankPosition


RANK_CURSOR = RankPosition._fields
_ranked_item = nested(RankedItem, item=item.of_columns, position=RankPosition)

Archived = Literal["no", "yes", "any"]

sortable: dict[str, sa.ColumnElement[Any]] = {
    "id": items.c.id,
    "name": items.c.name,
    "updated": items.c.updated_at,
    "price": items.c.price_minor,
    "stock": items.c.stock,
}
_CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "store_id": items.c.store_id == sa.bindparam("store_id"),
    "sku": items.c.sku == sa.bindparam("sku"),
    "barcode": items.c.barcode == sa.bindparam("barcode"),
    "updated_since": items.c.updated_at >= sa.bindparam("updated_since"),
    "price_min": items.c.price_minor >= sa.bindparam("price_min"),
    "price_max": items.c.price_minor <= sa.bindparam("price_max"),
}


class FilterShape(msgspec.Struct, frozen=True):
    """What a statement depends on. `conditions` are those that have a value, `tags` says how many are wanted."""

    dialect: str
    conditions: tuple[str, ...]
    in_stock: bool | None
    archived: Archived
    tags: int = 0
    has_words: bool = False
    scan_plan: item_search.ScanPlan = item_search.ScanPlan()


def select_items(shape: FilterShape) -> tuple[sa.Select[Any], Mapping[str, sa.ColumnElement[Any]]]:
    """All items that are wanted, and the columns that they may be sorted by. Has a parameter `words` for a search."""
    of_store = leading_column(shape)
    if of_store is not None:
        others = msgspec.structs.replace(
            shape, conditions=tuple(name for name in shape.conditions if name != "store_id")
        )
        is_of_store = dialects.is_within(shape.dialect, of_store, "store_id")
        return item.select.where(is_of_store, *_conditions(others)), sortable
    select = item.select.where(*_conditions(shape))
    if not shape.has_words:
        return select, sortable
    # Sorted by its own ids, no row of the index of words is read that is not shown.
    select, id = _matching(select, shape)
    entry = id.label("entry")
    return select.add_columns(entry), sortable | {"id": entry}


@lru_cache(CACHE_SIZE)
def pages(shape: FilterShape) -> Paginator[Item]:
    """The pages of `listed`."""
    return Paginator(*select_items(shape), item.of_columns, "items", leading_column(shape))


def leading_column(shape: FilterShape) -> sa.ColumnElement[int] | None:
    """What the index of each order begins with, so that a store's items are found among them, not among all."""
    return items.c.store_id if "store_id" in shape.conditions and not shape.has_words else None


@lru_cache(CACHE_SIZE)
def count_query(shape: FilterShape) -> CompiledQuery[int]:
    """How many items are wanted.

    Those that are not archived are all but the archived: both are counted in an index, without reading a row.
    """
    is_plain = {*shape.conditions} <= {"store_id"} and shape.in_stock is None and not shape.has_words
    if not is_plain or shape.archived != "no":
        return CompiledQuery(_count(shape), scalar)
    all_, archived = (_count(msgspec.structs.replace(shape, archived=which)) for which in ("any", "yes"))
    return CompiledQuery(sa.select(all_.scalar_subquery() - archived.scalar_subquery()), scalar)


@lru_cache(CACHE_SIZE)
def rank_query(shape: FilterShape, limit: int, *, is_further: bool) -> CompiledQuery[RankedItem]:
    """The items that a search finds, best first: those in the very order (tier, length of the name, id).

    Its parameters are `q`, the `words` and `title_words` that the index is asked for, and `tag_0` and so on; and for
    a page that `is_further` the place to go on from, with where the candidates end.
    """
    named, *windows = _windows(shape, is_further=is_further)
    tiers = (sa.select(each, sa.literal_column(str(tier)).label("tier")) for tier, each in enumerate((named, *windows)))
    hits = sa.union_all(*tiers).subquery()
    order = sa.func.min(hits.c.tier).label("tier"), hits.c.length, hits.c.id
    best = sa.select(*order).group_by(hits.c.id, hits.c.length)
    if is_further:
        place = (sa.bindparam(name, type_=sa.BigInteger) for name in RANK_CURSOR[:3])
        best = best.having(sa.tuple_(sa.func.min(hits.c.tier), *order[1:]) > sa.tuple_(*place))
    top = limited(best.order_by(*order), limit).subquery()  # of all the others, no more than this is read
    place = (each.label(name) for name, each in zip(RANK_CURSOR, (*top.c, *map(_end, windows)), strict=True))
    select = item.select.add_columns(*place).join(top, top.c.id == items.c.id)
    return CompiledQuery(select.order_by(*top.c), _ranked_item)


def _windows(shape: FilterShape, *, is_further: bool) -> list[sa.CTE]:
    """The candidates, ids and lengths of names: of the very name, with the words in the title, with the words anywhere.

    Those with the words are all up to their ends; where there are none yet, the first CANDIDATES. Both have a limit, as
    PostgreSQL would read whole tables without; twice as many leave room for what was changed since to match as well.
    """
    all_ = sa.select(items.c.id, sa.func.length(items.c.name).label("length")).select_from(items)
    all_ = all_.where(*_conditions(shape))
    has_tags = (_has_tag(f"tag_{number}") for number in range(shape.tags))
    windows = [all_.where(items.c.name == sa.bindparam("q"), *has_tags)]
    for words, is_walk, end in zip(("title_words", "words"), shape.scan_plan, RANK_CURSOR[3:], strict=True):
        window, id = item_search.keep_matches(shape.dialect, all_, items.c.id, words, is_walk=is_walk)
        window = limited(window.order_by(id), 2 * CANDIDATES if is_further else CANDIDATES)
        windows.append(window.where(id <= sa.bindparam(end, type_=sa.BigInteger)) if is_further else window)
    return [window.cte() for window in windows]


def _count(shape: FilterShape) -> sa.Select[int]:
    select = sa.select(sa.func.count()).select_from(items).where(*_conditions(shape))
    return _matching(select, shape)[0] if shape.has_words else select


def _matching(select: sa.Select[Any], shape: FilterShape) -> tuple[sa.Select[Any], sa.ColumnElement[int]]:
    return item_search.keep_matches(shape.dialect, select, items.c.id, "words", is_walk=shape.scan_plan.anywhere)


def _conditions(shape: FilterShape) -> Sequence[sa.ColumnElement[bool]]:
    conditions = [_CONDITIONS[name] for name in shape.conditions]
    if shape.in_stock is not None:
        conditions.append(_is_in_stock(shape) if shape.in_stock else items.c.stock <= 0)
    if shape.archived != "any":
        is_archived = items.c.archived_at.is_not(None)
        conditions.append(is_archived if shape.archived == "yes" else sa.not_(is_archived))
    return conditions


def _is_in_stock(shape: FilterShape) -> sa.ColumnElement[bool]:
    """Nearly all are. SQLite has no statistics to know that from: it would find them by their stock, and sort them."""
    condition = items.c.stock > 0
    return sa.func.likely(condition) if shape.dialect == "sqlite" else condition


def _has_tag(parameter: str) -> sa.ColumnElement[bool]:
    return (";" + items.c.tags + ";").like(sa.bindparam(parameter), escape="/")


def tag_pattern(tag: str) -> str:
    """The value of a parameter `tag_0`."""
    return f"%;{re.sub('[/%_]', lambda found: f'/{found[0]}', tag)};%"


def _end(window: sa.CTE) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.select(sa.func.max(window.c.id)).scalar_subquery(), 0)
