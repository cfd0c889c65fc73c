"""/console/store/{name}: a store's items, found, sorted, edited in place; and /console/items: those of all stores"""

from falcon.asgi import Response

from storekeeper.console import edit_form, item_list_query
from storekeeper.console.error_pages import safe_place
from storekeeper.console.item_list_query import ListQuery, Place
from storekeeper.console.page import Page, PageRequest
from storekeeper.database.engine import Connection
from storekeeper.errors import Invalid
from storekeeper.models import item, item_edit, item_list, store_member, store_summary
from storekeeper.models.item import Item
from storekeeper.models.item_list import Leaf
from storekeeper.models.store_member import Standing

MOST_BYTES = 256 * 1024
EMPTY = Leaf([], None, None)


class Store(Page):
    """/console/store/{name}"""

    most_bytes = MOST_BYTES

    async def on_get(self, req: PageRequest, resp: Response, name: str) -> None:
        """A store's items."""
        query, refused = read_query(req)
        standing, leaf, problem = await self._see(req, _leaf, req.caller.user_id, name, query)
        place = Place(("store", name), query)
        self._show(
            req,
            resp,
            "store.html",
            standing=standing,
            store=standing.store,
            leaf=leaf,
            place=place,
            query=query,
            problem=refused or problem,
            clashes={f"{each.field}.{each.item_id}": each for each in clashes(req)},
        )

    async def on_post(self, req: PageRequest, resp: Response, name: str) -> None:
        """Change prices and stocks in the table."""
        wanted = edit_form.read(req.typed)
        saved = await self._do(req, item_edit.apply, req.caller.user_id, name, wanted)
        if req.visit.repeated_at is not None:
            saved = await self._see(req, item.find_all, [each.id for each in saved])
        self._tell(req, resp, _told(saved))
        self._lead(resp, safe_place(req.typed["back"]))


class Items(Page):
    """/console/items"""

    async def on_get(self, req: PageRequest, resp: Response) -> None:
        """The items of all stores."""
        query, refused = read_query(req)
        leaf, problem, names = await self._see(req, _leaf_of_all, query)
        values = {"leaf": leaf, "place": Place(("items",), query), "query": query, "problem": refused or problem}
        self._show(req, resp, "items.html", stores=names, **values)


def read_query(req: PageRequest) -> tuple[ListQuery, Invalid | None]:
    """What the address asks for; or the usual list, and why the address cannot be understood."""
    if req.typed:  # a form that is shown again: its table is the one that it came from
        return item_list_query.read_place(safe_place(req.typed["back"])), None
    try:
        return item_list_query.read(req), None
    except Invalid as error:
        return ListQuery(), error


def clashes(req: PageRequest) -> list[item_edit.Clash]:
    return list(req.failure.clashes) if isinstance(req.failure, item_edit.Overtaken) else []


def _leaf(conn: Connection, user_id: int, name: str, query: ListQuery) -> tuple[Standing, Leaf, Invalid | None]:
    standing = store_member.stand(conn, user_id, name)
    try:
        return standing, _find(conn, name, query), None
    except Invalid as error:
        return standing, EMPTY, error


def _leaf_of_all(conn: Connection, query: ListQuery) -> tuple[Leaf, Invalid | None, dict[int, str]]:
    try:
        leaf = _find(conn, None, query)
    except Invalid as error:
        return EMPTY, error, {}
    return leaf, None, store_summary.names(conn, {each.store_id for each in leaf.rows})


def _find(conn: Connection, store: str | None, query: ListQuery) -> Leaf:
    return item_list.leaf(conn, query.wanted(store), query.asked(), is_back=bool(query.before))


def _told(changed: list[Item]) -> str:
    if not changed:
        return "Nothing was changed."
    if len(changed) > 1:
        return f"{len(changed)} items are saved."
    (only,) = changed
    return f"Saved: {only.name}, {only.price} {only.currency}, {only.stock} on hand."
