"""A rate limiter: events per second for each key, with a burst."""

import time

import msgspec

BURST_SECONDS = 1.0
CACHE_SIZE = 10_000  # keys at the most
A_HAIR = 1e-6  # seconds: or else what was waited for exactly would be rounded away


class Bucket:
    """The generic cell rate algorithm (ITU-T I.371), whose state is one time.

    At that time, `even_at`, all events so far would have come at an even rate. Unused capacity of up to `burst` seconds
    is saved, so up to `capacity` events may come at once. All times are those of `time.monotonic`.

    For example, with 10 events a second and a burst of 2 s, `capacity` is 20: after 20 events at time 100, one more may
    come at 100.1, and 20 again at 102.
    """

    __slots__ = ("_interval", "burst", "capacity", "even_at")

    def __init__(self, per_second: float, burst: float) -> None:
        self.burst = burst
        self.capacity = per_second * burst
        self._interval = 1 / per_second
        self.even_at = float("-inf")

    def saved(self, now: float) -> float:
        """The saved capacity, in seconds: how long ago the events so far would have ended at an even rate."""
        saved = now - self.even_at
        return saved if saved < self.burst else self.burst

    def has_room(self, now: float, count: float) -> bool:
        """Whether `count` events may come now. A `count` above `capacity` may come if the whole burst is saved."""
        saved = now - self.even_at + A_HAIR
        return saved >= count * self._interval or saved >= self.burst

    def room(self, now: float) -> int:
        """The number of events that may come now."""
        return max(0, int((self.saved(now) + A_HAIR) / self._interval))

    def take(self, now: float, count: float) -> None:
        """Count `count` events at `now`. Events beyond the room become a debt, of up to another burst."""
        earliest = now - self.burst
        even_at = (self.even_at if self.even_at > earliest else earliest) + count * self._interval
        latest = now + self.burst
        self.even_at = even_at if even_at < latest else latest

    def wait(self, now: float, count: float) -> float:
        """Seconds until `count` events may come."""
        return max(0.0, min(count * self._interval, self.burst) - self.saved(now))


class DeliveryLimits(msgspec.Struct, frozen=True):
    """The limits of messages to one host or address."""

    messages_per_second: float
    connections: int


class RateLimiter:
    """A bucket for each key.

    Keys are kept in two generations: when the younger has half of `CACHE_SIZE` keys, the older one is dropped, so no
    key is searched for eviction. A dropped key starts with a full bucket again. Forcing that takes so many keys that
    limits for single keys would not help anyway.
    """

    def __init__(self, per_second: float, burst: float = BURST_SECONDS) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, Bucket] = {}
        self._older: dict[str, Bucket] = {}

    def bucket(self, key: str) -> Bucket:
        """The bucket of a key. Ask for it each time, as it may have been dropped and replaced."""
        found = self._buckets.get(key)
        if found is None:
            found = self._older.get(key) or Bucket(self._per_second, self._burst)
            if len(self._buckets) >= CACHE_SIZE // 2:
                self._older, self._buckets = self._buckets, {}
            self._buckets[key] = found
        return found

    def room(self, key: str) -> int:
        """The number of events that may come now."""
        return self.bucket(key).room(time.monotonic())

    def take(self, key: str, count: int) -> None:
        """Count `count` events now."""
        self.bucket(key).take(time.monotonic(), count)
