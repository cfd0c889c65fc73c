"""What the storekeeper knows. Importing this package registers every table on `db.metadata`."""

from storekeeper.models import idempotency, imports, item, journal, member, session, store, throttle, user, webhook

__all__ = ["idempotency", "imports", "item", "journal", "member", "session", "store", "throttle", "user", "webhook"]
