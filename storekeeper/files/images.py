"""Images of items: checked by decoding them, made anew as WebP in two sizes, and kept in the storage.

A file's name says what is in it: `images/KEY/full.webp`, where KEY is the SHA-256 of the files that were made. The
upload's own would not do: another version of the encoder makes other files of it, which caches would never ask for.
"""

import re
import warnings
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from storekeeper.concurrency.bounded_pool import BoundedPool
from storekeeper.errors import TooLarge
from storekeeper.files.storage import Storage

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
SIZES = {"full": 1600, "small": 320}  # pixels of the longer side, the largest first
BYTES = 10 * 1024 * 1024

MAX_CONCURRENT = 1  # the largest image takes some 400 MB while it is worked on
WAITING = 8

FOLDER = "images"
NAME = re.compile(rf"{FOLDER}/([^/]+)/(?:{'|'.join(SIZES)})\.webp")
YOUNG_SECONDS = 3_600


class StoredImage(msgspec.Struct, frozen=True):
    """What is made of an upload: WebP files, by the names in `SIZES`."""

    files: dict[str, bytes]

    @property
    def key(self) -> str:
        return sha256(b"".join(self.files.values())).hexdigest()

    @property
    def size(self) -> int:
        """Of all its files, in bytes."""
        return sum(map(len, self.files.values()))


class Images:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._pool = BoundedPool("images", MAX_CONCURRENT, WAITING)
        # Pillow warns of what is odd in a file, on stderr, and the interpreter never frees the texts.
        warnings.filterwarnings("ignore", module=r"PIL\.")

    async def make(self, data: bytes, user_id: int) -> StoredImage:
        """Check an upload, and what is made of it.

        `user_id` is whom it is done for: those whose uploads wait have equal shares.
        """
        return await self._pool.run((str(user_id),), read, data)

    async def keep(self, picture: StoredImage) -> None:
        """Write its files. One that was there is written again, and is new."""
        for size, made in picture.files.items():
            await self._storage.put(path(picture.key, size), made)

    def require_room(self) -> None:
        """InsufficientStorage while no file is taken."""
        self._storage.disk.require_room()

    async def get(self, key: str, size: str) -> bytes:
        return await self._storage.get(path(key, size))

    async def exists(self, key: str) -> bool:
        """Whether all its files are there."""
        return all([await self._storage.has(path(key, size)) for size in SIZES])

    def close(self) -> None:
        self._pool.close()


def path(key: str, size: str) -> str:
    return f"{FOLDER}/{key}/{size}.webp"


def keys_of(names: Iterable[str]) -> set[str]:
    """The keys of the images that files of these names are of. Other files are passed over."""
    return set(sizes_of(dict.fromkeys(names, 0)))


def sizes_of(files: Mapping[str, int]) -> dict[str, int]:
    """By the keys of images, how many bytes their files have together."""
    sizes: dict[str, int] = {}
    for name, size in files.items():
        if found := NAME.fullmatch(name):
            sizes[found[1]] = sizes.get(found[1], 0) + size
    return sizes


def remove(storage: Storage, key: str) -> None:
    """Delete the files of an image, unless it was uploaded again just now: its item is about to be given it."""
    for size in SIZES:
        storage.remove_old(path(key, size), YOUNG_SECONDS)


def read(data: bytes) -> StoredImage:
    """What is kept of an upload. Invalid or TooLarge for what is no image, or too much of one."""
    if len(data) > BYTES:
        raise TooLarge(maximum=BYTES)
    from storekeeper.files import image_codec  # noqa: PLC0415  with Pillow: 2 MiB that a server without images is spared

    return StoredImage(image_codec.convert(data, SIZES))
