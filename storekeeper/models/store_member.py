"""Members: who works in a store, as owner or clerk, and what that allows. Everything else is denied."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from storekeeper.database import dialects, records
from storekeeper.database.compiled_query import CompiledQuery
from storekeeper.database.engine import metadata
from storekeeper.database.records import nested
from storekeeper.errors import Forbidden, Invalid, LastOwner, NotFound, TooManyStores
from storekeeper.models import journal, noted_rights, paging, quota, store, user
from storekeeper.models.noted_rights import Right, Role
from storekeeper.models.paging import Paginator
from storekeeper.models.store import Store, stores
from storekeeper.models.user import User, users

MAX_NAMED = 5  # stores, in an error
MAX_LISTED = 100  # stores without an owner

members = sa.Table(
    "store_members",
    metadata,
    sa.Column("store_id", sa.ForeignKey("stores.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("role", sa.String(5), sa.CheckConstraint("role IN ('owner', 'clerk')", name="role"), nullable=False),
)

_standing = (
    sa.select(*stores.c, users.c.is_admin, members.c.role)
    .select_from(stores)
    .join(users, users.c.id == sa.bindparam("user_id"))
    .outerjoin(members, sa.and_(members.c.store_id == stores.c.id, members.c.user_id == users.c.id))
)
_owners = sa.select(members.c.user_id).where(members.c.store_id == stores.c.id, members.c.role == "owner")
_listed = sa.select(users.c.id.label("user_id"), users.c.username, members.c.role, users.c.username_key).join(
    members, members.c.user_id == users.c.id
)


class Member(msgspec.Struct, frozen=True):
    user_id: int
    username: str
    role: Role


class _StoreRights(msgspec.Struct, frozen=True):
    """A store, whether the user is an administrator, and their role there."""

    store: Store
    is_admin: bool
    role: Role | None


_find_by_id, _find_by_name = (
    CompiledQuery(_standing.where(is_it), nested(_StoreRights, store=Store))
    for is_it in (stores.c.id == sa.bindparam("store_id"), stores.c.name == sa.bindparam("store"))
)
_of_store = Paginator(
    _listed.where(members.c.store_id == sa.bindparam("store_id")),
    {"id": _listed.selected_columns.user_id, "name": users.c.username_key},
    Member,
    "users",
)


class StoreAccess(msgspec.Struct, frozen=True):
    """What a user may do in a store: work in it, and own it."""

    store: Store
    is_clerk: bool
    is_owner: bool


def get_access(conn: Connection, user_id: int, store_ref: int | str) -> StoreAccess:
    """The store, and what the user may do there."""
    held = _stand(conn, user_id, store_ref)
    return StoreAccess(held.store, held.is_admin or held.role is not None, held.is_admin or held.role == "owner")


def require_clerk(conn: Connection, user_id: int, store_ref: int | str) -> Store:
    """The store of that id or name, for whoever works in it or is an administrator. Forbidden for all others."""
    return _require(conn, user_id, store_ref, ("owner", "clerk"))


def require_worker(conn: Connection, user_id: int | None, store_ref: int | str) -> Store:
    """The store, for whoever works in it, and for the operator, who is no user."""
    return store.get(conn, store_ref) if user_id is None else require_clerk(conn, user_id, store_ref)


def require_owner(conn: Connection, user_id: int, store_ref: int | str) -> Store:
    return _require(conn, user_id, store_ref, ("owner",))


def _require(conn: Connection, user_id: int, store_ref: int | str, roles: tuple[Role, ...]) -> Store:
    held = _stand(conn, user_id, store_ref)
    if not held.is_admin and held.role not in roles:
        raise Forbidden("workers_only" if "clerk" in roles else "owners_only")
    noted_rights.note(conn, Right(held.store.id, roles))
    return held.store


def require(conn: Connection, user_id: int, right: Right) -> None:
    """Forbidden, or NotFound for a store that is no more, where a right that was noted does not hold now."""
    if right.store_id is None:
        user.require_admin(conn, user_id)
    else:
        _require(conn, user_id, right.store_id, right.roles)


def holds(conn: Connection, user_id: int, right: Right) -> bool:
    """Whether the user has the right now."""
    try:
        require(conn, user_id, right)
    except (Forbidden, NotFound):
        return False
    return True


def _stand(conn: Connection, user_id: int, store_ref: int | str) -> _StoreRights:
    if isinstance(store_ref, int):
        found = _find_by_id.fetch_first(conn, user_id=user_id, store_id=store_ref)
    else:
        found = _find_by_name.fetch_first(conn, user_id=user_id, store=store_ref)
    if found is None:
        raise NotFound("store_not_found")
    return found


def create_store(conn: Connection, creator_id: int, name: str, currency: str, maximum: int = 0) -> Store:
    """Add a store and make its creator the owner. TooManyStores where `maximum` of theirs are there; 0 is no limit."""
    if quota.binds(conn, creator_id, maximum):
        dialects.serialize(conn, f"stores of user {creator_id}")
        quota.check(TooManyStores, maximum, store.count_created(conn, creator_id))
    return add_store(conn, creator_id, name, currency, creator_id)


def add_store(conn: Connection, owner_id: int, name: str, currency: str, creator_id: int | None = None) -> Store:
    """Add a store with an owner. Without a creator it is the operator's doing, and counts for nobody."""
    added = store.insert(conn, name, currency, creator_id)
    conn.execute(sa.insert(members).values(store_id=added.id, user_id=owner_id, role="owner"))
    _note(conn, added, owner_id, None, _get(conn, added.id, owner_id))
    return added


