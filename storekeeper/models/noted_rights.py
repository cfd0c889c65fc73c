"""Rights that a change turned out to need, noted while it runs.

`store_member.require` tells whether they still hold.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec
from sqlalchemy import Connection

Role = Literal["owner", "clerk"]

_NOTED = "rights"


class Right(msgspec.Struct, frozen=True):
    """To have one of these roles in a store; without a store, to be an administrator, who may act in all of them."""

    store_id: int | None = None
    roles: tuple[Role, ...] = ()


ADMIN = Right()


@contextmanager
def noting(conn: Connection) -> Iterator[list[Right]]:
    """The rights that are checked meanwhile on this connection, and found to be there."""
    noted: list[Right] = []
    conn.info[_NOTED] = noted
    try:
        yield noted
    finally:
        del conn.info[_NOTED]  # the connection is kept, and the next to use it is somebody else


def note(conn: Connection, right: Right) -> None:
    noted: list[Right] | None = conn.info.get(_NOTED)
    if noted is not None and right not in noted:
        noted.append(right)
