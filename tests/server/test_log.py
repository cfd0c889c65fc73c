"""The log: one line of JSON for each request and each event, and a server that does not wait for its reader."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from falcon import testing
from msgspec import UNSET

from storekeeper import log
from storekeeper.components import Parts
from storekeeper.log import LogWriter
from storekeeper.security import setup_token
from tests.conftest import Person, bearer
from tests.support.cast import PASSWORD
from tests.support.server_process import ROOT, Client, await_that, request

Lines = Callable[[], list[dict[str, Any]]]
NEW_PASSWORD = "another horse battery"


@pytest.fixture
def level() -> str:
    return "info"


@pytest.fixture(autouse=True)
def lines(level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What has been logged since the last call. First of all fixtures: an application is made with its logger."""
    root = logging.getLogger()
    handlers, number = root.handlers[:], root.level
    with (tmp_path / "log").open("w") as stderr, (tmp_path / "log").open() as reader:
        monkeypatch.setattr("sys.stderr", stderr)
        log_writer = log.configure(level)

        def lines() -> list[dict[str, Any]]:
            structlog.get_logger().critical("mark")
            read: list[dict[str, Any]] = []
            await_that(
                lambda: read.extend(json.loads(line) for line in reader) or (read and read[-1]["event"] == "mark")
            )
            return read[:-1]

        yield lines
        log_writer.close()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(number)


def events(lines: Lines) -> list[str]:
    """Ours, but for the requests; starting a database says something as well."""
    return [line["event"] for line in lines() if line["event"] != "request" and "source" not in line]


# Requests


def test_a_request_leaves_one_line_with_the_id_of_the_answer(lines: Lines, alice: Person) -> None:
    alice.log_in()
    lines()
    answer = alice.get("/item/chair", params={"store_id": 1}, remote_addr="192.0.2.7")
    (line,) = lines()
    assert line.pop("ms") >= 0
    assert line.pop("time").endswith("Z")
    assert line == {
        "method": "GET",
        "path": "/item/chair",
        "status": 200,
        "request": answer.headers["X-Request-ID"],
        "address": "192.0.2.7",
        "user_id": 1,
        "event": "request",
        "level": "info",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PATCH", "/items", 405), ("GET", "/items?limit=x", 400), ("GET", "/users", 401)],
)
def test_a_refused_request_leaves_one_too(
    lines: Lines, client: testing.TestClient, method: str, path: str, status: int
) -> None:
    lines()
    answer = client.simulate_request(method, path)
    (line,) = lines()
    assert (line["status"], line["request"]) == (status, answer.headers["X-Request-ID"])


def test_the_senders_id_is_told_beside_ours(lines: Lines, client: testing.TestClient) -> None:
    lines()
    for given in ("till-7:42", 'x","event":"forged', "x" * 129):
        answer = client.simulate_get("/livez", headers={"X-Request-ID": given})
        (line,) = lines()
        assert line["request"] == answer.headers["X-Request-ID"] != given
        assert line.get("client_request") == ("till-7:42" if given == "till-7:42" else None)
    body = {"username": "nobody", "password": "wrong"}
    client.simulate_post("/login", json=body, headers={"X-Request-ID": "till-8"})
    assert {line["client_request"] for line in lines()} == {"till-8"}, "events as well"


