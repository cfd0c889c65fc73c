"""The cast, on a real database: Alice owns the store "ikea", Bob is a clerk there, Carol is a stranger, Root may all.

Every test that uses `url`, `engine`, `app`, `client` or one of the cast runs on SQLite and on PostgreSQL.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from falcon import testing
from falcon.routing import compiled
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from storekeeper.app import create_app
from storekeeper.components import Parts
from storekeeper.concurrency.background_process import BackgroundProcess
from storekeeper.concurrency.periodic_tasks import PeriodicTasks
from storekeeper.concurrency.slots import Slots
from storekeeper.console import templating
from storekeeper.database import schema_version
from storekeeper.database.engine import create_engine
from storekeeper.database.executor import Database
from storekeeper.files.images import Images
from storekeeper.files.storage import create_storage
from storekeeper.security import signing_keys
from storekeeper.security.passwords import Passwords
from storekeeper.security.signing_keys import KeyRing
from storekeeper.services.health import Health
from storekeeper.settings import Settings
from tests.older.database import Older, Upgraded
from tests.support import databases
from tests.support.cast import CHEAP, PASSWORD, add_cast
from tests.support.webhook_receiver import Behaviour, Receive, Receiver

# The limits for one network and one user, out of the way of tests of all else: those come from one of either.
RICH: dict[str, Any] = {
    "logins_per_minute": 100_000,
    "registrations_per_minute": 100_000,
    "network_requests_per_minute": 100_000_000,
    "user_requests_per_minute": 100_000_000,
}


class CompiledTemplates(BytecodeCache):
    """The compiled templates of this process, by their names and texts."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._code.get(bucket.key + bucket.checksum)) is not None:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key + bucket.checksum] = bucket.code


# Each test has an application of its own. Falcon writes the same program for the routes of each, and would compile it;
# so would Jinja the same templates.
vars(compiled)["compile"] = cache(compile)
vars(templating)["Environment"] = partial(Environment, bytecode_cache=CompiledTemplates())

# The same examples on every run, and no verdict by the clock: the machine may be busy.
too_slow = hypothesis.HealthCheck.too_slow
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[too_slow])
hypothesis.settings.load_profile("steady")


def pytest_xdist_auto_num_workers() -> int:
    """Twice as many as there are processors: many a test waits for a server's start, a timeout or the disk."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.migrated_file(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgresql_url(testrun_uid: str) -> Iterator[str]:
    """A database of this process's own, with our tables."""
    with databases.postgresql(testrun_uid) as url:
        schema_version.migrate(create_engine(url))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database with our tables, of each kind."""
    if request.param == "sqlite":
        return databases.copy_file(request.getfixturevalue("template"), tmp_path)
    url: str = request.getfixturevalue("postgresql_url")
    databases.empty_tables(url)
    return url


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    return Settings(data=str(tmp_path), database_url=url, **RICH)


@pytest.fixture(scope="session")
def filled_template(template: Path) -> Path:
    return databases.filled_file(template, add_cast)


@pytest.fixture(scope="session")
def postgresql_copy(postgresql_url: str) -> databases.Copy:
    return databases.Copy(postgresql_url, add_cast)


@pytest.fixture
def engine(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[sa.Engine]:
    """The database with the cast, the store "ikea" (id 1, EUR) and its item "chair" (id 1, 15.99)."""
    if url.startswith("sqlite"):
        databases.copy_file(request.getfixturevalue("filled_template"), tmp_path)
    else:
        request.getfixturevalue("postgresql_copy").restore()
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: sa.Engine, url: str) -> Iterator[Database]:
    db = Database(url)
    yield db
    db.close()


@pytest.fixture
def parts(db: Database, settings: Settings) -> Iterator[Parts]:
    signing_keys.ensure(settings.keys_path)
    parts = make_parts(settings, db, Passwords(CHEAP, 2, settings.password_length))
    yield parts
    parts.passwords.close()
    parts.images.close()


def make_parts(settings: Settings, db: Database, passwords: Passwords) -> Parts:
    storage = create_storage(settings)
    periodic_tasks = PeriodicTasks()
    health = Health(db, periodic_tasks, settings.keys_path, storage)
    keys = KeyRing(settings.keys_path)
    export_slots = Slots(settings.exports_at_once, settings.exports_per_user)
    return Parts(db, keys, passwords, storage, Images(storage), Idle(), Idle(), periodic_tasks, health, export_slots)


@pytest.fixture
def app(parts: Parts, settings: Settings) -> Any:
    return as_served(create_app(settings, parts))


class Idle(BackgroundProcess):
    """Starts nothing: the tests do the work themselves."""

    def start_if_idle(self) -> None:
        pass


def as_served(app: Any) -> Any:
    """The application as Uvicorn would run it, for the client of Falcon's tests."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # they begin and end one with each request
            await outlive(receive, send)
            return
        # They hand in iterators.
        scope["headers"] = [tuple(pair) for pair in scope["headers"]]
        if "client" in scope:
            scope["client"] = tuple(scope["client"])
        await app(scope, _as_received(receive), send)

    return served


