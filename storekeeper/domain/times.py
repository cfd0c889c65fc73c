"""Times in requests: seconds since 1970, RFC 3339, or a date. Responses have seconds, exports RFC 3339."""

from datetime import UTC, date, datetime, time

from storekeeper.errors import Invalid

LENGTH = 40
LATEST = 2**53 - 1  # the largest whole number that every JSON reader takes exactly
DATE = len("2026-11-01")


def read(text: str | int, field: str, *, is_end: bool = False) -> int:
    """Seconds since 1970. A date means its first second in UTC, or its last second if `is_end`.

    Raises Invalid for any other text, and for a time without a zone, which is ambiguous.
    """
    moment = _seconds(str(text), is_end)
    if moment is None or not 0 <= moment <= LATEST:
        raise Invalid("time_unreadable", field=field)
    return moment


def _seconds(text: str, is_end: bool) -> int | None:
    if len(text) > LENGTH:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        if len(text) == DATE:
            day = date.fromisoformat(text)
            return int(datetime.combine(day, time.max if is_end else time.min, UTC).timestamp())
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else int(moment.timestamp())
    except (ValueError, OverflowError):
        return None