def test_nothing_in_a_line_steers_a_terminal_or_ends_a_line() -> None:
    unsafe = ["\x7f", "\x9b", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\u061c"]
    for mark in unsafe:
        line = log.encode({"path": f"/item/{mark}ü木"})
        assert mark.encode() not in line
        assert json.loads(line) == {"path": f"/item/{mark}ü木"}
        assert "ü木" in line.decode()
        assert mark.encode() not in log.encode(log.RequestLine("GET", mark, 200, 0.1, "r", UNSET, "", None))


# Events


def test_each_security_event_leaves_a_line(
    lines: Lines, parts: Parts, alice: Person, bob: Person, root: Person
) -> None:
    """What a session goes through, and who may do what."""
    client = alice.client
    alice.log_in()
    assert events(lines) == ["login"]
    client.simulate_post("/login", json={"username": "alice", "password": "wrong"})
    assert events(lines) == ["login_failed"]
    alice.post("/login/fresh", {"password": "wrong"})
    assert events(lines) == ["login_failed"]
    alice.post("/login/fresh", {"password": PASSWORD})
    assert events(lines) == ["login_confirmed"]
    alice.put("/user/1/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    assert events(lines) == ["password_changed"]
    alice.get("/users")
    assert events(lines) == ["forbidden"]
    alice.put("/store/ikea/members/carol", {"role": "owner"})
    assert events(lines) == ["role_changed"]
    alice.delete("/store/ikea/members/carol")
    assert events(lines) == ["role_changed"]
    alice.delete("/sessions")
    assert events(lines) == ["sessions_ended"]
    alice.post("/logout")
    assert events(lines) == ["logout"]
    bob.delete(f"/sessions/{bob.get('/sessions').json['sessions'][0]['id']}")
    assert events(lines) == ["login", "session_ended"]
    root.patch("/user/2", {"is_active": False})
    assert events(lines) == ["login", "role_changed"]
    root.delete("/user/2")
    assert events(lines) == ["user_deleted"]
    client.simulate_post("/register", json={"username": "dora", "password": NEW_PASSWORD})
    assert events(lines) == ["registered"]
    wrong = {"username": "eve", "password": NEW_PASSWORD, "setup_token": "guessed"}
    client.simulate_post("/register", json=wrong)
    late = wrong | {"setup_token": setup_token.create(parts.keys)}
    client.simulate_post("/register", json=late)
    assert events(lines) == ["wrong_setup_token", "wrong_setup_token"]


def test_an_event_names_who_did_what_to_whom_and_its_request(lines: Lines, root: Person) -> None:
    root.log_in()
    lines()
    answer = root.patch("/user/3", {"is_admin": True}, remote_addr="192.0.2.7")
    event, request_line = lines()
    assert event.pop("time")
    assert event == {
        "request": answer.headers["X-Request-ID"],
        "address": "192.0.2.7",
        "user_id": 4,
        "changed_id": 3,
        "is_admin": True,
        "is_active": True,
        "must_change_password": False,
        "event": "role_changed",
        "level": "info",
    }
    assert request_line["request"] == answer.headers["X-Request-ID"]


def test_a_refused_change_is_no_event(lines: Lines, alice: Person, root: Person) -> None:
    root.log_in()
    alice.log_in()
    lines()
    root.patch("/user/4", {"is_admin": False})  # the last administrator
    alice.delete("/user/4")  # not hers
    alice.delete("/store/ikea/members/alice")  # the last owner
    assert events(lines) == []


def test_the_throttle_leaves_a_line(lines: Lines, client: testing.TestClient) -> None:
    for _ in range(11):
        client.simulate_post("/login", json={"username": "nobody", "password": "wrong"})
    assert events(lines) == ["login_failed"] * 10 + ["too_many_attempts"]


def test_the_use_of_a_stolen_refresh_token_leaves_a_line(lines: Lines, alice: Person, clock: Any) -> None:
    first = alice.log_in()["refresh_token"]
    second = alice.refresh()["refresh_token"]
    alice.client.simulate_post("/refresh", headers=bearer(second))
    clock.now += 60
    lines()
    alice.client.simulate_post("/refresh", headers=bearer(first))
    assert events(lines) == ["refresh_token_reused"]


# Levels


@pytest.mark.parametrize(("level", "expected"), [("info", 1), ("warning", 0), ("error", 0), ("debug", 1)])
def test_the_level_leaves_out_what_is_below_it(lines: Lines, expected: int, client: testing.TestClient) -> None:
    lines()
    client.simulate_get("/livez")
    assert len(lines()) == expected


def test_other_libraries_are_heard_from_the_level_on(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid %s", "request")
    logging.getLogger("uvicorn.error").debug("detail")
    (line,) = lines()
    assert (line["event"], line["source"], line["level"]) == ("Invalid request", "uvicorn.error", "warning")


# Bugs


def test_a_bug_leaves_its_trace_without_the_values_of_variables(
    lines: Lines, client: testing.TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines()
    monkeypatch.setattr("storekeeper.models.login_network.find", None)
    answer = client.simulate_post("/login", json={"username": "alice", "password": "a-marked-password"})
    assert answer.status_code == 500
    bug, request_line = lines()
    assert (bug["event"], bug["request"]) == ("bug", answer.headers["X-Request-ID"])
    assert "NoneType" in bug["exception"][-1]["exc_value"]
    assert any(frame["name"] == "_look_up" for frame in bug["exception"][-1]["frames"])
    assert "a-marked-password" not in json.dumps(bug)
    assert request_line["status"] == 500


def test_what_cannot_be_encoded_is_logged_all_the_same(lines: Lines) -> None:
    structlog.get_logger().warning("odd", name="half \ud83d", number=float("nan"), thing=object)
    (line,) = lines()
    assert line["name"] == "half \ud83d"


# The log's reader


def test_lines_that_nobody_reads_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "WAITING", 500)
    reader, writer = os.pipe()
    log_writer = LogWriter(writer)
    for number in range(5000):
        log_writer.msg(b'{"event":"%d","more":"%s"}' % (number, b"x" * 200))
    read = read_all(reader, writer, log_writer)
    told = sum(line["lines"] for line in read if line["event"] == "lines_dropped")
    assert told > 4000
    assert told + sum(line["event"] != "lines_dropped" for line in read) == 5000


def read_all(reader: int, writer: int, *log_writers: LogWriter) -> list[dict[str, Any]]:
    """What comes through the pipe until all has been written."""
    pieces: list[bytes] = []

    def read() -> None:
        while piece := os.read(reader, 65_536):
            pieces.append(piece)

    thread = threading.Thread(target=read)
    thread.start()
    for log_writer in log_writers:
        log_writer.close()
    os.close(writer)
    thread.join()
    os.close(reader)
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


def test_workers_that_share_a_pipe_do_not_cut_each_others_lines() -> None:
    reader, writer = os.pipe()
    log_writers = [LogWriter(writer), LogWriter(writer)]
    for number in range(2000):
        for log_writer in log_writers:
            log_writer.msg(b'{"event":"%d","more":"%s"}' % (number, b"x" * (number % 700)))
    await_that(lambda: not any(log_writer._lines for log_writer in log_writers))  # both write, and the pipe is full
    assert len(read_all(reader, writer, *log_writers)) == 4000


def test_a_full_disk_costs_lines_but_not_the_log(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    log_writer = LogWriter(descriptor)
    log_writer.msg(b'{"event":"lost"}')
    await_that(lambda: log_writer._dropped == 1)
    with (tmp_path / "log").open("wb") as file:
        os.dup2(file.fileno(), descriptor)
    log_writer.msg(b'{"event":"kept"}')
    log_writer.close()
    os.close(descriptor)
    kept, dropped = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert kept == {"event": "kept"}
    assert (dropped["event"], dropped["lines"]) == ("lines_dropped", 1)


def test_a_reader_that_stands_still_neither_stops_the_server_nor_its_end(tmp_path: Path) -> None:
    environ = os.environ | {"STOREKEEPER_DATA": str(tmp_path), "STOREKEEPER_PORT": "0"}
    command = [sys.executable, "-m", "storekeeper", "serve"]
    greeting = tmp_path / "greeting"
    with greeting.open("wb") as stdout:
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=stdout, stderr=subprocess.PIPE)
    try:
        await_that(lambda: "documentation" in greeting.read_text())
        port = int(greeting.read_text().split(" (")[0].rpartition(":")[2])
        assert ask_often(port, 1000) == 1000  # a pipe holds 64 KiB, which is some 350 lines
        server.terminate()
        assert server.wait(15) == 0
    finally:
        server.kill()
        server.communicate()


def ask_often(port: int, times: int) -> int:
    """How many of so many requests are answered."""
    client = Client(port)
    client.send(request("GET", "/livez") * times)
    answered = sum(client.read().status == 200 for _ in range(times))
    client.close()
    return answered
