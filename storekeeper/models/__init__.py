"""What the storekeeper knows. Importing this package registers every table on `db.metadata`."""

from storekeeper.models import imports, item, member, session, store, throttle, user

__all__ = ["imports", "item", "member", "session", "store", "throttle", "user"]
