"""Edits by people who have looked at an item a while ago: what somebody else has changed since is not overwritten.

An edit says what a field was when it was looked at. Only that field counts: the stock of an item changes all day, and
does not stand in the way of a new price.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.errors import Conflict, Invalid, InvalidField, NotFound, OutOfStock, StorekeeperError
from storekeeper.models import item, item_fields, store_member
from storekeeper.models.item import Item, ItemRef, items
from storekeeper.models.item_fields import Fields
from storekeeper.models.store import Store


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of an item. `was` is what was seen, by field, as `wanted` is; `delta` goes onto the stock."""

    item_id: int
    wanted: Mapping[str, Any] = {}
    was: Mapping[str, Any] = {}
    delta: int = 0


class FieldConflict(msgspec.Struct, frozen=True):
    """What somebody else has made of a field meanwhile, and what was to become of it."""

    item_id: int
    field: str
    now: Any
    wanted: Any


class EditConflict(Conflict):
    """Somebody else was faster. Nothing is changed; `clashes` tells what the fields are now."""

    message_code = "item_edited_meanwhile"

    def __init__(self, clashes: Sequence[FieldConflict]) -> None:
        super().__init__()
        self.clashes = clashes


def apply(conn: Connection, user_id: int, store_ref: int | str, edits: Sequence[Edit]) -> list[Item]:
    """The items as they are now: all edits, or none. Fields that stay as they were seen are left alone.

    Overtaken, or Invalid, whose fields are named like `price.17` where several items are edited.
    """
    of = store_member.require_clerk(conn, user_id, store_ref)
    now = lock(conn, of, [each.item_id for each in edits])
    changes = {each.item_id: _changes(each, of) for each in edits}
    if clashes := [clash for each in edits for clash in _clashes(each, now[each.item_id], changes[each.item_id])]:
        raise EditConflict(clashes)
    return [_carry_out(conn, user_id, now[each.item_id], each, changes[each.item_id]) for each in edits]


def lock(conn: Connection, store: Store, ids: Sequence[int]) -> dict[int, Item]:
    """The items of the store, locked in one order, so that two edits of the same items cannot deadlock."""
    query = item.select.where(items.c.id.in_(ids), items.c.store_id == store.id).order_by(items.c.id)
    found = {each.id: each for each in records.fetch_all(conn, query.with_for_update(of=items), item.of_columns)}
    if len(found) < len(set(ids)):
        raise NotFound("item_not_found")
    return found


def _changes(edit: Edit, store: Store) -> list[str]:
    """The fields whose value is not the one that was seen."""
    wanted, was = (_columns(edit, each, store) for each in (edit.wanted, edit.was))
    return [field for field in edit.wanted if wanted[field] != was.get(field)]


def _columns(edit: Edit, values: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """As the table would have it, so that 5 and 5.00 are one, by field."""
    try:
        return {
            field: next(iter(item_fields.columns({field: value}, store).values())) for field, value in values.items()
        }
    except Invalid as error:
        raise _labelled(error, edit) from None


def _clashes(edit: Edit, current: Item, fields: Sequence[str]) -> list[FieldConflict]:
    present = {field: getattr(current, field) for field in fields}
    was = {field: edit.was[field] for field in fields if field in edit.was}
    return [
        FieldConflict(current.id, field, present[field], edit.wanted[field])
        for field in was
        if not _is_same(was[field], present[field])
    ]


def _is_same(seen: Any, now: Any) -> bool:
    if isinstance(now, list):
        return sorted(seen) == sorted(now)
    return bool((seen or None) == (now or None))


def _carry_out(conn: Connection, user_id: int, current: Item, edit: Edit, fields: Sequence[str]) -> Item:
    try:
        if fields:
            wanted = {field: edit.wanted[field] for field in fields}
            current = item.change(conn, user_id, ItemRef(current.name, current.store_id), Named(**wanted))
        if edit.delta:
            current = item.adjust_stock(conn, user_id, ItemRef(current.name, current.store_id), edit.delta)
    except OutOfStock as error:
        raise Invalid(message=error.message, field=f"delta.{current.id}") from None
    except StorekeeperError as error:
        raise _labelled(error, edit) from None
    return current


class Named(Fields, kw_only=True, frozen=True):
    """Fields, with another name."""

    name: str | msgspec.UnsetType = msgspec.UNSET


def _labelled(error: StorekeeperError, edit: Edit) -> StorekeeperError:
    """With the item's id in the names of the fields."""
    if not isinstance(error, Invalid):
        return error
    fields = [InvalidField(f"{each.field}.{edit.item_id}", each.message) for each in error.fields]
    return Invalid(message=error.message, fields=fields)
