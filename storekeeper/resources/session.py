"""/login, /login/fresh, /refresh, /logout, /sessions and /sessions/{id}"""

from typing import Annotated

import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.errors import (
    InvalidCredentials,
    NotFound,
    PasswordChangeRequired,
    TicketInvalid,
    TokenRevoked,
    TooManyAttempts,
)
from storekeeper.http.guard import Guard
from storekeeper.http.operation import Message, any_token, fresh_token, public, refresh_token_only, responds
from storekeeper.http.request import Request
from storekeeper.messages import ErrorMessage
from storekeeper.models import session, user
from storekeeper.models.session import Grant
from storekeeper.resources.pagination import PageQuery, link_next
from storekeeper.security.passwords import MAX_LENGTH
from storekeeper.security.tokens import Tokens
from storekeeper.services.login import PasswordCheck

WITHOUT_NUL = "^[^\\u0000]*$"
NO_NUL = {"form": ErrorMessage("expected_without_nul")}
# Generous on purpose: what is no name or password of anybody's is answered as a wrong one.
Typed = Annotated[str, Meta(max_length=1024, pattern=WITHOUT_NUL, extra=NO_NUL)]
NewPassword = Annotated[
    str,
    Meta(
        max_length=MAX_LENGTH,
        pattern=WITHOUT_NUL,
        description="None of the 10,000 most common, nor the user name. The operator may ask for more characters.",
        extra_json_schema={"minLength": 8},
        extra=NO_NUL,
    ),
]


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: Typed
    password: Typed


class PasswordConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: Typed


class ChosenPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ticket: Annotated[str, Meta(max_length=100, description="The ticket in the answer of the login.")]
    new_password: NewPassword


