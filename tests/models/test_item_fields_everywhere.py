"""Every field of an item is known on every surface."""

import re

from storekeeper.console import activity_text, edit_form
from storekeeper.models import item_batch, item_fields, item_undo
from storekeeper.models.item import Item
from storekeeper.tabular import cells, sheet

COLUMN = {"price": "price_minor", "archived": "archived_at"}


def test_each_field_is_known_on_every_surface() -> None:
    editable = set(item_fields.FIELDS)
    form = set(re.findall(r"[a-z_]+", edit_form.FIELD.pattern.partition(")")[0])) - {"delta"}
    missing = {
        "item_fields.Fields": editable - set(item_fields.Fields.__struct_fields__) - {"name"},
        "item.Item": editable - set(Item.__struct_fields__),
        "sheet.FIELDS (import)": editable - set(sheet.FIELDS),
        "cells.Line (export)": editable - set(cells.Line.__struct_fields__),
        "item_undo.EDITED": editable - set(item_undo.EDITED) - {"stock"},  # put back as a delta
        "activity_text._ITEM (history)": editable - set(activity_text._ITEM),
        "edit_form.FIELD (form)": editable - form - {"stock", "archived"},
        "item_batch._USUAL (import of new rows)": {COLUMN.get(f, f) for f in editable}
        - set(item_batch._USUAL)
        - {"name", "price_minor"},
    }
    assert not {surface: fields for surface, fields in missing.items() if fields}
