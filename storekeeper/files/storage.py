"""Files beside the database, by name: in a folder of the data directory, or in an S3-compatible bucket.

obstore takes 4 MiB, which a server that has to do with no file is spared: it is imported where a store is opened.
"""

import asyncio
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import structlog

from storekeeper.errors import FilesUnavailable, NotFound, Unavailable
from storekeeper.files.free_space import FreeSpace
from storekeeper.messages import ErrorMessage
from storekeeper.settings import Settings

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

T = TypeVar("T")

MARK = "storekeeper-mark"  # the name of the file
MARK_LENGTH = 32
SECONDS = 15  # for one call, with all its retries
CODE = re.compile(r"<Code>(\w+)</Code>")
STATUS = re.compile(r"(?<=status code: \d{3}).*")


class Storage:
    """Every method raises Unavailable when the store cannot be reached, or does not answer in time.

    A server awaits, and commands do not: a process that ends soon after it has awaited obstore is at times aborted, by
    a thread of obstore's that still holds objects of an interpreter that is gone.
    """

    def __init__(
        self, open_store: "Callable[[], LocalStore | S3Store]", folder: Path | None = None, floor_mib: int = 0
    ) -> None:
        """The store is opened when it is first used. `folder` is where it is on this machine's disk."""
        self._store = cache(open_store)
        self._folder = folder
        self.disk = FreeSpace(folder, floor_mib)

    async def put(self, name: str, data: bytes) -> None:
        """Atomic and durable. Overwrites an existing file."""
        await _reach(self._store().put_async(name, data, use_multipart=False))
        if self._folder:
            await _reach(asyncio.to_thread(_flush, self._folder / name))

    async def put_pieces(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """The same for a file that does not fit into the memory, as it arrives. What `pieces` raise is raised.

        It is not flushed to the disk: whoever needs it after a loss of power has to send it again.
        """
        try:
            await self._store().put_async(name, self._in_room(pieces))
        except _error() as error:
            raise _unavailable(error) from None

    async def _in_room(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, for as long as there is room on the disk for more."""
        async for piece in pieces:
            self.disk.require_room()
            yield piece

    def copy_from(self, name: str, file: BinaryIO) -> None:
        """Keep a copy of a file. It is left at its end."""
        file.seek(0)
        with _reaching():
            self._store().put(name, file)

    def copy_to(self, name: str, file: BinaryIO) -> None:
        """Write what has that name to a file. NotFound where there is none."""
        try:
            with _reaching(lacking=True):
                for piece in self._store().get(name).stream():
                    file.write(piece)
        except FileNotFoundError:
            raise NotFound("file_not_found") from None

    async def find(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            found = await _reach(self._store().get_async(name), lacking=True)
            return (await _reach(found.bytes_async())).to_bytes()
        return None

    async def get(self, name: str) -> bytes:
        found = await self.find(name)
        if found is None:
            raise NotFound("file_not_found")
        return found

    async def has(self, name: str) -> bool:
        """As `exists`, for a server."""
        with suppress(FileNotFoundError):
            await _reach(self._store().head_async(name), lacking=True)
            return True
        return False

    def find_time(self, name: str) -> float | None:
        """When the file was written, in seconds since 1970."""
        with suppress(FileNotFoundError), _reaching(lacking=True):
            return self._store().head(name)["last_modified"].timestamp()
        return None

    def exists(self, name: str) -> bool:
        return self.find_time(name) is not None

    async def delete(self, name: str) -> None:
        """Also when there is no such file."""
        with suppress(FileNotFoundError):
            await _reach(self._store().delete_async(name), lacking=True)

    def remove(self, name: str) -> None:
        """As `delete`, for a command."""
        with suppress(FileNotFoundError), _reaching(lacking=True):
            self._store().delete(name)

    async def mark(self) -> str | None:
        """What tells this storage from any other. The same on all nodes that share it.

        Every server asks for it, those that have to do with no file, too: a folder is asked without obstore.
        """
        found = await (_reach(asyncio.to_thread(_find_file, self._folder / MARK)) if self._folder else self.find(MARK))
        return None if found is None else _read_mark(found)

    def find_mark(self) -> str | None:
        """As `mark`, for a command."""
        found = BytesIO()
        try:
            self.copy_to(MARK, found)
        except NotFound:
            return None
        return _read_mark(found.getvalue())

    async def make_mark(self) -> str:
        """Mark it. Of two nodes that share it, one does."""
        data = new_mark().encode()
        if self._folder:
            await _reach(asyncio.to_thread(_create_file, self._folder / MARK, data))
        else:
            await _reach(self._create(MARK, data))
        return await self.mark() or ""

    async def _create(self, name: str, data: bytes) -> None:
        """Unless there is such a file. Some servers of buckets cannot tell, and replace it."""
        from obstore.exceptions import AlreadyExistsError, NotSupportedError  # noqa: PLC0415

        try:
            await self._store().put_async(name, data, use_multipart=False, mode="create")
        except AlreadyExistsError:
            return
        except NotSupportedError:
            await self._store().put_async(name, data, use_multipart=False)

    def check(self) -> None:
        """Write, read and delete a small file. FilesUnavailable, with the reason, where one of these fails."""
        name, data = f"check/{secrets.token_hex(8)}", secrets.token_bytes(32)
        try:
            self._store().put(name, data, use_multipart=False)
            found = self._store().get(name).bytes().to_bytes()
            self._store().delete(name)
        except (_error(), OSError) as error:
            raise FilesUnavailable(cause=_reason(error)) from None
        if found != data:
            raise FilesUnavailable(cause=ErrorMessage("files_read_differently"))

    def prune(self, folder: str, names_in_use: Container[str], older_than_seconds: float) -> int:
        """Delete the files that nobody needs, and say how many. Young ones stay: their row may be under way."""
        unused = [name for name in self.list(folder) if name not in names_in_use]
        return sum(self.remove_old(name, older_than_seconds) for name in unused)

    def remove_old(self, name: str, seconds: float) -> bool:
        """Delete a file that is there and was not written within the last seconds; and whether it was."""
        written = self.find_time(name)
        if written is None or written >= time.time() - seconds:
            return False
        self.remove(name)
        return True

    async def find_sizes(self, folder: str) -> dict[str, int]:
        """As `list`, for a server: how many bytes each has, by its name."""
        if self._folder and self._folder.is_dir() and not (self._folder / folder).exists():
            return {}  # without obstore
        with _reaching():
            return {each["path"]: each["size"] async for page in self._store().list(folder) for each in page}

    def list(self, folder: str) -> Iterator[str]:
        """The names of what is in a folder and in those below it."""
        with _reaching():
            for page in self._store().list(folder):
                yield from (each["path"] for each in page)


def _read_mark(data: bytes) -> str:
    return data.decode("ascii", "replace")[:MARK_LENGTH]


def new_mark() -> str:
    return secrets.token_hex(MARK_LENGTH // 2)


async def _reach(work: Awaitable[T], lacking: bool = False) -> T:
    """What the store answers. With `lacking`, FileNotFoundError where it has no such file."""
    with _reaching(lacking):
        async with asyncio.timeout(SECONDS):
            return await work


@contextmanager
def _reaching(lacking: bool = False) -> Iterator[None]:
    try:
        yield
    except (_error(), OSError) as error:
        if lacking and isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
            raise
        raise _unavailable(error) from None


def _error() -> type[Exception]:
    """What obstore raises: asked for once something was raised."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    return BaseError


def _unavailable(error: Exception) -> Unavailable:
    structlog.get_logger().warning("storage_failed", reason=_reason(error))
    return Unavailable("files_unavailable")


def _reason(error: Exception) -> str:
    """For the log: without the body of an answer, where a server may repeat what it was sent."""
    text = str(error) or type(error).__name__
    code = CODE.search(text)
    return STATUS.sub("", text.partition("\n")[0]) + (f" {code[1]}" if code else "")


def _find_file(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _create_file(path: Path, data: bytes) -> None:
    """Unless there is such a file. Nobody ever sees a part of it."""
    draft = path.with_name(f"{path.name}-{secrets.token_hex(8)}")
    draft.write_bytes(data)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _flush(path: Path) -> None:
    """A file that a row names has to outlive a loss of power: obstore writes and renames it, but does not sync."""
    for each in (path, path.parent):
        opened = os.open(each, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def create_storage(settings: Settings) -> Storage:
    """A folder is made at once, and a bucket opened, so that a server with wrong settings does not start."""
    if settings.storage_url:
        bucket = _open_bucket(settings)
        return Storage(lambda: bucket)
    folder = settings.data_path / "files"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Storage(partial(_open_folder, folder), folder, settings.free_disk_mib)


def _open_folder(path: Path) -> "LocalStore":
    from obstore.store import LocalStore  # noqa: PLC0415

    return LocalStore(path, automatic_cleanup=True)


def _open_bucket(settings: Settings) -> "S3Store":
    """What is not set comes from the environment: AWS_ACCESS_KEY_ID and so on."""
    from obstore.store import S3Store  # noqa: PLC0415

    url = urlsplit(settings.storage_url)
    given = {
        "endpoint": settings.storage_endpoint,
        "region": settings.storage_region,
        "access_key_id": settings.storage_access_key,
        "secret_access_key": settings.storage_secret_key,
    }
    config: Any = {name: value for name, value in given.items() if value}
    is_plain = settings.storage_endpoint.startswith("http://")
    return S3Store(
        url.netloc,
        prefix=url.path.strip("/") or None,
        config=config,
        client_options={"allow_http": is_plain, "connect_timeout": "3s", "timeout": "10s"},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )
