"""Peers that send forwarding headers without being trusted: whom the log and `check` name."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.components import Parts
from storekeeper.database.engine import transaction
from storekeeper.http import untrusted_peers
from storekeeper.http.untrusted_peers import UntrustedPeers
from storekeeper.models import untrusted_peer
from storekeeper.security import signing_keys
from storekeeper.settings import Settings
from tests.conftest import Clock
from tests.support.cli_runner import run_with

PROXY = "10.0.0.5"
SENT = {"X-Forwarded-For": "203.0.113.9"}


def report(engine: sa.Engine, peers: UntrustedPeers) -> None:
    with transaction(engine) as conn:
        untrusted_peer.report(conn, peers.take())


def named(settings: Settings, **more: str) -> list[str]:
    """The lines of `check` about proxies, which make nothing wrong."""
    signing_keys.ensure(settings.keys_path)
    result = run_with(settings, "check", **more)
    assert result.exit_code == 0, result.output
    return [line for line in result.stdout.splitlines() if line.startswith("proxies: ")]


def warned(logs: Any) -> list[str]:
    return [line["address"] for line in logs if line["event"] == "untrusted_proxy"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "x-real-ip", "Forwarded"])
def test_a_peer_that_is_not_trusted_is_named_by_log_and_check(
    client: testing.TestClient, parts: Parts, engine: sa.Engine, settings: Settings, clock: Clock, header: str
) -> None:
    clock.now = 1_800_000_000.0
    with capture_logs() as logs:
        for _ in range(3):
            client.simulate_get("/stores", headers={header: "203.0.113.9"}, remote_addr=PROXY)
        client.simulate_get("/stores", remote_addr="198.51.100.1")
    assert warned(logs) == [PROXY]
    report(engine, parts.untrusted_peers)
    (line,) = named(settings)
    assert line.startswith(f"proxies: {PROXY} sends forwarding headers (requests: 3, last: 2027-01-15 08:00:00 UTC)")
    assert "STOREKEEPER_TRUSTED_PROXIES" in line
    assert named(settings, STOREKEEPER_TRUSTED_PROXIES="10.0.0.0/24") == []
    clock.now += 8 * 86_400
    assert named(settings) == []


def test_strangers_take_no_memory_and_push_out_no_proxy(engine: sa.Engine) -> None:
    peers = UntrustedPeers()
    with capture_logs() as logs:
        for n in range(500):
            peers.note(PROXY)
            peers.note(f"203.0.113.{n}")
    assert len(warned(logs)) == 100
    report(engine, peers)
    with engine.connect() as conn:
        known = untrusted_peer.all_known(conn)
    assert len(known) == 20
    assert (known[0].address, known[0].requests) == (PROXY, 500)


def test_a_peer_is_logged_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    peers = UntrustedPeers()
    with capture_logs() as logs:
        for _ in range(3):
            peers.note(PROXY)
            peers.take()
            now += untrusted_peers.LOG_SECONDS / 2 + 1
        peers.note(PROXY)
    assert warned(logs) == [PROXY] * 2


class TestTrusted:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, trusted_proxies=("10.0.0.0/24",))

    def test_a_trusted_one_is_not_named(self, client: testing.TestClient, parts: Parts, engine: sa.Engine) -> None:
        with capture_logs() as logs:
            client.simulate_get("/stores", headers=SENT, remote_addr=PROXY)
            client.simulate_get("/stores", headers=SENT, remote_addr="10.0.1.5")
        assert warned(logs) == ["10.0.1.5"]
        assert parts.untrusted_peers.take() == {"10.0.1.5": 1}
