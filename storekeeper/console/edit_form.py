"""What a form says of items, by fields that name the item: `price.17`, and `was-price.17` for what was seen."""

import re
from typing import Any

from storekeeper.console import forms
from storekeeper.console.forms import Form
from storekeeper.errors import FieldError, Invalid
from storekeeper.models.item_edit import Edit

FIELD = re.compile(r"(price|delta|name|sku|barcode|description|tags)\.([1-9][0-9]{0,15})", re.ASCII)
SEEN = "was-"


def read(form: Form) -> list[Edit]:
    """An edit for each item that the form has something new of. Invalid names each field that cannot be read."""
    found: dict[int, dict[str, Any]] = {}
    errors: list[FieldError] = []
    for name in form.names():
        if match := FIELD.fullmatch(name):
            if form[name].strip() == form[SEEN + name].strip():
                continue  # as it was, or a change of the stock that is left empty
            try:
                found.setdefault(int(match[2]), {})[match[1]] = _value(match[1], form[name], name)
            except Invalid as error:
                errors += error.errors
    if errors:
        raise Invalid(errors[0].message, errors=errors)
    return [_edit(form, id, values) for id, values in found.items()]


def _edit(form: Form, id: int, values: dict[str, Any]) -> Edit:
    delta = values.pop("delta", 0)
    seen = {field: f"{SEEN}{field}.{id}" for field in values}
    was = {field: _value(field, form[name], name) for field, name in seen.items() if name in form}
    return Edit(item_id=id, wanted=values, was=was, delta=delta)


def _value(field: str, text: str, name: str) -> Any:
    match field:
        case "price":
            return forms.price(text, name)
        case "delta":
            return forms.whole(text, name)
        case "tags":
            return tags(text)
        case _:
            return text.strip()


def tags(text: str) -> list[str]:
    """Tags with commas in between."""
    return [tag for piece in text.split(",") if (tag := piece.strip())]
