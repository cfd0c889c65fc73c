"""Storekeeper as plain dictionaries: what each request answers, said a second time and as simply as it can be."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.expected_answers import shop, whole

DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
LEEWAY, MINUTES, DAYS = 30, 60, 86_400
GRACE, FAILURES, WINDOW = 10, 3, 300
ADMIN_ONLY, CLERKS_ONLY = "Admin privilege required.", "Only those who work in the store may do this."
OWNERS_ONLY = "Only owners of the store and administrators may do this."

Body = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": error, "message": message} | more


def described(error: str, message: str) -> Refused:
    return Refused(401, error, message, description=message)


def not_found(what: str) -> Refused:
    return Refused(404, "not_found", f"{what} not found.")


@dataclass
class Person:
    id: int
    username: str
    password: str
    is_admin: bool = False
    is_active: bool = True

    def shown(self) -> Body:
        known = {"id": self.id, "username": self.username, "is_admin": self.is_admin}
        return known | {"is_active": self.is_active, "must_change_password": False}


@dataclass(frozen=True)
class Token:
    text: str
    kind: str
    sid: int
    issued: int
    expires: int
    is_fresh: bool = False
    number: int = 0


@dataclass
class Session:
    id: int
    user_id: int
    address: str
    began: int
    used: int
    """When it was last used."""
    number: int = 0
    """The newest refresh token that was used."""
    uses: dict[int, int] = field(default_factory=dict)
    refresh_tokens: dict[int, str] = field(default_factory=dict)

    def shown(self, current_id: int) -> Body:
        times = {"began_at": self.began, "last_used_at": self.used}
        return {"id": self.id, "device": "", "address": self.address, "is_current": self.id == current_id} | times


@dataclass
class Store:
    id: int
    name: str
    currency: str
    roles: dict[int, str]


@dataclass
class Item:
    id: int
    name: str
    price: str
    store: Store

    def shown(self) -> Body:
        price: Any = self.price if "." in self.price else int(self.price)
        return whole(self.id, self.name, price, self.store.id, self.store.currency)


class Model:
    def __init__(self, now: int) -> None:
        self.now = now
        self.users: dict[int, Person] = {}
        self.sessions: dict[int, Session] = {}
        self.stores: dict[int, Store] = {}
        self.items: dict[int, Item] = {}
        self.failures: list[tuple[int, str]] = []
        self.given_out: set[tuple[str, int]] = set()

    def new_id(self, kind: str, id: int) -> int:
        """The id that the server chose: never one that was in use before."""
        assert (kind, id) not in self.given_out
        self.given_out.add((kind, id))
        return id

    # Who is calling

    def admit(self, token: Token | None, kinds: str = "access", fresh: bool = False, admin: bool = False) -> Person:
        if token is None:
            raise described("authorization_required", "Request does not contain an access token.")
        if token.expires + LEEWAY < self.now:
            raise Refused(401, "token_expired", "The token has expired.")
        if token.kind not in kinds:
            raise Refused(401, "invalid_token", f"A token of type '{token.kind}' is not good here.")
        if fresh and not token.is_fresh:
            raise described("fresh_token_required", "The token is not fresh.")
        if token.sid not in self.sessions:
            raise described("token_revoked", "The token has been revoked.")
        person = self.users[self.sessions[token.sid].user_id]
        if admin and not person.is_admin:
            raise Refused(403, "forbidden", ADMIN_ONLY)
        return person

    def by_name(self, username: str) -> Person | None:
        return next((p for p in self.users.values() if p.username.casefold() == username.casefold()), None)

    def member(self, username: str) -> Person:
        person = self.by_name(username)
        if person is None:
            raise not_found("User")
        return person

    def sessions_of(self, person: Person) -> list[Session]:
        mine = [session for session in self.sessions.values() if session.user_id == person.id]
        return [each for each in mine if each.began + 90 * DAYS > self.now <= each.used + 30 * DAYS]

    def end_sessions(self, user_id: int, but: int = 0) -> int:
        ended = [s.id for s in self.sessions.values() if s.user_id == user_id and s.id != but]
        for id in ended:
            del self.sessions[id]
        return len(ended)

    # Passwords

    def check(self, person: Person | None, password: str, *names: str) -> None:
        """Whether it is the password; a failure counts in each of the buckets."""
        recent = [[at for at, bucket in self.failures if bucket == name and at > self.now - WINDOW] for name in names]
        if full := [times for times in recent if len(times) >= FAILURES]:
            wait = max(min(times) for times in full) + WINDOW - self.now
            raise Refused(429, "too_many_attempts", "Too many failed logins. Try again later.", _retry_after=str(wait))
        if person is None or not person.is_active or person.password != password:
            self.failures += [(self.now, name) for name in names]
            raise Refused(401, "invalid_credentials", "Invalid credentials!")

    def login(self, username: str, password: str, address: str) -> Person:
        person = self.by_name(username)
        self.check(person, password, f"name {username.casefold()}", f"address {address}")
        assert person
        for session in list(self.sessions.values()):
            if session.began + 90 * DAYS < self.now - 60:
                del self.sessions[session.id]
        return person

    def refresh(self, token: Token) -> Session:
        session = self.sessions[token.sid]
        if session.used + 30 * DAYS < self.now:
            raise Refused(401, "token_expired", "The token has expired.")
        session.uses = {n: at for n, at in session.uses.items() if self.now - at <= GRACE}
        if token.number < session.number and token.number + 1 not in session.uses:
            del self.sessions[session.id]
            raise described("token_revoked", "The token has been revoked.")
        if token.number > session.number:
            session.number, session.uses[token.number] = token.number, self.now
        session.used = self.now
        return session

    # Administrators

    def refuse_last_admin(self, leaving: Person) -> None:
        admins = [person for person in self.users.values() if person.is_admin and person.is_active]
        if admins == [leaving]:
            message = "The last administrator cannot be demoted, deactivated or deleted."
            raise Refused(409, "last_administrator", message)

    def seen_user(self, asker: Person, id: int) -> Person:
        if id not in self.users or not (asker.is_admin or asker.id == id):
            raise not_found("User")
        return self.users[id]

    def set_roles(self, id: int, change: Body) -> Body:
        person = self.seen_user(Person(0, "", "", is_admin=True), id)
        after = person.shown() | change
        if not (after["is_admin"] and after["is_active"]):
            self.refuse_last_admin(person)
        person.is_admin, person.is_active = after["is_admin"], after["is_active"]
        if not person.is_active:
            self.end_sessions(id)
        return person.shown()

    def delete_user(self, asker: Person, id: int) -> None:
        leaving = self.seen_user(asker, id)
        alone = [
            store
            for store in self.stores.values()
            if [each for each, role in store.roles.items() if role == "owner"] == [id]
        ]
        if alone:
            named = ", ".join(f"'{store.name}'" for store in sorted(alone, key=lambda store: store.id)[:5])
            more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
            raise Refused(409, "last_owner", f"Nobody else owns {named}{more}. Say who gets what only this user owns.")
        self.refuse_last_admin(leaving)
        self.end_sessions(id)
        del self.users[id]
        for store in self.stores.values():
            store.roles.pop(id, None)

    # Stores and who works there

    def store(self, name: str | None = None, id: int | None = None) -> Store:
        for store in self.stores.values():
            if name in (None, store.name) and id in (None, store.id):
                return store
        raise not_found("Store")

    def require(self, asker: Person, role: str, name: str | None = None, id: int | None = None) -> Store:
        store = self.store(name, id)
        if not asker.is_admin and store.roles.get(asker.id) not in ("owner", role):
            raise Refused(403, "forbidden", OWNERS_ONLY if role == "owner" else CLERKS_ONLY)
        return store

    def shelf(self, store: Store) -> Body:
        held = [item.shown() for item in self.items.values() if item.store is store]
        return shop(store.id, store.name, held, store.currency)

    def delete_store(self, asker: Person, name: str, with_items: bool) -> None:
        store = self.require(asker, "owner", name)
        held = [item.id for item in self.items.values() if item.store is store]
        if held and not with_items:
            message = "The store holds items. Delete them first, or say ?with_items=true."
            raise Refused(409, "store_not_empty", message)
        for id in held:
            del self.items[id]
        del self.stores[store.id]

    def seen_member(self, asker: Person, name: str, username: str) -> Body:
        try:
            store = self.require(asker, "clerk", name)
        except Refused as refused:
            raise not_found("Member") if refused.status == 403 else refused from None
        person = self.member(username)
        if person.id not in store.roles:
            raise not_found("Member")
        return {"user_id": person.id, "username": person.username, "role": store.roles[person.id]}

    def members(self, asker: Person, name: str) -> list[Body]:
        try:
            store = self.require(asker, "clerk", name)
        except Refused as refused:
            hidden = Refused(404, "not_found", "There is nothing at this address.")
            raise hidden if refused.status == 403 else refused from None
        return [self.seen_member(asker, name, self.users[id].username) for id in sorted(store.roles)]

    def refuse_last_owner(self, store: Store, id: int) -> None:
        if [each for each, role in store.roles.items() if role == "owner"] == [id]:
            raise Refused(409, "last_owner", "A store keeps at least one owner.")

    def put_member(self, asker: Person, name: str, username: str, role: str) -> tuple[int, Body]:
        store = self.require(asker, "owner", name)
        person = self.member(username)
        known = store.roles.get(person.id)
        if role == "clerk":
            self.refuse_last_owner(store, person.id)
        store.roles[person.id] = role
        return 200 if known else 201, self.seen_member(Person(0, "", "", is_admin=True), name, username)

    def delete_member(self, asker: Person, name: str, username: str) -> None:
        id = self.seen_member(asker, name, username)["user_id"]
        store = self.store(name) if id == asker.id else self.require(asker, "owner", name)
        self.refuse_last_owner(store, id)
        del store.roles[id]

    # Items

    def price(self, given: str, currency: str) -> str:
        """With the digits of the currency."""
        whole, _, part = given.partition(".")
        digits = DIGITS[currency]
        if part.rstrip("0")[digits:]:
            message = f"A price in {currency} has at most {digits} digits after the point."
            raise Refused(400, "invalid", message, errors=[{"field": "price", "message": message}])
        return f"{whole}.{part[:digits]:0<{digits}}" if digits else whole

    def named(self, name: str, store: Store | None = None) -> Item | None:
        return next((i for i in self.items.values() if i.name == name and store in (None, i.store)), None)

    def find(self, name: str, store_id: int | None = None, store_name: str | None = None) -> Item:
        found = [
            item
            for item in self.items.values()
            if item.name == name and store_id in (None, item.store.id) and store_name in (None, item.store.name)
        ]
        if not found:
            raise not_found("Item")
        if len(found) > 1:
            message = "Several stores have an item of that name. Choose one with ?store_id=."
            candidates = [{"store_id": item.store.id, "store": item.store.name} for item in found]
            raise Refused(409, "ambiguous_name", message, candidates=candidates)
        return found[0]

    def delete_item(self, asker: Person, item: Item, in_its_store: bool) -> None:
        try:
            self.require(asker, "owner", id=item.store.id)
        except Refused:
            raise Refused(403, "forbidden", OWNERS_ONLY if in_its_store else ADMIN_ONLY) from None
        del self.items[item.id]
