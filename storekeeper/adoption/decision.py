"""What was decided about one row of the course's database, other than to take it over as it is."""

from typing import Any

import msgspec

# What is decided, in the order of the report; and how the report puts it.
KINDS = {
    "user_renamed": "Users with a new name",
    "user_inactive": "Users who cannot log in, as they never confirmed",
    "password_reset": "Users who need a new password (`storekeeper users reset-password NAME`)",
    "store_renamed": "Stores with a new name",
    "item_not_taken": "Items that are not taken over",
    "price_rounded": "Prices in doubt: rounded",
    "item_renamed": "Items with a new name",
    "description_changed": "Descriptions that are changed",
    "item_merged": "Items that are there twice: taken over once",
    "item_moved": "Items without a store: moved",
    "tag_renamed": "Tags with a new name",
    "tag_not_taken": "Tags that are not taken over",
    "table_not_taken": "Tables that are not taken over",
    "column_not_taken": "Columns that are not taken over",
}


class Decision(msgspec.Struct, frozen=True):
    """`id` is the row's in the course's database. None in `new` means that nothing is taken over. Never a password."""

    kind: str
    id: Any
    old: Any
    new: Any
    reason: str


def shown(value: Any) -> Any:
    """A value of SQLite's as JSON can tell it: BLOBs and infinities have no literal there."""
    if isinstance(value, bytes):
        return f"BLOB of {len(value)} bytes"
    return str(value) if value in (float("inf"), float("-inf")) else value
