"""How many requests one network and one user may send, so that nobody's searches and exports are everybody's trouble.

They are counted in units, by what they cost, in the memory of the process that answers them: no statement of the
database, and no lock. What is left is told in the fields of draft-ietf-httpapi-ratelimit-headers-11, of May 2026.
What nothing was done for is not counted: a path that leads nowhere, or a token that is no good.

Nor is each request taken out of the buckets by itself, or a look-up of an item would cost 3 % more. A sender takes a
portion, and uses it up.
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
        """Count more for a request that was admitted, and is under way."""
        _take(self.of_network + self.of_caller, units)
        self.headers_at = LONG_AGO


class RequestLimits:
    """The limits, and what each sender has used of them.

    Nothing is counted for a caller whose session was not found to be live: else whoever has an old token could use up
    what is its owner's. So it is counted when that was found, or in advance where it was found just before.
    """

    def __init__(self, per_network: int = 0, per_user: int = 0) -> None:
        """Units in a minute."""
        self._network = Policy("network", per_network)
        self._user = Policy("user", per_user)
        self._senders: dict[object, RequestSender] = {}
        self._log_pace = RateLimiter(1 / LOG_SECONDS, LOG_SECONDS)

    def admit(self, context: RequestContext, units: int) -> bool:
        """Count a request of so many units. Where its network or its caller has fewer left, it is not, and false.

        A request of more units than there are in a minute is admitted when all of them are left.
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
        """Note that the caller's session is live, and count for the caller what the network was counted for."""
        sender: RequestSender = context.sender
        sender.is_proven = True
        if context.pending_units:
            _take(sender.of_caller, context.pending_units)
            context.pending_units = 0

    def refusal(self, context: RequestContext, units: int) -> TooManyRequests:
        """The error for a request that was not admitted: by the limit that it would have to wait for longest."""
        sender, now = self._find(context), monotonic()
        waits = [
            (bucket.wait(now, units - sender.left), bucket.capacity, policy.name)
            for policy, buckets in sender.buckets.items()
            for bucket in buckets
        ]
        seconds, capacity, policy = max(waits)
        return TooManyRequests(max(1, ceil(seconds)), round(capacity), WINDOW, policy=policy)

    def is_news(self, context: RequestContext) -> bool:
        """Whether the log has nothing of this sender's from the minute before, and is to have it now."""
        bucket, now = self._log_pace.bucket(f"{context.address} {context.user_id}"), monotonic()
        is_news = bucket.has_room(now, 1)
        if is_news:
            bucket.take(now, 1)
        return is_news

    def describe(self, context: RequestContext) -> dict[str, str]:
        """The fields of the draft: the policies, and for each what is left of it, until it is whole in `t` seconds.

        As it was at most a second ago: to put it together takes a twentieth of what a list does.
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
