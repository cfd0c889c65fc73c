"""Whoever guesses passwords learns nothing, is heard of by nobody and costs little."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import metadata
from storekeeper.models import session
from storekeeper.models.user import users
from storekeeper.security.argon2 import Hasher
from storekeeper.settings import Settings
from tests.support.cast import PASSWORD
from tests.support.concurrent_workers import Answer, Call, at_once, call, log_in, send, statuses
from tests.support.databases import transaction
from tests.support.login_guesses import WRONG, Start, attempt, fail, login, starting


@pytest.fixture
def start(engine: sa.Engine, settings: Settings) -> Iterator[Start]:
    with starting(settings) as start:
        yield start


class Counting(Hasher):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__(8, 1)
        self.count = 0

    def hash(self, password: str) -> str:
        self.count += 1
        return super().hash(password)

    def fits(self, hashed: str, password: str) -> bool:
        self.count += 1
        return super().fits(hashed, password)


# The victim


def test_a_locked_name_keeps_its_sessions(start: Start) -> None:
    app = start()
    pair = log_in(app, "alice")
    at_once([app], [login()] * 20)
    assert attempt(app, "alice", PASSWORD).status == 429
    assert call(app, "GET", "/item/chair", token=pair["access_token"]).status == 200
    assert call(app, "POST", "/refresh", token=pair["refresh_token"]).status == 200


CONFIRMING = pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/login/fresh", lambda password: {"password": password}),
        ("PUT", "/user/1/password", lambda password: {"current_password": password, "new_password": "a new one 123"}),
    ],
)


@CONFIRMING
def test_wrong_logins_from_elsewhere_do_not_keep_a_session_from_giving_its_password(
    start: Start, method: str, path: str, given: Any
) -> None:
    """Neither those with its name, nor those from its address, nor all together."""
    app = start(login_failures=4, login_failures_overall=5)
    token = log_in(app, "alice")["access_token"]
    right = Call(method, path, given(PASSWORD), token, "192.0.2.50")
    fail(app, 5, login("alice"), login("nobody", WRONG, "192.0.2.50"))
    assert attempt(app, "alice", PASSWORD).status == 429
    assert statuses(at_once([app], [right])) == {200: 1}


@CONFIRMING
def test_wrong_passwords_in_a_session_count_for_it_alone(start: Start, method: str, path: str, given: Any) -> None:
    hasher = Counting()
    app = start(hasher, login_failures=4)
    token, other = (log_in(app, "alice")["access_token"] for _ in range(2))
    hasher.count = 0
    wrong = Call(method, path, given(WRONG), token, "192.0.2.50")
    assert statuses(at_once([app], [wrong] * 4)) == {401: 4}
    assert hasher.count == 4
    right = wrong._replace(body=given(PASSWORD))
    assert statuses(at_once([app], [wrong, right, right._replace(address="192.0.2.51")])) == {429: 3}
    assert hasher.count == 4
    assert call(app, "GET", "/item/chair", token=token).status == 200
    assert attempt(app, "alice", PASSWORD, "192.0.2.50").status == 200
    assert statuses(at_once([app], [right._replace(token=other)])) == {200: 1}


def test_a_burst_of_wrong_passwords_in_a_session_learns_no_more_than_ten_answers(start: Start) -> None:
    apps = [start(), start()]
    token = log_in(apps[0], "alice")["access_token"]
    assert statuses(at_once(apps, [Call("POST", "/login/fresh", {"password": WRONG}, token)] * 50)) == {
        401: 10,
        429: 40,
    }


def test_a_hundred_wrong_passwords_in_a_row_end_the_session(start: Start) -> None:
    """A stolen refresh token lives for 90 days: at ten guesses in five minutes, that is a quarter of a million."""
    app = start(login_failures=1000, access_minutes=1000)
    token, other = (log_in(app, "alice")["access_token"] for _ in range(2))
    wrong, right = (Call("POST", "/login/fresh", {"password": each}, token) for each in (WRONG, PASSWORD))
    assert statuses(at_once([app], [wrong] * 99)) == {401: 99}
    assert statuses(at_once([app], [right])) == {200: 1}  # which begins the row anew
    assert statuses(at_once([app], [wrong] * 99)) == {401: 99}
    assert call(app, "GET", "/item/chair", token=token).status == 200
    assert at_once([app], [wrong])[0].body["error"] == "invalid_credentials"
    for each in (wrong, right, Call("GET", "/item/chair", None, token)):
        assert at_once([app], [each])[0].body["error"] == "token_revoked"
    assert call(app, "GET", "/item/chair", token=other).status == 200


def test_unknown_inactive_and_existing_names_look_the_same(start: Start, engine: sa.Engine) -> None:
    """In every answer, in the statements that the database runs, and in the work of Argon2."""
    with transaction(engine) as conn:
        session.change_user(conn, 3, None, False)
    names = ("alice", "carol", "nobody", "alice's cat\n")
    told = [_told(start, name, f"192.0.2.{n}") for n, name in enumerate(names)]
    assert all(each == told[0] for each in told)
    assert [status for status, *_ in told[0]] == [401, 401, 429]
    assert [argon2 for *_, argon2 in told[0]] == [1, 1, 0]


def _told(start: Start, name: str, address: str) -> list[Any]:
    """What somebody can learn from three wrong logins with this name."""
    hasher, statements = Counting(), []
    app = start(hasher, login_failures=2)

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    learnt = []
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        for _ in range(3):
            hasher.count = 0
            statements.clear()
            answer = attempt(app, name, WRONG, address)
            headers = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
            learnt.append((answer.status, answer.body, headers, list(statements), hasher.count))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    return learnt


def test_what_was_typed_is_neither_stored_nor_logged(
    start: Start, engine: sa.Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    """Names neither: people type passwords there."""
    app = start(login_failures=3)
    token = log_in(app, "alice")["access_token"]
    fail(app, 2, login("my secret", "guess 1234"))
    assert call(app, "POST", "/login/fresh", {"password": "guess 1234"}, token).status == 401
    at_once([app], [login("my secret", "guess 1234")] * 5)
    logged = "".join(capfd.readouterr())
    assert "login_failed" in logged
    with engine.connect() as conn:
        stored = [str(row) for table in metadata.sorted_tables for row in conn.execute(sa.select(table))]
    for word in ("my secret", "guess", PASSWORD, token):
        assert not [line for line in (*stored, *logged.splitlines()) if word in line]


# Argon2


class Blocked(Hasher):
    """Checks nothing until it is released."""

    def __init__(self) -> None:
        super().__init__(8, 1)
        self.release = Event()

    def fits(self, hashed: str, password: str) -> bool:
        self.release.wait(30)
        return super().fits(hashed, password)


def test_beyond_its_queue_a_login_is_refused_and_other_requests_go_on(start: Start) -> None:
    hasher = Blocked()
    app = start(hasher, at_once=1)
    hasher.release.set()
    token = log_in(app, "alice")["access_token"]
    hasher.release.clear()

    async def scenario() -> list[Answer]:
        logins = [asyncio.create_task(send(app, login("alice", PASSWORD))) for _ in range(20)]
        try:
            refused: set[Any] = set()
            waiting: set[Any] = set(logins)
            done = waiting
            while done and len(refused) < 3:  # one is under way, and 16 wait for it
                done, waiting = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)
                refused |= done
            assert statuses([task.result() for task in refused]) == {503: 3}
            assert {task.result().headers["retry-after"] for task in refused} == {"1"}
            assert (await send(app, Call("GET", "/item/chair", None, token))).status == 200
            assert len([task for task in logins if not task.done()]) == 17
        finally:
            hasher.release.set()
        return await asyncio.gather(*waiting)

    assert statuses(asyncio.run(scenario())) == {200: 17}
    assert attempt(app, "bob", PASSWORD).status == 200


def test_a_login_with_old_parameters_is_hashed_anew(start: Start, engine: sa.Engine) -> None:
    app = start(Hasher(16, 2))
    log_in(app, "alice")
    with engine.connect() as conn:
        hashed = conn.execute(sa.select(users.c.password_hash).where(users.c.username == "alice")).scalar_one()
    assert "m=16,t=2,p=1" in hashed
    log_in(app, "alice")
