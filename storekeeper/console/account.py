"""/console/account: one's password and sessions"""

from falcon.asgi import Response

from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.database.engine import Connection
from storekeeper.errors import Invalid
from storekeeper.http.operation import fresh_token
from storekeeper.models import session
from storekeeper.models.paging import MAX_PAGE_SIZE, PageRequest
from storekeeper.models.session import Session


class AccountView(View):
    """/console/account"""

    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """Where one is signed in, and the form for another password."""
        idle = self._components.tokens.lifetimes.idle
        sessions = await self._read(req, _list_sessions, req.caller.user_id, idle)
        self._render(req, resp, "account.html", sessions=sessions, current=req.caller.sid)


class PasswordChangeView(AccountView):
    """/console/account/password"""

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        """Change the password. All other sessions end."""
        form = req.typed
        if form["new_password"] != form["repeated"]:
            raise Invalid("passwords_differ", field="repeated")
        await self._components.accounts.change_password(req, form["current_password"], form["new_password"])
        self._flash(req, resp, "Your password is changed, and your other sessions have ended.")
        self._redirect(resp, url("account"))


class SessionEndView(AccountView):
    """/console/account/sessions/{session_id}"""

    async def on_get(self, req: ConsoleRequest, resp: Response, session_id: int) -> None:  # type: ignore[override]
        await super().on_get(req, resp)

    async def on_post(self, req: ConsoleRequest, resp: Response, session_id: int) -> None:
        """End one of one's sessions."""
        await self._write(req, session.end, req.caller.user_id, session_id)
        req.log("session_ended", session_id=session_id)
        self._flash(req, resp, "The session has ended.")
        self._redirect(resp, url("account"))


class OtherSessionsEndView(AccountView):
    """/console/account/sessions"""

    @fresh_token
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        """End all sessions but this one."""
        count = await self._write(req, session.end_others, req.caller.user_id, req.caller.sid)
        req.log("sessions_ended", count=count)
        self._flash(req, resp, f"Other sessions ended: {count}.")
        self._redirect(resp, url("account"))


def _list_sessions(conn: Connection, user_id: int, idle: int) -> list[Session]:
    """The newest first."""
    return session.page(conn, user_id, idle, PageRequest(MAX_PAGE_SIZE, sort="-id")).rows
