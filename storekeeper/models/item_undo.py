"""Taking back a change of an item that the journal tells of, unless somebody has changed the same since."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import records
from storekeeper.errors import Conflict, NotFound
from storekeeper.models import item, item_edit, store_member, unused_image
from storekeeper.models.item import Item, ItemRef
from storekeeper.models.item_edit import Edit, EditConflict, FieldConflict
from storekeeper.models.item_fields import ITEM_FIELDS
from storekeeper.models.journal import Action, Kind, changes

EDITED = tuple(field for field in ITEM_FIELDS if field.name != "stock")


class _Update(NamedTuple):
    """A change of an item that was there before and after, which are JSON."""

    kind: Kind
    action: Action
    subject_id: int
    before: str
    after: str


def undo(conn: Connection, user_id: int, store_ref: int | str, change_id: int) -> Item:
    """The item as it is after that. Of the stock, as much is put back as was taken, or the other way round.

    ImageGone where it would bring back an image whose time is over; whether its files are there, the caller looks.
    Overtaken where a field is no longer what the change has made of it. Conflict where there is nothing to undo.
    """
    of = store_member.require_clerk(conn, user_id, store_ref)
    update = _find(conn, of.id, change_id)
    was, became = (json.loads(text, parse_float=Decimal) for text in (update.before, update.after))
    (now,) = item_edit.lock(conn, of, [update.subject_id]).values()
    _check_image(now, was, became)
    changed = [field for field in EDITED if field.name in was]
    wanted, seen = ({field.name: field.from_journal(each[field.name]) for field in changed} for each in (was, became))
    delta = was["stock"] - became["stock"] if "stock" in was else 0
    (after,) = item_edit.apply(conn, user_id, of.id, [Edit(item_id=now.id, wanted=wanted, was=seen, delta=delta)])
    if "image" in was:
        image = _image(was)
        if image is not None:
            unused_image.require_kept(conn, image)
        after = item.set_image(conn, user_id, ItemRef(after.name, of.id), image)
    return after


def find_image(conn: Connection, user_id: int, store_ref: int | str, change_id: int) -> str | None:
    """The key of the image that undoing the change would bring back."""
    of = store_member.require_clerk(conn, user_id, store_ref)
    return _image(json.loads(_find(conn, of.id, change_id).before))


def _image(seen: Mapping[str, Any]) -> str | None:
    return seen["image"].rpartition("/")[2] if seen.get("image") else None


def _find(conn: Connection, store_id: int, change_id: int) -> _Update:
    query = sa.select(changes).where(changes.c.id == change_id, changes.c.store_id == store_id)
    found = records.fetch_first(conn, query, _Update)
    if found is None or found.kind != "item":
        raise NotFound("change_not_found")
    if found.action != "update":
        raise Conflict("change_not_undoable")
    return found


def _check_image(current: Item, seen: Mapping[str, Any], became: Mapping[str, Any]) -> None:
    if "image" in seen and current.image != became["image"]:
        raise EditConflict([FieldConflict(current.id, "image", current.image, seen["image"])])
