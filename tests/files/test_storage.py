"""The storage of files: the same on the folder and on a bucket; and what is told when it fails."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import boto3
import msgspec
import pytest
from moto.server import ThreadedMotoServer
from structlog.testing import capture_logs

from storekeeper.errors import NotFound, Unavailable
from storekeeper.files.storage import Storage, create_storage
from storekeeper.settings import Settings, SettingsError, read_settings

T = TypeVar("T")

SECRET = "s3cret-of-the-bucket"
KEYS: dict[str, Any] = {
    "storage_region": "us-east-1",
    "storage_access_key": "AKIDEXAMPLE",
    "storage_secret_key": SECRET,
}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def names(storage: Storage, folder: str) -> list[str]:
    return sorted(storage.list(folder))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server that speaks S3, with a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": SECRET}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket="shop")
    yield url
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "folder":
        return Settings(data=str(tmp_path / "data"))
    endpoint = request.getfixturevalue("endpoint")
    return Settings(storage_url=f"s3://shop/{tmp_path.name}", storage_endpoint=endpoint, **KEYS)


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return create_storage(settings)


# The same on both


def test_a_file_is_kept_replaced_listed_and_deleted(storage: Storage, settings: Settings) -> None:
    name, large = "images/aa/full.webp", os.urandom(1_000_000)

    async def scenario() -> None:
        assert await storage.find(name) is None
        assert not storage.exists(name)
        assert not await storage.has(name)
        began = time.time()
        for data in (b"", b"first", large):
            await storage.put(name, data)
            assert await storage.get(name) == data
            assert await create_storage(settings).find(name) == data
        written = storage.find_time(name)
        assert written
        assert began - 2 <= written <= time.time() + 1  # a bucket tells whole seconds
        await storage.put("images/bb/small.webp", b"b")
        await storage.put("others/aa", b"o")
        assert names(storage, "images") == [name, "images/bb/small.webp"]
        assert await storage.find_sizes("images") == {name: len(large), "images/bb/small.webp": 1}
        assert await storage.has(name)
        await storage.delete(name)
        await storage.delete(name)
        assert not storage.exists(name)
        await storage.put(name, b"again")
        storage.remove(name)
        storage.remove(name)
        assert not storage.exists(name)
        assert names(storage, "images") == ["images/bb/small.webp"]

    run(scenario())


def test_what_was_never_written_is_not_found(storage: Storage) -> None:
    assert names(storage, "images") == []
    assert run(storage.find_sizes("images")) == {}
    assert storage.find_time("images/aa/full.webp") is None
    with pytest.raises(NotFound, match=r"There is no such file\."):
        run(storage.get("images/aa/full.webp"))


def test_a_reader_never_sees_half_a_file(storage: Storage) -> None:
    whole = [bytes([value]) * 300_000 for value in range(20)]

    async def write() -> None:
        for data in whole:
            await storage.put("busy", data)

    async def scenario() -> None:
        await storage.put("busy", whole[0])
        writing = asyncio.create_task(write())
        while not writing.done():
            assert await storage.get("busy") in whole
        await writing

    run(scenario())


def test_a_name_never_leaves_the_folder(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "keys.json").write_text(SECRET)
    for name in ("../keys.json", "images/../../keys.json", "images//aa"):
        with pytest.raises(ValueError, match="Could not parse path"):
            run(storage.find(name))
    assert run(storage.find("%2e%2e/keys.json")) is None


# The folder


def test_the_folder_is_its_owners_alone_and_holds_nothing_else(tmp_path: Path) -> None:
    storage = create_storage(Settings(data=str(tmp_path / "new" / "data")))
    folder = tmp_path / "new" / "data" / "files"
    assert folder.stat().st_mode & 0o777 == 0o700
    run(storage.put("images/aa/full.webp", b"a"))
    assert [str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()] == ["images/aa/full.webp"]
    run(storage.delete("images/aa/full.webp"))
    assert list(folder.iterdir()) == []


def test_a_half_written_file_of_a_crash_is_no_file(tmp_path: Path) -> None:
    """The store writes to a name with a number at its end, and renames."""
    storage = create_storage(Settings(data=str(tmp_path)))
    run(storage.put("images/aa/full.webp", b"a"))
    (tmp_path / "files" / "images" / "aa" / "small.webp#1").write_bytes(b"half")
    assert names(storage, "images") == ["images/aa/full.webp"]


# When it fails


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def broken(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if kind == "folder":
        storage = create_storage(Settings(data=str(tmp_path)))
        (tmp_path / "files").rmdir()
        (tmp_path / "files").write_text("no folder")
        return storage
    is_down = kind == "server down"
    endpoint = f"http://127.0.0.1:{closed_port()}" if is_down else request.getfixturevalue("endpoint")
    return create_storage(Settings(storage_url="s3://nowhere/shop", storage_endpoint=endpoint, **KEYS))


WORKS: dict[str, Callable[[Storage], object]] = {
    "put": lambda storage: run(storage.put("a/b", b"c")),
    "find": lambda storage: run(storage.find("a/b")),
    "delete": lambda storage: run(storage.delete("a/b")),
    "copy_from": lambda storage: storage.copy_from("a/b", BytesIO(b"c")),
    "copy_to": lambda storage: storage.copy_to("a/b", BytesIO()),
    "find_time": lambda storage: storage.find_time("a/b"),
    "has": lambda storage: run(storage.has("a/b")),
    "find_sizes": lambda storage: run(storage.find_sizes("a")),
    "remove": lambda storage: storage.remove("a/b"),
    "list": lambda storage: names(storage, "a"),
}


@pytest.mark.parametrize(
    ("kind", "told", "works"),
    [
        (
            "folder",
            "LocalFileSystem",
            ("put", "copy_from", "list", "find_sizes"),
        ),  # what is in a folder that is none is not found: so says Linux
        ("server down", "HTTP error", WORKS),
        ("no bucket", "404 NoSuchBucket", ("put", "find", "copy_from", "copy_to", "list", "find_sizes")),
    ],
)
def test_a_failure_is_unavailable_and_logged(
    kind: str, told: str, works: Sequence[str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    storage = broken(kind, request, tmp_path)
    for name in works:
        with capture_logs() as logs, pytest.raises(Unavailable) as caught:
            WORKS[name](storage)
        assert str(caught.value) == "The files cannot be reached. Try again soon."
        assert [(line["event"], line["log_level"]) for line in logs] == [("storage_failed", "warning")], name
        assert told in logs[0]["reason"], name
        assert "\n" not in logs[0]["reason"]
        assert SECRET not in str(logs)


def test_a_server_that_never_answers_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storekeeper.files.storage.SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs() as logs:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        storage = create_storage(Settings(storage_url="s3://shop", storage_endpoint=endpoint, **KEYS))
        with pytest.raises(Unavailable):
            run(storage.get("a"))
    assert [line["reason"] for line in logs] == ["TimeoutError"]


def test_what_a_server_repeats_is_not_logged() -> None:
    """An answer of an S3 server may hold the request, with its keys and tokens."""

    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            body = f"{SECRET}<Error><Code>AccessDenied</Code><Token>{SECRET}</Token></Error>\n{SECRET}".encode()
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            storage = create_storage(Settings(storage_url="s3://shop", storage_endpoint=endpoint, **KEYS))
            with pytest.raises(Unavailable):
                await storage.get("a")

    with capture_logs() as logs:
        run(scenario())
    assert "AccessDenied" in logs[0]["reason"]
    assert SECRET not in str(logs)


# The settings


def test_the_secret_shows_nowhere(settings: Settings) -> None:
    storage = create_storage(settings)
    with_secret = msgspec.structs.replace(
        settings, storage_secret_key=SECRET, database_url=f"postgresql://u:{SECRET}@d/s"
    )
    for shown in (with_secret, storage, vars(storage)):
        assert SECRET not in f"{shown!r} {shown!s}"


BUCKET = {"STOREKEEPER_STORAGE_URL": "s3://shop/images-1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORAGE_URL", f"s3://{SECRET}@shop"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://Shop"),
        ("STORAGE_URL", "s3://shop/../other"),
        ("STORAGE_URL", "s3://shop//x"),
        ("STORAGE_URL", "s3://shop?x=y"),
        ("STORAGE_URL", "https://shop.example"),
        ("STORAGE_URL", "/var/lib/files"),
        ("STORAGE_ENDPOINT", f"https://key:{SECRET}@s3.example"),
        ("STORAGE_ENDPOINT", f"https://s3.example/?key={SECRET}"),
        ("STORAGE_ENDPOINT", "s3.example"),
        ("STORAGE_SECRET_KEY", SECRET),
    ],
)
def test_nonsense_is_refused_without_being_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(BUCKET | {f"STOREKEEPER_{name}": value})
    assert str(caught.value).startswith(f"STOREKEEPER_{name}: ")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["s3://shop", "s3://shop/", "s3://my.shop-1/a/b_c.d/e"])
@pytest.mark.parametrize(
    "endpoint", ["", "http://127.0.0.1:9000", "https://s3.example/storage/v1/s3", "http://[::1]:9000"]
)
def test_a_bucket_and_its_server_are_named(url: str, endpoint: str) -> None:
    keys = {"STOREKEEPER_STORAGE_ACCESS_KEY": "a", "STOREKEEPER_STORAGE_SECRET_KEY": SECRET}
    place = {"STOREKEEPER_STORAGE_URL": url, "STOREKEEPER_STORAGE_ENDPOINT": endpoint}
    read = read_settings(keys | place)
    assert (read.storage_url, read.storage_endpoint, read.storage_secret_key) == (url, endpoint, SECRET)
    create_storage(read)
