"""Users: the table, the record and everything that can be done with one.

A password's hash never leaves with a user: `User` has no field for it. Only a `Login` has it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import Id, Text, metadata
from storekeeper.domain import names
from storekeeper.errors import AlreadyExists, Forbidden, LastAdministrator, NotFound, WrongSetupToken
from storekeeper.messages import ErrorMessage
from storekeeper.models import journal, noted_rights, paging
from storekeeper.models.paging import Paginator

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("username", Text, nullable=False),
    sa.Column("username_key", Text, nullable=False, unique=True),  # names.fold: look-alikes cannot coexist
    sa.Column("password_hash", sa.String, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("must_change_password", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_autoincrement=True,  # an id is never used again: an old token must not fit a new user
)

_public = (users.c.id, users.c.username, users.c.is_admin, users.c.is_active, users.c.must_change_password)
_living_admin = sa.and_(users.c.is_admin, users.c.is_active)


# An active user who still has the hash that was checked.
has_same_hash = sa.and_(
    users.c.id == sa.bindparam("user_id"), users.c.password_hash == sa.bindparam("hash"), users.c.is_active
)
_same_login = CompiledQuery(sa.select(users.c.id).where(has_same_hash).with_for_update())


class User(msgspec.Struct, frozen=True):
    """With `must_change_password`, a login has to choose a new password before a session begins."""

    id: int
    username: str
    is_admin: bool
    is_active: bool
    must_change_password: bool = False


class Login(msgspec.Struct, frozen=True):
    """What is needed to check a password. Not for answers."""

    user_id: int
    username: str
    password_hash: str
    must_change_password: bool


login_columns = (users.c.id.label("user_id"), users.c.username, users.c.password_hash, users.c.must_change_password)
has_name = sa.and_(users.c.username_key == sa.bindparam("key"), users.c.is_active)  # for `login_network.find`
_login_by_id = CompiledQuery(
    sa.select(*login_columns).where(users.c.id == sa.bindparam("user_id"), users.c.is_active), Login
)

_all = Paginator(sa.select(*_public, users.c.username_key), {"id": users.c.id, "name": users.c.username_key}, User)
_find_by_id = CompiledQuery(sa.select(*_public).where(users.c.id == sa.bindparam("user_id")), User)
_find_by_name = CompiledQuery(sa.select(*_public).where(users.c.username_key == sa.bindparam("key")), User)


def get(conn: Connection, user_id: int) -> User:
    return _existing(_find_by_id.fetch_first(conn, user_id=user_id))


def get_by_name(conn: Connection, username: str) -> User:
    return _existing(_find_by_name.fetch_first(conn, key=names.fold(username)))


def _existing(user: User | None) -> User:
    if user is None:
        raise NotFound("user_not_found")
    return user


def get_for(conn: Connection, actor_id: int, user_id: int) -> User:
    """The user, for themselves or an administrator. For anybody else they do not exist."""
    if actor_id != user_id:
        try:
            require_admin(conn, actor_id)
        except Forbidden:
            raise NotFound("user_not_found") from None
    return get(conn, user_id)


def require_admin(conn: Connection, actor_id: int, message: ErrorMessage | None = None) -> None:
    """Forbidden, with that message, for everybody else."""
    if not get(conn, actor_id).is_admin:
        raise Forbidden(message=message)
    noted_rights.note(conn, noted_rights.ADMIN)


def get_own(conn: Connection, actor_id: int, user_id: int) -> User:
    """The user, for themselves. For anybody else they do not exist."""
    if actor_id != user_id:
        raise NotFound("user_not_found")
    return get(conn, user_id)


def page(conn: Connection, page_request: paging.PageRequest) -> paging.Page[User]:
    return _all.fetch(conn, page_request)


def all_ids(conn: Connection) -> list[int]:
    return list(conn.scalars(sa.select(users.c.id).order_by(users.c.id)))


def get_login(conn: Connection, user_id: int) -> Login:
    login = _login_by_id.fetch_first(conn, user_id=user_id)
    if login is None:
        raise NotFound("user_not_found")
    return login


def has_admin(conn: Connection) -> bool:
    return conn.execute(sa.select(users.c.id).where(_living_admin).limit(1)).first() is not None


def add(conn: Connection, username: str, hashed: str, is_admin: bool = False) -> User:
    """Add a user. The password comes hashed: that is too slow to do inside a transaction."""
    added = _insert(conn, username, hashed, is_admin)
    _note(conn, added.id, None, added)
    return added


def register(conn: Connection, username: str, hashed: str, is_admin: bool = False) -> User:
    """Add a user who does so themselves: the change is theirs."""
    added = _insert(conn, username, hashed, is_admin)
    journal.set_author_user(conn, added.id)
    _note(conn, added.id, None, added)
    return added


def _insert(conn: Connection, username: str, hashed: str, is_admin: bool) -> User:
    values = {
        "username": username,
        "username_key": names.fold(username),
        "password_hash": hashed,
        "is_admin": is_admin,
        "is_active": True,
    }
    added = dialects.insert_new(conn, users, values, _public, User)
    if added is None:
        raise AlreadyExists("username_taken")
    return added


def insert_all(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add users whose columns are given: a broken constraint is raised as it is."""
    added = records.fetch_all(conn, sa.insert(users).returning(*_public), User, rows)
    journal.append(conn, *(journal.compare("user", None, each.id, None, each) for each in added))


