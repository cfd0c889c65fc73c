"""What the storekeeper knows. Importing this package registers every table on `db.metadata`."""

from storekeeper.models import (
    backup,
    idempotency,
    imports,
    item,
    journal,
    member,
    session,
    store,
    throttle,
    user,
    webhook,
)

__all__ = [
    "backup",
    "idempotency",
    "imports",
    "item",
    "journal",
    "member",
    "session",
    "store",
    "throttle",
    "user",
    "webhook",
]
