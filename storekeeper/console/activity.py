"""Activity: what was done in a store, and for administrators everywhere, in words; and taking back a change"""

import calendar
import re
import time

import msgspec
from falcon.asgi import Response

from storekeeper.console import forms
from storekeeper.console.activity_text import describe
from storekeeper.console.forms import Form
from storekeeper.console.item import ItemView
from storekeeper.console.templating import as_typed, url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.errors import Invalid, NotFound
from storekeeper.http.operation import admin_only
from storekeeper.models import journal_feed, store_member, store_summary, user
from storekeeper.models.item_edit import EditConflict
from storekeeper.models.journal import Kind
from storekeeper.models.journal_feed import ChangeFilter, Entry
from storekeeper.models.paging import Page, PageRequest
from storekeeper.models.store_member import StoreAccess
from storekeeper.services import file_transfers

ROWS = 50
DAY = 86_400
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class ActivityQuery(msgspec.Struct, frozen=True):
    """What is wanted; an empty field wants nothing. Days are those of UTC."""

    kind: str = ""
    who: str = ""
    since: str = ""
    until: str = ""
    after: str = ""

    def filter(self, conn: Connection) -> ChangeFilter:
        until = _day(self.until, "until")
        return ChangeFilter(
            kind=_kind(self.kind),
            user_id=_user_id(conn, self.who.strip()),
            since=_day(self.since, "since"),
            until=None if until is None else until + DAY - 1,
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.who or self.since or self.until)


class StoreActivityView(View):
    """/console/store/{name}/activity"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """What was done in a store. For those who work there."""
        query = _read(req)
        access, found, problem, names = await self._read(req, _of_store, req.caller.user_id, name, query)
        values = {"access": access, "store": access.store, "place": ("store", name, "activity")}
        told = [describe(each, names, is_of_one_store=True) for each in found.rows]
        self._render(
            req, resp, "activity.html", told=told, following=found.cursor, query=query, problem=problem, **values
        )


class ActivityView(View):
    """/console/activity"""

    @admin_only
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """All that was done."""
        query = _read(req)
        found, problem, names = await self._read(req, _of_all, query)
        told = [describe(each, names) for each in found.rows]
        values = {"access": None, "store": None, "place": ("activity",)}
        self._render(
            req, resp, "activity.html", told=told, following=found.cursor, query=query, problem=problem, **values
        )


class ChangeUndoView(ItemView):
    """/console/store/{name}/item/{item_name}/undo"""

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, item_name: str) -> None:
        """Take back a change. Where somebody has changed the same since, both values are shown."""
        form = req.typed
        change_id = forms.whole(form["change"], "change")
        components = self._components
        await self.load_viewer(req)
        try:
            now = await file_transfers.undo_change(components.guard, components.parts.images, req, name, change_id)
        except EditConflict as overtaken:
            req.typed = _typed(overtaken)
            raise
        self._flash(req, resp, "It is undone.")
        self._redirect(resp, url("store", name, "item", now.name))


def _typed(overtaken: EditConflict) -> Form:
    """The values that would have been set, as if they had been typed: to be saved all the same, or not."""
    return Form([(f"{each.field}.{each.item_id}", as_typed(each.wanted)) for each in overtaken.clashes])


def _read(req: ConsoleRequest) -> ActivityQuery:
    return ActivityQuery(**{name: req.get_param(name) or "" for name in ActivityQuery.__struct_fields__})


def _of_store(
    conn: Connection, user_id: int, name: str, query: ActivityQuery
) -> tuple[StoreAccess, Page[Entry], Invalid | None, dict[int, str]]:
    store_member.require_clerk(conn, user_id, name)
    access = store_member.get_access(conn, user_id, name)
    try:
        found = journal_feed.store_history(
            conn, user_id, name, query.filter(conn), PageRequest(ROWS, query.after, "-id")
        )
    except Invalid as problem:
        return access, Page([], None), problem, {}
    return access, found, None, {access.store.id: access.store.name}


def _of_all(conn: Connection, query: ActivityQuery) -> tuple[Page[Entry], Invalid | None, dict[int, str]]:
    try:
        found = journal_feed.audit(conn, query.filter(conn), PageRequest(ROWS, query.after, "-id"))
    except Invalid as problem:
        return Page([], None), problem, {}
    return found, None, store_summary.names(conn, {each.store_id for each in found.rows if each.store_id is not None})


def _kind(text: str) -> Kind | None:
    if not text:
        return None
    return forms.convert({"kind": text}, _Kind).kind


class _Kind(msgspec.Struct):
    kind: Kind


def _user_id(conn: Connection, username: str) -> int | None:
    if not username:
        return None
    try:
        return user.get_by_name(conn, username).id
    except NotFound:
        raise Invalid("user_unknown", field="who", username=username) from None


def _day(text: str, field: str) -> int | None:
    """Its beginning, in seconds since 1970."""
    if not text:
        return None
    try:
        return calendar.timegm(time.strptime(text if DATE.fullmatch(text) else "", "%Y-%m-%d"))
    except ValueError:
        raise Invalid("form_day_unreadable", field=field) from None
