"""/store/{name}/members and /store/{name}/members/{username}"""

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, UnsetType

from storekeeper.errors import Conflict, Forbidden, LastOwner, NotFound
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, fresh_token, responds
from storekeeper.http.request import Request
from storekeeper.models import store_member
from storekeeper.models.noted_rights import Role
from storekeeper.resources.pagination import SortedPageQuery, link_next


class RoleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role = "clerk"


class MemberPage(msgspec.Struct, frozen=True):
    members: list[store_member.Member]
    next: str | UnsetType = UNSET


class MemberResource:
    """/store/{name}/members/{username}"""

    tag = "members"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(store_member.Member, errors=(NotFound,), operation_id="getMember")
    async def on_get(self, req: Request, resp: Response, name: str, username: str) -> None:
        """Read the role of a member of the store, for members."""
        resp.media = await self._guard.read(req, store_member.get, req.caller.user_id, name, username)

    @fresh_token
    @responds(
        store_member.Member,
        (201, store_member.Member),
        errors=(Conflict, Forbidden, NotFound, LastOwner),
        operation_id="putMember",
    )
    async def on_put(self, req: Request, resp: Response, name: str, username: str, body: RoleBody | None) -> None:
        """Add a member to a store that you own, as clerk or as owner, or change the role.

        Without a body, as clerk.
        """
        role = (body or RoleBody()).role
        resp.media, is_new = await self._guard.write(req, store_member.put, req.caller.user_id, name, username, role)
        resp.status = falcon.HTTP_CREATED if is_new else falcon.HTTP_OK
        req.log("role_changed", store=name, member=username, role=role)

    @fresh_token
    @responds(Message, errors=(Forbidden, NotFound, LastOwner), operation_id="deleteMember")
    async def on_delete(self, req: Request, resp: Response, name: str, username: str) -> None:
        """Remove a member from a store that you own, or leave a store yourself."""
        await self._guard.write(req, store_member.delete, req.caller.user_id, name, username)
        resp.media = Message("Member removed.")
        req.log("role_changed", store=name, member=username, role=None)


class MemberListResource:
    """/store/{name}/members"""

    tag = "members"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(MemberPage, errors=(NotFound,), operation_id="listMembers")
    async def on_get(self, req: Request, resp: Response, name: str, query: SortedPageQuery) -> None:
        """List the members of the store, for members."""
        page = await self._guard.read_list(req, store_member.page, req.caller.user_id, name, query.page_request())
        resp.media = MemberPage(page.rows, link_next(req, resp, query, page.cursor))
