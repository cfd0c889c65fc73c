"""Reading what a browser's form sends: short fields, or fields with a file after them."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import falcon
from falcon.asgi.multipart import BodyPart, MultipartForm
from falcon.media.multipart import MultipartParseOptions

from storekeeper.domain.money import PriceInput
from storekeeper.errors import Invalid, WrongMediaType
from storekeeper.http import parsing
from storekeeper.http.operation import BODY_BYTES
from storekeeper.http.request import Request

T = TypeVar("T")

URLENCODED = "application/x-www-form-urlencoded"
BOUNDARY = re.compile(r'multipart/form-data\s*;\s*boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1\s*', re.I)
MAX_FIELDS = 1000
WHOLE = re.compile(r"[+-]?[0-9]{1,13}", re.ASCII)
COMMA = re.compile(r"[0-9]+,[0-9]{1,2}", re.ASCII)


class Form:
    """What was typed, by the name of its field. A name may come several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if "\0" in value:
                raise Invalid("form_character", field=name)
            self._values.setdefault(name, []).append(value.replace("\r\n", "\n"))

    def __getitem__(self, name: str) -> str:
        """What stands in the field; nothing where there is no such field."""
        return self._values.get(name, [""])[0]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __bool__(self) -> bool:
        return bool(self._values)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As they came, but with those of one name together."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def names(self) -> list[str]:
        return list(self._values)


EMPTY = Form([])


def is_urlencoded(req: Request) -> bool:
    return (req.content_type or "").partition(";")[0].strip().lower() == URLENCODED


async def read(req: Request, max_bytes: int = BODY_BYTES) -> Form:
    """A form without files."""
    if not is_urlencoded(req):
        raise WrongMediaType("form_of_another_type")
    body = await req.request_context.read_body(max_bytes, req.content_length)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Invalid("form_unreadable") from None
    return Form(pairs)


class FileForm:
    """A form whose last field is a file, which need not fit into the memory."""

    def __init__(self, req: Request, max_bytes: int) -> None:
        match = BOUNDARY.fullmatch(req.content_type or "")
        if match is None:
            raise WrongMediaType("form_of_another_type")
        self._req = req
        stream = req.request_context.pieces(max_bytes, req.content_length)
        # Falcon types it as a stream that can be read; it takes an iterator as well.
        parts = MultipartForm(stream, match[2].encode(), None, MultipartParseOptions())  # type: ignore[arg-type]
        self._parts = aiter(parts)
        self.size = 0
        self.file_name = ""

    async def fields(self) -> Form:
        """What stands before the file. Invalid where there is none."""
        pairs: list[tuple[str, str]] = []
        try:
            async for part in self._parts:
                if part.filename is not None:
                    self._file: BodyPart = part
                    self.file_name = part.filename
                    return Form(pairs)
                pairs.append((str(part.name), str(await part.text)))
        except (falcon.MediaMalformedError, ValueError):
            raise Invalid("form_unreadable") from None
        raise Invalid("form_file_missing", field="file")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file as it arrives. It is good only when the whole form has come."""
        self._req.request_context.digest.update(self.file_name.encode())
        try:
            while piece := await self._file.stream.read(64 * 1024):
                self.size += len(piece)
                self._req.request_context.digest.update(piece)
                yield piece
            async for _ in self._parts:
                pass
        except falcon.MediaMalformedError:
            raise Invalid("form_file_cut", field="file") from None
        if not self.size:
            raise Invalid("form_file_empty", field="file")

    async def discard(self) -> None:
        """Read the file, and keep nothing of it."""
        while await self._file.stream.read(64 * 1024):
            pass

    async def read(self) -> bytes:
        return b"".join([piece async for piece in self.pieces()])


def convert(values: Mapping[str, object], kind: type[T]) -> T:
    """Fields of a form, which are text, as a `kind`. Invalid names each that is wrong."""
    return parsing.convert(dict(values), kind, strict=False)


def price(text: str, field: str) -> PriceInput:
    """A price as it is typed. Who writes 15,90 means 15.90; 1,234 could be a thousand, and is refused."""
    stripped = text.strip()
    try:
        return PriceInput.read(stripped.replace(",", ".") if COMMA.fullmatch(stripped) else stripped)
    except ValueError:
        raise Invalid("form_price_unreadable", field=field) from None


def whole(text: str, field: str) -> int:
    """A number of things, with or without a sign."""
    if not WHOLE.fullmatch(text.strip()):
        raise Invalid("form_number_unreadable", field=field)
    return int(text)
