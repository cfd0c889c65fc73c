"""/console/store/{name}/members"""

from falcon.asgi import Response

from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.domain import names
from storekeeper.errors import Invalid, NotFound
from storekeeper.http.operation import fresh_token
from storekeeper.models import store_member
from storekeeper.models.noted_rights import Role
from storekeeper.models.paging import MAX_PAGE_SIZE, PageRequest
from storekeeper.models.store_member import Member, StoreAccess


class MemberListView(View):
    """/console/store/{name}/members"""

    async def on_get(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """Who works in the store. For those who work there."""
        access, members = await self._read(req, _list_members, req.caller.user_id, name)
        self._render(req, resp, "members.html", access=access, store=access.store, members=members)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, name: str) -> None:
        """Let somebody work here, or give them another role."""
        form = req.typed
        username, role = names.of_user(form["username"].strip()), _role(form["role"])
        try:
            put, _ = await self._write(req, store_member.put, req.caller.user_id, name, username, role)
        except NotFound as error:
            raise Invalid(message=error.message, field="username") from None
        req.log("role_changed", store=name, member=username, role=role)
        self._flash(req, resp, f"{put.username} is now {'an owner' if put.role == 'owner' else 'a clerk'} of {name}.")
        self._redirect(resp, url("store", name, "members"))


class MemberRemoveView(View):
    """/console/store/{name}/members/{username}/remove"""

    @fresh_token
    async def on_get(self, req: ConsoleRequest, resp: Response, name: str, username: str) -> None:
        """Ask before somebody is taken out."""
        found = await self._read(req, store_member.get, req.caller.user_id, name, username)
        is_self = found.user_id == req.caller.user_id
        self._render(
            req,
            resp,
            "sure.html",
            title=f"Leave {name}?" if is_self else f"Remove {found.username} from {name}?",
            text="A former member can read the items, but not change them. An owner can undo this.",
            action=url("store", name, "members", username, "remove"),
            verb="Leave the store" if is_self else "Remove",
            back=url("store", name, "members"),
        )

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, name: str, username: str) -> None:
        await self._write(req, store_member.delete, req.caller.user_id, name, username)
        req.log("role_changed", store=name, member=username, role=None)
        self._flash(req, resp, f"{username} is no longer a member of {name}.")
        self._redirect(resp, url("store", name))


def _role(text: str) -> Role:
    if text not in ("owner", "clerk"):
        raise Invalid("role_unknown", field="role")
    return "owner" if text == "owner" else "clerk"


def _list_members(conn: Connection, user_id: int, name: str) -> tuple[StoreAccess, list[Member]]:
    return store_member.get_access(conn, user_id, name), store_member.page(
        conn, user_id, name, PageRequest(MAX_PAGE_SIZE, sort="name")
    ).rows
