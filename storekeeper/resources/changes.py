"""/changes: the changes of the catalogue in their order, page by page or as they are made"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import falcon
import msgspec
from falcon.asgi import Response
from msgspec import UNSET, Meta, UnsetType

from storekeeper.concurrency.user_counter import UserCounter
from storekeeper.errors import Invalid, ResyncRequired, StorekeeperError, TooManyStreams, Unavailable
from storekeeper.http import responses
from storekeeper.http.guard import Guard
from storekeeper.http.operation import responds
from storekeeper.http.parsing import or_none
from storekeeper.http.request import MAX_ID, Request
from storekeeper.messages import ErrorMessage
from storekeeper.models import journal_feed, quota
from storekeeper.models.journal_feed import Change, Feed
from storekeeper.models.paging import USUAL
from storekeeper.resources.pagination import Limit

EVENTS = "text/event-stream"
NOW = "now"
POLL_SECONDS = 1  # between looks for what other processes have changed
HEARTBEAT_SECONDS = 15  # between signs of life
MAX_FOLLOWERS = 200  # of one process
AFTER = f"""The cursor: changes after it are wanted. Without it, from the first change on. `{NOW}` is for none, and the
cursor after which all others will come."""


class ChangesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: Annotated[
        str,
        Meta(
            max_length=16,
            pattern=f"^(0|[1-9][0-9]{{0,15}}|{NOW})$",
            description=" ".join(AFTER.split()),
            extra={"words": ErrorMessage("expected_cursor", now=NOW)},
        ),
    ] = "0"
    limit: Limit = USUAL
    store_id: (
        Annotated[int, Meta(ge=1, le=MAX_ID, description="Only changes of this store and its items.")] | UnsetType
    ) = UNSET


class ChangesAnswer(msgspec.Struct, frozen=True):
    """Changes in their order. `next` is where to go on, now or later; `cursor` is the same place as a number."""

    changes: list[Change]
    cursor: int
    next: str


class ChangesResource:
    """/changes"""

    tag = "changes"

    def __init__(self, guard: Guard, max_per_user: int) -> None:
        self._guard = guard
        self._max_per_user = max_per_user
        self._streams = UserCounter()

    @responds(
        ChangesAnswer,
        headers=("Vary",),
        errors=(ResyncRequired, TooManyStreams),
        formats=(EVENTS,),
        operation_id="listChanges",
    )
    async def on_get(self, req: Request, resp: Response, query: ChangesQuery) -> None:
        """Read the changes of stores and items, in their order, after a cursor.

        With `Accept: text/event-stream`, changes arrive as they are made, after `Last-Event-ID` if the request has one.
        """
        resp.append_header("Vary", "Accept")
        if req.client_prefers((falcon.MEDIA_JSON, EVENTS)) == EVENTS:
            await self._follow(req, resp, query)
            return
        found = await self._read(req, query, query.after)
        following = _path(query, found.cursor)
        resp.append_link(following, "next")
        resp.media = ChangesAnswer(found.changes, found.cursor, following)

    async def _read(self, req: Request, query: ChangesQuery, after: str) -> Feed:
        if after == NOW:
            return await self._guard.read_list(req, journal_feed.newest)
        store_id = or_none(query.store_id)
        return await self._guard.read_list(req, journal_feed.page, store_id, int(after), query.limit)

    async def _follow(self, req: Request, resp: Response, query: ChangesQuery) -> None:
        await self._enter(req)
        first = await self._read(req, query, _last_event(req) or query.after)  # what is wrong is an error, not a stream
        resp.content_type = EVENTS
        resp.set_header("X-Accel-Buffering", "no")  # nginx would keep the events back until it has enough of them
        req.request_context.follows = True
        resp.stream = self._events(req, query, first)

    async def _enter(self, req: Request) -> None:
        """Count one more until its answer ends. TooManyStreams, or Unavailable where all together are too many.

        It counts before anything is awaited: those that come at once do not all see the last place free.
        """
        user_id = req.caller.user_id
        if self._streams.total >= MAX_FOLLOWERS:
            raise Unavailable("followers_too_many")
        used, most = self._streams.add(user_id, 1) - 1, self._max_per_user
        req.request_context.at_end(partial(self._streams.add, user_id, -1))
        if 0 < most <= used and await self._guard.read(req, quota.binds, user_id, most):
            raise TooManyStreams(most, used)

    async def _events(self, req: Request, query: ChangesQuery, feed: Feed) -> AsyncIterator[bytes]:
        """For as long as the reader listens and their session lives: each look at the changes checks that."""
        if req.is_head:
            return
        end = asyncio.create_task(req.request_context.wait_for_disconnect())
        told_at = 0.0
        try:
            while not end.done():
                now = asyncio.get_running_loop().time()
                if feed.changes or now - told_at >= HEARTBEAT_SECONDS:
                    yield b"".join(map(_event, feed.changes)) + b"id: %d\n\n" % feed.cursor
                    told_at = now
                if len(feed.changes) < query.limit:
                    await self._guard.broadcast.wait(POLL_SECONDS)
                feed = await self._read(req, query, str(feed.cursor))
        except StorekeeperError as error:
            yield b"event: error\ndata: %s\n\n" % responses.encode(responses.describe(error))
        finally:
            end.cancel()


def _path(query: ChangesQuery, cursor: int) -> str:
    """Where to go on, with the parameters of this page."""
    given = msgspec.structs.asdict(query) | {"after": cursor}
    is_usual = {"limit": USUAL, "store_id": UNSET}
    return "/changes?" + urlencode({name: value for name, value in given.items() if value is not is_usual.get(name)})


def _event(change: Change) -> bytes:
    return b"id: %d\nevent: change\ndata: %s\n\n" % (change.id, responses.encode(change))


def _last_event(req: Request) -> str | None:
    """What a reader that comes again has seen last."""
    text = req.get_header("Last-Event-ID")
    if text is not None and not (journal_feed.CURSOR.fullmatch(text) and int(text) <= MAX_ID):
        raise Invalid("last_event_id_unreadable")
    return text
