"""The five things that are measured: what is asked, with which token, and how a right answer looks."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.client import Client, Json
from benchmarks.failure import Failure

PAGE = 20
SESSIONS = 16  # that the load shares out at random: on one alone, every refresh would wait for the same row


class Operation(NamedTuple):
    name: str
    title: str
    connections: int
    is_read: bool
    token: str  # which of the two that a login gives
    check: Callable[[Client, str], bool]  # asks once, with the token


def _reads(client: Client, token: str) -> bool:
    item = client.ask("GET", "/item/item42", token=token)
    return item["name"] == "item42" and item["store_id"] == 3 and "price" in item


def _lists(client: Client, token: str) -> bool:
    items: list[Json] = client.ask("GET", f"/items?limit={PAGE}", token=token)["items"]
    return len(items) == PAGE and all({"id", "name", "price", "store_id"} <= item.keys() for item in items)


def _updates(client: Client, token: str) -> bool:
    client.ask("PUT", "/item/item42", {"price": 12.34, "store_id": 3}, token)
    return float(client.ask("GET", "/item/item42", token=token)["price"]) == 12.34


def _logs_in(client: Client, _token: str) -> bool:
    return {"access_token", "refresh_token"} <= client.sign_in().keys()


def _refreshes(client: Client, token: str) -> bool:
    access_token = client.ask("POST", "/refresh", token=token)["access_token"]
    return _reads(client, access_token)


ALL = {
    operation.name: operation
    for operation in (
        Operation("read", "authenticated item read", 32, True, "access_token", _reads),
        Operation("list", f"list of {PAGE} items", 32, True, "access_token", _lists),
        Operation("update", "price update (the course: no token, no right)", 32, False, "access_token", _updates),
        # Argon2 works for tens of milliseconds: more callers would only wait in a longer queue.
        Operation("login", "login (the course: clear-text passwords)", 4, False, "access_token", _logs_in),
        Operation("refresh", "refresh", 32, False, "refresh_token", _refreshes),
    )
}


def _pages(client: Client, token: str) -> bool:
    items: list[Json] = client.ask("GET", "/store/store1/items?sort=price&limit=20", token=token)["items"]
    return len(items) == PAGE and items == sorted(items, key=lambda each: (each["price"], each["id"]))


def _finds(client: Client, token: str) -> bool:
    return all("bababa" in each["description"] for each in client.ask("GET", "/items?q=bababa", token=token)["items"])


# What `benchmarks.growth` measures beside the read.
CATALOGUE = (
    Operation("page", "20 items of a store, by price", 32, True, "access_token", _pages),
    Operation("search", "search for a word", 32, True, "access_token", _finds),
)


def sign_in(operation: Operation, client: Client) -> list[str]:
    """New tokens for the operation, each of a session of its own, after one answer has been looked at."""
    tokens: list[str] = [client.sign_in()[operation.token] for _ in range(SESSIONS)]
    if not operation.check(client, tokens[0]):
        raise Failure(f"The answer to {operation.title} is not what it should be.")
    return tokens