class TokenPair(msgspec.Struct, frozen=True):
    """`expires_in` is the access token's, in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class AccessToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


class SessionAnswer(msgspec.Struct, frozen=True):
    """Times are seconds since 1970; `last_used_at` is kept to the minute."""

    id: int
    device: str
    address: str
    began_at: int
    last_used_at: int
    is_current: bool


class SessionPage(msgspec.Struct, frozen=True):
    sessions: list[SessionAnswer]
    next: str | UnsetType = UNSET


class LoginResource:
    """/login"""

    tag = "sessions"

    def __init__(self, password_check: PasswordCheck, tokens: Tokens) -> None:
        self._password_check = password_check
        self._tokens = tokens

    @public
    @responds(TokenPair, errors=(InvalidCredentials, PasswordChangeRequired, TooManyAttempts), operation_id="login")
    async def on_post(self, req: Request, resp: Response, body: Credentials) -> None:
        """Log in, and begin a session.

        If the operator requires a new password, the answer is 403 `password_change_required` with a `ticket` for `POST
        /login/password`.
        """
        grant = await self._password_check.sign_in(req, body.username, body.password)
        resp.media = token_pair(self._tokens, grant, fresh=True)


class LoginPasswordResource:
    """/login/password"""

    tag = "sessions"

    def __init__(self, password_check: PasswordCheck, tokens: Tokens) -> None:
        self._password_check = password_check
        self._tokens = tokens

    @public
    @responds(TokenPair, errors=(TicketInvalid,), operation_id="choosePassword")
    async def on_post(self, req: Request, resp: Response, body: ChosenPassword) -> None:
        """Choose a new password with the ticket of a login, and log in.

        The ticket is valid once, for 15 minutes.
        """
        grant = await self._password_check.choose_password(req, body.ticket, body.new_password)
        resp.media = token_pair(self._tokens, grant, fresh=True)


class FreshLoginResource:
    """/login/fresh"""

    tag = "sessions"

    def __init__(self, guard: Guard, password_check: PasswordCheck, tokens: Tokens) -> None:
        self._guard = guard
        self._password_check = password_check
        self._tokens = tokens

    @responds(AccessToken, errors=(InvalidCredentials, NotFound, TooManyAttempts), operation_id="createFreshToken")
    async def on_post(self, req: Request, resp: Response, body: PasswordConfirmation) -> None:
        """Give the password again, for a fresh access token in the same session."""
        await self._password_check.confirm(req, body.password)
        asker = await self._guard.read(req, user.get, req.caller.user_id)
        req.log("login_confirmed", session_id=req.caller.sid)
        token = self._tokens.access(asker.id, req.caller.sid, fresh=True, is_admin=asker.is_admin)
        resp.media = AccessToken(token, self._tokens.lifetimes.access)


class RefreshResource:
    """/refresh"""

    tag = "sessions"

    def __init__(self, guard: Guard, tokens: Tokens, grace: int) -> None:
        self._guard = guard
        self._tokens = tokens
        self._grace = grace

    @refresh_token_only
    @responds(TokenPair, operation_id="refreshTokens")
    async def on_post(self, req: Request, resp: Response) -> None:
        """Exchange a refresh token for an access token, which is not fresh, and the next refresh token.

        The same request returns the same refresh token again. Save it before you use the access token beside it: after
        the first use of either, the former refresh token is valid for some more seconds, and a later use ends the
        session. A client that has only ever used its first refresh token may continue to use it.
        """
        grant = await self._guard.refresh(req, self._tokens.lifetimes.idle, self._grace)
        if grant is None:
            req.log("refresh_token_reused", session_id=req.caller.sid)
            raise TokenRevoked
        resp.media = token_pair(self._tokens, grant, fresh=False)


class LogoutResource:
    """/logout"""

    tag = "sessions"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @any_token
    @responds(Message, operation_id="logout")
    async def on_post(self, req: Request, resp: Response) -> None:
        """End the session: its access and refresh tokens become void at once."""
        user_id = req.caller.user_id
        await self._guard.write(req, session.log_out, user_id, req.caller.sid)
        req.log("logout", session_id=req.caller.sid)
        resp.media = Message(f"User <id={user_id}> successfully logged out.")


class SessionResource:
    """/sessions/{session_id}"""

    tag = "sessions"

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @responds(Message, errors=(NotFound,), operation_id="deleteSession")
    async def on_delete(self, req: Request, resp: Response, session_id: int) -> None:
        """End one of your sessions."""
        await self._guard.write(req, session.end, req.caller.user_id, session_id)
        req.log("session_ended", session_id=session_id)
        resp.media = Message("Session ended.")


class SessionListResource:
    """/sessions"""

    tag = "sessions"

    def __init__(self, guard: Guard, idle: int) -> None:
        self._guard = guard
        self._idle = idle

    @responds(SessionPage, operation_id="listSessions")
    async def on_get(self, req: Request, resp: Response, query: PageQuery) -> None:
        """List your sessions: the device, its address, and when it was last used."""
        page = await self._guard.read_list(req, session.page, req.caller.user_id, self._idle, query.page_request())
        listed = [
            SessionAnswer(**msgspec.structs.asdict(each), is_current=each.id == req.caller.sid) for each in page.rows
        ]
        resp.media = SessionPage(listed, link_next(req, resp, query, page.cursor))

    @fresh_token
    @responds(Message, operation_id="deleteOtherSessions")
    async def on_delete(self, req: Request, resp: Response) -> None:
        """End all your sessions but this one."""
        count = await self._guard.write(req, session.end_others, req.caller.user_id, req.caller.sid)
        req.log("sessions_ended", count=count)
        resp.media = Message(f"Other sessions ended: {count}.")


def token_pair(tokens: Tokens, grant: Grant, *, fresh: bool) -> TokenPair:
    number = grant.number
    access = tokens.access(grant.user_id, grant.session_id, fresh=fresh, is_admin=grant.is_admin, number=number)
    successor = tokens.refresh(grant.user_id, grant.session_id, number=number, began=grant.began_at)
    return TokenPair(access, successor, tokens.lifetimes.access)
