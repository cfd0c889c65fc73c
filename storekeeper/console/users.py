"""/console/users: who has an account, for administrators"""

from falcon.asgi import Response

from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.http.operation import admin_only, fresh_token
from storekeeper.models import session, store_member, user
from storekeeper.models.paging import MAX_PAGE_SIZE, PageRequest
from storekeeper.models.session import Session
from storekeeper.models.store import Store
from storekeeper.models.user import User

ROWS = 50


class UserListView(View):
    """/console/users"""

    @admin_only
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """All accounts, by name."""
        page = await self._read(req, user.page, PageRequest(ROWS, req.get_param("after") or "", "name"))
        self._render(req, resp, "users.html", users=page.rows, following=page.cursor)


class UserCreateView(View):
    """/console/new-user"""

    @admin_only
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """The form for a new account."""
        await self.load_viewer(req)
        self._render(req, resp, "new-user.html")

    @admin_only
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        form = req.typed
        await self.load_viewer(req)
        added = await self._components.accounts.add(req, form["username"].strip(), form["password"])
        self._flash(req, resp, f"{added.username} has an account now. Give them the password in a secure way.")
        self._redirect(resp, url("users", added.id))


class UserView(View):
    """/console/users/{user_id}"""

    @admin_only
    async def on_get(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        """A user, and where they are signed in."""
        found, sessions = await self._read(req, _look, user_id, self._components.tokens.lifetimes.idle)
        self._render(req, resp, "user.html", user=found, sessions=sessions)


class UserRolesView(UserView):
    """/console/users/{user_id}/roles"""

    @admin_only
    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        """Make somebody an administrator or not, active or not."""
        form = req.typed
        wanted = {"yes": True, "no": False}
        is_admin, is_active = wanted.get(form["is_admin"]), wanted.get(form["is_active"])
        changed = await self._write(req, session.change_user, user_id, is_admin, is_active)
        req.log("role_changed", changed_id=user_id, is_admin=changed.is_admin, is_active=changed.is_active)
        self._flash(req, resp, "Saved. The change is effective everywhere.")
        self._redirect(resp, url("users", user_id) if changed.is_admin or user_id != req.caller.user_id else url())


class UserSessionsEndView(UserView):
    """/console/users/{user_id}/sessions"""

    @admin_only
    async def on_post(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        """Sign somebody out everywhere."""
        count = await self._write(req, session.end_others, user_id)
        req.log("sessions_ended", changed_id=user_id, count=count)
        self._flash(req, resp, f"Sessions ended: {count}.")
        self._redirect(resp, url("users", user_id))


class PasswordResetView(View):
    """/console/users/{user_id}/password"""

    @fresh_token
    async def on_get(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        """The form for another password of somebody's."""
        found = await self._read(req, _get_as_admin, req.caller.user_id, user_id)
        self._render(req, resp, "reset-password.html", user=found)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        form = req.typed
        found = await self._read(req, _get_as_admin, req.caller.user_id, user_id)
        await self._components.accounts.reset_password(req, found, form["password"])
        self._flash(req, resp, f"{found.username} has a new password, and is signed out everywhere.")
        self._redirect(resp, url("users", user_id))


class UserDeleteView(View):
    """/console/users/{user_id}/delete"""

    @fresh_token
    async def on_get(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        """Ask before an account goes."""
        found, alone = await self._read(req, _look_before_deletion, req.caller.user_id, user_id)
        self._render(req, resp, "delete-user.html", user=found, stores=alone)

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response, user_id: int) -> None:
        heir = req.typed["stores_to"].strip() or None
        deleted = await self._write(req, _delete, req.caller.user_id, user_id, heir)
        req.log("user_deleted", deleted_id=user_id)
        self._flash(req, resp, f"The account of {deleted.username} is deleted.")
        self._redirect(resp, url("users"))


def _look(conn: Connection, user_id: int, idle: int) -> tuple[User, list[Session]]:
    return user.get(conn, user_id), session.page(conn, user_id, idle, PageRequest(MAX_PAGE_SIZE, sort="-id")).rows


def _look_before_deletion(conn: Connection, actor_id: int, user_id: int) -> tuple[User, list[Store]]:
    return _get_as_admin(conn, actor_id, user_id), store_member.owned_alone(conn, user_id)


def _delete(conn: Connection, actor_id: int, user_id: int, heir: str | None) -> User:
    """The user as they were."""
    found = _get_as_admin(conn, actor_id, user_id)
    store_member.delete_user(conn, actor_id, user_id, heir)
    return found


def _get_as_admin(conn: Connection, actor_id: int, user_id: int) -> User:
    user.require_admin(conn, actor_id)
    return user.get(conn, user_id)
