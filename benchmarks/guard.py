"""`python -m benchmarks.guard`: what the server costs, in instructions and in memory. Fails if it is dear.

Instructions are counted beside those of the bare function that does the same work, so that another Python or another
processor makes no difference. Memory is what a worker has, in MiB, after the work of `make bench`. No rate, no wait and
no CPU time is judged.
"""

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from shutil import which
from typing import NamedTuple

from benchmarks import candidates, operations
from benchmarks.counts import count
from benchmarks.failure import Failure
from benchmarks.measure import Plan, measure

MISSING = "The guard needs wrk and valgrind. On Debian: sudo apt-get install wrk valgrind"
# What the bare function does in place of what it cannot do.
BASES = {"idle": "read", "search": "list", "page": "list", "read among many": "read"}


class Limits(NamedTuple):
    """The most that there may be on one database."""

    times: Mapping[str, float]  # the bare function's instructions
    mib_after_reads: float
    mib_after_all: float


# Some 15 % above what was measured when they were last set, and 8 % for memory; a little more where it depends on how
# many wait together. Whoever beats one by much lowers it.
# A login is nearly all Argon2, in both: what is above 1 is ours, and may become a third more.
LIMITS = {
    "sqlite": Limits(
        {
            "start": 2.3,
            "idle": 3.5,
            "read": 2.65,
            "list": 2.65,
            "update": 5.0,
            "refresh": 1.25,
            "login": 1.018,
            "search": 2.45,
            "page": 3.0,
            "read among many": 2.7,
        },
        mib_after_reads=65,
        mib_after_all=68,
    ),
    "postgresql": Limits(
        {
            "start": 2.85,
            "idle": 2.6,
            "read": 1.5,
            "list": 1.85,
            "update": 3.5,
            "refresh": 1.45,
            "login": 1.022,
            "page": 2.25,
        },
        mib_after_reads=76,
        mib_after_all=77,
    ),
}


class Finding(NamedTuple):
    what: str
    detail: str
    found: float
    most: float

    def __str__(self) -> str:
        return f"{self.what:<33}{self.detail:<33}{self.found:7.3f} of {self.most:g}"


def main() -> None:
    dear = []
    try:
        _require()
        for finding in _look():
            print(finding, flush=True)
            if finding.found > finding.most:
                dear.append(finding.what)
    except Failure as failure:
        sys.exit(f"guard: {failure}")
    if dear:
        sys.exit(f"guard: {', '.join(dear)}: more than there may be. See docs/performance.md.")


def _require() -> None:
    if not (which("wrk") and which("valgrind")):
        raise Failure(MISSING)


def _look() -> Iterator[Finding]:
    for database, limits in LIMITS.items():
        yield from _compare(database, limits.times)
    yield from _weigh()


def _compare(database: str, most: Mapping[str, float]) -> Iterator[Finding]:
    bare = count(candidates.BARE, database, [name for name in most if name not in BASES])
    ours = count(candidates.STOREKEEPER, database, most)
    for name, limit in most.items():
        base = bare[BASES.get(name, name)]
        yield Finding(f"{database} {name}", f"{base:,.0f}k bare {ours[name]:,.0f}k ours", ours[name] / base, limit)


def _weigh() -> Iterator[Finding]:
    plan = Plan(list(LIMITS), [candidates.STOREKEEPER], [*operations.ALL.values()], 100_000, 1, 1)
    with redirect_stdout(io.StringIO()):  # rates of single seconds
        results = measure(plan)
    for each in results.memory:
        limits = LIMITS[each.database]
        yield Finding(f"{each.database} memory after reads", "MiB", each.after_reads, limits.mib_after_reads)
        yield Finding(f"{each.database} memory after all", "MiB", each.after_all, limits.mib_after_all)


if __name__ == "__main__":
    main()
