"""Accounts: registering, and changing one's password. Shared by the API and the console."""

from collections.abc import Callable
from functools import partial

from storekeeper.database.engine import Connection
from storekeeper.domain import names
from storekeeper.errors import RegistrationClosed, WrongSetupToken
from storekeeper.http.guard import Guard
from storekeeper.http.request import Request
from storekeeper.messages import ErrorMessage
from storekeeper.models import network_rate, session, user
from storekeeper.models.network_rate import Rate
from storekeeper.models.user import User
from storekeeper.security import setup_token as setup
from storekeeper.security.passwords import Passwords
from storekeeper.security.signing_keys import KeyRing
from storekeeper.services.login import PasswordCheck

Add = Callable[[Connection, str, str], User]  # of a name and its password's hash


class Accounts:
    def __init__(
        self,
        guard: Guard,
        passwords: Passwords,
        keys: KeyRing,
        password_check: PasswordCheck,
        is_open: bool,
        registrations_per_minute: int,
    ) -> None:
        self._guard = guard
        self._passwords = passwords
        self._keys = keys
        self._password_check = password_check
        self._is_open = is_open
        self._rate = Rate("registration", registrations_per_minute, ErrorMessage("too_many_registrations"))

    async def register(self, req: Request, username: str, password: str, setup_token: str | None = None) -> User:
        """Register a user; with the set-up token, the first administrator."""
        if setup_token is None and not self._is_open:
            raise RegistrationClosed
        if setup_token is not None and not setup.is_valid(self._keys, setup_token):
            raise WrongSetupToken
        await self._guard.read(req, network_rate.check, self._rate, req.request_context.address)
        add = user.register if setup_token is None else user.register_first_admin
        return await self._add(req, username, password, partial(_counted, self._rate, req.request_context.address, add))

    async def add(self, req: Request, username: str, password: str) -> User:
        """Add a user, as an administrator may at any time."""
        return await self._add(req, username, password, user.add)

    async def _add(self, req: Request, username: str, password: str, add: Add) -> User:
        self._passwords.check(password, names.of_new_user(username))
        hashed = await self._passwords.hash(password, req.request_context.address)
        added = await self._guard.write(req, add, username, hashed)
        req.log("registered", registered_id=added.id, is_admin=added.is_admin)
        return added

    async def reset_password(self, req: Request, user: User, new: str) -> None:
        """Give somebody another password, for an administrator, and end all their sessions."""
        self._passwords.check(new, user.username)
        new_hash = await self._passwords.hash(new, req.request_context.address)
        await self._guard.write(req, session.reset_password_as, req.caller.user_id, user.id, new_hash)
        req.log("password_reset", changed_id=user.id)

    async def change_password(self, req: Request, current: str, new: str) -> None:
        """Give the caller another password, and end their other sessions. InvalidCredentials for a wrong one."""
        if await self._guard.is_repeated(req):  # the present password is another by now
            return
        login = await self._password_check.confirm(req, current)
        self._passwords.check(new, login.username, "new_password")
        new_hash = await self._passwords.hash(new, req.request_context.address)
        await self._guard.write(req, session.change_password, login, new_hash, req.caller.sid)
        req.log("password_changed")


def _counted(rate: Rate, address: str, add: Add, conn: Connection, username: str, hashed: str) -> User:
    """Add a user, as long as there are not too many from the network."""
    added = add(conn, username, hashed)
    network_rate.count(conn, rate, address)
    return added
