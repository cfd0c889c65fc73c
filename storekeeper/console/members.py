"""/console/store/{name}/members"""

from falcon.asgi import Response

from storekeeper.console.page import Page, PageRequest
from storekeeper.console.templating import url
from storekeeper.database.engine import Connection
from storekeeper.domain import names
from storekeeper.errors import Invalid, NotFound
from storekeeper.http.operation import fresh
from storekeeper.models import store_member
from storekeeper.models.noted_rights import Role
from storekeeper.models.paging import MOST, Asked
from storekeeper.models.store_member import Member, Standing


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


def _role(text: str) -> Role:
    if text not in ("owner", "clerk"):
        raise Invalid("A member is a clerk or an owner.", "role")
    return "owner" if text == "owner" else "clerk"


def _list_members(conn: Connection, user_id: int, name: str) -> tuple[Standing, list[Member]]:
    return store_member.stand(conn, user_id, name), store_member.page(
        conn, user_id, name, Asked(MOST, sort="name")
    ).rows
