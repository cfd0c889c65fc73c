"""How `make` comes by a virtual environment, and the command that it leaves there: with a Python that only plays one.

It makes folders as `python -m venv` does, and notes what pip is asked for.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server_process import ROOT

PLAYER = """#!/bin/sh
case "$*" in
"-c "*) [ -z "${OLD:-}" ] ;;
"-m venv "*)
	mkdir -p "$3/bin"
	cp "$0" "$3/bin/python"
	echo "#!$PWD/$3/bin/python" >"$3/bin/pip"
	echo made >>made ;;
"-m pip "*) echo "$*" >>installed; [ ! -e no-network ] ;;
"- "*) cat >/dev/null ;;
*) echo "$STOREKEEPER_DATA|$PYTHONSAFEPATH|$*" ;;
esac
"""


class Checkout:
    """A source folder with what makes environments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        (folder / "python").write_text(PLAYER)
        (folder / "python").chmod(0o755)
        for name in ("requirements.txt", "requirements-dev.txt"):
            (folder / name).touch()
            os.utime(folder / name, (1, 1))

    def make(self, stamp: str = "run", **environ: str) -> subprocess.CompletedProcess[str]:
        requirements = "requirements-dev.txt" if stamp == "dev" else "requirements.txt"
        command = [self.folder / ".ci" / "environment", ".venv", stamp, requirements]
        environ = {"PATH": os.environ["PATH"], "PYTHON": str(self.folder / "python")} | environ
        return subprocess.run(command, env=environ, text=True, capture_output=True, timeout=60, check=False)

    def times(self, what: str) -> int:
        """How often an environment was `made`, or packages `installed`."""
        path = self.folder / what
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture(params=["shop", "a folder's"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    (tmp_path / request.param).mkdir()
    return Checkout(tmp_path / request.param)


def test_one_that_is_missing_is_made_once(checkout: Checkout) -> None:
    first, second = checkout.make(), checkout.make()
    assert (first.returncode, first.stderr) == (0, "There is no .venv yet. It is made, which takes a minute.\n")
    assert (second.returncode, second.stderr) == (0, "")
    assert (checkout.times("made"), checkout.times("installed")) == (1, 1)
    assert "--require-hashes -r requirements.txt" in (checkout.folder / "installed").read_text()


def test_the_developers_one_serves_too(checkout: Checkout) -> None:
    checkout.make()
    assert checkout.make("dev").returncode == checkout.make("run").returncode == 0
    assert (checkout.times("made"), checkout.times("installed")) == (1, 2)


def test_other_requirements_are_installed_into_it(checkout: Checkout) -> None:
    checkout.make()
    os.utime(checkout.folder / "requirements.txt")
    os.utime(checkout.folder / ".venv" / "run", (2, 2))
    assert checkout.make().stderr == ""
    assert (checkout.times("made"), checkout.times("installed")) == (1, 2)


def test_one_whose_packages_were_not_all_installed_is_made_anew(checkout: Checkout) -> None:
    checkout.make()
    (checkout.folder / "no-network").touch()
    assert checkout.make("dev").returncode == 1
    (checkout.folder / "no-network").unlink()
    told = checkout.make("run")
    assert told.stderr == ".venv cannot be used: its packages were not all installed. It is made anew.\n"
    assert (told.returncode, checkout.times("made")) == (0, 2)


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("bin/python", "its Python is gone, or older than 3.11"),
        ("bin/pip", "it has no pip, or was made in another folder"),
        ("run", "its packages were not all installed"),
    ],
)
def test_one_that_lacks_something_is_made_anew(checkout: Checkout, lost: str, told: str) -> None:
    checkout.make()
    (checkout.folder / ".venv" / lost).unlink()
    again = checkout.make()
    assert (again.returncode, again.stderr) == (0, f".venv cannot be used: {told}. It is made anew.\n")
    assert (checkout.times("made"), checkout.times("installed")) == (2, 2)
    assert checkout.make().stderr == ""


def test_one_that_was_made_in_another_folder_is_made_anew(checkout: Checkout) -> None:
    checkout.make()
    moved = checkout.folder.with_name("moved")
    checkout.folder.rename(moved)
    checkout.folder = moved
    assert "was made in another folder" in checkout.make().stderr
    assert checkout.make().stderr == ""


def test_one_that_is_a_link_is_never_touched(checkout: Checkout, tmp_path: Path) -> None:
    checkout.make()
    (tmp_path / "other").mkdir()
    other = Checkout(tmp_path / "other")
    (other.folder / ".venv").symlink_to(checkout.folder / ".venv")
    os.utime(other.folder / "requirements-dev.txt")
    assert other.make("dev").returncode == 0
    assert (other.times("made"), other.times("installed"), checkout.times("installed")) == (0, 0, 1)
    (checkout.folder / ".venv" / "bin" / "python").unlink()
    told = other.make("dev")
    assert told.returncode == 1
    assert "its Python is gone" in told.stderr
    assert "Mend it there." in told.stderr
    assert (checkout.folder / ".venv" / "run").exists()


def test_without_a_python_it_says_so(checkout: Checkout) -> None:
    told = checkout.make(OLD="yes")
    assert told.returncode == 1
    assert "is no Python from 3.11 on with the modules venv and ensurepip." in told.stderr
    (checkout.folder / "bin").mkdir()
    for name in ("dirname", "grep", "find", "sh"):
        (checkout.folder / "bin" / name).symlink_to(str(shutil.which(name)))
    told = checkout.make(PATH=str(checkout.folder / "bin"), PYTHON="")
    assert told.returncode == 1
    assert (
        "There is no Python from 3.11 on here: python3.13, python3.12, python3.11 and python3 were tried."
        in told.stderr
    )
    assert not (checkout.folder / ".venv").exists()


def test_the_newest_python_that_works_is_taken(checkout: Checkout) -> None:
    """pyenv has commands of versions that are not switched on."""
    (checkout.folder / "bin").mkdir()
    for name, text in {"python3.13": "#!/bin/sh\nexit 127\n", "python3.12": PLAYER}.items():
        (checkout.folder / "bin" / name).write_text(text)
        (checkout.folder / "bin" / name).chmod(0o755)
    told = checkout.make(PATH=f"{checkout.folder / 'bin'}:{os.environ['PATH']}", PYTHON="")
    assert told.returncode == 0
    assert checkout.times("made") == 1


def test_its_command_works_from_any_folder(checkout: Checkout, tmp_path: Path) -> None:
    checkout.make()
    command = tmp_path / "storekeeper"
    command.symlink_to(checkout.folder / ".venv" / "bin" / "storekeeper")
    for environ, data in (({}, f"{checkout.folder}/data"), ({"STOREKEEPER_DATA": "there"}, "there")):
        told = subprocess.run(
            [command, "users", "a b"], cwd="/", env=environ, text=True, capture_output=True, check=True
        ).stdout
        assert told == f"{data}|1|-m storekeeper users a b\n"
