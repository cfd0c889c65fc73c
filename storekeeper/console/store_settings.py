"""/console/new-store, and a store's settings, members and end"""

from falcon.asgi import Response

from storekeeper.console.page import Page, PageRequest
from storekeeper.console.templating import url
from storekeeper.database.engine import Connection
from storekeeper.domain import money, names
from storekeeper.errors import Forbidden, Invalid, NotFound, StoreNotEmpty
from storekeeper.http.operation import fresh
from storekeeper.models import store_items, store_member, store_summary
from storekeeper.models.noted_rights import Role
from storekeeper.models.paging import MOST, Asked
from storekeeper.models.store_member import Member, Standing
from storekeeper.models.store_summary import Sums


class NewStore(Page):
    """/console/new-store"""

    async def on_get(self, req: PageRequest, resp: Response) -> None:
        """The form for a new store."""
        await self.meet(req)
        self._show(req, resp, "new-store.html", currency=self._kit.settings.currency, currencies=sorted(money.DIGITS))

    async def on_post(self, req: PageRequest, resp: Response) -> None:
        form = req.typed
        name, currency = names.of_thing(form["name"]), form["currency"].strip().upper()
        await self._do(req, store_member.found_store, req.caller.user_id, name, currency, self._kit.quotas.stores)
        self._tell(req, resp, f"{name} is founded, and you own it.")
        self._lead(resp, url("store", name))


class Settings(Page):
    """/console/store/{name}/settings"""

    async def on_get(self, req: PageRequest, resp: Response, name: str) -> None:
        """What a store says of itself. For its owner."""
        standing = await self._see(req, _stand_as_owner, req.caller.user_id, name)
        self._show(req, resp, "settings.html", standing=standing, store=standing.store, currencies=sorted(money.DIGITS))

    async def on_post(self, req: PageRequest, resp: Response, name: str) -> None:
        form = req.typed
        settings = {
            "name": names.of_thing(form["name"]),
            "currency": money.check_currency(form["currency"]),
            "negative_stock": form["negative_stock"] == "yes",
        }
        try:
            changed = await self._do(req, store_items.set_up, req.caller.user_id, name, settings)
        except StoreNotEmpty as error:
            raise Invalid(str(error), "currency") from None
        self._tell(req, resp, "Saved.")
        self._lead(resp, url("store", changed.name, "settings"))


class Members(Page):
    """/console/store/{name}/members"""

    async def on_get(self, req: PageRequest, resp: Response, name: str) -> None:
        """Who works in the store. For those who work there."""
        standing, members = await self._see(req, _list_members, req.caller.user_id, name)
        self._show(req, resp, "members.html", standing=standing, store=standing.store, members=members)

    @fresh
    async def on_post(self, req: PageRequest, resp: Response, name: str) -> None:
        """Let somebody work here, or give them another role."""
        form = req.typed
        username, role = names.of_user(form["username"].strip()), _role(form["role"])
        try:
            put, is_new = await self._do(req, store_member.put, req.caller.user_id, name, username, role)
        except NotFound as error:
            raise Invalid(str(error), "username") from None
        req.log("role_changed", store=name, member=username, role=role)
        self._tell(req, resp, f"{put.username} {'works here now' if is_new else 'is now'} as {put.role}.")
        self._lead(resp, url("store", name, "members"))


class MemberRemoval(Page):
    """/console/store/{name}/members/{username}/remove"""

    @fresh
    async def on_get(self, req: PageRequest, resp: Response, name: str, username: str) -> None:
        """Ask before somebody is taken out."""
        found = await self._see(req, store_member.get, req.caller.user_id, name, username)
        is_self = found.user_id == req.caller.user_id
        self._show(
            req,
            resp,
            "sure.html",
            title=f"Leave {name}?" if is_self else f"Take {found.username} out of {name}?",
            text="Its items can be read afterwards, but not changed. An owner can undo it.",
            action=url("store", name, "members", username, "remove"),
            verb="Leave the store" if is_self else "Take out",
            back=url("store", name, "members"),
        )

    @fresh
    async def on_post(self, req: PageRequest, resp: Response, name: str, username: str) -> None:
        await self._do(req, store_member.delete, req.caller.user_id, name, username)
        req.log("role_changed", store=name, member=username, role=None)
        self._tell(req, resp, f"{username} works in {name} no more.")
        self._lead(resp, url("store", name))


class Deletion(Page):
    """/console/store/{name}/delete"""

    async def on_get(self, req: PageRequest, resp: Response, name: str) -> None:
        """Ask before a store goes, and say what goes with it."""
        standing, sums = await self._see(req, _sum_up, req.caller.user_id, name)
        self._show(req, resp, "delete-store.html", standing=standing, store=standing.store, sums=sums)

    async def on_post(self, req: PageRequest, resp: Response, name: str) -> None:
        form = req.typed
        if not form["name"].strip() or names.of_thing(form["name"]) != name:
            raise Invalid("Type the name of the store, to show that you mean it.", "name")
        await self._do(req, store_items.delete_store, req.caller.user_id, name, True)
        self._tell(req, resp, f"{name} is deleted.")
        self._lead(resp, url())


def _role(text: str) -> Role:
    if text not in ("owner", "clerk"):
        raise Invalid("A member is a clerk or an owner.", "role")
    return "owner" if text == "owner" else "clerk"


def _stand_as_owner(conn: Connection, user_id: int, name: str) -> Standing:
    standing = store_member.stand(conn, user_id, name)
    if not standing.owns:
        raise Forbidden(store_member.OWNERS_ONLY)
    return standing


def _list_members(conn: Connection, user_id: int, name: str) -> tuple[Standing, list[Member]]:
    return store_member.stand(conn, user_id, name), store_member.page(
        conn, user_id, name, Asked(MOST, sort="name")
    ).rows


def _sum_up(conn: Connection, user_id: int, name: str) -> tuple[Standing, Sums]:
    standing = _stand_as_owner(conn, user_id, name)
    return standing, store_summary.sums(conn, [standing.store], 0)[standing.store.id]
