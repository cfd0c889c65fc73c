"""Damage and failed writes that the threads of this process have met."""

import time
from typing import Any

import structlog

LOG_SECONDS = 60  # between two log lines about damage
SQLITE_DAMAGE = (11, 26)  # SQLITE_CORRUPT and SQLITE_NOTADB, the low byte of an extended code
POSTGRESQL_DAMAGE = ("XX001", "XX002")  # data_corrupted and index_corrupted
NO_TEXT = "Could not decode to UTF-8"  # the driver's words for a text whose bytes cannot be one; the text follows
MAX_REASON = 200  # characters


class DatabaseStatus:
    """Written by the database's threads, read by whoever wants to know. Each member is set whole.

    `damage` is what the database said when damage was last met with, and stays until the process ends: a file cannot be
    mended under it. `write_failure` is why a change could not be kept, until somebody has found that another can.
    """

    def __init__(self) -> None:
        self.damage: str | None = None
        self.write_failure: str | None = None
        self._logged_at = float("-inf")

    def note_damage(self, reason: str) -> None:
        """Logged at most once a minute: every request may meet with it."""
        self.damage = reason
        if time.monotonic() - self._logged_at >= LOG_SECONDS:
            self._logged_at = time.monotonic()
            structlog.get_logger().error("database_damaged", reason=reason)


def find_damage(error: BaseException) -> str | None:
    """What the database says, where a driver's error means that what is stored is damaged; without any of its data."""
    if str(error).startswith(NO_TEXT):
        return "A stored text is no text."
    code: Any = getattr(error, "sqlite_errorcode", None)
    is_damage = (code or 0) & 0xFF in SQLITE_DAMAGE or getattr(error, "sqlstate", None) in POSTGRESQL_DAMAGE
    return first_line(error) if is_damage else None


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:MAX_REASON]
