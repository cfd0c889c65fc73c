"""Images of items: checked by decoding them, made anew as WebP in two sizes, and kept in the storage.

A file's name says what is in it: `images/KEY/full.webp`, where KEY is the SHA-256 of the files that were made. The
upload's own would not do: another version of the encoder makes other files of it, which caches would never ask for.
"""

import time
import warnings
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from io import BytesIO

import msgspec
from PIL import Image, ImageCms, ImageFile, ImageOps
from PIL.Image import Resampling

from storekeeper.errors import Invalid, StorekeeperError, TooLarge
from storekeeper.pool import Pool
from storekeeper.storage import Storage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
SIZES = {"full": 1600, "small": 320}  # pixels of the longer side, the largest first
QUALITY = 80

BYTES = 10 * 1024 * 1024
PIXELS = 40_000_000
SIDE = 12_000
CPU_SECONDS = 10
READ_AT_ONCE = 4096

AT_ONCE = 1  # the largest image takes some 400 MB while it is worked on
WAITING = 8

FOLDER = "images"


class Picture(msgspec.Struct, frozen=True):
    """What is made of an upload: WebP files, by the names in `SIZES`."""

    files: dict[str, bytes]

    @property
    def key(self) -> str:
        return sha256(b"".join(self.files.values())).hexdigest()


class Images:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._pool = Pool("images", AT_ONCE, WAITING)
        # Pillow warns of what is odd in a file, on stderr, and the interpreter keeps each different text for ever.
        warnings.filterwarnings("ignore", module=r"PIL\.")

    async def add(self, data: bytes) -> str:
        """Check an upload and keep what is made of it: its key. A file that was there is written again, and is new."""
        picture = await self._pool.run(read, data)
        for size, made in picture.files.items():
            await self._storage.put(path(picture.key, size), made)
        return picture.key

    async def get(self, key: str, size: str) -> bytes:
        return await self._storage.get(path(key, size))

    def close(self) -> None:
        self._pool.close()


def path(key: str, size: str) -> str:
    return f"{FOLDER}/{key}/{size}.webp"


def prune(storage: Storage, keys_in_use: Iterable[str], older_than_seconds: float) -> int:
    """Delete the files that no item names, and say how many. Young ones stay: their row may be under way."""
    in_use = {path(key, size) for key in keys_in_use for size in SIZES}
    return storage.prune(FOLDER, in_use, older_than_seconds)


def read(data: bytes) -> Picture:
    """What is kept of an upload. Invalid or TooLarge for what is no image, or too much of one."""
    if len(data) > BYTES:
        raise TooLarge(BYTES)
    image = _decode(data)
    return Picture({name: _encode(image, side) for name, side in SIZES.items()})


def _decode(data: bytes) -> Image.Image:
    """Upright, in sRGB with or without transparency, at most of the largest size."""
    try:
        with Image.open(_Impatient(data), formats=FORMATS) as image:
            _check_size(image)
            _load(image)
            return ImageOps.exif_transpose(_in_srgb(_shrink(_in_scalable_mode(image), SIZES["full"])))
    except StorekeeperError:
        raise
    except Exception:  # whatever Pillow raises on a file: they are a dozen kinds, and the file is at fault
        raise Invalid("This is not a whole PNG, JPEG, WebP or GIF image.", "image") from None


class _Impatient(BytesIO):
    """Ends when decoding has cost too much: a JPEG of 176 KB, all scans, has taken a core 9 seconds."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._end = time.thread_time() + CPU_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._end:
            raise Invalid("This image takes too long to read.", "image")
        return super().read(size)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > PIXELS or max(width, height) > SIDE:
        most = f"{PIXELS // 10**6} megapixels, and {SIDE:,} pixels a side"
        raise Invalid(f"An image has at most {most}.", "image")


def _load(image: ImageFile.ImageFile) -> None:
    image.decodermaxblock = READ_AT_ONCE  # time is looked at between reads
    image.draft(None, (SIZES["full"],) * 2)  # a large JPEG is made smaller on the way
    image.load()


def _in_scalable_mode(image: Image.Image) -> Image.Image:
    """As grey, CMYK or (A)RGB: what has a palette or 1 or 16 bits cannot be scaled well."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in ("L", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _shrink(image: Image.Image, side: int) -> Image.Image:
    """In place, as a large image takes much memory. What is small already stays as it is."""
    image.thumbnail((side, side), Resampling.LANCZOS)
    return image


def _in_srgb(image: Image.Image) -> Image.Image:
    """The profile is dropped with all other metadata, so its colours have to be converted."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile := image.info.get("icc_profile"):
        with suppress(OSError, ValueError, TypeError, ImageCms.PyCMSError):  # one that is damaged or does not fit
            source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
            assert converted, "not in place"
            return converted
    return image.convert(mode)


def _encode(image: Image.Image, side: int) -> bytes:
    """Pillow writes no metadata into a WebP file unless it is told to."""
    out = BytesIO()
    _shrink(image, side).save(out, "WEBP", quality=QUALITY)
    return out.getvalue()
