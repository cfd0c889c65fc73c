"""Images: what is taken, what is made of it, and where it is kept."""

import asyncio
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from storekeeper.concurrency.bounded_pool import BoundedPool
from storekeeper.errors import Invalid, Unavailable
from storekeeper.files import images
from storekeeper.files.images import SIZES, Images
from storekeeper.files.storage import Storage, create_storage
from storekeeper.settings import Settings
from tests.support.images import BLUE, MARK, RED, encoded, grey16, profile, two_colours, with_exif

# As the server does: see `Images`.
pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\.")


def made(data: bytes, size: str = "full") -> Image.Image:
    image = Image.open(BytesIO(images.read(data).files[size]), formats=["WEBP"])
    image.load()
    return image


def is_near(image: Image.Image, place: tuple[int, int], colour: tuple[int, ...]) -> bool:
    """WebP is lossy, and profiles are rounded."""
    found = image.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(one - other) <= 12 for one, other in zip(found, colour, strict=True))


# What is taken


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_each_format_keeps_its_colours(format: str) -> None:
    for size in SIZES:
        image = made(encoded(two_colours(), format), size)
        assert (image.mode, image.size) == ("RGB", (64, 32))
        assert is_near(image, (30, 4), RED)
        assert is_near(image, (30, 28), BLUE)


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (encoded(Image.new("L", (8, 8), 90), "PNG"), (90, 90, 90)),
        (encoded(Image.new("L", (8, 8), 90), "JPEG"), (90, 90, 90)),
        (encoded(Image.new("1", (8, 8), 1), "PNG"), (255, 255, 255)),
        (encoded(grey16(40_000), "PNG"), (156, 156, 156)),
        (encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG"), (0, 255, 255)),
        (encoded(Image.new("RGB", (8, 8), RED).quantize(4), "PNG"), RED),
        (encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "PNG"), (*RED, 128)),
        (encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "WEBP", lossless=True), (*RED, 128)),
        (encoded(Image.new("LA", (8, 8), (90, 128)), "PNG"), (90, 90, 90, 128)),
        (encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 128)).quantize(4), "PNG"), (*RED, 128)),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_each_mode_keeps_its_colour_and_its_transparency(data: bytes, colour: tuple[int, ...]) -> None:
    assert is_near(made(data), (4, 4), colour)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.new("RGB", (8, 8), RED), "PNG", transparency=RED),
        encoded(Image.new("L", (8, 8), 90), "PNG", transparency=90),
        encoded(Image.new("1", (8, 8), 1), "PNG", transparency=1),
        encoded(Image.new("RGB", (8, 8), RED).quantize(2), "PNG", transparency=0),
        encoded(Image.new("RGB", (8, 8), RED).quantize(2), "GIF", transparency=0),
    ],
    ids=["RGB", "L", "1", "P", "GIF"],
)
def test_a_colour_that_stands_for_nothing_is_transparent(data: bytes) -> None:
    pixel = made(data).getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    image = made(encoded(frames[0], format, save_all=True, append_images=frames[1:]))
    assert is_near(image, (4, 4), RED)
    assert getattr(image, "n_frames", 1) == 1


def test_colours_are_converted_from_the_profile() -> None:
    """Here from one of a screen whose red is blue."""
    swapped = profile().replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    for mode, colour in (("RGB", BLUE), ("RGBA", (*BLUE, 128))):
        image = Image.new(mode, (8, 8), (*RED, 128)[: len(mode)])
        assert is_near(made(encoded(image, "PNG", icc_profile=swapped)), (4, 4), colour)


def test_a_profile_that_is_damaged_or_of_other_colours_is_passed_over() -> None:
    grey = encoded(Image.new("L", (8, 8), 90), "PNG", icc_profile=profile())
    for data in (
        grey,
        *(encoded(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=bad) for bad in (b"x", b"\0" * 200)),
    ):
        assert is_near(made(data), (4, 4), (90, 90, 90) if data is grey else RED)


# What is made of it


