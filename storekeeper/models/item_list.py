"""Lists of items: found by words, filtered, sorted and counted. However many there are, a page costs the same.

Items found by words are ranked by what stands in their own rows: the item of that very name, then those that have the
words in their titles, then the others; shorter names first. So both databases rank alike, and no change of one item
moves another. Of very common words the first sieve.CANDIDATES items are ranked.
"""

import unicodedata
from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from storekeeper.domain import barcodes, money, names, search_words
from storekeeper.errors import Invalid
from storekeeper.models import item, item_queries, item_search, paging, store
from storekeeper.models.item import Item
from storekeeper.models.item_fields import MOST_TAGS
from storekeeper.models.item_queries import Archived, Shape
from storekeeper.models.store import Store

MAX_SEARCH = 200  # characters of what is searched for
MOST_WORDS = 20  # of Chinese and Japanese, each character is one

Sort = Literal["id", "-id", "name", "-name", "updated", "-updated", "price", "-price", "stock", "-stock", "rank"]

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
    if asked.sort == "rank":
        return _ranked(conn, wanted, asked)
    shape, values = prepare(conn, wanted)
    return item_queries.pages(shape).fetch(conn, asked, values)


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
    shape, values = prepare(conn, wanted)
    pages = item_queries.pages(shape)
    forth, back = asked.sort, paging.turned(asked.sort)
    way = msgspec.structs.replace(asked, sort=back) if is_back else asked
    found = pages.rows(conn, way, values)
    rows = found.rows[::-1] if is_back else found.rows
    has_before, has_after = (found.cursor, asked.cursor) if is_back else (asked.cursor, found.cursor)
    return Leaf(
        [item.of_row(row) for row in rows],
        pages.cursor_at(rows[0], back) if has_before and rows else None,
        pages.cursor_at(rows[-1], forth) if has_after and rows else None,
    )


def count(conn: Connection, wanted: Filter) -> int:
    shape, values = prepare(conn, wanted)
    ((number,),) = item_queries.counter(shape).all(conn, **values)
    return int(number)


def prepare(conn: Connection, wanted: Filter) -> tuple[Shape, dict[str, Any]]:
    """The shape of the statement that is needed, and the values of its parameters."""
    of = None if wanted.store is None else store.get(conn, wanted.store)
    values = _values(wanted, of)
    shape = Shape(conn.dialect.name, tuple(values), wanted.in_stock, wanted.archived)
    if wanted.q is None and wanted.tag is None:
        return shape, values
    terms = _terms(wanted, values.get("store_id"))
    values["words"] = item_search.expression(shape.dialect, terms)
    values["title_words"] = item_search.expression(shape.dialect, terms, is_title=True)
    ways = item_search.ways(conn, values["words"], values["title_words"])
    return msgspec.structs.replace(shape, has_words=True, ways=ways), values


def _values(wanted: Filter, of: Store | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if of is not None:
        values["store_id"] = of.id
    if wanted.sku is not None:
        values["sku"] = names.of_sku(wanted.sku)
    if wanted.barcode is not None:
        values["barcode"] = barcodes.check(wanted.barcode)
    if wanted.updated_since is not None:
        values["updated_since"] = wanted.updated_since
    return values | _price_range(wanted, of)


def _price_range(wanted: Filter, of: Store | None) -> dict[str, int]:
    amounts = {"price_min": wanted.price_min, "price_max": wanted.price_max}
    given = {field: amount for field, amount in amounts.items() if amount is not None}
    if given and of is None:
        raise Invalid("A range of prices needs a store, which has a currency.", next(iter(given)))
    return {field: money.to_minor(amount, of.currency, field) for field, amount in given.items() if of}


def _terms(wanted: Filter, store_id: int | None) -> item_search.Terms:
    if wanted.q is not None and len(wanted.q) > MAX_SEARCH:
        raise Invalid(f"A search has at most {MAX_SEARCH} characters.", "q")
    beginnings = list(dict.fromkeys(search_words.fold(wanted.q or "")))
    if wanted.q is not None and not 1 <= len(beginnings) <= MOST_WORDS:
        raise Invalid(f"A search has 1 to {MOST_WORDS} words, of letters and digits.", "q")
    marks = [search_words.of_tag(tag) for tag in _tags(wanted)]
    return item_search.Terms(beginnings, [*marks, *([search_words.of_store(store_id)] if store_id else [])])


def _tags(wanted: Filter) -> list[str]:
    tags = [] if wanted.tag is None else wanted.tag.split(";", MOST_TAGS)
    if len(tags) > MOST_TAGS:
        raise Invalid(f"An item has at most {MOST_TAGS} tags.", "tag")
    return [names.of_tag(tag, "tag") for tag in tags]


def _ranked(conn: Connection, wanted: Filter, asked: paging.Asked) -> paging.Page[Item]:
    """By tier and length of the name. The cursor also says where the candidates end: no others push in later."""
    if wanted.q is None:
        raise Invalid("Sorting by rank needs words to search for.", "sort")
    position = paging.decode(asked.cursor, "items", "rank", [int] * 5) if asked.cursor else []
    shape, values = prepare(conn, wanted)
    tags = {f"tag_{number}": item_queries.tag_pattern(tag) for number, tag in enumerate(_tags(wanted))}
    values |= {"q": _name(wanted.q), **tags, **dict(zip(item_queries.FURTHER, position, strict=False))}
    shape = msgspec.structs.replace(shape, tags=len(tags))
    rows = item_queries.ranked(shape, asked.limit + 1, is_further=bool(position)).fetch(conn, values)
    shown = [item.of_row(row) for row in rows[: asked.limit]]
    has_more = len(rows) > asked.limit
    return paging.Page(shown, paging.encode("items", "rank", list(rows[-2][item.COLUMNS :])) if has_more else None)


def _name(q: str) -> str:
    """The name that an item would have to have; PostgreSQL knows no NUL."""
    return unicodedata.normalize("NFC", q).replace("\0", "")
