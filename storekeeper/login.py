"""Signing in with a password, and giving it again: the throttle, then Argon2, then the throttle's verdict."""

from sqlalchemy import Connection

from storekeeper.auth import Guard
from storekeeper.errors import InvalidCredentials
from storekeeper.http import Request
from storekeeper.models import session, throttle, user
from storekeeper.models.session import Grant
from storekeeper.models.throttle import Attempt, Limits
from storekeeper.models.user import Login
from storekeeper.passwords import Passwords


class PasswordCheck:
    """Existing and unknown names differ in nothing: not in the answer, nor in the time that it takes."""

    def __init__(self, guard: Guard, passwords: Passwords, limits: Limits, session_seconds: int) -> None:
        self._guard = guard
        self._passwords = passwords
        self._limits = limits
        self._session_seconds = session_seconds

    async def sign_in(self, req: Request, username: str, password: str) -> Grant:
        """Begin a session for the user whose password this is. InvalidCredentials does not say what was wrong."""
        attempt = throttle.login(username, req.visit.address, self._limits)
        login = await self._guard.read(req, _look_up, username, attempt)
        if not await self._passwords.fit(password, login.password_hash if login else None):
            await self._guard.record(req, throttle.count, attempt)
            req.log("login_failed")
            raise InvalidCredentials
        assert login
        new_hash = await self._passwords.hash(password) if self._passwords.is_outdated(login.password_hash) else None
        begun = await self._guard.record(
            req, _begin, attempt, login, new_hash, self._session_seconds, req.device, req.visit.address
        )
        req.visit.user_id = begun.user_id
        req.log("login", session_id=begun.session_id)
        return begun

    async def confirm(self, req: Request, password: str) -> Login:
        """The caller, once they have given their password again. InvalidCredentials for a wrong one.

        Only failures in the same session count: others cannot keep its user from this. Too many in a row end the
        session, so that a stolen token is no way to find the password.
        """
        session_id = req.caller.sid
        attempt = throttle.confirmation(session_id, self._limits)
        login = await self._guard.read(req, _look_up_caller, req.caller.user_id, attempt)
        if not await self._passwords.fit(password, login.password_hash):
            is_ended = await self._guard.record(req, _note_wrong_password, attempt, session_id)
            req.log("login_failed", session_id=session_id)
            if is_ended:
                req.log("wrong_passwords_limit", session_id=session_id)
            raise InvalidCredentials
        if await self._guard.read(req, _settle, attempt, session_id):
            await self._guard.record(req, session.forget_wrong_passwords, session_id)
        return login


def _look_up(conn: Connection, username: str, attempt: Attempt) -> Login | None:
    throttle.check(conn, attempt)
    return user.find_login(conn, username)


def _begin(
    conn: Connection, attempt: Attempt, login: Login, new_hash: str | None, seconds: int, device: str, address: str
) -> Grant:
    """InvalidCredentials if the password was changed, or the user deactivated, since it was checked."""
    throttle.check(conn, attempt)
    if not user.has_hash(conn, login.user_id, login.password_hash):
        raise InvalidCredentials
    if new_hash:
        user.set_hash(conn, login.user_id, new_hash)
    return session.begin(conn, login.user_id, seconds, device, address)


def _look_up_caller(conn: Connection, user_id: int, attempt: Attempt) -> Login:
    throttle.check(conn, attempt)
    return user.get_login(conn, user_id)


def _note_wrong_password(conn: Connection, attempt: Attempt, session_id: int) -> bool:
    throttle.count(conn, attempt)
    return session.note_wrong_password(conn, session_id)


def _settle(conn: Connection, attempt: Attempt, session_id: int) -> bool:
    """Judge an attempt with the right password. Whether there were wrong ones before it."""
    throttle.check(conn, attempt)
    return session.has_wrong_passwords(conn, session_id)
