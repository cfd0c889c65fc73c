"""Every field of an item is known on every surface: those that are written by hand are held to the declaration."""

import re

import pytest

from storekeeper.console import activity_text, edit_form
from storekeeper.models import item_batch, item_fields
from storekeeper.models.item import Item, items
from storekeeper.models.item_export import Line
from storekeeper.models.item_fields import ITEM_FIELDS, ItemField

each = pytest.mark.parametrize("field", ITEM_FIELDS, ids=lambda field: field.name)


@each
def test_the_structs_have_the_field(field: ItemField) -> None:
    assert field.name in Item.__struct_fields__
    assert field.name in Line.__struct_fields__
    assert field.name == "name" or field.name in item_fields.Fields.__struct_fields__


@each
def test_the_table_has_the_column_with_its_default(field: ItemField) -> None:
    column = items.c[field.column]
    if field.is_required:
        assert not column.nullable
        assert column.server_default is None
    else:
        assert item_batch._NEW[field.column] == field.default
        assert column.nullable == (field.default is None)
        default = column.server_default.arg if column.server_default else None  # type: ignore[attr-defined]
        assert (default is None) == (field.default is None)
        assert default is None or str(default).strip("'") == str(field.default)


@each
def test_the_history_and_the_form_know_the_field(field: ItemField) -> None:
    form = set(re.findall(r"[a-z_]+", edit_form.FIELD.pattern.partition(")")[0])) - {"delta"}
    assert field.name in activity_text._ITEM
    assert field.input is None or field.name == "stock" or field.name in form


def test_items_are_known_by_each_unique_field() -> None:
    assert tuple(field.name for field in item_fields.UNIQUE) == item_batch.KEYS
    assert tuple(field.column for field in item_fields.UNIQUE) == item_batch.KEYS


def test_what_is_bound_to_an_item_is_declared_or_the_servers_own() -> None:
    own = {"id", "store_id", "currency", "image", "updated_at", "version"}
    assert set(Item.__struct_fields__) == set(item_fields.FIELDS) | own
    assert set(items.c.keys()) == {field.column for field in ITEM_FIELDS} | own - {"currency"}
    assert set(Line.__struct_fields__) == set(item_fields.FIELDS) | own - {"store_id", "version"} | {"store"}
    assert set(item_fields.Fields.__struct_fields__) == set(item_fields.FIELDS) - {"name"}
