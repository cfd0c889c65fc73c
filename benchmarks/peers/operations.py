"""What the peers are measured at: as in benchmarks.operations, a list with the number of all, and a search."""

from benchmarks import operations
from benchmarks.operations import Operation
from benchmarks.speech import ACCESS, EXAMPLE, PAGE, Speaker


def _counts(speaker: Speaker, token: str) -> bool:
    answer = speaker.ask("counted", token)
    return len(speaker.speech.items(answer)) == PAGE and speaker.speech.total(answer) >= 1000


def _finds(speaker: Speaker, token: str) -> bool:
    names = [item["name"] for item in speaker.list("find", token)]
    return f"item{EXAMPLE}" in names and all(name.startswith(f"item{EXAMPLE}") for name in names)


_COMMON = operations.ALL
_ALL = (
    _COMMON["read"]._replace(title="item read"),
    _COMMON["list"]._replace(title=f"list of {PAGE}"),
    Operation("counted", f"list of {PAGE}, counted", 32, True, ACCESS, _counts),
    Operation("find", "search by name", 32, True, ACCESS, _finds, least_seconds=2),
    _COMMON["update"]._replace(title="price update"),
    _COMMON["login"]._replace(title="login", least_seconds=3),  # some work for a quarter of a second at each
    _COMMON["refresh"],
)

ALL = {operation.name: operation for operation in _ALL}
