"""An application whose quotas are small, and those who call it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from falcon import testing

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.settings import Settings
from tests.conftest import Person, as_served
from tests.support.concurrent_workers import worker
from tests.support.console_browser import Browser

IDS = {"alice": 1, "bob": 2, "carol": 3, "root": 4}
MIB = 2**20


class Limited:
    """Makes applications on the test's database; their settings are the test's but for those that are given."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts

    def settings(self, **given: int) -> Settings:
        return msgspec.structs.replace(self._settings, **given)

    def app(self, **given: int) -> Any:
        return as_served(create_app(self.settings(**given), self._parts))

    def person(self, username: str, **given: int) -> Person:
        return Person(testing.TestClient(self.app(**given)), username, IDS[username])

    def browser(self, username: str, **given: int) -> Browser:
        return Browser(testing.TestClient(self.app(**given)), username)

    @contextmanager
    def workers(self, **given: int) -> Iterator[list[Any]]:
        """Two, with connections of their own."""
        with worker(self.settings(**given)) as first, worker(self.settings(**given)) as second:
            yield [first, second]


def refused(answer: testing.Result) -> tuple[int, str, int, int]:
    """The status and what the answer says, of a quota's refusal."""
    return answer.status_code, answer.json["error"], answer.json["limit"], answer.json["used"]
