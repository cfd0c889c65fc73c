"""Clients by the commands of docs/clients.md, and what compiles them: all in a folder that is thrown away."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import openapi_generator_cli

from benchmarks.peers.node import NODE
from tests.support import markdown
from tests.support.response_contract import Json

HOME = Path(__file__).parent
DRIVERS = HOME / "drivers"
PACKAGES = HOME / "node_modules"
GENERATOR = Path(openapi_generator_cli.__file__).with_name("openapi-generator.jar")  # has the libraries of Java's
ANNOTATIONS = Path("/usr/share/java/jakarta-annotation-api.jar")
BIN = Path(sys.executable).parent


class Workshop:
    """The folder, with the description. `commands` are those of the document, by the folder or file that they make."""

    def __init__(self, folder: Path, document: Json) -> None:
        self.folder = folder
        (folder / "openapi.json").write_text(json.dumps(document))
        (folder / "node_modules").symlink_to(PACKAGES)
        blocks = markdown.blocks((markdown.ROOT / "docs" / "clients.md").read_text())
        (config,) = (block.text for block in blocks if block.language == "yaml")
        (folder / "config.yaml").write_text(config)
        lines = [block.text.strip() for block in blocks if block.language == "sh"]
        self.commands = {
            made_by(line): line for line in lines if "openapi.json" in line and not line.startswith("curl")
        }

    def generate(self, name: str) -> Path:
        """Once."""
        if not (self.folder / name).exists():
            self.run(*shlex.split(self.commands[name]))
        return self.folder / name

    def run(self, *command: str | Path, cwd: str = ".", **environ: str) -> str:
        """What it writes."""
        places = [BIN, PACKAGES / ".bin", NODE.parent, os.environ["PATH"]]
        env = {**os.environ, "PATH": os.pathsep.join(map(str, places)), "PYTHONPATH": "python", **environ}
        done = subprocess.run(command, cwd=self.folder / cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
        return done.stdout

    def compile_java(self) -> list[str]:
        """The command of the driver. The folder has sources of a test for each class, which want other libraries."""
        sources = sorted((self.generate("java") / "src" / "main").rglob("*.java"))
        path = os.pathsep.join(map(str, (self.folder / "classes", GENERATOR, ANNOTATIONS)))
        options = ["-d", "classes", "-cp", path, "-parameters", "-proc:none", "-nowarn"]
        self.run("javac", *options, *sources, DRIVERS / "Driver.java")
        return ["java", "-cp", path, "Driver"]

    def compile_go(self) -> list[str]:
        """The command of the driver. Nothing is fetched."""
        self.generate("go")
        self._copy(DRIVERS / "driver.go", "go/driver/main.go")
        self._copy(DRIVERS / "validator.go", "validator/validator.go")
        (self.folder / "validator" / "go.mod").write_text("module gopkg.in/validator.v2\n\ngo 1.23\n")
        offline = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
        self.run("go", "mod", "edit", "-replace", "gopkg.in/validator.v2=../validator", cwd="go", **offline)
        self.run("go", "vet", ".", cwd="go", **offline)
        self.run("go", "build", "-o", "../go-driver", "./driver", cwd="go", **offline)
        return ["./go-driver"]

    def compile_typescript(self, made: str, driver: str) -> list[str]:
        """The command of the driver."""
        self.generate(made)
        self._copy(DRIVERS / driver, driver)
        (self.folder / "package.json").write_text('{"type": "module"}')
        options = ["--strict", "--skipLibCheck", "false", "--target", "es2022", "--module", "nodenext", "--outDir"]
        self.run("tsc", *options, f"{made}-built", driver)
        return ["node", f"{made}-built/{Path(driver).stem}.js"]

    def copy_python(self, made: str, driver: str) -> list[str]:
        self.generate(made)
        self._copy(DRIVERS / driver, driver)
        return ["python", driver]

    def _copy(self, source: Path, name: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(source.read_text())


def made_by(command: str) -> str:
    """Which folder or file it makes."""
    words = shlex.split(command)
    return words[next(words.index(each) for each in ("-o", "--output-path") if each in words) + 1]
