"""Nodes that do not fit each other: with other signing keys, or files that are kept elsewhere."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from storekeeper.models import installation
from storekeeper.security import signing_keys
from storekeeper.security.signing_keys import SIGNS_AFTER
from storekeeper.settings import Settings
from tests.conftest import Clock, Person
from tests.server.test_health import READY, Served, serve
from tests.support.cli_runner import run_with

DAY = 86_400


class Node(Served):
    def compare(self) -> None:
        asyncio.run(self.parts.health.sample_reads())
        asyncio.run(self.parts.health.sample_keys())
        asyncio.run(self.parts.health.sample_storage())


@pytest.fixture
def nodes(engine: sa.Engine, url: str, tmp_path: Path) -> Iterator[tuple[Node, Node, Settings, Settings]]:
    """Two that share the database and nothing else; the first has recorded what it has."""
    own = [Settings(data=str(tmp_path / name), database_url=url) for name in ("a", "b")]
    with ExitStack() as stack:
        first, second = (Node(*stack.enter_context(serve(each))) for each in own)
        first.compare()
        yield first, second, *own


def share_keys(source: Settings, target: Settings) -> None:
    shutil.copy(source.keys_path, target.keys_path)


def share_files(source: Settings, target: Settings) -> None:
    shutil.rmtree(target.data_path / "files")
    shutil.copytree(source.data_path / "files", target.data_path / "files")


def test_the_first_start_records_what_it_finds(nodes: tuple[Node, Node, Settings, Settings], engine: sa.Engine) -> None:
    first, _, settings, _ = nodes
    assert first.ready() == READY
    (key,) = signing_keys.load(settings.keys_path)
    with engine.connect() as conn:
        assert [(each.kid, each.fingerprint) for each in installation.keys(conn)] == [(key.kid, key.fingerprint)]
        mark = installation.storage_mark(conn)
        assert key.secret not in str(conn.execute(sa.select(installation.signing_keys)).all())
    assert (settings.data_path / "files" / "storekeeper-mark").read_text() == mark


def test_a_node_with_other_keys_is_unavailable_and_says_why(nodes: tuple[Node, Node, Settings, Settings]) -> None:
    first, second, settings, others = nodes
    share_files(settings, others)
    with capture_logs() as logs:
        for _ in range(3):
            second.compare()
    message = "This node does not have the key that the others sign with."
    assert second.ready() == (503, {"error": "unavailable", "message": message})
    (line,) = [line for line in logs if line["event"] == "node_mismatch"]
    (key,) = signing_keys.load(settings.keys_path)
    reason = f"The key file lacks the key {key.kid}, which signs at the other nodes: copy it from there, or "
    assert line["reason"] == reason + "`storekeeper accept-node` here says that this one's are right."
    assert (line["log_level"], line["condition"], line["status"]) == ("error", "keys", "unavailable")
    result = run_with(others, "check")
    assert result.exit_code == 1
    assert f"node: {line['reason']}" in result.stderr
    first.compare()
    assert first.ready() == READY
    share_keys(settings, others)
    second.compare()
    assert second.ready() == READY
    assert "node: ok" in run_with(others, "check").stdout


def test_a_node_without_keys_is_told_whose_to_copy_before_it_makes_its_own(
    nodes: tuple[Node, Node, Settings, Settings], url: str, tmp_path: Path
) -> None:
    (key,) = signing_keys.load(nodes[2].keys_path)
    result = run_with(Settings(data=str(tmp_path / "new"), database_url=url), "check")
    told = f"node: the others sign with the key {key.kid}: copy their key file here, or `serve` makes another one\n"
    assert told in result.stdout
    assert result.exit_code == 0


def test_a_node_that_keeps_its_files_elsewhere_takes_no_changes_and_says_why(
    nodes: tuple[Node, Node, Settings, Settings],
) -> None:
    _, second, settings, others = nodes
    share_keys(settings, others)
    with capture_logs() as logs:
        second.compare()
    message = "This node keeps its files elsewhere than the others."
    assert second.ready() == (200, {"message": message, "status": "read_only"})
    assert second.ready("for=writes")[0] == 503
    assert [line["condition"] for line in logs if line["event"] == "node_mismatch"] == ["storage"]
    result = run_with(others, "check")
    assert result.exit_code == 1
    assert "node: The files of this node are kept elsewhere than those of the others" in result.stderr
    share_files(settings, others)
    second.compare()
    assert second.ready("for=writes") == READY


def test_a_key_that_is_about_to_sign_is_missed_before_it_does(
    nodes: tuple[Node, Node, Settings, Settings], clock: Clock
) -> None:
    first, second, settings, others = nodes
    clock.now += DAY
    share_keys(settings, others)
    share_files(settings, others)
    result = run_with(settings, "keys", "rotate")
    assert result.exit_code == 0
    first.compare()
    second.compare()
    assert (first.ready(), second.ready()) == (READY, READY)
    assert "which is about to sign at the other nodes" in run_with(others, "check").stderr
    clock.now += SIGNS_AFTER
    first.compare()
    second.compare()
    assert (first.ready(), second.ready()[0]) == (READY, 503)


@pytest.mark.parametrize("now", [[], ["--now"]])
def test_what_rotate_and_remove_do_is_recorded(
    now: list[str], nodes: tuple[Node, Node, Settings, Settings], engine: sa.Engine, clock: Clock
) -> None:
    first, _, settings, _ = nodes
    clock.now += DAY
    (old,) = signing_keys.load(settings.keys_path)
    new = run_with(settings, "keys", "rotate", *now).output.split()[0]
    with engine.connect() as conn:
        assert [each.kid for each in installation.keys(conn)] == ([new] if now else [old.kid, new])
    assert run_with(settings, "keys", "remove", old.kid).exit_code == 0
    with engine.connect() as conn:
        assert [each.kid for each in installation.keys(conn)] == [new]
    first.compare()
    assert first.ready() == READY


def test_keys_that_were_rotated_elsewhere_are_recorded_by_a_node_that_has_them(
    nodes: tuple[Node, Node, Settings, Settings], engine: sa.Engine, clock: Clock
) -> None:
    first, _, settings, _ = nodes
    clock.now += DAY
    for at_once in (False, True):
        made = signing_keys.rotate(settings.keys_path, 90 * DAY, at_once=at_once)
        first.compare()
        assert first.ready() == READY
        with engine.connect() as conn:
            assert installation.keys(conn)[-1].fingerprint == made.fingerprint


def test_a_node_is_accepted_with_what_it_has(nodes: tuple[Node, Node, Settings, Settings]) -> None:
    """As after a key file was lost, and files have moved."""
    first, second, _, others = nodes
    result = run_with(others, "accept-node")
    assert result.exit_code == 0
    (key,) = signing_keys.load(others.keys_path)
    assert result.output == f"The key {key.kid} and the storage of this node are the right ones.\n"
    for node, status in ((second, 200), (first, 503)):
        node.compare()
        assert node.ready()[0] == status


def test_a_new_key_signs_nothing_at_a_server_before_its_time(
    nodes: tuple[Node, Node, Settings, Settings], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN", 0)
    first, _, settings, _ = nodes
    clock.now += DAY
    (old,) = signing_keys.load(settings.keys_path)
    new = signing_keys.rotate(settings.keys_path, 90 * DAY)
    alice = Person(first.client, "alice", 1)
    alice.log_in()
    assert first.parts.keys.signing.kid == old.kid
    clock.now += SIGNS_AFTER
    alice.log_in()
    assert first.parts.keys.signing.kid == new.kid
    assert alice.get("/sessions").status_code == 200
