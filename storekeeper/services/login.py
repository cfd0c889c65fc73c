"""Signing in with a password, and giving it again: the throttle, then Argon2, then the throttle's verdict."""

import asyncio
from contextlib import suppress

import msgspec

from storekeeper.database.engine import Connection
from storekeeper.errors import (
    Invalid,
    InvalidCredentials,
    NotFound,
    PasswordChangeRequired,
    TicketInvalid,
    TooManyAttempts,
)
from storekeeper.http.guard import Guard
from storekeeper.http.request import Request
from storekeeper.messages import ErrorMessage
from storekeeper.models import login_network, login_throttle, network_rate, session, user
from storekeeper.models.login_throttle import Attempt, LoginThrottleLimits
from storekeeper.models.network_rate import Rate
from storekeeper.models.session import Grant, SessionLimits
from storekeeper.models.user import Login
from storekeeper.security.password_tickets import Tickets
from storekeeper.security.passwords import Passwords
from storekeeper.security.tokens import Claims


class PasswordCheck:
    """Existing and unknown names differ in nothing: not in the answer, nor in the time that it takes."""

    def __init__(
        self,
        guard: Guard,
        passwords: Passwords,
        tickets: Tickets,
        limits: LoginThrottleLimits,
        session_limits: SessionLimits,
        logins_per_minute: int,
    ) -> None:
        self._guard = guard
        self._tickets = tickets
        self._passwords = passwords
        self._limits = limits
        self._session_limits = session_limits
        self._rate = Rate("login", logins_per_minute, ErrorMessage("too_many_logins"))

    async def sign_in(self, req: Request, username: str, password: str, device: Claims | None = None) -> Grant:
        """Begin a session for the user whose password this is. InvalidCredentials does not say what was wrong.

        `device` is what the browser's cookie says of who has signed in there before. PasswordChangeRequired for a right
        password that has to be replaced first: see `choose_password`.
        """
        address = req.request_context.address
        call = Call(username, address, device)
        login, attempt, last_at, delay = await self._guard.read(req, _look_up, call, self._limits, self._rate)
        if delay:
            await asyncio.sleep(delay)
        if not await self._passwords.fit(password, login.password_hash if login else None, address):
            await self._guard.write_uncached(req, login_throttle.count, attempt)
            req.log("login_failed")
            raise InvalidCredentials
        assert login
        if login.must_change_password:
            await self._guard.read(req, login_throttle.check, attempt)
            req.request_context.user_id = login.user_id  # for the log
            raise PasswordChangeRequired(self._tickets.issue(login.user_id, login.password_hash))
        is_outdated = self._passwords.is_outdated(login.password_hash)
        new_hash = await self._passwords.hash(password, address) if is_outdated else None
        entry = VerifiedLogin(attempt, self._rate, login, last_at, new_hash, self._session_limits, req.device, address)
        grant = await self._guard.write_uncached(req, _begin, entry)
        req.request_context.user_id = grant.user_id
        return _logged(req, grant)

    async def choose_password(self, req: Request, ticket: str, new: str) -> Grant:
        """Replace a password that had to be, and begin a session. TicketInvalid, or Invalid for a bad new password."""
        try:
            login = await self._guard.read(req, user.get_login, self._tickets.user_id(ticket))
        except NotFound:  # deleted, or deactivated
            raise TicketInvalid from None
        self._tickets.check(ticket, login.password_hash)
        self._passwords.check(new, login.username, "new_password")
        if await self._passwords.fit(new, login.password_hash, req.request_context.address):
            raise Invalid("password_unchanged", field="new_password")
        new_hash = await self._passwords.hash(new, req.request_context.address)
        grant = await self._guard.write_uncached(
            req, session.choose_password, login, new_hash, self._session_limits, req.device, req.request_context.address
        )
        req.request_context.user_id = grant.user_id
        req.log("password_changed")
        return _logged(req, grant)

    async def confirm(self, req: Request, password: str) -> Login:
        """The caller, once they have given their password again. InvalidCredentials for a wrong one.

        Only failures in the same session count: others cannot keep its user from this. Too many in a row end the
        session, so that a stolen token is no way to find the password.
        """
        session_id = req.caller.sid
        attempt = login_throttle.confirmation(session_id, self._limits)
        login = await self._guard.read(req, _look_up_caller, req.caller.user_id, attempt)
        if not await self._passwords.fit(password, login.password_hash, req.request_context.address):
            is_ended = await self._guard.write_uncached(req, _note_wrong_password, attempt, session_id)
            req.log("login_failed", session_id=session_id)
            if is_ended:
                req.log("wrong_passwords_limit", session_id=session_id)
            raise InvalidCredentials
        if await self._guard.read(req, _settle, attempt, session_id):
            await self._guard.write_uncached(req, session.forget_wrong_passwords, session_id)
        return login


class VerifiedLogin(msgspec.Struct, frozen=True):
    """A login whose password was right, and what its session is to be. `new_hash` replaces an outdated one.

    `last_at` is when the user last signed in from near the address.
    """

    attempt: Attempt
    rate: Rate
    login: Login
    last_at: int
    new_hash: str | None
    session_limits: SessionLimits
    device: str
    address: str


class Call(msgspec.Struct, frozen=True):
    """Who wants to sign in, from where, and what the browser's cookie says of who has signed in there before."""

    username: str
    address: str
    device: Claims | None


def _logged(req: Request, grant: Grant) -> Grant:
    req.log("login", session_id=grant.session_id)
    if grant.ended_id is not None:
        req.log("session_ended", session_id=grant.ended_id, reason="There were too many.")
    return grant


def _look_up(
    conn: Connection, call: Call, limits: LoginThrottleLimits, rate: Rate
) -> tuple[Login | None, Attempt, int, float]:
    """The user, if there is one, by what their attempt is judged, when they last signed in from there, and by how many
    seconds the attempt is to be delayed.
    """
    attempt = login_throttle.login(call.username, call.address, limits)
    found = login_network.find(conn, call.username, call.address, rate, attempt)
    login, last_at = found.login, found.last_at
    if login and call.device and call.device.user_id == login.user_id:
        own = login_throttle.login_of_device(call.device.jti, limits)
        with suppress(TooManyAttempts):  # then it is as good as any other
            return login, own, last_at, login_throttle.check(conn, own)
    attempt = msgspec.structs.replace(attempt, is_known=login_network.is_known(last_at))
    return login, attempt, last_at, login_throttle.check(conn, attempt) if found.has_failures else 0.0


def _begin(conn: Connection, entry: VerifiedLogin) -> Grant:
    """InvalidCredentials if the password was changed, or the user deactivated, since it was checked."""
    login = entry.login
    login_network.admit(conn, login, entry.attempt)
    if entry.new_hash:
        user.set_hash(conn, login.user_id, entry.new_hash)
    grant = session.begin(conn, login.user_id, entry.session_limits, entry.device, entry.address)
    login_network.note(conn, login.user_id, entry.address, entry.last_at)
    network_rate.count(conn, entry.rate, entry.address)
    return grant


def _look_up_caller(conn: Connection, user_id: int, attempt: Attempt) -> Login:
    login_throttle.check(conn, attempt)
    return user.get_login(conn, user_id)


def _note_wrong_password(conn: Connection, attempt: Attempt, session_id: int) -> bool:
    login_throttle.count(conn, attempt)
    return session.note_wrong_password(conn, session_id)


def _settle(conn: Connection, attempt: Attempt, session_id: int) -> bool:
    """Judge an attempt with the right password. Whether there were wrong ones before it."""
    login_throttle.check(conn, attempt)
    return session.has_wrong_passwords(conn, session_id)
