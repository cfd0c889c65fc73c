"""What the numbers were measured on: the machine, its system and the versions of everything that took part."""

import os
import platform
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks import load
from benchmarks.results import Machine


def describe(directory: Path, versions: dict[str, str]) -> Machine:
    told = Path("/proc/cpuinfo").read_text("utf-8")
    fields = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    found = {name.strip(): value.strip() for name, value in fields.items()}
    return Machine(
        processor=found.get("model name", platform.machine()),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        is_virtual="hypervisor" in found.get("flags", "").split(),
        system=_system(),
        file_system=_file_system(directory),
        versions={"Python": platform.python_version(), "wrk": load.version()} | versions,
    )


def _system() -> str:
    release = platform.freedesktop_os_release()
    return f"{release.get('PRETTY_NAME', platform.system())}, Linux {platform.release()}"


def _file_system(directory: Path) -> str:
    """The type of the file system that holds the directory: on one in memory a commit costs nothing."""
    mounts = [each for each in psutil.disk_partitions(all=True) if directory.is_relative_to(each.mountpoint)]
    return max(mounts, key=lambda each: len(each.mountpoint)).fstype if mounts else "unknown"
