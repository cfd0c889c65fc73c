"""What the peers are measured at: as in benchmarks.operations, and a list with the number of all."""

from benchmarks import operations
from benchmarks.operations import Operation
from benchmarks.speech import ACCESS, PAGE, Speaker


def _counts(speaker: Speaker, token: str) -> bool:
    answer = speaker.ask("counted", token)
    return len(speaker.speech.items(answer)) == PAGE and speaker.speech.total(answer) >= 1000


_COMMON = operations.ALL
_COUNTED = Operation("counted", f"list of {PAGE} items and how many there are", 32, True, ACCESS, _counts)
_UPDATE = _COMMON["update"]._replace(title="price update, with a right")
_LOGIN = _COMMON["login"]._replace(title="login", connections=2)  # some hash for a fifth of a second

ALL = {
    operation.name: operation
    for operation in (_COMMON["read"], _COMMON["list"], _COUNTED, _UPDATE, _LOGIN, _COMMON["refresh"])
}
