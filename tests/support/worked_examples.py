"""The requests and answers of docs/api-by-example.md, in their order, and the values of its variables."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import images, markdown

DOCUMENT = markdown.ROOT / "docs" / "api-by-example.md"
VARIABLE = re.compile(r"\$([A-Z_0-9]+)")
TIMES = (
    "began_at",
    "last_used_at",
    "updated_at",
    "created_at",
    "ended_at",
    "at",
    "as_of",
    "since",
    "next_at",
)  # the document shows some
FILES = {"<a PNG>": images.encoded(images.two_colours(), "PNG")}


class Message(NamedTuple):
    """A request or an answer. `line` is its first."""

    line: str
    headers: dict[str, str]
    body: str


def read(text: str) -> Message:
    head, _, body = text.partition("\n\n")
    line, *fields = head.strip().split("\n")
    return Message(line, dict(field.split(": ", 1) for field in fields), body.strip())


def examples(document: Path = DOCUMENT) -> Iterator[tuple[Message, Message]]:
    """Each request and its answer."""
    found = [read(block.text) for block in markdown.blocks(document.read_text()) if block.language == "http"]
    assert [message.line.startswith("HTTP/") for message in found] == [False, True] * (len(found) // 2)
    yield from zip(found[::2], found[1::2], strict=True)


class Known(dict[str, str]):
    """The variables: bound by the first answer that shows them."""

    def fill(self, text: str) -> str:
        return VARIABLE.sub(lambda found: self[found[1]], text)

    def learn(self, told: Any, given: Any) -> Any:
        """`told` with the values of its variables."""
        if isinstance(told, dict) and isinstance(given, dict):
            return {name: self._learn_member(name, told[name], given.get(name)) for name in told}
        if isinstance(told, list) and isinstance(given, list) and len(told) == len(given):
            return [self.learn(*pair) for pair in zip(told, given, strict=True)]
        if isinstance(told, str) and VARIABLE.fullmatch(told):
            return self.setdefault(told[1:], given)
        return told

    def _learn_member(self, name: str, told: Any, given: Any) -> Any:
        return given if name in TIMES and type(told) is type(given) else self.learn(told, given)


def exact(text: str) -> Any:
    """JSON whose numbers stay as they are written: 15.90 is not 15.9."""
    return json.loads(text, parse_float=lambda digits: ("number", digits))
