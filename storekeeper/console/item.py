"""/console/store/{name}/item/{item_name}: everything about an item, and the ways to change it"""

import time
from collections.abc import Sequence

import msgspec
from falcon.asgi import Response

from storekeeper.console import edit_form, price_chart
from storekeeper.console.activity_text import describe
from storekeeper.console.forms import FileForm, Form
from storekeeper.console.store import clashes
from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.domain import names
from storekeeper.errors import NotFound
from storekeeper.files.images import BYTES
from storekeeper.models import item, item_edit, item_price_history, journal_feed, store_member
from storekeeper.models.item import Item, ItemRef
from storekeeper.models.item_fields import Fields
from storekeeper.models.item_price_history import PriceStep
from storekeeper.models.journal_feed import Entry
from storekeeper.models.paging import Page, PageRequest
from storekeeper.models.store_member import StoreAccess

YEAR = 366 * 86_400
SHOWN = 20
FORM_BYTES = 64 * 1024  # of a form beside its file


class ItemView(View):
    """/console/store/{name}/item/{item_name}"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """An item."""
        looked = await self._read(req, _look_closely, req.caller.user_id, name, item_name, req.get_param("after") or "")
        found, now = looked.item, int(time.time())
        self._render(
            req,
            resp,
            "item.html",
            access=looked.access,
            store=looked.access.store,
            item=found,
            rows=edit_form.ROWS,
            clashes={each.field: each for each in clashes(req)},
            told=[describe(each) for each in looked.history.rows],
            following=looked.history.cursor,
            chart=price_chart.draw(looked.prices, now - YEAR, now, found.currency),
        )

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """Change its fields."""
        form = req.typed
        changed = await self._write(req, item_edit.apply, req.caller.user_id, name, edit_form.read(form))
        self._flash(req, resp, "Saved." if changed else "Nothing was changed.")
        self._redirect(resp, url("store", name, "item", changed[0].name if changed else item_name))


class ItemArchiveView(ItemView):
    """/console/store/{name}/item/{item_name}/archive"""

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """Sell the item no more, or again."""
        form = req.typed
        fields = Fields(archived=form["archived"] == "yes")
        changed = await self._write(req, item.change, req.caller.user_id, ItemRef(item_name, name), fields)
        self._flash(
            req, resp, "The item is archived: lists leave it out." if changed.archived else "The item is sold again."
        )
        self._redirect(resp, url("store", name, "item", item_name))


class ItemImageView(ItemView):
    """/console/store/{name}/item/{item_name}/image"""

    takes_file = True
    max_bytes = BYTES + FORM_BYTES

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """Give the item a picture."""
        await self.load_viewer(req)
        upload = FileForm(req, self.max_bytes)
        self.take_form(req, await upload.fields())
        await self._components.image_uploads.put(req, upload.read, ItemRef(item_name, name))
        self._flash(req, resp, "The picture is saved.")
        self._redirect(resp, url("store", name, "item", item_name))


class ItemImageRemoveView(ItemView):
    """/console/store/{name}/item/{item_name}/image/remove"""

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """Take its picture away."""
        await self._write(req, item.set_image, req.caller.user_id, ItemRef(item_name, name), None)
        self._flash(req, resp, "The picture is removed.")
        self._redirect(resp, url("store", name, "item", item_name))


class ItemDeleteView(View):
    """/console/store/{name}/item/{item_name}/delete"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """Ask before it is done: it cannot be undone."""
        _, found = await self._read(req, _look_as_owner, req.caller.user_id, name, item_name)
        self._render(
            req,
            resp,
            "sure.html",
            title=f"Delete {found.name}?",
            text="The item is deleted for good. If you only want to stop selling it, archive it: you can undo that.",
            action=url("store", name, "item", item_name, "delete"),
            verb="Delete the item",
            back=url("store", name, "item", item_name),
        )

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        await self._write(req, item.delete, req.caller.user_id, ItemRef(item_name, name))
        self._flash(req, resp, f"{item_name} is deleted.")
        self._redirect(resp, url("store", name))


class ItemCreateView(View):
    """/console/store/{name}/new-item"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """The form for a new item."""
        await self._read(req, store_member.require_clerk, req.caller.user_id, name)
        access = await self._read(req, store_member.get_access, req.caller.user_id, name)
        self._render(req, resp, "new-item.html", access=access, store=access.store, rows=edit_form.ROWS)

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        form = req.typed
        item_name = names.of_thing(form["name"])
        await self._write(req, item.add, req.caller.user_id, name, item_name, _fields(form))
        self._flash(req, resp, f"{item_name} is added.")
        to = url("store", name, "new-item") if form["then"] == "another" else url("store", name, "item", item_name)
        self._redirect(resp, to)


def _fields(form: Form) -> Fields:
    typed = {field.name: form[field.name] for row in edit_form.ROWS for field in row}
    typed["stock"] = typed["stock"] or "0"
    del typed["name"]
    return Fields(**{name: edit_form.read_value(name, text, name) for name, text in typed.items()})


class ItemDetails(msgspec.Struct, frozen=True):
    """An item, and what is known of its past. To who does not work there, nothing is."""

    access: StoreAccess
    item: Item
    history: Page[Entry]
    prices: Sequence[PriceStep]


def _look_closely(conn: Connection, user_id: int, name: str, item_name: str, after: str) -> ItemDetails:
    access, found = _look(conn, user_id, name, item_name)
    if not access.is_clerk:
        return ItemDetails(access, found, Page([], None), [])
    history = journal_feed.item_history(conn, user_id, item_name, name, PageRequest(SHOWN, after, "-id"))
    now = int(time.time())
    return ItemDetails(access, found, history, item_price_history.price_steps(conn, found, now - YEAR, now))


def _look(conn: Connection, user_id: int, name: str, item_name: str) -> tuple[StoreAccess, Item]:
    return store_member.get_access(conn, user_id, name), item.get(conn, item_name, name)


def _look_as_owner(conn: Connection, user_id: int, name: str, item_name: str) -> tuple[StoreAccess, Item]:
    """For others there is no such page."""
    access, found = _look(conn, user_id, name, item_name)
    if not access.is_owner:
        raise NotFound
    return access, found
