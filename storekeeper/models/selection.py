"""Several items of a store that somebody has chosen: the same change for each, all or none."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from storekeeper import names
from storekeeper.errors import Invalid
from storekeeper.models import edit, item, member
from storekeeper.models.draft import Fields
from storekeeper.models.item import Item, Target
from storekeeper.money import Price

Action = Literal["percent", "price", "tag", "untag", "archive", "restore"]
MOST_PERCENT = 1000


class Change(msgspec.Struct, frozen=True):
    """What is done to each: `percent` raises its price by that many, or with a minus lowers it; `price` sets it."""

    action: Action
    percent: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    tag: str = ""


def change(conn: Connection, user_id: int, which: int | str, ids: Sequence[int], by: Change) -> list[Item]:
    """The items that are other than before, as they are now. Prices are rounded to the currency's digits, half up."""
    of = member.require_clerk(conn, user_id, which)
    chosen = edit.lock(conn, of, ids)
    wanted = {id: _CHANGES[by.action](now, by) for id, now in chosen.items()}
    changed = [id for id, fields in wanted.items() if any(getattr(chosen[id], name) != fields[name] for name in fields)]
    return [item.change(conn, user_id, Target(chosen[id].name, of.id), Fields(**wanted[id])) for id in changed]


def _raised(now: Item, by: Change) -> dict[str, Any]:
    if not -100 <= by.percent <= MOST_PERCENT:
        raise Invalid(f"Prices change by -100 to {MOST_PERCENT} percent at once.", "value")
    exact = now.price * (100 + by.percent) / 100
    return {"price": Price(exact.quantize(now.price, ROUND_HALF_UP))}


def _tagged(now: Item, by: Change) -> dict[str, Any]:
    return {"tags": sorted({*now.tags, names.of_tag(by.tag, "value")})}


def _untagged(now: Item, by: Change) -> dict[str, Any]:
    return {"tags": [tag for tag in now.tags if tag != names.of_tag(by.tag, "value")]}


_CHANGES: dict[Action, Callable[[Item, Change], dict[str, Any]]] = {
    "percent": _raised,
    "price": lambda _, by: {"price": Price(by.price)},
    "tag": _tagged,
    "untag": _untagged,
    "archive": lambda *_: {"archived": True},
    "restore": lambda *_: {"archived": False},
}
