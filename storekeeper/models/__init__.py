"""What the storekeeper knows. Importing this package registers every table on `db.metadata`."""

from storekeeper.models import item, member, session, store, throttle, user

__all__ = ["item", "member", "session", "store", "throttle", "user"]
