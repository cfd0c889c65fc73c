"""What callers say about an item, checked: from members of a body or cells of a file to columns of the table."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import barcodes, money, names
from storekeeper.domain.money import Price
from storekeeper.errors import FieldError, Invalid
from storekeeper.models.store import Store

MOST_TAGS = 20
MOST_STOCK = 10**12
FIELDS = ("name", "price", "sku", "barcode", "description", "tags", "stock", "archived")

Sku = Annotated[str, Meta(max_length=names.SKU_LENGTH, description="The shop's own number of the item.")]
Barcode = Annotated[
    str,
    Meta(
        max_length=barcodes.LENGTHS[-1],
        description="A GTIN of 8, 12, 13 or 14 digits, its check digit right.",
        extra_json_schema={"pattern": "^([0-9]{8}|[0-9]{12,14})?$"},
    ),
]
Tag = Annotated[str, Meta(max_length=names.TAG_LENGTH, extra_json_schema={"minLength": 1})]
Tags = Annotated[list[Tag], Meta(max_length=MOST_TAGS, description="In small letters, without semicolons.")]
Stock = Annotated[int, Meta(ge=-MOST_STOCK, le=MOST_STOCK, description="How many are on hand.")]


class Fields(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is said about an item; what is left out stays as it is."""

    price: Price | UnsetType = UNSET
    sku: Sku | UnsetType | None = UNSET
    barcode: Barcode | UnsetType | None = UNSET
    description: Annotated[str, Meta(max_length=names.DESCRIPTION_LENGTH)] | UnsetType = UNSET
    tags: Tags | UnsetType | None = UNSET
    stock: Stock | UnsetType = UNSET
    archived: Annotated[bool, Meta(description="No longer sold: not in lists, but still there.")] | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """What is said, by field."""
        return {field: value for field in FIELDS if (value := getattr(self, field, UNSET)) is not UNSET}


Converters = Mapping[str, tuple[str, Callable[[Any], Any]]]  # by field: its column, and how a value gets there


def columns(given: Mapping[str, Any], of: Store) -> dict[str, Any]:
    """The columns to set, with their values, for what is said by field. Invalid names each field that is wrong."""
    return convert(given, converters(of))


def convert(given: Mapping[str, Any], converters: Converters) -> dict[str, Any]:
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field, value in given.items():
        column, read = converters[field]
        try:
            values[column] = read(value)
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(errors[0].message, errors=errors)
    return values


def converters(of: Store) -> Converters:
    """For the items of this store."""
    return {
        "name": ("name", names.of_thing),
        "price": ("price_minor", lambda price: money.to_minor(price, of.currency)),
        "sku": ("sku", lambda sku: names.of_sku(sku) if sku else None),
        "barcode": ("barcode", lambda code: barcodes.check(code) if code else None),
        "description": ("description", names.of_description),
        "tags": ("tags", lambda given: tags(given or [])),
        "stock": ("stock", _stock),
        "archived": ("archived_at", lambda is_archived: int(time.time()) if is_archived else None),
    }


def differences(values: Mapping[str, Any], row: Any) -> dict[str, Any]:
    """Those of the columns to set that are not so in a row yet. An item stays archived since it first was."""
    return {column: value for column, value in values.items() if not _is_same(column, value, getattr(row, column))}


def _is_same(column: str, value: Any, now: Any) -> bool:
    if column == "archived_at":
        return (value is None) == (now is None)
    return bool(value == now)


def tags(values: list[str]) -> str:
    """As the table has them: sorted, each once, semicolons in between."""
    if len(values) > MOST_TAGS:
        raise Invalid(f"An item has at most {MOST_TAGS} tags.", "tags")
    return ";".join(sorted({names.of_tag(each) for each in values}))


def check_stock(values: Mapping[str, Any], of: Store, now: int = 0) -> None:
    """Invalid where these columns would bring the stock, which is `now`, below zero or farther below.

    Unless the store allows that. If it did once, what is below zero may stay there.
    """
    if values.get("stock", 0) < min(0, now) and not of.negative_stock:
        raise Invalid("The stock cannot be below zero in this store.", "stock")


def _stock(count: int) -> int:
    if not -MOST_STOCK <= count <= MOST_STOCK:
        raise Invalid(f"A stock has at most {MOST_STOCK:,}.", "stock")
    return count
