"""Rate limits for networks and users, so that nobody's searches and exports slow down everybody.

They count units, by the cost of a request, in the memory of the process that answers: without the database, and
without a lock. The headers with the remainder follow draft-ietf-httpapi-ratelimit-headers-11, of May 2026. Requests
without work are not counted: to an unknown path, or with an invalid token.

A request does not take its units out of each bucket, which would cost a look-up of an item 3 % more. A sender takes a
portion at once, and spends that first.
"""

from collections.abc import Iterable
from math import ceil
from time import monotonic

from storekeeper.concurrency import rate_limiter
from storekeeper.concurrency.rate_limiter import Bucket, RateLimiter
from storekeeper.domain.ip_networks import SHARES, networks
from storekeeper.errors import TooManyRequests
from storekeeper.http.request_context import RequestContext

WINDOW = 60  # seconds
LOW = WINDOW / 2  # where less is saved up, every answer tells what is left
PORTIONS = 256  # of a limit
HEADER_CACHE_SECONDS = 1  # after which what is told is put together anew
LOG_SECONDS = 60  # between two log lines about one sender
UNLIMITED = 2**40
LONG_AGO = float("-inf")
CACHE_SIZE = (
    rate_limiter.CACHE_SIZE // 2
)  # senders; not more, or a bucket of one of them might be forgotten, and made anew


class Policy:
    """A limit that each sender of one kind has: so many units in a minute, and none where these are 0.

    A wider network has the shares of several single senders.
    """

    def __init__(self, name: str, units: int) -> None:
        self.name = name
        self.units = units
        shares = {share for lengths in SHARES.values() for share in lengths.values()}
        self._paces = {share: RateLimiter(share * units / WINDOW, WINDOW) for share in shares if units}

    def bucket(self, name: str, share: int) -> Bucket:
        return self._paces[share].bucket(name)


Buckets = dict[Policy, list[Bucket]]


