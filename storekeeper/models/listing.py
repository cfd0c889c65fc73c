"""Lists of items: found by words, filtered, sorted and counted. However many there are, a page costs the same.

Items found by words are ranked by what stands in their own rows: the item of that very name, then those that have the
words in their titles, then the others; shorter names first. So both databases rank alike, and no change of one item
moves another. Of very common words the first CANDIDATES items are ranked.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper import barcodes, money, names, words
from storekeeper.errors import Invalid
from storekeeper.models import item, paging, search, store
from storekeeper.models.item import Item, items
from storekeeper.models.store import Store

CANDIDATES = 500
MOST_WORDS = 20  # of Chinese and Japanese, each character is one

Archived = Literal["no", "yes", "any"]
Sort = Literal["id", "-id", "name", "-name", "updated", "-updated", "price", "-price", "stock", "-stock", "rank"]

_sortable: dict[str, sa.ColumnElement[Any]] = {
    "id": items.c.id,
    "name": items.c.name,
    "updated": items.c.updated_at,
    "price": items.c.price_minor,
    "stock": items.c.stock,
}
_WITHIN_A_STORE = ("price", "stock")  # prices of several currencies have no order; and each store has its index


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items are wanted: those that meet all that is given. `store` is an id or a name."""

    store: int | str | None = None
    q: str | None = None
    tag: str | None = None
    sku: str | None = None
    barcode: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool | None = None
    updated_since: int | None = None
    archived: Archived = "no"


def page(conn: Connection, wanted: Filter, asked: paging.Asked) -> paging.Page[Item]:
    """A page of items. Sorted by "rank", they are those that a search finds, best first."""
    _check_sort(wanted, asked)
    of = _store(conn, wanted)
    if asked.sort == "rank":
        found = _ranked(conn, wanted, of, asked)
    else:
        select, columns = _select(conn, wanted, of)
        found = paging.fetch(conn, select, columns, asked, "items")
    return paging.Page([item.of_row(row) for row in found.rows], found.cursor)


def _check_sort(wanted: Filter, asked: paging.Asked) -> None:
    key = asked.sort.removeprefix("-")
    if key in _WITHIN_A_STORE and wanted.store is None:
        raise Invalid(f"Sorting by {key} needs a store.", "sort")


class Leaf(msgspec.Struct, frozen=True):
    """A page, and the ways to its neighbours: cursors, each in its own direction. None where there is none."""

    rows: list[Item]
    before: str | None
    after: str | None


def leaf(conn: Connection, wanted: Filter, asked: paging.Asked, *, is_back: bool = False) -> Leaf:
    """`page`, for whoever leafs through the list in both directions. If `is_back`, the rows that stand before the
    cursor. What is ranked is only read forwards."""
    if asked.sort == "rank":
        ranked = page(conn, wanted, asked)
        return Leaf(ranked.rows, None, ranked.cursor)
    _check_sort(wanted, asked)
    select, columns = query(conn, wanted)
    forth, back = asked.sort, paging.turned(asked.sort)
    way = msgspec.structs.replace(asked, sort=back) if is_back else asked
    found = paging.fetch(conn, select, columns, way, "items")
    rows = found.rows[::-1] if is_back else found.rows
    has_before, has_after = (found.cursor, asked.cursor) if is_back else (asked.cursor, found.cursor)
    return Leaf(
        [item.of_row(row) for row in rows],
        paging.cursor_at(rows[0], columns, back, "items") if has_before and rows else None,
        paging.cursor_at(rows[-1], columns, forth, "items") if has_after and rows else None,
    )


def count(conn: Connection, wanted: Filter) -> int:
    select, _ = query(conn, wanted)
    return conn.scalars(sa.select(sa.func.count()).select_from(select.subquery())).one()


def query(conn: Connection, wanted: Filter) -> tuple[sa.Select[Any], Mapping[str, Any]]:
    """The statement for all items that are wanted, and the columns that it may be sorted by."""
    return _select(conn, wanted, _store(conn, wanted))


def _store(conn: Connection, wanted: Filter) -> Store | None:
    return None if wanted.store is None else store.get(conn, wanted.store)


def _select(conn: Connection, wanted: Filter, of: Store | None) -> tuple[sa.Select[Any], Mapping[str, Any]]:
    select = item.select.where(*_conditions(wanted, of))
    terms = _terms(wanted, of)
    if wanted.q is None and wanted.tag is None:
        return select, _sortable
    is_walk = search.is_common(conn, terms)
    # Sorted by its own ids, no row of the index of words is read that is not shown.
    id = search.order(is_walk=is_walk).label("entry")
    joined = select.add_columns(id).join(search.entries, search.holds(conn, search.entries.c.rowid, items.c.id))
    return joined.where(search.match(conn, terms, is_walk=is_walk)), _sortable | {"id": id}


