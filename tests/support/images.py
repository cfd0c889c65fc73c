"""Images for the tests, made when they run."""

from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F
MARK = b"GPS-and-all-that"
RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image, format: str, **more: Any) -> bytes:
    out = BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


def two_colours(width: int = 64, height: int = 32) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (0, height // 2, width, height))
    return image


def grey16(value: int) -> Image.Image:
    return Image.new("I;16", (8, 8), value)


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKE] = MARK.decode()
    exif.get_ifd(GPS)[1] = MARK.decode()
    return exif
