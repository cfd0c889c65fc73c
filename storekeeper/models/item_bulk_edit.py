"""Several items of a store that somebody has chosen: the same change for each, all or none.

What somebody else has made of a price since it was looked at is not overwritten without a word, and neither is a price
changed strikingly: such changes are told first (`ConfirmationNeeded`), and made when they are asked for once more.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from storekeeper.domain import money, names
from storekeeper.domain.money import PriceInput
from storekeeper.errors import Conflict, Invalid
from storekeeper.models import item, item_edit, store_member
from storekeeper.models.item import Item, ItemRef
from storekeeper.models.item_fields import Fields

Action = Literal["percent", "price", "tag", "untag", "archive", "restore"]
MAX_PERCENT = 1000
STRIKING_FALL, STRIKING_RISE = 4, 2  # a price becomes less than a fourth of what it was, or twice as much or more


class BulkEdit(msgspec.Struct, frozen=True):
    """What is done to each: `percent` raises its price by that many, or with a minus lowers it; `price` sets it."""

    action: Action
    percent: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    tag: str = ""


class Chosen(msgspec.Struct, frozen=True):
    """An item that is to change. `seen` is the price that was looked at, which counts where prices are changed."""

    item_id: int
    seen: Decimal | None = None


class NewPrice(msgspec.Struct, frozen=True):
    """A price that is to be changed: as it was seen, as it is, and as it would become."""

    item_id: int
    name: str
    currency: str
    seen: Decimal | None
    now: Decimal
    wanted: Decimal

    @property
    def is_overtaken(self) -> bool:
        """Whether it is another than the one that was seen."""
        return self.seen != self.now

    @property
    def is_striking(self) -> bool:
        if not self.now:
            return False
        return self.wanted * STRIKING_FALL < self.now or self.wanted >= self.now * STRIKING_RISE


class ConfirmationNeeded(Conflict):
    """Nothing is changed yet: some prices are others than those that were seen, or change strikingly."""

    message_code = "prices_need_confirmation"

    def __init__(self, prices: Sequence[NewPrice]) -> None:
        super().__init__()
        self.prices = prices


def change(
    conn: Connection, user_id: int, store_ref: int | str, chosen: Sequence[Chosen], edit: BulkEdit, is_confirmed: bool
) -> list[Item]:
    """The items that are other than before, as they are now. Prices are rounded to the currency's digits, half up.

    ConfirmationNeeded where a price was changed meanwhile, or would strikingly change unless that `is_confirmed`.
    """
    of = store_member.require_clerk(conn, user_id, store_ref)
    found = item_edit.lock(conn, of, [each.item_id for each in chosen])
    wanted = {id: _CHANGES[edit.action](now, edit) for id, now in found.items()}
    _check_prices(chosen, found, wanted, is_confirmed)
    changed = [id for id, fields in wanted.items() if any(getattr(found[id], name) != fields[name] for name in fields)]
    return [item.change(conn, user_id, ItemRef(found[id].name, of.id), Fields(**wanted[id])) for id in changed]


def _check_prices(
    chosen: Sequence[Chosen], found: Mapping[int, Item], wanted: Mapping[int, Mapping[str, Any]], is_confirmed: bool
) -> None:
    seen = {each.item_id: each.seen for each in chosen}
    prices = [
        NewPrice(id, now.name, now.currency, seen[id], now.price, Decimal(wanted[id]["price"]))
        for id, now in found.items()
        if wanted[id].get("price", now.price) != now.price
    ]
    doubtful = [each for each in prices if each.is_overtaken or (each.is_striking and not is_confirmed)]
    if doubtful:
        raise ConfirmationNeeded(doubtful)


def _raised(current: Item, edit: BulkEdit) -> dict[str, Any]:
    if not -100 <= edit.percent <= MAX_PERCENT:
        raise Invalid("percent_out_of_range", field="value", maximum=MAX_PERCENT)
    exact = current.price * (100 + edit.percent) / 100
    return {"price": PriceInput(exact.quantize(current.price, ROUND_HALF_UP))}


def _priced(current: Item, edit: BulkEdit) -> dict[str, Any]:
    minor = money.to_minor(edit.price, current.currency, "value")
    return {"price": PriceInput(money.from_minor(minor, current.currency))}


def _tagged(current: Item, edit: BulkEdit) -> dict[str, Any]:
    return {"tags": sorted({*current.tags, names.of_tag(edit.tag, "value")})}


def _untagged(current: Item, edit: BulkEdit) -> dict[str, Any]:
    return {"tags": [tag for tag in current.tags if tag != names.of_tag(edit.tag, "value")]}


_CHANGES: dict[Action, Callable[[Item, BulkEdit], dict[str, Any]]] = {
    "percent": _raised,
    "price": _priced,
    "tag": _tagged,
    "untag": _untagged,
    "archive": lambda *_: {"archived": True},
    "restore": lambda *_: {"archived": False},
}