@pytest.mark.parametrize(
    ("size", "full", "small"),
    [
        ((1, 1), (1, 1), (1, 1)),
        ((320, 200), (320, 200), (320, 200)),
        ((321, 100), (321, 100), (320, 100)),
        ((1600, 1600), (1600, 1600), (320, 320)),
        ((3200, 1600), (1600, 800), (320, 160)),
        ((900, 1800), (800, 1600), (160, 320)),
        ((12_000, 1), (1600, 1), (320, 1)),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_sizes_are_bounded_and_never_enlarged(
    format: str, size: tuple[int, int], full: tuple[int, int], small: tuple[int, int]
) -> None:
    data = encoded(Image.new("RGB", size, RED), format)
    assert (made(data).size, made(data, "small").size) == (full, small)


# Where red, the upper half as it is stored, is to be seen: by the orientation (Exif 2.32, section 4.6.4).
UP, DOWN, LEFT, RIGHT = "up", "down", "left", "right"
SEEN = {1: UP, 2: UP, 3: DOWN, 4: DOWN, 5: LEFT, 6: RIGHT, 7: RIGHT, 8: LEFT}
PLACES = {UP: (16, 4), DOWN: (16, 28), LEFT: (4, 16), RIGHT: (28, 16)}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", SEEN)
def test_the_camera_says_which_side_is_up(format: str, orientation: int) -> None:
    image = made(encoded(two_colours(32, 32), format, exif=with_exif(orientation)))
    seen = [place for place, at in PLACES.items() if is_near(image, at, RED)]
    assert SEEN[orientation] in seen
    assert not is_near(image, PLACES[{UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}[SEEN[orientation]]], RED)
    assert made(encoded(two_colours(40, 20), format, exif=with_exif(orientation))).size == (
        (20, 40) if orientation > 4 else (40, 20)
    )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_no_metadata_is_kept(format: str) -> None:
    more: dict[str, Any] = {"exif": with_exif(6), "icc_profile": profile()}
    more |= {"xmp": b"<x:xmpmeta>" + MARK} if format != "PNG" else {}
    data = encoded(two_colours(), format, **more) + b"<script>" + MARK
    assert MARK in data
    for file in images.read(data).files.values():
        image = Image.open(BytesIO(file))
        assert not set(image.info) & {"exif", "icc_profile", "xmp"}
        assert not any(chunk in file for chunk in (MARK, b"<script>", b"EXIF", b"ICCP", b"XMP "))


def test_a_comment_is_not_kept() -> None:
    for data in (encoded(two_colours(), "GIF", comment=MARK), encoded(two_colours(), "JPEG", comment=MARK)):
        assert MARK in data
        assert MARK not in b"".join(images.read(data).files.values())


def test_the_key_is_of_what_was_made() -> None:
    plain, commented = (encoded(two_colours(), "GIF", comment=text) for text in (b"", MARK))
    assert plain != commented
    assert images.read(plain).key == images.read(commented).key
    assert images.read(plain).key != images.read(encoded(two_colours(65), "GIF")).key


# At work


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return create_storage(Settings(data=str(tmp_path)))


def kept(storage: Storage) -> list[str]:
    return sorted(storage.list(""))


def test_both_files_are_kept_under_the_key(storage: Storage) -> None:
    async def scenario() -> None:
        shelf = Images(storage)
        data = encoded(two_colours(1000, 500), "JPEG")
        picture = await shelf.make(data, 1)
        await shelf.keep(picture)
        key = picture.key
        assert key == images.read(data).key
        assert kept(storage) == [f"images/{key}/full.webp", f"images/{key}/small.webp"]
        for size in SIZES:
            assert await shelf.get(key, size) == images.read(data).files[size]
        with pytest.raises(Invalid):
            await shelf.make(b"x", 1)
        assert len(kept(storage)) == 2
        shelf.close()

    asyncio.run(scenario())


def test_work_beyond_what_may_wait_is_refused_and_counted_until_done() -> None:
    async def scenario() -> None:
        pool, gate = BoundedPool("test", 1, 2), threading.Event()
        calls = [asyncio.create_task(pool.run((), gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        calls[0].cancel()  # its caller has hung up, but it is under way
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await pool.run((), bool, 1)
        gate.set()
        assert await asyncio.gather(*calls[1:]) == [True, True]
        await asyncio.sleep(0)
        assert await pool.run((), divmod, 7, 2) == (3, 1)
        pool.close()

    asyncio.run(scenario())
