"""Clients that others' generators make of /openapi.json read a real answer of every operation, to the cent."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients import replay
from clients.generating import Workshop
from clients.recording import LASTING, MOST_STOCK, Exchange
from tests.support.server_process import Server

CONTRACT = Path(__file__).parent.parent / "tests" / "openapi" / "operations.txt"


def test_every_operation_is_recorded_and_the_greatest_numbers(exchanges: list[Exchange]) -> None:
    assert {each.operation for each in exchanges} == {line.split()[0] for line in CONTRACT.read_text().splitlines()}
    answers = b"".join(each.answer.body for each in exchanges)
    for told in (b'"price":12.34,', b'"price":9999999999.99,', b'"stock":%d,' % MOST_STOCK, b'"sku":null'):
        assert told in answers.replace(b": ", b":").replace(b", ", b","), told


def test_java(workshop: Workshop, assert_reads: Callable[..., None]) -> None:
    """But for files: of these it sends the name, whatever the description."""
    assert_reads(workshop.compile_java(), sends_files=False)


def test_go(workshop: Workshop, assert_reads: Callable[..., None]) -> None:
    assert_reads(workshop.compile_go())


def test_the_stand_in_of_go_is_asked_about_nothing_with_tags(workshop: Workshop) -> None:
    sources = {path.stem: path.read_text() for path in workshop.generate("go").glob("model_*.go")}
    asked = {name for text in sources.values() for name in re.findall(r"validator\.Validate\(dst\.(\w+)\)", text)}
    assert asked == {"Item", "String"}
    assert "validate:" not in sources["model_item"]


def test_python_with_pydantic(workshop: Workshop, assert_reads: Callable[..., None]) -> None:
    assert_reads(workshop.copy_python("python", "pydantic_client.py"))


def test_python_with_attrs(workshop: Workshop, assert_reads: Callable[..., None]) -> None:
    assert_reads(workshop.copy_python("python_httpx", "attrs_client.py"))


def test_typescript_with_classes(workshop: Workshop, assert_reads: Callable[..., None]) -> None:
    assert_reads(workshop.compile_typescript("typescript", "fetch_client.ts"))


def test_typescript_with_types(workshop: Workshop, assert_reads: Callable[..., None]) -> None:
    assert_reads(workshop.compile_typescript("storekeeper.d.ts", "openapi_fetch.ts"))


@pytest.fixture
def assert_reads(workshop: Workshop, exchanges: list[Exchange], server: Server, tmp_path: Path) -> Callable[..., None]:
    """A client sends each request as it was recorded, and gives the answer back as it was: the real server's, too."""

    def check(command: list[str], sends_files: bool = True) -> None:
        with replay.serve(exchanges, sends_files) as replayed:
            try:
                assert_told(workshop, [*command, replayed.address], exchanges, tmp_path)
            except AssertionError as error:
                raise AssertionError(f"{replayed.served} were read. {replayed.complaint}\n{error}") from None
        lasting = exchanges[-len(LASTING) :]
        assert_told(workshop, [*command, f"http://127.0.0.1:{server.port}"], lasting, tmp_path)

    return check


def assert_told(workshop: Workshop, command: list[str], exchanges: list[Exchange], folder: Path) -> None:
    calls = folder / "calls.json"
    calls.write_text(json.dumps([call(each) for each in exchanges]))
    told = workshop.run(*command, calls).splitlines()
    assert len(told) == len(exchanges)
    for exchange, line in zip(exchanges, told, strict=True):
        given, expected = without_null(replay.exact(line)), without_null(wanted(exchange))
        if given != expected:  # pytest's own comparison of long texts takes hours
            pytest.fail(f"{exchange.operation}: {line[:2000]}\nis not\n{exchange.answer.body[:2000]!r}")


def call(exchange: Exchange) -> dict[str, Any]:
    """What a driver has to know. A file is in base 64."""
    places = exchange.given
    body = exchange.body.decode() if exchange.body_type else base64.b64encode(exchange.body).decode()
    return {
        **{name: getattr(exchange, name) for name in ("operation", "tag", "method", "template", "token")},
        **{name: getattr(exchange, name) for name in ("media_type", "body_type", "answer_type")},
        "body": body,
        "answer_media_type": exchange.answer.media_type,
        "declared": list(exchange.declared),
        "in_path": list(places["path"]),
        "given": {name: value for place in places.values() for name, value in place.items()},
        "places": places,
    }


def wanted(exchange: Exchange) -> Any:
    if exchange.answer.media_type.startswith("image/"):
        return base64.b64encode(exchange.answer.body).decode()
    return replay.exact(exchange.answer.body)


def without_null(value: Any) -> Any:
    """Some clients write back what is null, and some do not."""
    if isinstance(value, dict):
        return {name: without_null(each) for name, each in value.items() if each is not None}
    return [without_null(each) for each in value] if isinstance(value, list) else value