def _conditions(wanted: Filter, of: Store | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if of is not None:
        conditions.append(items.c.store_id == of.id)
    if wanted.sku is not None:
        conditions.append(items.c.sku == names.of_sku(wanted.sku))
    if wanted.barcode is not None:
        conditions.append(items.c.barcode == barcodes.check(wanted.barcode))
    if wanted.in_stock is not None:
        conditions.append(items.c.stock > 0 if wanted.in_stock else items.c.stock <= 0)
    if wanted.updated_since is not None:
        conditions.append(items.c.updated_at >= wanted.updated_since)
    if wanted.archived != "any":
        is_archived = items.c.archived_at.is_not(None)
        conditions.append(is_archived if wanted.archived == "yes" else sa.not_(is_archived))
    return [*conditions, *_price_range(wanted, of)]


def _price_range(wanted: Filter, of: Store | None) -> list[sa.ColumnElement[bool]]:
    conditions = []
    for field, amount in (("price_min", wanted.price_min), ("price_max", wanted.price_max)):
        if amount is None:
            continue
        if of is None:
            raise Invalid("A range of prices needs a store, which has a currency.", field)
        minor = money.to_minor(amount, of.currency, field)
        conditions.append(items.c.price_minor >= minor if field == "price_min" else items.c.price_minor <= minor)
    return conditions


def _terms(wanted: Filter, of: Store | None) -> search.Terms:
    beginnings = list(dict.fromkeys(words.fold(wanted.q or "")))
    if wanted.q is not None and not 1 <= len(beginnings) <= MOST_WORDS:
        raise Invalid(f"A search has 1 to {MOST_WORDS} words, of letters and digits.", "q")
    marks = [words.of_tag(tag) for tag in _tags(wanted)]
    return search.Terms(beginnings, [*marks, *([words.of_store(of.id)] if of else [])])


def _tags(wanted: Filter) -> list[str]:
    return [] if wanted.tag is None else [names.of_tag(tag, "tag") for tag in wanted.tag.split(";")]


def _ranked(conn: Connection, wanted: Filter, of: Store | None, asked: paging.Asked) -> paging.Page[sa.Row[Any]]:
    """By tier and length of the name. The cursor also says where the candidates end: no others push in later."""
    if wanted.q is None:
        raise Invalid("Sorting by rank needs words to search for.", "sort")
    position = paging.decode(asked.cursor, "items", "rank", [int] * 5) if asked.cursor else []
    named, *windows = _windows(conn, wanted, wanted.q, of, position[3:])
    tiers = (sa.select(each, sa.literal(tier).label("tier")) for tier, each in enumerate((named, *windows)))
    hits = sa.union_all(*tiers).subquery()
    order = sa.func.min(hits.c.tier).label("tier"), hits.c.length, hits.c.id
    best = sa.select(*order).group_by(hits.c.id, hits.c.length)
    if position:
        best = best.having(sa.tuple_(sa.func.min(hits.c.tier), *order[1:]) > sa.tuple_(*position[:3]))
    top = best.order_by(*order).limit(asked.limit + 1).subquery()  # of all the others, no more than this is read
    select = item.select.add_columns(*top.c, *map(_end, windows)).join(top, top.c.id == items.c.id)
    rows = list(conn.execute(select.order_by(*top.c)))
    if len(rows) <= asked.limit:
        return paging.Page(rows, None)
    return paging.Page(rows[:-1], paging.encode("items", "rank", list(rows[-2][item.COLUMNS :])))


def _windows(conn: Connection, wanted: Filter, q: str, of: Store | None, ends: Sequence[Any]) -> list[sa.CTE]:
    """The candidates, ids and lengths of names: of the very name, with the words in the title, with the words anywhere.

    Those with the words are all up to the `ends`; where there are none yet, the first CANDIDATES. Both have a limit, as
    PostgreSQL would read whole tables without; twice as many leave room for what was changed since to match as well.
    """
    conditions, terms = _conditions(wanted, of), _terms(wanted, of)
    is_walk = search.is_common(conn, terms)
    all_ = sa.select(items.c.id, sa.func.length(items.c.name).label("length")).where(*conditions)
    windows = [all_.where(_is_named(q), *map(_has_tag, _tags(wanted)))]
    for number, is_title in enumerate((True, False)):
        window, id = search.keep_matches(conn, all_, items.c.id, terms, is_title=is_title, is_walk=is_walk)
        window = window.order_by(id).limit(2 * CANDIDATES if ends else CANDIDATES)
        windows.append(window.where(id <= ends[number]) if ends else window)
    return [window.cte() for window in windows]


def _is_named(q: str) -> sa.ColumnElement[bool]:
    return items.c.name == unicodedata.normalize("NFC", q).replace("\0", "")  # PostgreSQL knows no NUL


def _has_tag(tag: str) -> sa.ColumnElement[bool]:
    return (";" + items.c.tags + ";").contains(f";{tag};", autoescape=True)


def _end(window: sa.CTE) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.select(sa.func.max(window.c.id)).scalar_subquery(), 0)