def page(conn: Connection, actor_id: int, name: str, page_request: paging.PageRequest) -> paging.Page[Member]:
    """Who works in the store, for whoever works there. For strangers there is no such list."""
    try:
        of = require_clerk(conn, actor_id, name)
    except Forbidden:
        raise NotFound from None
    return _of_store.fetch(conn, page_request, {"store_id": of.id})


def list_all(conn: Connection, name: str) -> list[Member]:
    """All who work in the store, for the operator."""
    query = _listed.where(members.c.store_id == store.get(conn, name).id).order_by(users.c.username_key)
    return records.fetch_all(conn, query, Member)


def get(conn: Connection, actor_id: int, name: str, username: str) -> Member:
    """A member, for whoever works there. For strangers there is none."""
    try:
        of = require_clerk(conn, actor_id, name)
    except Forbidden:
        raise NotFound("member_not_found") from None
    return _get(conn, of.id, user.get_by_name(conn, username).id)


def put(conn: Connection, actor_id: int | None, name: str, username: str, role: Role) -> tuple[Member, bool]:
    """Give a user that role in the store; and whether they are new there. LastOwner keeps one owner.

    Without an asker it is the operator who does so.
    """
    of = store.get(conn, name) if actor_id is None else require_owner(conn, actor_id, name)
    store.lock(conn, of)
    return _put(conn, of, user.get_by_name(conn, username), role)


def _put(conn: Connection, store: Store, person: User, role: Role) -> tuple[Member, bool]:
    """The same, in a store that is locked."""
    known = _find(conn, store.id, person.id)
    if known is None:
        conn.execute(sa.insert(members).values(store_id=store.id, user_id=person.id, role=role))
    elif known.role != role:
        _refuse_last(conn, store, known)
        conn.execute(sa.update(members).where(_is(store.id, person.id)).values(role=role))
    now = Member(person.id, person.username, role)
    if now != known:
        _note(conn, store, person.id, known, now)
    return now, known is None


def delete(conn: Connection, actor_id: int, name: str, username: str) -> None:
    """Take a user out of the store: by its owner, or by themselves."""
    person = get(conn, actor_id, name, username)
    of = store.get(conn, name) if person.user_id == actor_id else require_owner(conn, actor_id, name)
    store.lock(conn, of)
    leaving = _get(conn, of.id, person.user_id)
    _refuse_last(conn, of, leaving)
    conn.execute(sa.delete(members).where(_is(of.id, person.user_id)))
    _note(conn, of, leaving.user_id, leaving, None)


