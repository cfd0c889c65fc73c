"""Pictures by Pillow: decoded within bounds, upright and in sRGB, and encoded anew as WebP.

Pillow is imported with this module, and this module when the first picture comes.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO

from PIL import Image, ImageCms, ImageFile, ImageOps
from PIL.Image import Resampling

from storekeeper.errors import Invalid, StorekeeperError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
QUALITY = 80

PIXELS = 40_000_000
SIDE = 12_000
CPU_SECONDS = 10
READ_AT_ONCE = 4096


def convert(data: bytes, sides: Mapping[str, int]) -> dict[str, bytes]:
    """A WebP file for each of `sides`, the pixels of its longer side, the largest first. Invalid for what is none."""
    image = _decode(data, max(sides.values()))
    return {name: _encode(image, side) for name, side in sides.items()}


def _decode(data: bytes, maximum: int) -> Image.Image:
    """Upright, in sRGB with or without transparency, its longer side at most that long."""
    try:
        with Image.open(_TimeLimitedFile(data), formats=FORMATS) as image:
            _check_size(image)
            _load(image, maximum)
            return ImageOps.exif_transpose(_in_srgb(_shrink(_in_scalable_mode(image), maximum)))
    except StorekeeperError:
        raise
    except Exception:  # whatever Pillow raises on a file: they are a dozen kinds, and the file is at fault
        raise Invalid("image_unreadable", field="image") from None


class _TimeLimitedFile(BytesIO):
    """Ends when decoding has cost too much: a JPEG of 176 KB, all scans, has taken a core 9 seconds."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._end = time.thread_time() + CPU_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._end:
            raise Invalid("image_slow", field="image")
        return super().read(size)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > PIXELS or max(width, height) > SIDE:
        raise Invalid("image_size", field="image", megapixels=PIXELS // 10**6, side=SIDE)


def _load(image: ImageFile.ImageFile, maximum: int) -> None:
    image.decodermaxblock = READ_AT_ONCE  # time is looked at between reads
    image.draft(None, (maximum, maximum))  # a large JPEG is made smaller on the way
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
