"""Peers that send forwarding headers without being trusted: a proxy that the settings do not name, or a stranger.

Behind such a proxy all clients have one address, and so share what one network may do.
"""

import time

import structlog

HEADERS = frozenset((b"forwarded", b"x-forwarded-for", b"x-real-ip"))
MAX_PEERS = 100  # that are remembered: strangers may come from anywhere
LOG_SECONDS = 3600  # between two log lines about one peer


class UntrustedPeers:
    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._logged: set[str] = set()
        self._logged_since = time.monotonic()

    def note(self, address: str) -> None:
        """One more request from there. The first is logged."""
        if address in self._counts or len(self._counts) < MAX_PEERS:
            self._counts[address] = self._counts.get(address, 0) + 1
        if address not in self._logged and len(self._logged) < MAX_PEERS:
            self._logged.add(address)
            structlog.get_logger().warning("untrusted_proxy", address=address)

    def take(self) -> dict[str, int]:
        """How many requests there were from each since the last time."""
        if time.monotonic() - self._logged_since > LOG_SECONDS:
            self._logged_since, self._logged = time.monotonic(), set()
        taken, self._counts = self._counts, {}
        return taken
