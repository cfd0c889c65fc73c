"""How fast things may go: a number of them a second for each key, and what was not used in the second before."""

import time

BURST_SECONDS = 1.0
REMEMBERED = 10_000


class Pace:
    """The generic cell rate algorithm (as ATM has it): of each key only the time is kept when it would be even."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._even_at: dict[str, float] = {}

    def room(self, key: str) -> int:
        """How many may go now."""
        now = time.monotonic()
        # A hair more, or what was waited for exactly would be rounded down.
        return int((now - self._start(key, now)) / self._interval + 1e-6)

    def take(self, key: str, count: int) -> None:
        """So many go now."""
        now = time.monotonic()
        if len(self._even_at) >= REMEMBERED:
            self._even_at = {each: at for each, at in self._even_at.items() if at > now - BURST_SECONDS}
        self._even_at[key] = self._start(key, now) + count * self._interval

    def _start(self, key: str, now: float) -> float:
        return max(self._even_at.get(key, 0.0), now - BURST_SECONDS)