class RequestSender:
    """Who sends requests: a network, and who its sender claims to be.

    `left` are the units that were taken out of the buckets and not used yet. A sender `is_proven` if a session was
    found to be live since these were taken, or if nobody is claimed to be.
    """

    __slots__ = (
        "buckets",
        "headers",
        "headers_at",
        "is_low",
        "is_proven",
        "left",
        "of_caller",
        "of_network",
        "portion",
    )

    def __init__(self, of_network: Buckets, of_caller: Buckets) -> None:
        self.of_network = _all(of_network)
        self.of_caller = _all(of_caller)
        self.buckets = of_network | of_caller
        self.portion = max(1, int(min((each.capacity for each in _all(self.buckets)), default=UNLIMITED)) // PORTIONS)
        self.left = 0
        self.is_low = False
        self.is_proven = not self.of_caller
        self.headers: dict[str, str] = {}
        self.headers_at = LONG_AGO

    def charge(self, units: int) -> None:
        """Count more units for an admitted request that is still running."""
        _take(self.of_network + self.of_caller, units)
        self.headers_at = LONG_AGO


class RequestLimits:
    """The limits, and each sender's use of them.

    A user is only charged when the session was found to be live: otherwise anybody with a token of an ended session
    could use up its user's units. So the user is charged after that check, or in advance if a check has just succeeded.
    """

    def __init__(self, per_network: int = 0, per_user: int = 0) -> None:
        """Limits in units per minute; 0 means no limit."""
        self._network = Policy("network", per_network)
        self._user = Policy("user", per_user)
        self._senders: dict[object, RequestSender] = {}
        self._log_pace = RateLimiter(1 / LOG_SECONDS, LOG_SECONDS)

    def admit(self, context: RequestContext, units: int) -> bool:
        """Count a request of `units`. Return False, and count nothing, if its network or its user has fewer left.

        A request of more units than the limit of a minute is admitted if the whole limit is left.
        """
        sender = self._senders.get((context.address, context.user_id)) or self._add(context)
        left = sender.left - units
        if left < 0:
            left += self._refill(context, sender, -left)
            if left < 0:
                return False
        sender.left = left
        context.sender = sender
        return True

    def settle(self, context: RequestContext) -> None:
        """Record that the session is live, and charge the user what the network was charged."""
        sender: RequestSender = context.sender
        sender.is_proven = True
        if context.pending_units:
            _take(sender.of_caller, context.pending_units)
            context.pending_units = 0

    def refusal(self, context: RequestContext, units: int) -> TooManyRequests:
        """The error for a request that was not admitted, with the limit that has the longest wait."""
        sender, now = self._find(context), monotonic()
        waits = [
            (bucket.wait(now, units - sender.left), bucket.capacity, policy.name)
            for policy, buckets in sender.buckets.items()
            for bucket in buckets
        ]
        seconds, capacity, policy = max(waits)
        return TooManyRequests(max(1, ceil(seconds)), round(capacity), WINDOW, policy=policy)

    def is_news(self, context: RequestContext) -> bool:
        """Whether to log a refusal: the sender's first within a minute."""
        bucket, now = self._log_pace.bucket(f"{context.address} {context.user_id}"), monotonic()
        is_news = bucket.has_room(now, 1)
        if is_news:
            bucket.take(now, 1)
        return is_news

    def describe(self, context: RequestContext) -> dict[str, str]:
        """The headers of the draft: the policies, and the remainder of each with the seconds until the whole limit is
        available.

        They may be a second old, as building them takes a twentieth of the time of a list.
        """
        sender: RequestSender = context.sender
        now = monotonic()
        if now - sender.headers_at >= HEADER_CACHE_SECONDS:
            left = {policy: _left(policy, buckets, now, sender.left) for policy, buckets in sender.buckets.items()}
            policies = (f'"{policy.name}";q={policy.units};w={WINDOW}' for policy in left)
            headers = (f'"{policy.name}";{each}' for policy, each in left.items())
            sender.headers = {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(headers)} if left else {}
            sender.headers_at = now
        return sender.headers

    def _find(self, context: RequestContext) -> RequestSender:
        return self._senders.get((context.address, context.user_id)) or self._add(context)

    def _add(self, context: RequestContext) -> RequestSender:
        if len(self._senders) >= CACHE_SIZE:
            self._senders.clear()
        callers = [(self._user, context.user_id)]  # a further kind is one more here, and in the key
        sender = RequestSender(
            _by_policy([(self._network, networks(context.address))]),
            _by_policy((policy, [(str(known), 1)]) for policy, known in callers if known is not None),
        )
        self._senders[context.address, context.user_id] = sender
        return sender

    def _refill(self, context: RequestContext, sender: RequestSender, needed: int) -> int:
        """What was taken out of the buckets: a portion, or at least what is needed, or nothing."""
        now = monotonic()
        buckets = sender.of_network + sender.of_caller
        if not all(bucket.has_room(now, needed) for bucket in buckets):
            return 0
        is_advance = sender.is_proven and all(bucket.has_room(now, sender.portion) for bucket in buckets)
        taken = max(needed, sender.portion) if is_advance else needed
        if not sender.is_proven:
            context.pending_units = taken
        _take(buckets if sender.is_proven else sender.of_network, taken)
        sender.is_proven = not sender.of_caller
        sender.headers_at = LONG_AGO
        sender.is_low = any(bucket.saved(now) < LOW for bucket in buckets)
        return taken


def _by_policy(found: Iterable[tuple[Policy, Iterable[tuple[str, int]]]]) -> Buckets:
    """The buckets of a sender, which is known by these names, each with the shares that it has."""
    return {policy: [policy.bucket(*each) for each in named] for policy, named in found if policy.units}


def _all(buckets: Buckets) -> list[Bucket]:
    return [bucket for each in buckets.values() for bucket in each]


def _take(buckets: Iterable[Bucket], units: int) -> None:
    now = monotonic()
    for bucket in buckets:
        bucket.take(now, units)


def _left(policy: Policy, buckets: list[Bucket], now: float, taken: int) -> str:
    """Of the widest network, too, there may be the least left. What is taken and not used is left as well."""
    room = min(policy.units, min(bucket.room(now) for bucket in buckets) + taken)
    seconds = max(ceil(bucket.burst - bucket.saved(now)) for bucket in buckets)
    return f"r={room};t={seconds}"