def _as_received(receive: Any) -> Any:
    """They hang up as soon as the body is read. Nobody does who waits for the answer."""
    has_more = True

    async def received() -> Any:
        nonlocal has_more
        if not has_more:
            await asyncio.Event().wait()
        event = await receive()
        has_more = event.get("more_body", False)
        return event

    return received


async def outlive(receive: Any, send: Any) -> None:
    """The lifespan protocol without a life: one application answers all the requests of a test."""
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        if kind in ("lifespan.startup", "lifespan.shutdown"):  # others are sent as well
            await send({"type": f"{kind}.complete"})


@pytest.fixture
def client(app: Any) -> testing.TestClient:
    return testing.TestClient(app)


class Person:
    """Somebody who calls the API: logged in when first needed."""

    def __init__(self, client: testing.TestClient, username: str, id: int, password: str = PASSWORD) -> None:
        self.client = client
        self.username = username
        self.id = id
        self.password = password
        self._pair: dict[str, str] = {}

    @property
    def pair(self) -> dict[str, str]:
        if not self._pair:
            self.log_in()
        return self._pair

    def log_in(self) -> dict[str, str]:
        """A new session, which the next calls use."""
        body = {"username": self.username, "password": self.password}
        answer = self.client.simulate_post("/login", json=body)
        assert answer.status_code == 200, answer.text
        self._pair = answer.json
        return self._pair

    def refresh(self) -> dict[str, str]:
        """The answer to using the present refresh token; the pair stays as it is."""
        answer = self.client.simulate_post("/refresh", headers=bearer(self.pair["refresh_token"]))
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> testing.Result:
        headers = bearer(self.pair["access_token"]) | more.pop("headers", {})
        if json is not None:
            more["json"] = json
        return self.client.simulate_request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> testing.Result:
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> testing.Result:
        return self.call("POST", path, json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> testing.Result:
        return self.call("PUT", path, json, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> testing.Result:
        return self.call("PATCH", path, json, **more)

    def delete(self, path: str, **more: Any) -> testing.Result:
        return self.call("DELETE", path, **more)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def alice(client: testing.TestClient) -> Person:
    return Person(client, "alice", 1)


@pytest.fixture
def bob(client: testing.TestClient) -> Person:
    return Person(client, "bob", 2)


@pytest.fixture
def carol(client: testing.TestClient) -> Person:
    return Person(client, "carol", 3)


@pytest.fixture
def root(client: testing.TestClient) -> Person:
    return Person(client, "root", 4)


class Clock:
    """What `time.time` tells; the test moves it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Starts receivers of webhooks."""
    started: list[Receiver] = []

    def receive(*behaviours: Behaviour, **more: Any) -> Receiver:
        started.append(Receiver(*behaviours, **more))
        return started[-1]

    yield receive
    for each in started:
        each.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Callable[[str], Older]]:
    """Restores the database of an older version, as it was left: see tests/older/README.md. It is soon after that."""
    with ExitStack() as stack:

        def restore(version: str) -> Older:
            url = f"sqlite:///{tmp_path / 'data' / 'storekeeper.db'}"
            if request.param == "postgresql":
                url = stack.enter_context(databases.postgresql(request.getfixturevalue("testrun_uid")))
            restored = Older(version, url, tmp_path / "data")
            stack.callback(restored.engine.dispose)
            clock.now = restored.facts["filled_at"] + 30
            return restored

        yield restore


@pytest.fixture
def upgraded(older: Callable[[str], Older]) -> Iterator[Callable[[str], Upgraded]]:
    """The same, brought up to this version, with an application on it."""
    with ExitStack() as stack:

        def upgrade(version: str) -> Upgraded:
            restored = older(version)
            schema_version.migrate(restored.engine)
            db = Database(restored.settings.database)
            stack.callback(db.close)
            parts = make_parts(restored.settings, db, Passwords(CHEAP, 2, restored.settings.password_length))
            stack.callback(parts.images.close)
            stack.callback(parts.passwords.close)
            return Upgraded(restored, testing.TestClient(as_served(create_app(restored.settings, parts))))

        yield upgrade
