"""`python -m benchmarks.run`: measure the candidates side by side; write the table, the JSON and the chart."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import candidates, chart, databases, load, operations, report
from benchmarks.candidates import Candidate
from benchmarks.failure import Failure
from benchmarks.measure import LOAD_CORE, SERVER_CORE, Plan, measure
from benchmarks.operations import Operation
from benchmarks.results import Results, disturbance, save

HERE = Path(__file__).parent
QUIET = 0.1  # what others may take of the server's core


class Contest(NamedTuple):
    """Who is measured at what, and how it is shown."""

    program: str
    description: str
    home: Path  # of the results
    candidates: Mapping[str, Candidate]
    operations: Mapping[str, Operation]
    render: Callable[[Results], str]
    draw: Callable[[Results], str]
    complete: Callable[[Results], Results] = lambda results: results  # with what is not measured under load


SIDE_BY_SIDE = Contest(
    "python -m benchmarks.run", __doc__, HERE, candidates.ALL, operations.ALL, report.render, chart.draw
)


def main(contest: Contest = SIDE_BY_SIDE, argv: Sequence[str] | None = None) -> None:
    args = parser(contest).parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the servers are stopped too
    try:
        _require_two_cores()
        load.require()
        results = contest.complete(measure(plan(contest, args)))
        publish(contest, results, args.out or (contest.home if is_whole(args) else None))
    except Failure as failure:
        sys.exit(f"bench: {failure}")


def parser(contest: Contest) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=contest.program, description=contest.description)
    parser.add_argument("--quick", action="store_true", help="one round of a second each: a look, not a result")
    parser.add_argument("--seconds", type=int, help="the length of each run of wrk (4)")
    parser.add_argument("--rounds", type=int, help="how many runs each median is taken from (3)")
    parser.add_argument("--items", type=int, default=100_000, help="how many items there are (100000)")
    parser.add_argument("--database", choices=databases.KINDS, action="append", help="only this one")
    parser.add_argument("--only", choices=contest.candidates, nargs="+", help="only these candidates")
    parser.add_argument("--operation", choices=contest.operations, nargs="+", help="only these operations")
    parser.add_argument("--out", type=Path, help="where the results go (where the last ones are, if the run is whole)")
    return parser


def is_whole(args: argparse.Namespace) -> bool:
    """Whether these are results to publish, and not a look at a part."""
    return not (args.quick or args.database or args.only or args.operation)


def plan(contest: Contest, args: argparse.Namespace) -> Plan:
    seconds, rounds = (1, 1) if args.quick else (4, 3)
    return Plan(
        args.database or list(databases.KINDS),
        [contest.candidates[name] for name in args.only or contest.candidates],
        [contest.operations[name] for name in args.operation or contest.operations],
        max(args.items, 1000),
        args.seconds or seconds,
        args.rounds or rounds,
    )


def publish(contest: Contest, results: Results, directory: Path | None) -> None:
    """Print the table; write it, the numbers and the chart where there is a place for them."""
    print(f"\n{contest.render(results)}")
    if disturbance(results) > QUIET:
        print("The machine was busy with other things: the numbers are worth little. Run this again when it is quiet.")
    if directory is None:
        print("A part, or a quick look: nothing was written. For that, name a directory with --out.")
        return
    directory.mkdir(parents=True, exist_ok=True)
    save(results, directory / "results.json")
    (directory / "results.md").write_text(contest.render(results), "utf-8")
    (directory / "chart.svg").write_text(contest.draw(results), "utf-8")


def _require_two_cores() -> None:
    if not (hasattr(os, "sched_getaffinity") and {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0)):
        raise Failure("This takes Linux and its cores 0 and 1: one for the server, one for the load.")


if __name__ == "__main__":
    main()
