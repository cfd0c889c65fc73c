"""Logins with wrong passwords, and the workers that they are tried on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from storekeeper.settings import Settings
from tests.support.cast import CHEAP
from tests.support.concurrent_workers import Answer, Call, at_once, worker

WRONG = "wrong horse battery"

Start = Callable[..., Any]


@contextmanager
def starting(settings: Settings) -> Iterator[Start]:
    """Starts workers on one database: `start(login_failures=3)`."""
    with ExitStack() as stack:
        yield lambda hasher=CHEAP, at_once=8, **changed: stack.enter_context(
            worker(msgspec.structs.replace(settings, **changed), hasher, at_once)
        )


def login(name: str = "alice", password: str = WRONG, address: str = "192.0.2.1") -> Call:
    return Call("POST", "/login", {"username": name, "password": password}, "", address)


def fail(app: Any, times: int, *each: Call) -> None:
    """One wrong login after the other, none of them refused."""
    for n in range(times):
        answer = at_once([app], [each[n % len(each)] if each else login()])[0]
        assert (answer.status, answer.body["error"]) == (401, "invalid_credentials")


def attempt(app: Any, *args: str) -> Answer:
    return at_once([app], [login(*args)])[0]
