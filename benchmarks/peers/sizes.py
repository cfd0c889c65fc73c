"""What a peer takes on the disk, without the Python or the Node that runs it."""

from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def mebibytes(packages: Iterable[str], folders: Iterable[Path]) -> float:
    """Of Python packages, with all that they require, and of folders."""
    files = [file for name in closure(packages) for file in _files(name)]
    files += [file for folder in folders for file in folder.rglob("*") if not file.is_symlink()]
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def closure(packages: Iterable[str]) -> set[str]:
    """The names of the packages that these requirements bring here."""
    waiting = [Requirement(each) for each in packages]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _required(name, extra)
    return {name for name, _ in seen}


def _required(name: str, extra: str) -> Iterator[Requirement]:
    """What a package requires for itself, or for one of its extras."""
    for told in distribution(name).requires or ():
        requirement = Requirement(told)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            yield requirement


def _files(name: str) -> Iterator[Path]:
    return (Path(str(file.locate())) for file in distribution(name).files or ())
