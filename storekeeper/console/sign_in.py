"""/console/set-up, /console/sign-in, /console/sign-out and /console/confirm"""

from contextlib import suppress

from falcon.asgi import Response

from storekeeper.console import cookies, forms
from storekeeper.console.error_pages import safe_redirect
from storekeeper.console.templating import url
from storekeeper.console.view import ConsoleRequest, View
from storekeeper.errors import Invalid, PasswordChangeRequired, Unauthorized
from storekeeper.http.operation import public
from storekeeper.models import session, user
from storekeeper.models.session import Grant
from storekeeper.security.tokens import Claims


class SessionStartView(View):
    """Where a session begins."""

    is_worth_keeping = False

    async def _sign_in(self, req: ConsoleRequest, resp: Response, username: str, password: str) -> None:
        """Begin a session, like any login, and put its token into the browser's cookie."""
        self._begin(
            req, resp, await self._components.password_check.sign_in(req, username, password, self._find_device(req))
        )

    def _begin(self, req: ConsoleRequest, resp: Response, grant: Grant) -> None:
        tokens = self._components.tokens
        seconds = tokens.lifetimes.session
        ends_at = grant.began_at + seconds
        cookies.give_token(req, resp, tokens.console(grant.user_id, grant.session_id, ends_at=ends_at), ends_at)
        cookies.give_device(req, resp, tokens.device(grant.user_id, grant.session_id), seconds)

    def _find_device(self, req: ConsoleRequest) -> Claims | None:
        """What the browser's cookie says of who has signed in there; None for one that is not good."""
        token = cookies.find_device(req)
        with suppress(Unauthorized):
            return self._components.tokens.read(token, ("device",)) if token else None
        return None


class SetUpView(SessionStartView):
    """/console/set-up"""

    @public
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """The first start: make the first administrator with the one-time token."""
        if await self._components.guard.read(req, user.has_admin):
            self._redirect(resp, url("sign-in"))
        else:
            self._render(req, resp, "set-up.html")

    @public
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        form = req.typed
        _check_repeated(form)
        await self._components.accounts.register(req, form["username"], form["password"], form["setup_token"].strip())
        await self._sign_in(req, resp, form["username"], form["password"])
        self._redirect(resp, url())


class SignInView(SessionStartView):
    """/console/sign-in"""

    @public
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """Sign in."""
        if await self._components.guard.read(req, user.has_admin):
            self._render(req, resp, "sign-in.html", next=safe_redirect(req.get_param("next") or req.typed["next"]))
        else:
            self._redirect(resp, url("set-up"))

    @public
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        form = req.typed
        try:
            await self._sign_in(req, resp, form["username"], form["password"])
        except PasswordChangeRequired as required:
            self._render(req, resp, "new-password.html", ticket=required.ticket, next=safe_redirect(form["next"]))
        else:
            self._redirect(resp, safe_redirect(form["next"]))


class NewPasswordView(SessionStartView):
    """/console/new-password"""

    @public
    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """The form that comes after a password that has to be replaced. Without its ticket: sign in first."""
        if isinstance(req.failure, Invalid):
            form = req.typed
            self._render(req, resp, "new-password.html", ticket=form["ticket"], next=safe_redirect(form["next"]))
        else:
            self._redirect(resp, url("sign-in"))

    @public
    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        """Replace the password, and begin a session."""
        form = req.typed
        if form["new_password"] != form["repeated"]:
            raise Invalid("passwords_differ", field="repeated")
        grant = await self._components.password_check.choose_password(req, form["ticket"], form["new_password"])
        self._begin(req, resp, grant)
        self._redirect(resp, safe_redirect(form["next"]))


class SignOutView(View):
    """/console/sign-out"""

    is_worth_keeping = False

    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        """End the session: whatever else uses its tokens is signed out as well."""
        await self._write(req, session.log_out, req.caller.user_id, req.caller.sid)
        req.log("logout", session_id=req.caller.sid)
        cookies.drop_token(req, resp)
        self._flash(req, resp, "You are signed out.")
        self._redirect(resp, url("sign-in"))


class PasswordConfirmView(View):
    """/console/confirm"""

    is_worth_keeping = False

    async def on_get(self, req: ConsoleRequest, resp: Response) -> None:
        """Give the password again, before something that needs it."""
        await self.load_viewer(req)
        self._render(req, resp, "confirm.html", next=safe_redirect(req.get_param("next") or req.typed["next"]))

    async def on_post(self, req: ConsoleRequest, resp: Response) -> None:
        form = req.typed
        await self.load_viewer(req)
        await self._components.password_check.confirm(req, form["password"])
        req.log("login_confirmed", session_id=req.caller.sid)
        ends_at = req.caller.exp
        token = self._components.tokens.console(req.caller.user_id, req.caller.sid, ends_at=ends_at)
        cookies.give_token(req, resp, token, ends_at)
        self._redirect(resp, safe_redirect(form["next"]))


def _check_repeated(form: forms.Form) -> None:
    if form["password"] != form["repeated"]:
        raise Invalid("passwords_differ", field="repeated")
