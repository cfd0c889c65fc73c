"""What is measured, and how a right answer looks. What is asked for it is the server's own: see speech.py."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from benchmarks.failure import Failure
from benchmarks.load import Target
from benchmarks.speech import ACCESS, EXAMPLE, NEW_PRICE, PAGE, REFRESH, Speaker, Speech

SESSIONS = 16  # that the load shares out at random: on one alone, every refresh would wait for the same row
SPARE = 8  # tokens for one use, beyond one for each connection: wrk asks for a request or two that it never sends


class Operation(NamedTuple):
    name: str
    title: str
    connections: int
    is_read: bool
    token: str  # which of the two that a login gives
    check: Callable[[Speaker, str], bool]  # asks once, with the token
    least_seconds: int = 1  # for anybody to be answered


def _reads(speaker: Speaker, token: str) -> bool:
    item = speaker.read(token)
    return bool(item["name"] == f"item{EXAMPLE}") and "price" in item


def _lists(speaker: Speaker, token: str) -> bool:
    items = speaker.list("list", token)
    return len(items) == PAGE and all({"id", "name", "price"} <= item.keys() for item in items)


def _updates(speaker: Speaker, token: str) -> bool:
    speaker.ask("update", token)
    return float(speaker.read(token)["price"]) == NEW_PRICE


def _logs_in(speaker: Speaker, _token: str) -> bool:
    return ACCESS in speaker.sign_in()


def _refreshes(speaker: Speaker, token: str) -> bool:
    access_token: str = speaker.speech.tokens(speaker.ask("refresh", token))[ACCESS]
    return _reads(speaker, access_token)


ALL = {
    operation.name: operation
    for operation in (
        Operation("read", "authenticated item read", 32, True, ACCESS, _reads),
        Operation("list", f"list of {PAGE} items", 32, True, ACCESS, _lists),
        Operation("update", "price update (the course: no token, no right)", 32, False, ACCESS, _updates),
        # Argon2 works for tens of milliseconds: more callers would only wait in a longer queue.
        Operation("login", "login (the course: clear-text passwords)", 4, False, ACCESS, _logs_in),
        Operation("refresh", "refresh", 32, False, REFRESH, _refreshes),
    )
}


def _pages(speaker: Speaker, token: str) -> bool:
    items = speaker.list("page", token)
    return len(items) == PAGE and items == sorted(items, key=lambda each: (each["price"], each["id"]))


def _finds(speaker: Speaker, token: str) -> bool:
    return all("bababa" in each["description"] for each in speaker.list("search", token))


# What `benchmarks.growth` measures beside the read.
CATALOGUE = (
    Operation("page", "20 items of a store, by price", 32, True, ACCESS, _pages),
    Operation("search", "search for a word", 32, True, ACCESS, _finds),
)


def aim(operation: Operation, speech: Speech, port: int, runs: int) -> Target:
    """The operation with new tokens, each of a session of its own, after one answer has been looked at."""
    speaker = Speaker(speech, port)
    if not operation.check(speaker, speaker.sign_in()[operation.token]):
        raise Failure(f"The answer to {operation.title} is not what it should be.")
    once = operation.connections + SPARE if speech.rotates and operation.token == REFRESH else 0
    with ThreadPoolExecutor(4) as pool:  # one peer lets everybody wait for half a second
        tokens = list(pool.map(lambda _: speaker.sign_in()[operation.token], range(runs * once or SESSIONS)))
    return Target(speech.asks[operation.name], operation.connections, port, tokens, once)