def register_first_admin(conn: Connection, username: str, hashed: str) -> User:
    """Add the first administrator. WrongSetupToken where there is one already: its time is over."""
    dialects.serialize(conn, "administrators")
    if has_admin(conn):
        raise WrongSetupToken
    return register(conn, username, hashed, is_admin=True)


def has_hash(conn: Connection, user_id: int, hashed: str) -> bool:
    """Whether an active user still has the hash that was checked; and nobody changes it before the transaction ends."""
    return _same_login.fetch_first(conn, user_id=user_id, hash=hashed) is not None


def set_password(conn: Connection, user_id: int, new_hash: str) -> None:
    """Give the user another password. The journal tells that, and nothing of the password."""
    new = {"password_hash": new_hash, "must_change_password": False}
    conn.execute(sa.update(users).where(users.c.id == user_id).values(new))
    journal.append(conn, journal.NewChange("user", "password", None, user_id, {}, get(conn, user_id)))


def set_hash(conn: Connection, user_id: int, new_hash: str) -> None:
    """Keep the same password in another form."""
    conn.execute(sa.update(users).where(users.c.id == user_id).values(password_hash=new_hash))


def change(
    conn: Connection,
    user_id: int,
    is_admin: bool | None = None,
    is_active: bool | None = None,
    must_change_password: bool | None = None,
) -> User:
    """Change what is not None. LastAdministrator where nobody would be left to undo it."""
    dialects.serialize(conn, "administrators")
    before = get(conn, user_id)
    given = {"is_admin": is_admin, "is_active": is_active, "must_change_password": must_change_password}
    values = {name: value for name, value in given.items() if value is not None}
    changed = msgspec.structs.replace(before, **values)
    if not (changed.is_admin and changed.is_active):
        _refuse_last(conn, before)
    if changed != before:
        conn.execute(sa.update(users).where(users.c.id == user_id).values(values))
        _note(conn, user_id, before, changed)
    return changed


def delete(conn: Connection, user_id: int) -> None:
    """Delete the user, and with them their sessions and memberships: `store_member.delete_user` is for people."""
    dialects.serialize(conn, "administrators")
    leaving = get(conn, user_id)
    _refuse_last(conn, leaving)
    conn.execute(sa.delete(users).where(users.c.id == user_id))
    _note(conn, user_id, leaving, None)


def _note(conn: Connection, user_id: int, before: User | None, after: User | None) -> None:
    journal.append(conn, journal.compare("user", None, user_id, before, after))


def _refuse_last(conn: Connection, leaving: User) -> None:
    others = sa.select(users.c.id).where(_living_admin, users.c.id != leaving.id).limit(1)
    if leaving.is_admin and leaving.is_active and conn.execute(others).first() is None:
        raise LastAdministrator
