"""Quotas: the most that one user, or one store, may have. What is there when a quota is lowered stays.

The operator's commands know none, and administrators need not mind them. Who counts does so in the transaction that
adds, with a lock, so that of two who are there at once one gets the last place.
"""

import msgspec
from sqlalchemy import Connection

from storekeeper.errors import OverQuota
from storekeeper.models import user


class Quotas(msgspec.Struct, frozen=True):
    """Of a user, but for the images, which are of a store. 0 is no limit. Of sessions see `SessionLimits`."""

    stores: int = 0
    streams: int = 0  # in one process
    import_bytes: int = 0
    answer_bytes: int = 0
    image_bytes: int = 0


def binds(conn: Connection, user_id: int | None, limit: int) -> bool:
    """Whether it is a limit, and one for this user. Without a user it is the operator who asks."""
    return limit > 0 and user_id is not None and not user.get(conn, user_id).is_admin


def check(refusal: type[OverQuota], limit: int, used: int, added: int = 1) -> None:
    """The refusal where that would be too much."""
    if used + added > limit:
        raise refusal(limit, used)
