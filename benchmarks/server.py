"""A candidate's server: started on one core, waited for, and stopped again with all that it started."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.candidates import Candidate, Place
from benchmarks.client import Client
from benchmarks.failure import Failure
from benchmarks.gauge import Tree

ROOT = Path(__file__).parents[1]
START_SECONDS = 180  # under a tool that counts it takes twenty times as long as without
STOP_SECONDS = 20


class Server(NamedTuple):
    candidate: Candidate
    place: Place
    processes: Tree
    start_seconds: float  # to its first answer


@contextmanager
def serve(
    candidate: Candidate, url: str, directory: Path, items: int, core: int, under: Sequence[str] = ()
) -> Iterator[Server]:
    """The candidate's server, started anew once the common data are in its database; then by the command `under`."""
    place = Place(url, directory, free_port())
    environment = _environment(candidate.environment(place))
    candidate.prepare(place, environment)
    with _running(candidate, place, environment, core):
        candidate.fill(place, environment, items)
    with _running(candidate, place, environment, core, under) as server:
        yield server


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Ours without any setting of Storekeeper's that happens to be there, and the candidate's."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("STOREKEEPER_")}
    common = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}  # so that only a first start compiles
    return inherited | common | dict(own)


@contextmanager
def _running(
    candidate: Candidate, place: Place, environment: Mapping[str, str], core: int, under: Sequence[str] = ()
) -> Iterator[Server]:
    with (place.directory / "log").open("ab") as log:
        began = time.perf_counter()
        process = _start([*under, *candidate.command(place)], place, environment, core, log.fileno())
        try:
            _wait_for(process, candidate, place)
            yield Server(candidate, place, Tree(process.pid), time.perf_counter() - began)
        finally:
            _stop(process)


def _start(
    command: Sequence[str], place: Place, environment: Mapping[str, str], core: int, log: int
) -> subprocess.Popen[bytes]:
    pinned = ["taskset", "-c", str(core), *command]
    return subprocess.Popen(pinned, env=environment, cwd=place.directory, stdout=log, stderr=log)


def _wait_for(process: subprocess.Popen[bytes], candidate: Candidate, place: Place) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if Client(place.port).is_answered():
            return
        time.sleep(0.01)
    told = (place.directory / "log").read_text("utf-8", "replace").strip()
    raise Failure(f"{candidate.title} does not start. The end of its log:\n{told[-1000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; it takes its own children with it."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
