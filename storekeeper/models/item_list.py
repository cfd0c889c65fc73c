"""Lists of items: found by words, filtered, sorted and counted. However many there are, a page costs the same.

Items found by words are ranked by what stands in their own rows: the item of that very name, then those that have the
words in their titles, then the others; shorter names first. So both databases rank alike, and no change of one item
moves another. Of very common words the first `item_queries.CANDIDATES` items are ranked.
"""

import unicodedata
from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from storekeeper.domain import barcodes, money, names, search_words
from storekeeper.errors import Invalid
from storekeeper.models import item_queries, item_search, paging, store
from storekeeper.models.item import Item
from storekeeper.models.item_fields import MAX_TAGS
from storekeeper.models.item_queries import Archived, FilterShape
from storekeeper.models.store import Store

MAX_SEARCH = 200  # characters of what is searched for
MAX_WORDS = 20  # of Chinese and Japanese, each character is one

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


def page(conn: Connection, item_filter: Filter, page_request: paging.PageRequest) -> paging.Page[Item]:
    """A page of items. Sorted by "rank", they are those that a search finds, best first."""
    _check_sort(item_filter, page_request)
    if page_request.sort == "rank":
        return _ranked(conn, item_filter, page_request)
    shape, values = prepare(conn, item_filter)
    return item_queries.pages(shape).fetch(conn, page_request, values)


def _check_sort(item_filter: Filter, page_request: paging.PageRequest) -> None:
    key = page_request.sort.removeprefix("-")
    if key in _WITHIN_A_STORE and item_filter.store is None:
        raise Invalid("sort_needs_store", field="sort", key=key)


class TwoWayPage(msgspec.Struct, frozen=True):
    """A page, and the ways to its neighbours: cursors, each in its own direction. None where there is none."""

    rows: list[Item]
    before: str | None
    after: str | None


def page_both_ways(
    conn: Connection, item_filter: Filter, page_request: paging.PageRequest, *, is_back: bool = False
) -> TwoWayPage:
    """`page`, for whoever leafs through the list in both directions. If `is_back`, the rows that stand before the
    cursor. What is ranked is only read forwards."""
    if page_request.sort == "rank":
        ranked = page(conn, item_filter, page_request)
        return TwoWayPage(ranked.rows, None, ranked.cursor)
    _check_sort(item_filter, page_request)
    shape, values = prepare(conn, item_filter)
    pages = item_queries.pages(shape)
    forth, back = page_request.sort, paging.reversed_sort(page_request.sort)
    way = msgspec.structs.replace(page_request, sort=back) if is_back else page_request
    found = pages.fetch_open(conn, way, values)
    rows = found.rows[::-1] if is_back else found.rows
    has_before, has_after = (found.cursor, page_request.cursor) if is_back else (page_request.cursor, found.cursor)
    first, last = (len(rows) - 1, 0) if is_back else (0, len(rows) - 1)
    return TwoWayPage(
        rows,
        found.cursor_at(first, back) if has_before and rows else None,
        found.cursor_at(last, forth) if has_after and rows else None,
    )


def count(conn: Connection, item_filter: Filter) -> int:
    shape, values = prepare(conn, item_filter)
    return item_queries.count_query(shape).fetch_only(conn, **values)


def prepare(conn: Connection, item_filter: Filter) -> tuple[FilterShape, dict[str, Any]]:
    """The shape of the statement that is needed, and the values of its parameters."""
    of = None if item_filter.store is None else store.get(conn, item_filter.store)
    values = _values(item_filter, of)
    shape = FilterShape(conn.dialect.name, tuple(values), item_filter.in_stock, item_filter.archived)
    if item_filter.q is None and item_filter.tag is None:
        return shape, values
    terms = _terms(item_filter, values.get("store_id"))
    values["words"] = item_search.expression(shape.dialect, terms)
    values["title_words"] = item_search.expression(shape.dialect, terms, is_title=True)
    scan_plan = item_search.choose_plan(conn, values["words"], values["title_words"])
    return msgspec.structs.replace(shape, has_words=True, scan_plan=scan_plan), values


def _values(item_filter: Filter, store: Store | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if store is not None:
        values["store_id"] = store.id
    if item_filter.sku is not None:
        values["sku"] = names.of_sku(item_filter.sku)
    if item_filter.barcode is not None:
        values["barcode"] = barcodes.check(item_filter.barcode)
    if item_filter.updated_since is not None:
        values["updated_since"] = item_filter.updated_since
    return values | _price_range(item_filter, store)


def _price_range(item_filter: Filter, store: Store | None) -> dict[str, int]:
    amounts = {"price_min": item_filter.price_min, "price_max": item_filter.price_max}
    given = {field: amount for field, amount in amounts.items() if amount is not None}
    if given and store is None:
        raise Invalid("price_range_needs_store", field=next(iter(given)))
    return {field: money.to_minor(amount, store.currency, field) for field, amount in given.items() if store}


def _terms(item_filter: Filter, store_id: int | None) -> item_search.SearchTerms:
    if item_filter.q is not None and len(item_filter.q) > MAX_SEARCH:
        raise Invalid("search_too_long", field="q", maximum=MAX_SEARCH)
    beginnings = list(dict.fromkeys(search_words.split_words(item_filter.q or "")))
    if item_filter.q is not None and not 1 <= len(beginnings) <= MAX_WORDS:
        raise Invalid("search_words", field="q", maximum=MAX_WORDS)
    marks = [search_words.of_tag(tag) for tag in _tags(item_filter)]
    return item_search.SearchTerms(beginnings, [*marks, *([search_words.of_store(store_id)] if store_id else [])])


def _tags(item_filter: Filter) -> list[str]:
    tags = [] if item_filter.tag is None else item_filter.tag.split(";", MAX_TAGS)
    if len(tags) > MAX_TAGS:
        raise Invalid("too_many_tags", field="tag", maximum=MAX_TAGS)
    return [names.of_tag(tag, "tag") for tag in tags]


def _ranked(conn: Connection, item_filter: Filter, page_request: paging.PageRequest) -> paging.Page[Item]:
    """A page of a ranked search: by tier (exact name, words in the title, words anywhere), length of the name, and id.

    The cursor has that position, and the ids where the two windows of candidates end, so that later items do not enter.
    For example, a page that ends with an item of tier 1, a name of 9 characters and id 42 has the cursor
    ["items", "rank", [1, 9, 42, 5317, 2044]] as base64.
    """
    if item_filter.q is None:
        raise Invalid("sort_needs_search", field="sort")
    position = paging.decode(page_request.cursor, "items", "rank", [int] * 5) if page_request.cursor else []
    shape, values = prepare(conn, item_filter)
    tags = {f"tag_{number}": item_queries.tag_pattern(tag) for number, tag in enumerate(_tags(item_filter))}
    values |= {"q": _name(item_filter.q), **tags, **dict(zip(item_queries.RANK_CURSOR, position, strict=False))}
    shape = msgspec.structs.replace(shape, tags=len(tags))
    found = item_queries.rank_query(shape, page_request.limit + 1, is_further=bool(position)).fetch(conn, values)
    shown = found[: page_request.limit]
    cursor = paging.encode("items", "rank", list(shown[-1].position)) if len(found) > len(shown) else None
    return paging.Page([each.item for each in shown], cursor)


def _name(q: str) -> str:
    """The name that an item would have to have; PostgreSQL knows no NUL."""
    return unicodedata.normalize("NFC", q).replace("\0", "")
