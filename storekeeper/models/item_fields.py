"""The fields of an item that people change, declared once: all that reads or shows them goes by `ITEM_FIELDS`.

The structs stay written by hand, for the types' sake: `Fields` here, `item.Item` and `item_export.Line`.
`tests/models/test_item_fields_everywhere.py` holds them, the table and the documents to the declaration.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import barcodes, money, names
from storekeeper.domain.money import PriceInput
from storekeeper.errors import Invalid, InvalidField
from storekeeper.models.store import Store
from storekeeper.tabular import cells
from storekeeper.tabular.cells import DecimalMark

MAX_TAGS = 20
MAX_STOCK = 10**12

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
Tags = Annotated[list[Tag], Meta(max_length=MAX_TAGS, description="In small letters, without semicolons.")]
Stock = Annotated[int, Meta(ge=-MAX_STOCK, le=MAX_STOCK, description="How many are on hand.")]


class Fields(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is said about an item; what is left out stays as it is."""

    price: PriceInput | UnsetType = UNSET
    sku: Sku | UnsetType | None = UNSET
    barcode: Barcode | UnsetType | None = UNSET
    description: Annotated[str, Meta(max_length=names.DESCRIPTION_LENGTH)] | UnsetType = UNSET
    tags: Tags | UnsetType | None = UNSET
    stock: Stock | UnsetType = UNSET
    archived: Annotated[bool, Meta(description="No longer sold: not in lists, but still there.")] | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """The fields that have a value, with it."""
        return {field: value for field in FIELDS if (value := getattr(self, field, UNSET)) is not UNSET}


class CellFormat(msgspec.Struct, frozen=True):
    """What has to be known of a file, and of the store's currency, to understand a price."""

    decimal_mark: DecimalMark
    digits: int


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """How a field is typed in the console. Those of one `row` stand side by side.

    What is typed is read by its `kind`; `text` and `lines` as a cell of a file.
    """

    row: int
    kind: Literal["text", "lines", "price", "stock", "tags"] = "text"
    max_length: int
    label: str = ""  # where the field's own will not do
    hint: str = ""
    inputmode: Literal["", "decimal", "numeric"] = ""


class ItemField(msgspec.Struct, frozen=True, kw_only=True):
    """What the others have to know of a field.

    `to_column` checks a value and makes of it what the table has; `parse_cell` understands a cell of a file; and
    `from_journal` takes what the journal has written down. `default` is what a new item has in the column, and `label`
    the field's name in a sentence. Without an `input` the console has a way of its own to change it.
    """

    name: str
    column: str
    to_column: Callable[[Store, Any], Any]
    parse_cell: Callable[[CellFormat, Any], Any]
    from_journal: Callable[[Any], Any] = lambda told: told
    label: str
    example: Any
    default: Any = None
    input: Input | None = None
    is_required: bool = False  # of a new item
    is_unique: bool = False  # within its store
    is_repetitive: bool = False  # many rows of a file have one value, which is worth remembering

    @property
    def heading(self) -> str:
        """Its name where it stands by itself."""
        label = (self.input and self.input.label) or self.label
        return label[0].upper() + label[1:]


