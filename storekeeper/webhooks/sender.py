"""The sender of webhooks: leases webhooks, creates deliveries for changes, and sends those that are due.

It ends when it has no webhooks. If the process dies after sending a message and before recording the outcome, the
message is sent again with the same id: at least once.
"""

import asyncio
import hmac
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from secrets import token_hex
from typing import Any

import msgspec
import structlog

from storekeeper.concurrency.heartbeat import HeartbeatWriter
from storekeeper.concurrency.rate_limiter import DeliveryLimits, RateLimiter
from storekeeper.database.executor import Database
from storekeeper.errors import StorekeeperError, Unavailable
from storekeeper.models import journal, webhook_queue
from storekeeper.models.webhook_queue import AttemptResult, DueDelivery, HeldWebhook
from storekeeper.security.webhook_signatures import sign
from storekeeper.webhooks.http_client import UNLIMITED, DeliveryResult, WebhookClient

POLL_SECONDS = 1.0  # between looks for what was changed, and what is due
HEARTBEAT_SECONDS = 5  # between signs of life
GRACE_SECONDS = 1  # for what is under way at the end
OF_ONE = 4  # messages that are under way to one webhook
MAX_CONCURRENT = 256  # to all of them, beside those that wait for a turn at their receiver's address
REST_SECONDS = 2.0  # of a host that had too many to wait
RETRIES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)  # seconds from one attempt to the next
JITTER = 0.2  # so that what failed together is not tried again together


