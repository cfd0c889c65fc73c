"""Entity tags: which version of a thing is shown, and which one a request believes in (RFC 9110, 8.8 and 13)."""

import re
from hashlib import blake2b
from typing import Any

import falcon
from falcon.asgi import Response

from storekeeper.errors import Invalid
from storekeeper.http import responses
from storekeeper.http.request import Request
from storekeeper.models.item import Item
from storekeeper.models.precondition import ANY, Precondition, Tags
from storekeeper.models.store import Store

TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
CODING = re.compile("-(?:gzip|br|zstd|deflate)$")  # what Caddy and Apache put behind a tag when they compress
TAGS = re.compile(rf"\*|{TAG.pattern}(?:[ \t]*,[ \t]*{TAG.pattern})*")


class Conditions:
    """Reads what a request believes. `are_required` demands that it believes something."""

    def __init__(self, are_required: bool) -> None:
        self._are_required = are_required

    def read(self, req: Request) -> Precondition:
        """For a change that would undo another one that its sender has not seen."""
        return Precondition(_tags(req, "If-Match"), _tags(req, "If-None-Match"), self._are_required)


def read(req: Request) -> Precondition:
    """For a change that undoes nothing, such as one of the stock by a number."""
    return Precondition(_tags(req, "If-Match"), _tags(req, "If-None-Match"))


def answer_read(req: Request, resp: Response, item: Item) -> None:
    """Answer a read with an item, or with 304 if its reader has it."""
    resp.data = responses.encode(item)
    _show(req, resp, item.tag)


def answer_change(resp: Response, item: Item) -> None:
    """Answer a change with the item as it is now."""
    resp.media = item
    resp.set_header("ETag", f'"{item.tag}"')


def answer_store_read(req: Request, resp: Response, store: Store, answer: Any) -> None:
    """Answer a read with a store and the items that are shown with it. Its tag tells both, first the store's own."""
    resp.data = responses.encode(answer)
    _show(req, resp, f"{store.tag}-{blake2b(resp.data, digest_size=8).hexdigest()}")


def answer_store_change(resp: Response, store: Store, answer: Any) -> None:
    resp.media = answer
    resp.set_header("ETag", f'"{store.tag}"')


def _show(req: Request, resp: Response, tag: str) -> None:
    if is_known(req, tag):  # the answer stays: by its size, its tag is that of another coding
        resp.status = falcon.HTTP_NOT_MODIFIED
    resp.set_header("ETag", f'"{tag}"')


def is_known(req: Request, tag: str) -> bool:
    """Whether the reader has what this tag names, by `If-None-Match` (RFC 9110, section 13.1.2)."""
    known = [CODING.sub("", each) for each in _tags(req, "If-None-Match") or ()]
    return tag in known or ANY in known


def _tags(req: Request, name: str) -> Tags | None:
    """The tags of a header. Invalid for what is none: a change must not be made as if nothing had been said.

    Weak ones are as good as ours. RFC 9110 compares `If-Match` strongly, as a weak tag need not tell versions apart.
    But a tag of ours names one version, and a proxy that compresses only marks it as weak: `W/"3.14"`.
    """
    text = req.get_header(name)
    if text is None:
        return None
    if not TAGS.fullmatch(text):
        raise Invalid("etag_unreadable", header=name)
    return (ANY,) if text == ANY else tuple(TAG.findall(text))
