"""What the storekeeper knows. Importing this package registers every table on `db.metadata`."""

from storekeeper.models import (
    backup,
    chore,
    idempotency,
    imports,
    item,
    journal,
    kept_form,
    member,
    rate,
    session,
    sign_in,
    store,
    throttle,
    untrusted_peer,
    user,
    webhook,
)

__all__ = [
    "backup",
    "chore",
    "idempotency",
    "imports",
    "item",
    "journal",
    "kept_form",
    "member",
    "rate",
    "session",
    "sign_in",
    "store",
    "throttle",
    "untrusted_peer",
    "user",
    "webhook",
]
