"""A price over time, as an SVG that needs no colour to be read: a line with steps, its highest and lowest price."""

import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

import msgspec

from storekeeper.models.item_price_history import PriceStep

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 84, 16, 18, 30  # room for the labels
MAX_STEPS = 200  # more would not be seen


class Chart(msgspec.Struct, frozen=True):
    """What the template draws: a path, a dot for each change, and labels at their places."""

    path: str
    dots: list[tuple[float, float, str]]
    marks: list[tuple[float, str]]
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(steps: Sequence[PriceStep], start: int, end: int, currency: str) -> Chart | None:
    """None where there is nothing to see: the price was always the same."""
    known = _in_order(_thinned(steps), start)
    if len({step.price for step in known}) < 2:
        return None
    start = known[0].at or start
    prices = [step.price for step in known]
    low, high = min(prices), max(prices)

    def x(at: int | None) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * ((at or start) - start) / max(1, end - start), 1)

    def y(price: Decimal) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * float((price - low) / (high - low)), 1)

    turns = [f"H{x(step.at)}V{y(step.price)}" for step in known[1:]]
    dots = [(x(each.at), y(each.price), f"{_day(each.at or start)}: {each.price:,} {currency}") for each in known]
    return Chart(
        path=f"M{x(start)} {y(prices[0])}{''.join(turns)}H{x(end)}",
        dots=dots,
        marks=[
            (y(price), f"{price:,}")
            for price in sorted({low, high, prices[-1]})
            if _has_room(price, low, high, prices[-1])
        ],
        first=_day(start),
        last=_day(end),
    )


def _in_order(steps: Sequence[PriceStep], start: int) -> list[PriceStep]:
    """Each at a time that is not before the one of the last: a server's clock may have been put back."""
    times = accumulate((max(start, step.at or start) for step in steps), max)
    return [PriceStep(at, step.price) for at, step in zip(times, steps, strict=True)]


def _thinned(steps: Sequence[PriceStep]) -> list[PriceStep]:
    """Some in the place of all, with the last."""
    every = -(-len(steps) // MAX_STEPS)
    return [*steps[:-1:every], steps[-1]] if steps else []


def _has_room(price: Decimal, low: Decimal, high: Decimal, last: Decimal) -> bool:
    """The label of the present price is left out where it would lie upon another."""
    if price in (low, high):
        return True
    return price == last and min(high - price, price - low) * 8 > high - low


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))
