"""Free space on the disk of the files: uploads are refused before it is full.

On a full disk nothing goes: no change, and on SQLite no sign-in. So a part of it is kept free for those.
"""

from pathlib import Path
from shutil import disk_usage

from storekeeper.errors import InsufficientStorage

MEBIBYTE = 2**20
SMALL = 20  # of a disk a twentieth is kept free, where that is less than the setting


class FreeSpace:
    """The disk of a folder, as it was found last; without a folder no file is written to a disk of this machine."""

    def __init__(self, folder: Path | None, floor_mib: int) -> None:
        self.is_watched = folder is not None and floor_mib > 0
        self._folder = folder
        self._floor_mib = floor_mib
        self._floor = 0
        self._free: int | None = None  # bytes; None while nobody has looked

    def look(self) -> None:
        """Find out how much is free. That may take long where the folder is on another machine."""
        if self._folder is not None and self.is_watched:
            total, _, free = disk_usage(self._folder)
            self._floor = min(self._floor_mib * MEBIBYTE, total // SMALL)
            self._free = free

    def require_room(self, size: int = 0) -> None:
        """InsufficientStorage where too little is free, or would be with a file of so many bytes."""
        if self._free is not None and self._free - size < self._floor:
            raise InsufficientStorage

    @property
    def shortage(self) -> str | None:
        """For the operator, why files are refused; None where they are not."""
        if self._free is None or self._free >= self._floor:
            return None
        free, floor = self._free // MEBIBYTE, self._floor // MEBIBYTE
        return (
            f"Only {free:,} MiB are free on the disk of the files, so images and imports are refused: make room, "
            f"{floor:,} MiB at the least, or lower STOREKEEPER_FREE_DISK_MIB."
        )