def delete_user(conn: Connection, actor_id: int | None, user_id: int, heir: str | None = None) -> list[Store]:
    """Delete a user: by themselves, an administrator, or without an asker the operator.

    LastOwner names the stores that nobody else owns, unless they are handed over: the user called `heir` becomes their
    owner. Returns these stores.
    """
    leaving = user.get(conn, user_id) if actor_id is None else user.get_for(conn, actor_id, user_id)
    _lock_owned(conn, leaving.id)
    alone = owned_alone(conn, leaving.id)
    if alone and heir is None:
        raise LastOwner("sole_owner", stores=_listed_stores(alone))
    if alone and heir is not None:
        person = _find_heir(conn, heir, leaving)
        for of in alone:
            _put(conn, of, person, "owner")
    user.delete(conn, leaving.id)
    return alone


def owned_alone(conn: Connection, user_id: int) -> list[Store]:
    """The stores that this user owns, and nobody else."""
    mine = sa.select(members.c.store_id).where(members.c.user_id == user_id, members.c.role == "owner")
    others = _owners.where(members.c.user_id != user_id)
    query = sa.select(stores).where(stores.c.id.in_(mine), ~others.exists()).order_by(stores.c.id)
    return records.fetch_all(conn, query, Store)


def without_owner(conn: Connection) -> list[Store]:
    """The stores that nobody owns, the first of them: administrators alone can give them one."""
    query = sa.select(stores).where(~_owners.exists()).order_by(stores.c.id).limit(MAX_LISTED)
    return records.fetch_all(conn, query, Store)


def _lock_owned(conn: Connection, user_id: int) -> None:
    """Who owns the stores that this user owns stays so until the transaction ends."""
    owned = sa.select(members.c.store_id).where(members.c.user_id == user_id, members.c.role == "owner")
    # In one order, so that two do not wait for each other.
    conn.execute(sa.select(stores.c.id).where(stores.c.id.in_(owned)).order_by(stores.c.id).with_for_update()).all()


def _find_heir(conn: Connection, username: str, leaving: User) -> User:
    if "\0" in username:  # PostgreSQL does not take it, even to look for it
        raise Invalid("user_not_found", field="stores_to")
    try:
        person = user.get_by_name(conn, username)
    except NotFound as error:
        raise Invalid(message=error.message, field="stores_to") from None
    if person.id == leaving.id or not person.is_active:
        raise Invalid("heir_unfit", field="stores_to")
    return person


def _listed_stores(stores: Sequence[Store]) -> str:
    named = ", ".join(f"'{each.name}'" for each in stores[:MAX_NAMED])
    return named if len(stores) <= MAX_NAMED else f"{named} and {len(stores) - MAX_NAMED:,} more"


def _has_other_owner(conn: Connection, store: Store, user_id: int) -> bool:
    owners = sa.select(members.c.user_id).where(members.c.store_id == store.id, members.c.role == "owner")
    return conn.execute(owners.where(members.c.user_id != user_id).limit(1)).first() is not None


def _refuse_last(conn: Connection, store: Store, leaving: Member) -> None:
    if leaving.role == "owner" and not _has_other_owner(conn, store, leaving.user_id):
        raise LastOwner


def _note(conn: Connection, store: Store, user_id: int, before: Member | None, after: Member | None) -> None:
    journal.append(conn, journal.compare("member", store.id, user_id, before, after))


def _get(conn: Connection, store_id: int, user_id: int) -> Member:
    member = _find(conn, store_id, user_id)
    if member is None:
        raise NotFound("member_not_found")
    return member


def _find(conn: Connection, store_id: int, user_id: int) -> Member | None:
    return records.fetch_first(conn, _listed.where(_is(store_id, user_id)), Member)


def _is(store_id: Any, user_id: Any) -> sa.ColumnElement[bool]:
    return sa.and_(members.c.store_id == store_id, members.c.user_id == user_id)