class WebhookSender:
    """One process's. `retries` are seconds, without the jitter; `is_needed` tells whether to go on.

    `limits` are those of each host, whatever the number of webhooks that lead there.
    """

    def __init__(
        self,
        db: Database,
        client: WebhookClient,
        retries: tuple[float, ...] = RETRIES,
        look_seconds: float = POLL_SECONDS,
        is_needed: Callable[[], bool] = lambda: True,
        heartbeat: HeartbeatWriter | None = None,
        limits: DeliveryLimits = UNLIMITED,
    ) -> None:
        self._heartbeat = heartbeat or HeartbeatWriter(token_hex(8))
        self.name = self._heartbeat.name
        self._db = db
        self._client = client
        self._retries = retries
        self._look_seconds = look_seconds
        self._is_needed = is_needed
        self._limits = limits
        self._pace = RateLimiter(limits.messages_per_second)
        self._began_at: dict[int, float] = {}  # by webhook: when its last attempt began
        self._rests_until: dict[str, float] = {}  # by host
        self.is_ending = False
        self._news = asyncio.Event()
        self._under_way: dict[int, tuple[int, asyncio.Task[None]]] = {}  # by delivery: its webhook, and the attempt
        self._beat_at = 0.0

    async def run(self) -> None:
        """Run until told to end, or until there is no work."""
        try:
            while not self.is_ending and self._heartbeat.is_heard and self._is_needed():
                self._beat()
                try:
                    if not await self._step():
                        break
                except StorekeeperError:  # the database is away, and the log has it
                    await asyncio.sleep(self._look_seconds)
        finally:
            await self._finish()

    def end(self) -> None:
        self.is_ending = True
        self._news.set()

    def _beat(self, *others: int) -> None:
        """Send a heartbeat with the ids of the webhooks that have messages under way."""
        self._heartbeat.beat({*others, *(webhook_id for webhook_id, _ in self._under_way.values())})

    async def _step(self) -> bool:
        """Do what is to be done now, and wait for more; whether there is any webhook for it."""
        self._news.clear()
        hooks = await self._hold()
        if hooks:
            has_more = await self._fan_out(hooks)
            await self._start(hooks)
            if not has_more:
                await self._wait()
        return bool(hooks)

    async def _wait(self) -> None:
        """Wait until a message has ended, or until the next poll."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), self._look_seconds)

    async def _hold(self) -> list[HeldWebhook]:
        """The webhooks that are its own now. Takes those that are free."""
        hooks = await self._db.read(webhook_queue.list_held, self.name)
        if any(hook.is_orphaned for hook in hooks):
            await self._pause_orphaned()
            hooks = await self._db.read(webhook_queue.list_held, self.name)
        if not all(hook.is_ours for hook in hooks) or time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
            await self._db.write(webhook_queue.claim, self.name)
            await self._db.write(webhook_queue.sweep)
            self._beat_at = time.monotonic()
            hooks = await self._db.read(webhook_queue.list_held, self.name)
        return [hook for hook in hooks if hook.is_ours]

    async def _pause_orphaned(self) -> None:
        for webhook_id, reason in (await self._db.write(webhook_queue.pause_orphaned, self.name)).items():
            structlog.get_logger().warning("webhook_stopped", webhook=webhook_id, reason=reason)

    async def _fan_out(self, hooks: list[HeldWebhook]) -> bool:
        """Whether there may be more to be made deliveries of."""
        settled = await self._db.read(journal.last_visible_id)
        behind = [hook.id for hook in hooks if hook.cursor != settled and hook.nonce is None]
        has_more = False
        for each in behind:
            self._beat(each)
            has_more |= await self._db.write(webhook_queue.fan_out, self.name, each)
        return has_more

    async def _start(self, hooks: list[HeldWebhook]) -> None:
        """Begin attempts: those webhooks first that have the fewest under way, or else have waited longest."""
        busy = Counter(webhook_id for webhook_id, _ in self._under_way.values())
        hosts = {hook.id: hook.host for hook in hooks}
        connections = Counter(hosts.get(webhook_id, "") for webhook_id, _ in self._under_way.values())
        for hook in sorted(hooks, key=lambda hook: (busy[hook.id], self._began_at.get(hook.id, 0))):
            free = min(self._limits.connections - connections[hook.host], self._pace.room(hook.host))
            room = 0 if self._rests(hook) else min(OF_ONE - busy[hook.id], self._room(), free)
            if room > 0 and not (hook.is_suspect and self._is_any_under_way(hooks)):
                connections[hook.host] += await self._start_some(hook, room)
                self._beat()  # before they begin

    def _room(self) -> int:
        return MAX_CONCURRENT - (len(self._under_way) - self._client.waiting)

    def _rests(self, hook: HeldWebhook) -> bool:
        return self._rests_until.get(hook.host, 0) > time.monotonic()

    async def _start_some(self, hook: HeldWebhook, room: int) -> int:
        """Start attempts of one webhook. Return their number."""
        known = [id for id, (webhook_id, _) in self._under_way.items() if webhook_id == hook.id]
        deliveries = await self._db.read(webhook_queue.due, hook.id, known, room)
        if deliveries:
            self._pace.take(hook.host, len(deliveries))
            self._began_at[hook.id] = time.monotonic()
        for delivery in deliveries:
            self._under_way[delivery.id] = hook.id, asyncio.create_task(self._deliver(hook, delivery))
        return len(deliveries)

    def _is_any_under_way(self, hooks: list[HeldWebhook]) -> bool:
        """Whether messages of a suspect are: when the process dies, it is to be clear by which."""
        suspects = {hook.id for hook in hooks if hook.is_suspect}
        return any(webhook_id in suspects for webhook_id, _ in self._under_way.values())

    async def _deliver(self, hook: HeldWebhook, delivery: DueDelivery) -> None:
        try:
            body = write(delivery)
            answer = await self._client.post(hook.url, head(hook, delivery, body), body)
            if answer.is_put_off:  # it stays due
                self._rests_until[hook.host] = time.monotonic() + REST_SECONDS
            else:
                await self._note(delivery, answer)
                await self._clear_deaths(hook)
        except Exception as error:  # a bug: the message stays under way, as the next attempt would only meet it again
            structlog.get_logger().error("bug", webhook=hook.id, delivery=delivery.id, exc_info=error)
        else:
            del self._under_way[delivery.id]
            self._news.set()

    async def _clear_deaths(self, hook: HeldWebhook) -> None:
        if hook.deaths:
            with suppress(StorekeeperError):  # its next message does
                await self._db.write(webhook_queue.clear_deaths, self.name, hook.id)

    async def _note(self, delivery: DueDelivery, answer: DeliveryResult) -> None:
        """For as long as it cannot be written down it is under way: it would be sent again at once."""
        answer = _checked(delivery, answer)
        outcome = self._judge(delivery, answer)
        while True:
            with suppress(Unavailable):
                reason = await self._db.write(webhook_queue.note, self.name, delivery, outcome)
                break
            await asyncio.sleep(self._look_seconds)
        log = structlog.get_logger().bind(webhook=delivery.webhook_id, delivery=delivery.id)
        if not answer.is_good:
            log.warning("delivery_failed", attempt=delivery.attempts + 1, status=answer.status, reason=answer.error)
        if reason:
            log.warning("webhook_stopped", reason=reason)

    def _judge(self, delivery: DueDelivery, answer: DeliveryResult) -> AttemptResult:
        again_at = None
        if not answer.is_good and answer.status != HTTPStatus.GONE and delivery.attempts < len(self._retries):
            seconds = self._retries[delivery.attempts] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            again_at = int(time.time() + seconds)
        return AttemptResult(answer.status, answer.error, answer.ms, answer.is_good, again_at)

    async def _finish(self) -> None:
        """Let running attempts end. Those that do not end in time are sent again by the next process."""
        tasks = [task for _, task in self._under_way.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
        with suppress(StorekeeperError):
            await self._db.write(webhook_queue.release, self.name)


class Echo(msgspec.Struct, frozen=True):
    """The answer of a receiver to a challenge."""

    challenge: str


def _checked(delivery: DueDelivery, answer: DeliveryResult) -> DeliveryResult:
    """Accept an answer to a challenge only if it repeats the challenge."""
    if not delivery.nonce or not answer.is_good:
        return answer
    try:
        said = msgspec.json.decode(answer.body, type=Echo).challenge
    except msgspec.DecodeError:
        said = ""
    if hmac.compare_digest(said.encode(), delivery.nonce.encode()):
        return answer
    return msgspec.structs.replace(answer, error="The answer does not repeat the challenge.")


def write(delivery: DueDelivery) -> bytes:
    """The body of a message: the same for each attempt."""
    at = delivery.change.at if delivery.change else delivery.created_at
    data: Any = delivery.change
    if data is None:
        data = {"cursor": delivery.cursor} if delivery.type == "resync" else {}
        data = {"challenge": delivery.nonce} if delivery.nonce else data
    timestamp = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    return _ENCODER.encode({"type": delivery.type, "timestamp": timestamp, "data": data})


def head(hook: HeldWebhook, delivery: DueDelivery, body: bytes) -> Mapping[str, str]:
    now = int(time.time())
    return {
        "user-agent": "Storekeeper",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(sign(secret, delivery.message_id, now, body) for secret in hook.secrets),
    }


_ENCODER = msgspec.json.Encoder(decimal_format="number")
