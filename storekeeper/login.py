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
        attempt = throttle.attempt(username, req.visit.address, self._limits)
        login = await self._guard.read(req, _look_up, username, attempt)
        await self._verify(req, attempt, login, password)
        assert login
        new_hash = await self._passwords.hash(password) if self._passwords.is_outdated(login.password_hash) else None
        begun = await self._guard.record(
            req, _begin, attempt, login, new_hash, self._session_seconds, req.device, req.visit.address
        )
        req.visit.user_id = begun.user_id
        req.log("login", session_id=begun.session_id)
        return begun

    async def confirm(self, req: Request, password: str) -> Login:
        """The caller, once he has given his password again. InvalidCredentials for a wrong one."""
        login = await self._guard.read(req, user.get_login, req.caller.user_id)
        attempt = throttle.attempt(login.username, req.visit.address, self._limits)
        await self._guard.read(req, throttle.check, attempt)
        await self._verify(req, attempt, login, password)
        await self._guard.read(req, throttle.check, attempt)
        return login

    async def _verify(self, req: Request, attempt: Attempt, login: Login | None, password: str) -> None:
        """InvalidCredentials for a wrong password, which is counted. For a right one the throttle has yet to judge."""
        if not await self._passwords.fit(password, login.password_hash if login else None):
            await self._guard.record(req, throttle.count, attempt)
            req.log("login_failed")
            raise InvalidCredentials


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
