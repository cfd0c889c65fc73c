"""/register, /user/{id}, /user/{id}/password and /users"""

from typing import Annotated

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.domain import names
from storekeeper.errors import (
    AlreadyExists,
    InvalidCredentials,
    LastAdministrator,
    LastOwner,
    NotFound,
    RegistrationClosed,
    TooManyAttempts,
    WrongSetupToken,
)
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, admin_only, fresh_token, public, responds
from storekeeper.http.request import Request, path
from storekeeper.models import session, store_member, user
from storekeeper.openapi import schemas
from storekeeper.resources.pagination import SortedPageQuery, link_next
from storekeeper.resources.session import NewPassword, Typed
from storekeeper.services.accounts import Accounts

NewUsername = Annotated[str, Meta(max_length=names.LENGTH, extra_json_schema=schemas.USERNAME)]
SetupToken = Annotated[
    str,
    Meta(max_length=200, description="The set-up token that `serve` prints: makes the user the first administrator."),
]


class RegisterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: NewUsername
    password: NewPassword
    setup_token: SetupToken | None = None


class RolesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    is_admin: bool | None = None
    is_active: bool | None = None
    must_change_password: bool | None = None


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    current_password: Typed
    new_password: NewPassword


class DeleteUserQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stores_to: Annotated[
        str,
        Meta(max_length=names.LENGTH, description="The user name of the new owner of stores that nobody else owns."),
    ] = ""


class Registered(msgspec.Struct, frozen=True):
    message: str
    id: int


class UserPage(msgspec.Struct, frozen=True):
    users: list[user.User]
    next: str | UnsetType = UNSET


class RegisterResource:
    """/register"""

    tag = "users"

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @public
    @responds(
        (201, Registered),
        headers=("Location",),
        errors=(AlreadyExists, RegistrationClosed, TooManyAttempts, WrongSetupToken),
        operation_id="registerUser",
    )
    async def on_post(self, req: Request, resp: Response, body: RegisterBody) -> None:
        """Register a user.

        While there is no administrator, the set-up token that `serve` prints makes the user the first one.
        """
        added = await self._accounts.register(req, body.username, body.password, body.setup_token)
        resp.media, resp.status = Registered("User created successfully.", added.id), falcon.HTTP_CREATED
        resp.location = path("user", str(added.id))


class UserResource:
    """/user/{user_id}"""

    tag = "users"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(user.User, errors=(NotFound,), operation_id="getUser")
    async def on_get(self, req: Request, resp: Response, user_id: int) -> None:
        """Read your own account; administrators read any."""
        resp.media = await self._guard.read(req, user.get_for, req.caller.user_id, user_id)

    @fresh_token
    @responds(Message, errors=(NotFound, LastAdministrator, LastOwner), operation_id="deleteUser")
    async def on_delete(self, req: Request, resp: Response, user_id: int, query: DeleteUserQuery) -> None:
        """Delete your own account; administrators delete any.

        The user's sessions end at once. Refused while the user is the only owner of a store, unless `stores_to` names
        the new owner.
        """
        args = req.caller.user_id, user_id, query.stores_to or None
        handed = await self._guard.write(req, store_member.delete_user, *args)
        req.log("user_deleted", deleted_id=user_id, stores_handed_over=[each.id for each in handed])
        resp.media = Message("User deleted.")

    @admin_only
    @fresh_token
    @responds(user.User, errors=(NotFound, LastAdministrator), operation_id="updateUser")
    async def on_patch(self, req: Request, resp: Response, user_id: int, body: RolesBody) -> None:
        """Change the role or the state of a user, for administrators.

        Requiring a new password at the next login, or deactivating the user, ends their sessions. The last active
        administrator cannot be demoted or deactivated.
        """
        args = user_id, body.is_admin, body.is_active, body.must_change_password
        changed = await self._guard.write(req, session.change_user, *args)
        values = {"is_admin": changed.is_admin, "is_active": changed.is_active}
        req.log("role_changed", changed_id=user_id, **values, must_change_password=changed.must_change_password)
        resp.media = changed


class PasswordResource:
    """/user/{user_id}/password"""

    tag = "users"

    def __init__(self, guard: Guard, accounts: Accounts) -> None:
        self._guard = guard
        self._accounts = accounts

    @fresh_token
    @responds(Message, errors=(InvalidCredentials, NotFound, TooManyAttempts), operation_id="changePassword")
    async def on_put(self, req: Request, resp: Response, user_id: int, body: PasswordChange) -> None:
        """Change your password. Your other sessions end."""
        await self._guard.read(req, user.get_own, req.caller.user_id, user_id)
        await self._accounts.change_password(req, body.current_password, body.new_password)
        resp.media = Message("Password changed.")


class UserListResource:
    """/users"""

    tag = "users"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @admin_only
    @responds(UserPage, operation_id="listUsers")
    async def on_get(self, req: Request, resp: Response, query: SortedPageQuery) -> None:
        """List users."""
        page = await self._guard.read_list(req, user.page, query.page_request())
        resp.media = UserPage(page.rows, link_next(req, resp, query, page.cursor))
