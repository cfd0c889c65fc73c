"""The load: wrk, bounded in time, on a core of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import data
from benchmarks.failure import Failure
from benchmarks.gauge import Tree
from benchmarks.speech import Ask

MISSING = "The bench needs wrk. On Debian: sudo apt-get install wrk"
SCRIPT = Path(__file__).with_name("wrk.lua")


def require() -> None:
    if shutil.which("wrk") is None:
        raise Failure(MISSING)


def version() -> str:
    told = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return told.partition(" [")[0].removeprefix("wrk ")


class Target(NamedTuple):
    """What wrk is pointed at: a request to the server on a port, with the tokens of its callers."""

    ask: Ask
    connections: int
    port: int
    tokens: Sequence[str]
    once: int = 0  # how many of them one run takes, if each is good for one request and its answer has the next


def run(target: Target, items: int, seconds: int, seed: int, core: int) -> dict[str, Any]:
    """What wrk counted. Failure if one answer was no 2xx or one connection broke."""
    ask = target.ask
    headers = [part for name, value in ask.headers.items() for part in ("-H", f"{name}: {value}")]
    options = [f"-c{target.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT)]
    numbers = [str(number) for number in (items, data.STORES, seed, target.once)]
    arguments = [ask.method, ask.path, "signed" if ask.signs else "", *numbers]
    wrk = ["wrk", "-t1", *options, *headers, f"http://127.0.0.1:{target.port}", "--", *arguments]
    secrets = {"BENCH_BODY": ask.body, "BENCH_TOKENS": ",".join(target.tokens)}
    done = subprocess.run(
        ["taskset", "-c", str(core), *wrk],
        env=os.environ | secrets,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 30,
    )
    if done.returncode:
        raise Failure(f"wrk ended with {done.returncode}: {done.stderr.strip()[:300]}")
    return _read(done.stdout)


def cost(
    target: Target, items: int, seconds: int, seed: int, core: int, trees: Sequence[Tree]
) -> tuple[dict[str, Any], float]:
    """What wrk counted, and the microseconds of CPU time that these processes took for each request."""
    before = sum(tree.cpu_seconds() for tree in trees)
    done = run(target, items, seconds, seed, core)
    return done, (sum(tree.cpu_seconds() for tree in trees) - before) / done["requests"] * 1e6


def _read(told: str) -> dict[str, Any]:
    counted: dict[str, Any] = json.loads(told.splitlines()[-1])
    if counted["refused"] or counted["broken"] or not counted["requests"]:
        answers, refused, broken = (counted[name] for name in ("requests", "refused", "broken"))
        raise Failure(f"of {answers} answers {refused} were refusals, and {broken} connections broke.")
    return counted
