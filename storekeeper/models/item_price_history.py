"""What an item cost at a time, as the journal knows, and the lowest price of the days before.

Directive 98/6/EC, article 6a: beside a reduced price shops show the lowest one of the 30 days before the reduction.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database.compiled_query import CompiledQuery, limited
from storekeeper.domain import money
from storekeeper.errors import HistoryForgotten, NotFound
from storekeeper.models import item, journal
from storekeeper.models.item import Item
from storekeeper.models.journal import changes

PERIOD = 30 * 86_400  # seconds


class _Known(NamedTuple):
    """A change that set a price, as the journal has it."""

    at: int
    price_minor: int
    before: str | None


_prices = sa.select(changes.c.at, changes.c.price_minor, changes.c.before).where(
    changes.c.subject_id == sa.bindparam("item_id"), changes.c.price_minor.is_not(None)
)
_is_later, _is_until = changes.c.at > sa.bindparam("start"), changes.c.at <= sa.bindparam("end")
_latest = CompiledQuery(limited(_prices.where(_is_until).order_by(changes.c.id.desc()), 1), _Known)
_earliest = CompiledQuery(limited(_prices.where(_is_later).order_by(changes.c.id), 1), _Known)
_between = CompiledQuery(_prices.where(_is_later, _is_until).order_by(changes.c.id), _Known)


class Price(msgspec.Struct, frozen=True):
    """An item's price at `as_of`, in seconds since 1970. `since` is when it was set; None where that is not known.

    `lowest_price` is that of the 30 days until `as_of`. `lowest_price_before` is that of the 30 days before the price
    was last changed, if it was reduced then.
    """

    item_id: int
    price: Decimal
    currency: str
    as_of: int
    since: int | None
    lowest_price: Decimal
    lowest_price_before: Decimal | None


class PriceStep(NamedTuple):
    """A price, and when it was set; None where that is not known."""

    at: int | None
    price: Decimal


class _Before(msgspec.Struct):
    price: Decimal


def get(conn: Connection, name: str, store_ref: int | str | None, as_of: int) -> Price:
    """NotFound where there was no such item then, HistoryForgotten where the journal does not go back that far."""
    now = item.get(conn, name, store_ref)
    if as_of < journal.horizon(conn).at:
        raise HistoryForgotten
    steps = _steps(conn, now, as_of)
    if not steps:
        raise NotFound("item_not_yet_there")
    since, price = steps[-1]
    return Price(now.id, price, now.currency, as_of, since, _lowest(steps, as_of), _lowest_before(steps))


def price_steps(conn: Connection, item: Item, start: int, end: int) -> list[PriceStep]:
    """The prices that an item had between the two times, each with its own; first the one that it had at the start."""
    earlier = _latest.fetch_all(conn, item_id=item.id, end=start)
    within = _between.fetch_all(conn, item_id=item.id, start=start, end=end)
    known = [PriceStep(each.at, money.from_minor(each.price_minor, item.currency)) for each in (*earlier, *within)]
    return known if earlier else [*_unknown(conn, item, within, end), *known]


def _steps(conn: Connection, item: Item, as_of: int) -> list[PriceStep]:
    """As far back as the 30 days before the last change."""
    latest = _latest.fetch_first(conn, item_id=item.id, end=as_of)
    return price_steps(conn, item, (latest.at if latest else as_of) - PERIOD, as_of)


def _unknown(conn: Connection, item: Item, within: Sequence[_Known], end: int) -> Iterable[PriceStep]:
    """The price that an item had before all that the journal knows; none if it was not there yet."""
    first = within[0] if within else _earliest.fetch_first(conn, item_id=item.id, start=end)
    if first is None:
        yield PriceStep(None, item.price)
    elif first.before is not None:
        yield PriceStep(None, msgspec.json.decode(first.before, type=_Before).price)


def _lowest_before(steps: Sequence[PriceStep]) -> Decimal | None:
    """None unless the last change was a reduction."""
    *earlier, (since, price) = steps
    return _lowest(earlier, since) if since is not None and earlier and price < earlier[-1].price else None


def _lowest(steps: Sequence[PriceStep], end: int) -> Decimal:
    """The lowest price that was good on any of the 30 days before."""
    ends = pairwise([*steps, PriceStep(end, Decimal(0))])
    return min(step.price for step, following in ends if following.at is None or following.at > end - PERIOD)
