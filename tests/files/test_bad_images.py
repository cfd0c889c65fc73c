"""Files that are no images, too large, cut, damaged or made to do harm: each is refused with one sentence."""

import struct
import time
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from storekeeper.errors import Invalid, TooLarge
from storekeeper.files import image_codec, images
from storekeeper.files.images import SIZES, StoredImage
from tests.support.images import MARK, encoded, grey16, profile, two_colours, with_exif

# As the server does: see `Images`.
pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\.")

NO_IMAGE = "This is not a whole PNG, JPEG, WebP or GIF image."
TOO_BIG = "An image has at most 40 megapixels, and 12,000 pixels a side."


def refusal(data: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        images.read(data)
    (error,) = caught.value.fields
    assert error.field == "image"
    return str(caught.value)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes) -> bytes:
    """Black and white, of that size as it says, with hardly any data."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + body + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    """Of one pixel, and a frame in it of that size."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00\x3b"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame


def webp(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGBA", (8, 8)), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", width - 1 | (height - 1) << 14 | 1 << 28)
    return bytes(data)


def jpeg(width: int, height: int) -> bytes:
    data = encoded(Image.new("L", (8, 8)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


@pytest.mark.parametrize("make", [png, gif, webp, jpeg])
@pytest.mark.parametrize("size", [(60_000, 60_000), (12_001, 1), (1, 12_001), (6_325, 6_325), (11_000, 11_000)])
def test_a_bomb_is_refused_before_it_goes_off(make: Any, size: tuple[int, int]) -> None:
    if make is webp and max(size) > 2**14:
        size = (2**14, 2**14)  # all that fits there
    data = make(*size)
    assert len(data) < 2000
    assert refusal(data) in (TOO_BIG, NO_IMAGE)


def test_the_largest_image_is_taken_and_one_pixel_more_is_not() -> None:
    assert isinstance(outcome(encoded(Image.new("1", (8000, 5000)), "PNG")), StoredImage)
    assert refusal(encoded(Image.new("1", (8000, 5001)), "PNG")) == TOO_BIG


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG may hold any number of scans over the whole of it, of a few bytes each. 10 MiB of them take an hour."""
    monkeypatch.setattr(image_codec, "CPU_SECONDS", 0.2)
    data = encoded(Image.new("L", (2000, 2000), 120), "JPEG", progressive=True)
    last_scan = b"\xff\xda" + data.split(b"\xff\xda")[-1].removesuffix(b"\xff\xd9")
    began = time.thread_time()
    slow = data.removesuffix(b"\xff\xd9") + last_scan * 100_000
    assert refusal(slow) == "This image takes too long to read. Save it anew, smaller or in another format."
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"This is a text.",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>" + encoded(two_colours(), "PNG"),
        b"%PDF-1.7\n%\xe2\xe3",
        b"GIF89a/*<script>alert(1)</script>*/",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"\xff\xd8\xff\xe0",
        png(8, 0),
        png(0, 0),
        png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b" * 2_000_000))),
        encoded(two_colours(), "BMP"),
        encoded(two_colours(), "TIFF"),
        encoded(two_colours(), "ICO"),
        encoded(two_colours(), "PPM"),
        encoded(two_colours().convert("1"), "XBM"),
        encoded(two_colours(), "EPS"),
        encoded(two_colours(), "JPEG2000"),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_image_of_ours_is_refused(data: bytes) -> None:
    assert refusal(data) == NO_IMAGE


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_file_that_was_cut_is_refused(format: str) -> None:
    data = encoded(Image.effect_noise((200, 200), 90), format)
    for part in (0.01, 0.1, 0.5, 0.9):
        assert refusal(data[: int(len(data) * part)]) == NO_IMAGE, part


def test_an_upload_has_at_most_10_mib() -> None:
    data = encoded(two_colours(), "PNG")
    images.read(data.ljust(10 * 2**20, b"\0"))
    with pytest.raises(TooLarge, match="10,485,760 bytes"):
        images.read(data.ljust(10 * 2**20 + 1, b"\0"))


SEEDS = [
    encoded(two_colours(), "PNG"),
    encoded(two_colours().quantize(8), "PNG", transparency=1),
    encoded(grey16(1), "PNG"),
    encoded(two_colours(), "JPEG", exif=with_exif(6), progressive=True),
    encoded(
        Image.new("CMYK", (8, 8)),
        "JPEG",
        icc_profile=profile(),
    ),
    encoded(two_colours(), "GIF", save_all=True, append_images=[two_colours()], comment=MARK),
    encoded(two_colours(), "WEBP", exif=with_exif(3), xmp=b"<x>"),
    encoded(two_colours(), "WEBP", lossless=True, save_all=True, append_images=[two_colours(64, 32)]),
]
HEADS = [b"", *(data[:length] for data in SEEDS for length in (8, 16, 40))]


def outcome(data: bytes) -> StoredImage | Invalid:
    try:
        return images.read(data)
    except Invalid as error:
        return error


def check(data: bytes) -> None:
    """An image within its bounds, or a refusal that says so; nothing else."""
    found = outcome(data)
    if isinstance(found, Invalid):
        assert [each.field for each in found.fields] == ["image"]
    else:
        sizes = {name: Image.open(BytesIO(made), formats=["WEBP"]).size for name, made in found.files.items()}
        assert all(max(sizes[name]) <= side for name, side in SIZES.items())


@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_random_bytes_are_an_image_or_refused(head: bytes, rest: bytes) -> None:
    check(head + rest)


@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6), st.floats(0, 1)
)
def test_damaged_files_are_an_image_or_refused(seed: bytes, changes: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(seed)
    for place, value in changes:
        # More often in the head, where the sizes are.
        data[int(place**3 * len(data))] = value
    check(bytes(data[: len(data) if cut < 0.7 else int(cut * len(data))]))
