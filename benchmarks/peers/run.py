"""`python -m benchmarks.peers.run`: measure what somebody may take instead of Storekeeper, beside Storekeeper."""

from pathlib import Path

from benchmarks import run
from benchmarks.peers import candidates, operations, report
from benchmarks.run import Contest

CONTEST = Contest(
    program="python -m benchmarks.peers.run",
    description=__doc__,
    home=Path(__file__).parent,
    candidates=candidates.ALL,
    operations=operations.ALL,
    render=report.render,
    draw=report.draw,
    complete=report.complete,
)

if __name__ == "__main__":
    run.main(CONTEST)
