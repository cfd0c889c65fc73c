"""A rate limiter: a number of events a second for each key, with a burst."""

import time

import msgspec

BURST_SECONDS = 1.0
CACHE_SIZE = 10_000  # keys at the most
A_HAIR = 1e-6  # seconds: or else what was waited for exactly would be rounded away


class Bucket:
    """The generic cell rate algorithm (as ATM has it): only the time is kept when all that went would be even.

    What was not used is kept for `burst` seconds, in which `capacity` may go. All times are those of `time.monotonic`.
    """

    __slots__ = ("_interval", "burst", "capacity", "even_at")

    def __init__(self, per_second: float, burst: float) -> None:
        self.burst = burst
        self.capacity = per_second * burst
        self._interval = 1 / per_second
        self.even_at = float("-inf")

    def saved(self, now: float) -> float:
        """For how many seconds nothing has gone, as it were."""
        saved = now - self.even_at
        return saved if saved < self.burst else self.burst

    def has_room(self, now: float, count: float) -> bool:
        """Whether so many may go now. More than there can ever be may go when it is full."""
        saved = now - self.even_at + A_HAIR
        return saved >= count * self._interval or saved >= self.burst

    def room(self, now: float) -> int:
        """How many may go now."""
        return max(0, int((self.saved(now) + A_HAIR) / self._interval))

    def take(self, now: float, count: float) -> None:
        """So many go now. What is more than there is room for is owed, up to another burst."""
        earliest = now - self.burst
        even_at = (self.even_at if self.even_at > earliest else earliest) + count * self._interval
        latest = now + self.burst
        self.even_at = even_at if even_at < latest else latest

    def wait(self, now: float, count: float) -> float:
        """In how many seconds there will be room for so many."""
        return max(0.0, min(count * self._interval, self.burst) - self.saved(now))


class DeliveryLimits(msgspec.Struct, frozen=True):
    """Of what goes to one place."""

    messages_per_second: float
    connections: int


class RateLimiter:
    """A bucket for each key.

    Keys are remembered in two generations: the older one is forgotten when the younger has grown to half of what is
    remembered, so no key is looked for among the others. Whose bucket is forgotten has a full one again: that needs so
    many keys that no bound for each of them would help.
    """

    def __init__(self, per_second: float, burst: float = BURST_SECONDS) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, Bucket] = {}
        self._older: dict[str, Bucket] = {}

    def bucket(self, key: str) -> Bucket:
        """To be asked for each time, or it may have been forgotten, and be another one."""
        found = self._buckets.get(key)
        if found is None:
            found = self._older.get(key) or Bucket(self._per_second, self._burst)
            if len(self._buckets) >= CACHE_SIZE // 2:
                self._older, self._buckets = self._buckets, {}
            self._buckets[key] = found
        return found

    def room(self, key: str) -> int:
        """How many may go now."""
        return self.bucket(key).room(time.monotonic())

    def take(self, key: str, count: int) -> None:
        """So many go now."""
        self.bucket(key).take(time.monotonic(), count)
