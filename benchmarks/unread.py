"""`python -m benchmarks.unread`: what exports that nobody reads cost a worker, in memory and in the time of others.

One user asks for all items as CSV on many connections at once, and reads nothing. Meanwhile somebody looks one item up,
a hundred times a second. It is over before the server ends connections that nobody reads.
"""

import argparse
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks import data, databases, report
from benchmarks.candidates import STOREKEEPER
from benchmarks.client import Client
from benchmarks.failure import Failure
from benchmarks.measure import LOAD_CORE, SERVER_CORE
from benchmarks.server import Server, serve

HERE = Path(__file__).parent
ITEMS = 20_000
DESCRIPTION = 1000  # characters
ALONE_SECONDS = 5
UNREAD_SECONDS = 20  # a connection that nobody reads is ended after 30


class Waits(NamedTuple):
    """Milliseconds that look-ups took."""

    p50: float
    p99: float
    most: float


class Found(NamedTuple):
    kind: str
    mib_before: float
    mib_most: float
    alone: Waits
    beside: Waits
    statuses: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unread", description=__doc__)
    parser.add_argument("--exports", type=int, default=800, help="how many are asked for (800)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one; writes nothing")
    args = parser.parse_args()
    found = []
    for kind in args.database or databases.KINDS:
        with tempfile.TemporaryDirectory(prefix="storekeeper-bench-") as name:
            told = report.heading("make bench-unread", Path(name))
            found.append(_measure(kind, Path(name), args.exports))
    text = "\n".join(_lines(found, told, args.exports)) + "\n"
    print(text)
    if not args.database and args.exports == parser.get_default("exports"):
        (HERE / "unread.md").write_text(text, "utf-8")


def _measure(kind: str, directory: Path, exports: int) -> Found:
    with (
        databases.open_databases(kind, directory, ["ours"], LOAD_CORE) as databases_,
        serve(STOREKEEPER, databases_.url("ours"), directory, ITEMS, SERVER_CORE) as server,
        ExitStack() as stack,
    ):
        with data.create_engine(server.place.url).begin() as conn:
            conn.exec_driver_sql(f"UPDATE items SET description = '{'oak ' * (DESCRIPTION // 4)}'")
        token = Client(server.place.port).sign_in()["access_token"]
        alone, before = _look_up(server, token, ALONE_SECONDS)
        asked = [stack.enter_context(_ask(server.place.port, token)) for _ in range(exports)]
        beside, most = _look_up(server, token, UNREAD_SECONDS)
        return Found(kind, before, most, alone, beside, Counter(map(_status, asked)))


def _ask(port: int, token: str) -> socket.socket:
    """Ask for an export, with as little room for it as a client can have."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    head = f"GET /items HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\nAuthorization: Bearer {token}\r\n\r\n"
    client.sendall(head.encode())
    client.setblocking(False)
    return client


def _status(client: socket.socket) -> str:
    try:
        return client.recv(12).decode().partition(" ")[2]
    except OSError:
        return "none yet"


def _look_up(server: Server, token: str, seconds: int) -> tuple[Waits, float]:
    """What look-ups take, and the most memory that the server had, in MiB."""
    pid, client, took = server.processes.pid, Client(server.place.port), list[float]()
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the most that it had until now
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        with suppress(Failure):  # after half a minute
            client.ask("GET", "/item/item42", token=token)
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(0.01)
    took.sort()
    return Waits(took[len(took) // 2], took[len(took) * 99 // 100], took[-1]), _most_memory(pid)


def _most_memory(pid: int) -> float:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024


def _lines(found: Sequence[Found], told: str, exports: int) -> Iterator[str]:
    yield from ("# Exports that nobody reads", "", told)
    yield f"{exports} exports of {ITEMS:,} items with descriptions of {DESCRIPTION:,} characters, by one user."
    heads = ("", "MiB before", "MiB at most", "look-ups alone: p50, p99, most ms", "beside", "answers by status")
    yield from ("", *report.table(heads, map(_row, found), left=1))


def _row(each: Found) -> tuple[str, ...]:
    waits = (", ".join(f"{value:.1f}" for value in times) for times in (each.alone, each.beside))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(each.statuses.items()))
    return report.DATABASES[each.kind], f"{each.mib_before:.0f}", f"{each.mib_most:.0f}", *waits, statuses


if __name__ == "__main__":
    main()
