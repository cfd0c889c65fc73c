"""Reads a form that edits items. Its fields name the item: `price.17`, and `was-price.17` for the value shown."""

import re
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from storekeeper.console import forms
from storekeeper.console.forms import Form
from storekeeper.errors import Invalid, InvalidField
from storekeeper.models.item_edit import Edit
from storekeeper.models.item_fields import BY_NAME, ITEM_FIELDS, CellFormat

SEEN = "was-"
DELTA = "delta"  # what is typed of the stock of an item that is there
TEXT = CellFormat("point", 2)  # which only counts for prices, and those are read as people write them


_INPUTS = {field.name: field.input for field in ITEM_FIELDS if field.input}
_EDITED = {DELTA if typed.kind == "stock" else name: name for name, typed in _INPUTS.items()}
FIELD = re.compile(rf"({'|'.join(_EDITED)})\.([1-9][0-9]{{0,15}})", re.ASCII)
# Of the form: what stands side by side.
ROWS = [
    [BY_NAME[name] for name in row]
    for _, row in groupby(sorted(_INPUTS, key=lambda name: _INPUTS[name].row), lambda name: _INPUTS[name].row)
]


def read(form: Form) -> list[Edit]:
    """An edit for each item that the form has something new of. Invalid names each field that cannot be read."""
    found: dict[int, dict[str, Any]] = {}
    invalid: list[InvalidField] = []
    for name in form.names():
        if match := FIELD.fullmatch(name):
            if form[name].strip() == form[SEEN + name].strip():
                continue  # as it was, or a change of the stock that is left empty
            try:
                found.setdefault(int(match[2]), {})[match[1]] = read_value(_EDITED[match[1]], form[name], name)
            except Invalid as error:
                invalid += error.fields
    if invalid:
        raise Invalid(message=invalid[0].message, fields=invalid)
    return [_edit(form, id, values) for id, values in found.items()]


def _edit(form: Form, id: int, values: dict[str, Any]) -> Edit:
    delta = values.pop(DELTA, 0)
    seen = {field: f"{SEEN}{field}.{id}" for field in values}
    was = {field: read_value(field, form[name], name) for field, name in seen.items() if name in form}
    return Edit(item_id=id, wanted=values, was=was, delta=delta)


def read_value(field: str, text: str, name: str) -> Any:
    """What is typed of a field of an item. Invalid says so beside the input, which has this name."""
    if reader := _READERS.get(_INPUTS[field].kind):
        return reader(text, name)
    try:
        return BY_NAME[field].parse_cell(TEXT, text.strip())
    except Invalid as error:
        raise Invalid(message=error.message, field=name) from None


def tags(text: str, _: str) -> list[str]:
    """Tags with commas in between."""
    return [tag for piece in text.split(",") if (tag := piece.strip())]


_READERS: Mapping[str, Callable[[str, str], Any]] = {"price": forms.price, "stock": forms.whole, "tags": tags}
