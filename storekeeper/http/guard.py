"""Authorisation, and access to the database for requests: responders reach the data only through the guard.

A token's signature is checked before a responder runs: see `authentication`. Its session is looked up in the same hop
to the database, and for a change in the same transaction, as the work itself: `Guard.read`, `Guard.read_list` and
`Guard.write`.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

from storekeeper.concurrency.broadcast import Broadcast
from storekeeper.database.engine import Connection
from storekeeper.database.executor import Database
from storekeeper.errors import Forbidden, KeyInUse
from storekeeper.http.operation import Access
from storekeeper.http.request import Request
from storekeeper.http.request_limits import RequestLimits
from storekeeper.models import idempotency, journal, noted_rights, session
from storekeeper.models.idempotency import Answer, KeyedRequest
from storekeeper.models.item_lookup import AuthorizedLookup
from storekeeper.models.journal import Author
from storekeeper.models.session import Grant, LiveSession
from storekeeper.security.tokens import Claims

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

FORMS_FACTOR = 2  # of the room for answers, for forms
KEY_PAUSE = 0.05  # seconds between looks at whether another request with the key is done


class Guard:
    """Runs the models' functions for a request's sender, if their session is live. Tells `broadcast` of each change."""

    def __init__(self, db: Database, limits: RequestLimits | None = None, max_answer_bytes: int = 0) -> None:
        """`max_answer_bytes` are those of one user's answers that are kept for their Idempotency-Keys."""
        self._db = db
        self.limits = limits or RequestLimits()
        self._max_answer_bytes = max_answer_bytes
        self._used_at: dict[session.Use, float] = {}
        self._under_way: set[str] = set()
        self.broadcast = Broadcast()

    async def refuse(self, req: Request, units: int) -> None:
        """Raises TooManyRequests for a request beyond the limits, unless its user is an administrator."""
        if await self._is_exempt(req):
            return
        error = self.limits.refusal(req.request_context, units)
        if self.limits.is_news(req.request_context):
            req.log(error.code, method=req.method, path=req.path, policy=error.policy)
        raise error

    async def is_administrator(self, req: Request) -> bool:
        """Whether the user is an administrator. Raises TokenRevoked if the session is not live."""
        return req.claims is not None and await self.read(req, _is_administrator, req.claims.sid, req.claims.user_id)

    async def read(self, req: Request, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a query. Raises TokenRevoked or Forbidden if the user has no right to it."""
        result: T = await self._db.read(_admitted, req.claims, req.operation.access, function, args)
        self._note_use(req)
        return result

    async def read_one(self, req: Request, query: AuthorizedLookup[T], values: Mapping[str, Any]) -> list[T]:
        """What a look-up by a signed-in sender finds: the check and the work in one statement."""
        rows = await self._db.read_one(*query.bind(req.caller.sid, values))
        live, found = query.check(rows, req.caller.user_id)
        _check(live, req.operation.access)
        self._note_use(req)
        return found

    async def read_list(self, req: Request, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a query that may take long, such as a page of a list."""
        result: T = await self._db.read_list(_admitted, req.claims, req.operation.access, function, args)
        self._note_use(req)
        return result

    async def write(self, req: Request, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change in a transaction: committed when it returns, rolled back when it raises.

        With an Idempotency-Key it is made once: KeyReused, or KeyInUse while it is under way. `repeated_at` of the
        request's context tells whether that was by an earlier request.
        """
        keyed = self._keyed(req)
        deadline = time.monotonic() + req.request_context.key_seconds
        while True:
            try:
                with self._alone(keyed):
                    return await self._write(req, keyed, function, args)
            except KeyInUse:
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(KEY_PAUSE)

    async def is_repeated(self, req: Request) -> bool:
        """Whether the change was made by an earlier request with the Idempotency-Key: for what comes before `write`."""
        if keyed := self._keyed(req):
            req.request_context.repeated_at = await self.read(req, idempotency.find_time, keyed)
        return req.request_context.repeated_at is not None

    async def is_known(self, req: Request) -> bool:
        """Whether an earlier request had this Idempotency-Key: for what comes before the body is read."""
        keyed = self._keyed(req)
        return keyed is not None and await self.read(req, idempotency.is_known, keyed)

    async def write_uncached(self, req: Request, function: Callable[[Connection, *Ts], T], *args: *Ts) -> T:
        """Run a change for each attempt, regardless of an Idempotency-Key, as it only records something."""
        return await self._write(req, None, function, args)

    async def refresh(self, req: Request, idle: int, grace: int) -> Grant | None:
        """Use the sender's refresh token: `session.refresh`, which checks the session by itself."""
        claims = req.caller
        grant = await self._db.write(session.refresh, claims.sid, claims.user_id, claims.number, idle, grace)
        if req.request_context.sender:
            self.limits.settle(req.request_context)
        return grant

    async def _write(
        self, req: Request, keyed: KeyedRequest | None, function: Callable[..., T], args: tuple[Any, ...]
    ) -> T:
        claims, context = req.claims, req.request_context
        author = Author(None, None, context.id, context.client_id)
        if claims:
            author = Author("user", claims.user_id, context.id, context.client_id)
        write = self._db.write_once if keyed else self._db.write
        answer: Answer[T] = await write(_written, claims, req.operation.access, author, keyed, function, args)
        if keyed:
            context.repeated_at = answer.repeated_at
        self._note_use(req)
        self.broadcast.notify_all()
        return answer.result

    def _keyed(self, req: Request) -> KeyedRequest | None:
        """What an Idempotency-Key says of a request, whose body has been read."""
        context = req.request_context
        if context.key is None or context.digest is None or req.claims is None:
            return None
        # A form has its key in its body. Forms go on when programs have used up the room, as people cannot do without.
        max_bytes = self._max_answer_bytes * (1 if context.hashes_body else FORMS_FACTOR)
        return idempotency.of(req.claims.user_id, context.key, context.digest.hexdigest(), max_bytes)

    @contextmanager
    def _alone(self, keyed: KeyedRequest | None) -> Iterator[None]:
        """Of several requests with one key, let in the first. Those at other workers meet at the database."""
        if keyed is None:
            yield
            return
        if keyed.key in self._under_way:
            raise KeyInUse
        self._under_way.add(keyed.key)
        try:
            yield
        finally:
            self._under_way.discard(keyed.key)

    async def flush(self) -> None:
        """Record which tokens were used, and when. Called once a minute, so that no read costs a write."""
        used_at, self._used_at = self._used_at, {}
        if not used_at:
            return
        try:
            await self._db.write(session.note_uses, used_at)
        except BaseException:  # also when it was cancelled: the next time writes them down
            self._used_at = used_at | self._used_at
            raise

    async def _is_exempt(self, req: Request) -> bool:
        """A token says who may be an administrator, so that not every request beyond the limits is a look-up."""
        may_be = req.claims is not None and (req.claims.is_admin or req.claims.type == "console")
        return may_be and await self.is_administrator(req)

    def _note_use(self, req: Request) -> None:
        """Call after the work: a refused use must not revive a session that was idle too long."""
        if claims := req.claims:
            self._used_at[claims.sid, claims.number] = time.time()
            if req.request_context.sender:
                self.limits.settle(req.request_context)


def _admitted(
    conn: Connection, claims: Claims | None, access: Access, function: Callable[..., T], args: tuple[Any, ...]
) -> T:
    """Check the session, then run the function."""
    if claims:
        _check(session.get_live(conn, claims.sid, claims.user_id), access)
    return function(conn, *args)


def _written(
    conn: Connection,
    claims: Claims | None,
    access: Access,
    author: Author,
    keyed: KeyedRequest | None,
    function: Callable[..., T],
    args: tuple[Any, ...],
) -> Answer[T]:
    with journal.signed(conn, author):
        if keyed is None:
            return Answer(_admitted(conn, claims, access, function, args))
        # Whoever may no longer what they did may still hear that they did it: what they need is up to what was stored.
        needed = (noted_rights.ADMIN,) if access is Access.ADMIN else ()
        answer: Answer[T] = _admitted(conn, claims, Access.SIGNED_IN, idempotency.run, (keyed, needed, function, args))
        return answer


def _is_administrator(conn: Connection, session_id: int, user_id: int) -> bool:
    return session.get_live(conn, session_id, user_id).is_admin


def _check(live: LiveSession, access: Access) -> None:
    if access is Access.ADMIN and not live.is_admin:
        raise Forbidden