ITEM_FIELDS = (
    ItemField(
        name="name",
        column="name",
        to_column=lambda _, name: names.of_thing(name),
        parse_cell=lambda _, cell: cells.name(cell),
        label="name",
        example="chair",
        input=Input(row=1, max_length=names.LENGTH),
        is_required=True,
        is_unique=True,
    ),
    ItemField(
        name="price",
        column="price_minor",
        to_column=lambda store, price: money.to_minor(price, store.currency),
        parse_cell=lambda file, cell: cells.price(cell, file.decimal_mark, file.digits),
        from_journal=PriceInput,
        label="price",
        example=15.99,
        input=Input(row=2, kind="price", max_length=20, inputmode="decimal"),
        is_required=True,
        is_repetitive=True,
    ),
    ItemField(
        name="sku",
        column="sku",
        to_column=lambda _, sku: names.of_sku(sku) if sku else None,
        parse_cell=lambda _, cell: cells.text(cell, "sku"),
        label="SKU",
        example="CH-15",
        input=Input(row=3, max_length=names.SKU_LENGTH, hint="Your own number of it."),
        is_unique=True,
    ),
    ItemField(
        name="barcode",
        column="barcode",
        to_column=lambda _, code: barcodes.check(code) if code else None,
        parse_cell=lambda _, cell: barcodes.restore(cells.text(cell, "barcode")),
        label="barcode",
        example="4006381333931",
        input=Input(row=3, max_length=barcodes.LENGTHS[-1], hint="GTIN: 8, 12, 13 or 14 digits.", inputmode="numeric"),
        is_unique=True,
    ),
    ItemField(
        name="description",
        column="description",
        to_column=lambda _, description: names.of_description(description),
        parse_cell=lambda _, cell: cells.text(cell, "description"),
        label="description",
        example="Oak, oiled.",
        default="",
        input=Input(row=5, kind="lines", max_length=names.DESCRIPTION_LENGTH),
    ),
    ItemField(
        name="tags",
        column="tags",
        to_column=lambda _, given: tags(given or []),
        parse_cell=lambda _, cell: cells.tags(cell),
        label="tags",
        example=["garden"],
        default="",
        input=Input(row=4, kind="tags", max_length=400, hint="With commas in between: garden, sale"),
        is_repetitive=True,
    ),
    ItemField(
        name="stock",
        column="stock",
        to_column=lambda _, count: _stock(count),
        parse_cell=lambda _, cell: cells.whole(cell, "stock"),
        label="stock",
        example=12,
        default=0,
        input=Input(row=2, kind="stock", max_length=14, label="On hand", inputmode="numeric"),
        is_repetitive=True,
    ),
    ItemField(
        name="archived",
        column="archived_at",
        to_column=lambda _, is_archived: int(time.time()) if is_archived else None,
        parse_cell=lambda _, cell: cells.flag(cell),
        label="archived",
        example=False,
        is_repetitive=True,
    ),
)
BY_NAME = {field.name: field for field in ITEM_FIELDS}
FIELDS = tuple(BY_NAME)
UNIQUE = tuple(field for field in ITEM_FIELDS if field.is_unique)
REQUIRED = tuple(field for field in ITEM_FIELDS if field.is_required)
DEFAULTS = {field.column: field.default for field in ITEM_FIELDS if not field.is_required}


Converters = Mapping[str, tuple[str, Callable[[Any], Any]]]  # by field: its column, and how a value gets there


def columns(values: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """The columns to set, with their values. Invalid names each field that is wrong."""
    return convert(values, converters(store, values))


def converters(store: Store, fields: Iterable[str]) -> Converters:
    """Of these fields, for the items of this store."""
    return {name: (BY_NAME[name].column, partial(BY_NAME[name].to_column, store)) for name in fields}


def convert(values: Mapping[str, Any], converters: Converters) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    invalid: list[InvalidField] = []
    for field, value in values.items():
        column, read = converters[field]
        try:
            columns[column] = read(value)
        except Invalid as error:
            invalid += error.fields
    if invalid:
        raise Invalid(message=invalid[0].message, fields=invalid)
    return columns


def tags(values: list[str]) -> str:
    """As the table has them: sorted, each once, semicolons in between."""
    if len(values) > MAX_TAGS:
        raise Invalid("too_many_tags", field="tags", maximum=MAX_TAGS)
    return ";".join(sorted({names.of_tag(each) for each in values}))


def check_stock(values: Mapping[str, Any], store: Store, now: int = 0) -> None:
    """Invalid where these columns would bring the stock, which is `now`, below zero or farther below.

    Unless the store allows that. If it did once, what is below zero may stay there.
    """
    if values.get("stock", 0) < min(0, now) and not store.negative_stock:
        raise Invalid("stock_negative", field="stock")


def _stock(count: int) -> int:
    if not -MAX_STOCK <= count <= MAX_STOCK:
        raise Invalid("stock_too_high", field="stock", maximum=MAX_STOCK)
    return count
