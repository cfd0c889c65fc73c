"""/console/store/{name}: a store's items, found, sorted, edited in place; and /console/items: those of all stores"""

from falcon.asgi import Response

from storekeeper.console import edit_form, item_list_query
from storekeeper.console.error_pages import safe_redirect
from storekeeper.console.item_list_query import ListLinks, ListQuery
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.errors import Invalid
from storekeeper.models import item, item_edit, item_list, store_member, store_summary
from storekeeper.models.item import Item
from storekeeper.models.item_list import TwoWayPage
from storekeeper.models.store_member import StoreAccess

MAX_BYTES = 256 * 1024
EMPTY = TwoWayPage([], None, None)


class StoreView(View):
    """/console/store/{name}"""

    max_bytes = MAX_BYTES

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """A store's items."""
        query, refused = read_query(req)
        access, leaf, problem = await self._read(req, _leaf, req.caller.user_id, name, query)
        place = ListLinks(("store", name), query)
        self._render(
            req,
            resp,
            "store.html",
            access=access,
            store=access.store,
            leaf=leaf,
            place=place,
            query=query,
            problem=refused or problem,
            clashes={f"{each.field}.{each.item_id}": each for each in clashes(req)},
        )

    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """Change prices and stocks in the table."""
        wanted = edit_form.read(req.typed)
        saved = await self._write(req, item_edit.apply, req.caller.user_id, name, wanted)
        if req.request_context.repeated_at is not None:
            saved = await self._read(req, item.find_all, [each.id for each in saved])
        self._flash(req, resp, _told(saved))
        self._redirect(resp, safe_redirect(req.typed["back"]))


class ItemListView(View):
    """/console/items"""

    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """The items of all stores."""
        query, refused = read_query(req)
        leaf, problem, names = await self._read(req, _leaf_of_all, query)
        values = {"leaf": leaf, "place": ListLinks(("items",), query), "query": query, "problem": refused or problem}
        self._render(req, resp, "items.html", stores=names, **values)


def read_query(req: ConsoleRequest) -> tuple[ListQuery, Invalid | None]:
    """What the address asks for; or the usual list, and why the address cannot be understood."""
    if req.typed:  # a form that is shown again: its table is the one that it came from
        return item_list_query.read_place(safe_redirect(req.typed["back"])), None
    try:
        return item_list_query.read(req), None
    except Invalid as error:
        return ListQuery(), error


def clashes(req: ConsoleRequest) -> list[item_edit.FieldConflict]:
    return list(req.failure.clashes) if isinstance(req.failure, item_edit.EditConflict) else []


def _leaf(
    conn: Connection, user_id: int, name: str, query: ListQuery
) -> tuple[StoreAccess, TwoWayPage, Invalid | None]:
    access = store_member.get_access(conn, user_id, name)
    try:
        return access, _find(conn, name, query), None
    except Invalid as error:
        return access, EMPTY, error


def _leaf_of_all(conn: Connection, query: ListQuery) -> tuple[TwoWayPage, Invalid | None, dict[int, str]]:
    try:
        leaf = _find(conn, None, query)
    except Invalid as error:
        return EMPTY, error, {}
    return leaf, None, store_summary.names(conn, {each.store_id for each in leaf.rows})


def _find(conn: Connection, store: str | None, query: ListQuery) -> TwoWayPage:
    return item_list.page_both_ways(conn, query.filter(store), query.page_request(), is_back=bool(query.before))


def _told(changed: list[Item]) -> str:
    if not changed:
        return "Nothing was changed."
    if len(changed) > 1:
        return f"{len(changed)} items are saved."
    (only,) = changed
    return f"Saved: {only.name}, {only.price} {only.currency}, {only.stock} on hand."
