"""Preconditions of a change: If-Match and If-None-Match (RFC 9110, section 13)."""

import msgspec

from storekeeper.errors import PreconditionFailed, PreconditionRequired

ANY = "*"

Tags = tuple[str, ...]


class Precondition(msgspec.Struct, frozen=True):
    """The tags of `If-Match` and `If-None-Match`, or ANY among them; None where the header is not there."""

    if_match: Tags | None = None
    if_none_match: Tags | None = None
    is_required: bool = False

    def check(self, tag: str | None) -> None:
        """PreconditionFailed unless the thing is as it is believed to be. `tag` is its own; None if it is not there."""
        if self.if_match is not None and not _holds(self.if_match, tag):
            raise PreconditionFailed
        if self.if_none_match is not None and _holds(self.if_none_match, tag):
            raise PreconditionFailed
        if self.is_required and self.if_match is None and self.if_none_match is None:
            raise PreconditionRequired


NONE = Precondition()


def tag(id: int, version: int) -> str:
    """The tag of a row. A thing that comes after one of the same name has another id."""
    return f"{id}.{version}"


def _holds(tags: Tags, tag: str | None) -> bool:
    """What stands behind a dash says nothing of the row itself.

    It tells which items of a store were shown, or, from a proxy, how the answer was compressed.
    """
    return tag is not None and any(each == ANY or each.partition("-")[0] == tag for each in tags)
