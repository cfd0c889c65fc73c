"""What the server does with clients that are slow, greedy or malformed, and how it ends; over real sockets."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storekeeper.http.proxy_headers import behind_proxies
from storekeeper.http.response_headers import COMMON_HEADERS
from storekeeper.http.untrusted_peers import UntrustedPeers
from tests.support.server_process import HOST, Answer, Client, Server, await_that, is_alive, megabytes, request

SLOW = {"head_seconds": 60, "body_seconds": 60, "keep_alive_seconds": 60}  # nothing but the server's end is quick
CHUNKED = b"Transfer-Encoding: chunked\r\n"

Start = Callable[..., Server]


@pytest.fixture(scope="module")
def shared_toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve("tests.support.server_process", tmp_path_factory.mktemp("toy"), keep_alive_seconds=1)


@pytest.fixture(scope="module")
def shared_real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve("storekeeper", tmp_path_factory.mktemp("real"), keep_alive_seconds=60)


def serve(program: str, folder: Path, **given: object) -> Iterator[Server]:
    server = Server(program, folder, head_seconds=1, body_seconds=1, **given)
    try:
        yield server.wait()
        assert server.end() == 0
    finally:
        server.put_away()
    for noise in ("Traceback", "WARNING", "ERROR", '"level":"warning"', '"level":"error"'):
        assert noise not in server.log  # the mistakes were the clients'


@pytest.fixture
def toy(shared_toy: Server) -> Iterator[Server]:
    """A server of the toy application. Its patience is a second."""
    yield shared_toy
    shared_toy.hang_up()


@pytest.fixture
def real(shared_real: Server) -> Iterator[Server]:
    """A server of our own application, just as impatient, but not with idle connections."""
    yield shared_real
    shared_real.hang_up()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Servers that a test may end."""
    servers: list[Server] = []

    def start(program: str = "tests.support.server_process", **given: object) -> Server:
        servers.append(Server(program, tmp_path, **SLOW | given))
        return servers[-1].wait()

    yield start
    for server in servers:
        server.put_away()


def is_refusal(answer: Answer, status: int, code: str) -> bool:
    """Whether it is an error of the API's one shape, with all that every answer has."""
    fixed = {name.decode(): value.decode() for name, value in COMMON_HEADERS}
    fixed |= {"content-type": "application/json", "connection": "close"}
    return (
        (answer.status, answer.json["error"]) == (status, code)
        and answer.json.keys() == {"error", "message"}
        and fixed.items() <= answer.headers.items()
        and "date" in answer.headers
        and "server" not in answer.headers
    )


def test_every_answer_has_the_security_headers_and_may_have_its_own(real: Server) -> None:
    fixed = {name.decode(): value.decode() for name, value in COMMON_HEADERS}
    for target in ("/livez", "/items", "/nowhere", "/store/nowhere"):
        assert fixed.items() <= real.connect(request("GET", target)).read().headers.items()
    page = real.connect(request("GET", "/docs")).read().headers
    assert fixed.keys() <= page.keys()
    assert "script-src 'self'" in page["content-security-policy"]


def test_an_answer_may_come_in_pieces_of_a_known_length(toy: Server) -> None:
    answer = toy.ask(request("GET", "/?halves=1"))
    assert (answer.status, answer.json["path"]) == (200, "/")
    head = toy.ask(request("HEAD", "/"))
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 9


# Slow clients


def test_a_head_has_to_come_in_time(toy: Server) -> None:
    half = toy.connect(b"GET / HTTP/1.1\r\n" + HOST)
    silent = toy.connect()
    blank = toy.connect(b"\r\n\r\n")
    second = toy.connect(request("GET", "/"))
    assert second.read().status == 200
    second.send(b"GET / HT")
    assert is_refusal(half.read(), 408, "request_timeout")
    assert is_refusal(second.read(), 408, "request_timeout")
    assert silent.is_closed()
    assert blank.is_closed()


def test_a_trickle_does_not_prolong_the_time(toy: Server) -> None:
    client = toy.connect(b"GET / HTTP/1.1\r\n")
    client.socket.settimeout(0.1)
    for _ in range(100):
        try:
            assert is_refusal(client.read(), 408, "request_timeout")
            break
        except TimeoutError:
            client.send(b"X: y\r\n")
    else:
        pytest.fail("still open after 10 seconds")


def test_an_idle_connection_is_closed_even_if_it_sends_blank_lines(toy: Server) -> None:
    client = toy.connect(request("GET", "/"))
    assert client.read().status == 200
    client.send(b"\r\n\r\n")
    assert client.is_closed()


def test_a_body_has_to_come_in_time(real: Server) -> None:
    head = b"Content-Type: application/json\r\nContent-Length: 50\r\n"
    begun = real.connect(request("POST", "/login", head) + b'{"user')
    never = real.connect(request("POST", "/login", head))
    chunked = real.connect(request("POST", "/login", b"Content-Type: application/json\r\n" + CHUNKED) + b"5\r\nab")
    for client in (begun, never, chunked):
        answer = client.read()
        assert (answer.status, answer.json["error"]) == (408, "request_timeout")
        assert client.is_closed()


def test_half_sent_requests_hold_nobody_up(real: Server) -> None:
    for _ in range(100):
        real.connect(b"GET / HTTP/1.1\r\n")
        real.connect(request("POST", "/login", b"Content-Type: application/json\r\nContent-Length: 50\r\n") + b"{")
    began = time.monotonic()
    reader = real.connect()
    for _ in range(20):
        reader.send(request("GET", "/items"))
        assert reader.read().status == 200
    assert time.monotonic() - began < 5  # one after the other, the others would take 200


def test_clients_that_do_not_read_cost_little_memory(toy: Server) -> None:
    before = megabytes(toy.pid)
    for sent in (request("POST", "/", b"", b"x"), request("GET", "/?size=100000"), request("GET", "/?sleep=1")):
        toy.connect(buffer=4096).flood(sent * 40_000)
    time.sleep(0.5)
    assert toy.get("/").status == 200
    assert megabytes(toy.pid) - before < 8  # Uvicorn as it comes takes 30 to 60 for these three, and more by the minute


# Greedy ones


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(request("GET", "/", b"X: " + b"x" * 33_000 + b"\r\n"), id="one header"),
        pytest.param(request("GET", "/", b"X: 0123456789012345678901234567890123456789\r\n" * 1000), id="many headers"),
        pytest.param(request("GET", "/" + "x" * 33_000), id="target"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, id="endless header"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000, id="huge header"),
        pytest.param(b"GET /" + b"x" * 40_000, id="endless target"),
        pytest.param(request("POST", "/", CHUNKED) + b"1;" + b"x" * 40_000, id="endless chunk extension"),
        pytest.param(request("POST", "/", CHUNKED) + b"0\r\nX: " + b"x" * 40_000, id="endless trailer"),
    ],
)
def test_a_head_has_a_size(toy: Server, head: bytes) -> None:
    client = toy.connect(head)
    assert is_refusal(client.read(), 431, "head_too_large")
    assert client.is_closed()


def test_a_head_below_that_size_passes_however_it_is_cut(toy: Server) -> None:
    whole = request("GET", "/", b"X: " + b"x" * 32_000 + b"\r\n")
    client = toy.connect(request("GET", "/") * 100 + whole[:5000])
    client.send(whole[5000:])
    assert [client.read().status for _ in range(101)] == [200] * 101


def test_a_body_that_is_too_large_is_answered_and_the_rest_of_it_taken(real: Server) -> None:
    """A connection that is closed at once would be reset, and many a client never sees the answer then."""
    client = real.connect(request("POST", "/login", b"Content-Type: application/json\r\n" + CHUNKED))
    for _ in range(100):
        client.send(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        time.sleep(0.002)
    answer = client.read()
    assert (answer.status, answer.json["error"]) == (413, "too_large")
    assert client.is_closed()


def test_an_unwanted_body_is_read_a_little_way_only(real: Server) -> None:
    small = real.connect(request("POST", "/nowhere", b"Content-Length: 60000\r\n"))
    assert small.read().status == 404
    small.send(b"x" * 60_000 + request("GET", "/livez"))
    assert small.read().status == 200

    large = real.connect(request("POST", "/nowhere", b"Content-Length: 1000000\r\n"))
    assert large.read().status == 404
    began = time.monotonic()
    large.send(b"x" * 200_000)
    assert large.is_closed()
    assert time.monotonic() - began < 5  # and not when the time for the body is over


# Malformed ones


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", id="host with a space"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", id="host with a comma"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", id="host in UTF-8"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", id="two lengths"
        ),
        pytest.param(
            request("POST", "/", CHUNKED + b"Content-Length: 1\r\n") + b"0\r\n\r\n", id="chunked with a length"
        ),
        pytest.param(b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", id="path in UTF-8"),
        pytest.param(b"GET /?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n", id="query of any bytes"),
        pytest.param(b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", id="control byte"),
        pytest.param(b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", id="no path"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", id="CONNECT"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", id="TLS"),
        pytest.param(request("POST", "/", CHUNKED) + b"zz\r\n", id="chunk size"),
    ],
)
def test_what_is_no_sound_request_is_refused(toy: Server, sent: bytes) -> None:
    client = toy.connect(sent)
    assert is_refusal(client.read(), 400, "bad_request")
    assert client.is_closed()


def test_the_second_request_of_a_connection_needs_a_host_too(toy: Server) -> None:
    client = toy.connect(request("GET", "/"))
    assert client.read().status == 200
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert is_refusal(client.read(), 400, "bad_request")


def test_http_1_0_needs_no_host(toy: Server) -> None:
    assert toy.ask(b"GET / HTTP/1.0\r\n\r\n").status == 200


def test_http_1_0_is_sent_no_chunks(real: Server) -> None:
    """It does not know them: the end of the connection is the end of the answer."""
    csv = b"Accept: text/csv\r\nAuthorization: Bearer " + token_of(real) + b"\r\n"
    client = real.connect(b"GET /items HTTP/1.0\r\n" + csv + b"\r\n")
    answer = client.read()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert not {"transfer-encoding", "content-length"} & answer.headers.keys()
    rest = b""
    while not client.is_closed():
        rest, client._read = rest + client._read, b""
    assert rest.startswith(b"id,store,name,price")
    chunked = real.connect(request("GET", "/items", csv)).read()
    assert chunked.headers["transfer-encoding"] == "chunked"


def token_of(server: Server) -> bytes:
    who = json.dumps({"username": "anna", "password": "correct horse battery"}).encode()
    head = b"Content-Type: application/json\r\n"
    assert server.ask(request("POST", "/register", head, who)).status == 201
    return str(server.ask(request("POST", "/login", head, who)).json["access_token"]).encode()


@pytest.mark.parametrize("line", [b"GET /", b"GET / HTTP/0.9", b"GET / HTTP/1.2", b"GET / HTTP/3.0"])
def test_other_versions_are_refused(real: Server, line: bytes) -> None:
    client = real.connect(line + b"\r\nHost: a\r\n\r\n")
    assert is_refusal(client.read(), 400, "bad_request")
    assert '"event":"bug"' not in real.log


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked", b"identity", b"x"])
def test_a_body_in_another_transfer_coding_is_refused(real: Server, coding: bytes) -> None:
    """It would be read as if it were plain."""
    head = b"Content-Type: application/json\r\nTransfer-Encoding: " + coding + b"\r\n"
    client = real.connect(request("POST", "/login", head) + b"2\r\n{}\r\n0\r\n\r\n")
    assert is_refusal(client.read(), 501, "unknown_transfer_coding")
    assert client.is_closed()


def test_a_refusal_has_an_id_and_leaves_a_line(start: Start) -> None:
    """Also where the application has not seen the request; and a script of a listed origin can read it."""
    server = start("storekeeper", cors_origins="https://shop.example")
    for origin, is_listed in ((b"https://shop.example", True), (b"https://evil.example", False)):
        answer = server.ask(request("GET", "/items", b"Origin: " + origin + b"\r\nHost: b\r\n"))
        assert answer.status == 400
        assert ("access-control-allow-origin" in answer.headers) is is_listed
        assert ("X-Request-ID" in answer.headers.get("access-control-expose-headers", "")) is is_listed
        await_that(partial(is_in_log, server, answer.headers["x-request-id"]))
    lines = [json.loads(line) for line in server.log.splitlines() if '"status":400' in line]
    assert len(lines) == 2
    assert {name: lines[0][name] for name in ("event", "method", "path", "address", "user_id")} == {
        "event": "request",
        "method": "GET",
        "path": "/items",
        "address": "127.0.0.1",
        "user_id": None,
    }


def is_in_log(server: Server, id: str) -> bool:
    return f'"request":"{id}"' in server.log


def test_nothing_is_done_with_a_cut_body(real: Server) -> None:
    body = json.dumps({"username": "cut", "password": "correct horse battery"}).encode()
    head = b"Content-Type: application/json\r\n"
    cut = real.connect(request("POST", "/register", head + b"Content-Length: 200\r\n") + body)
    cut.half_close()
    assert is_refusal(cut.read(), 400, "bad_request")
    assert real.ask(request("POST", "/register", head, body)).status == 201


def test_a_client_that_has_sent_all_may_close_its_side(toy: Server) -> None:
    client = toy.connect(request("GET", "/?sleep=0.3"))
    client.half_close()
    assert client.read().status == 200
    assert client.is_closed()


def test_twins_with_underscores_and_trailers_are_dropped(toy: Server) -> None:
    told = toy.get("/", b"X_Forwarded_For: 1.2.3.4\r\nX-Real: yes\r\n").json
    assert told["headers"] == [["host", "a"], ["x-real", "yes"]]
    sent = request("POST", "/", CHUNKED) + b"3\r\nabc\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
    told = toy.ask(sent).json
    assert (told["body"], told["headers"]) == ("abc", [["host", "a"], ["transfer-encoding", "chunked"]])


# What has to work


def test_pipelined_requests_are_answered_in_order(toy: Server) -> None:
    bodies = [b"x" * (5000 if n % 5 == 0 else n % 3) for n in range(300)]  # more than the server reads at once
    sent = [request("POST", f"/{n}?sleep={n % 2 / 500}", b"", body) for n, body in enumerate(bodies)]
    client = toy.connect(b"".join(sent))
    told = [client.read().json for _ in sent]
    assert [each["path"] for each in told] == [f"/{n}" for n in range(300)]
    assert [len(each["body"]) for each in told] == list(map(len, bodies))


def test_pipelined_requests_are_answered_in_order_even_if_nobody_asks_for_their_bodies(toy: Server) -> None:
    client = toy.connect(b"".join(request("GET", f"/{n}?ignore=1&sleep={n % 2 / 500}") for n in range(300)))
    assert [client.read().json["path"] for _ in range(300)] == [f"/{n}" for n in range(300)]


@pytest.mark.parametrize("rest", [b"GARBAGE\r\n\r\n", request("POST", "/", CHUNKED) + b"zz\r\n", b"GET / HTTP/1.1\r\n"])
def test_a_refusal_does_not_overtake_an_answer(toy: Server, rest: bytes) -> None:
    client = toy.connect(request("GET", "/first?sleep=0.3") + rest)
    if rest.startswith(b"GET"):
        client.half_close()
    assert client.read().json["path"] == "/first"
    assert client.read().status in (0, 400)
    assert client.is_closed()


def test_expect_continue(toy: Server) -> None:
    client = toy.connect(request("POST", "/", b"Expect: 100-continue\r\nContent-Length: 5\r\n"))
    assert client.read().status == 100
    client.send(b"hello")
    assert client.read().json["body"] == "hello"


def test_what_follows_an_unsent_expected_body_is_no_request(real: Server) -> None:
    """A proxy might send another client's request here, taking the answer for the end of this one."""
    client = real.connect(request("POST", "/nowhere", b"Expect: 100-continue\r\nContent-Length: 500\r\n"))
    assert client.read().status == 404
    began = time.monotonic()
    client.send(request("GET", "/livez"))
    assert client.is_closed()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_an_upgrade_is_declined(toy: Server, protocol: bytes) -> None:
    headers = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
    client = toy.connect(request("POST", "/first", headers + b"Content-Length: 5000\r\n"))
    client.send(b"x" * 5000 + request("GET", "/second", headers) + request("GET", "/third"))
    assert len(client.read().json["body"]) == 5000
    assert [client.read().json["path"] for _ in range(2)] == ["/second", "/third"]


# Proxies


def who(headers: list[tuple[bytes, bytes]], peer: str = "10.0.0.1", trusted: tuple[str, ...] = ("10.0.0.0/8",)) -> Any:
    """The address that the application sees."""
    scope: dict[str, Any] = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": headers}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        pass

    asyncio.run(behind_proxies(app, trusted, UntrustedPeers())(scope, None, None))
    return scope["client"][0]


def test_the_right_most_untrusted_address_is_the_client() -> None:
    assert who([(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4, 10.0.0.2")]) == "1.2.3.4"
    assert who([(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"1.2.3.4")]) == "1.2.3.4"
    assert who([(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4:5678")]) == "1.2.3.4"
    assert who([(b"x-forwarded-for", b"[2001:db8::1]:5678")]) == "2001:db8::1"
    assert who([(b"x-forwarded-for", b"1.2.3.4")], trusted=("10.9.9.9/8",)) == "1.2.3.4"


def test_others_cannot_say_where_they_come_from() -> None:
    forged = [(b"x-forwarded-for", b"6.6.6.6")]
    assert who(forged, peer="192.0.2.1") == "192.0.2.1"
    assert who(forged, trusted=()) == "10.0.0.1"
    assert who(forged, peer="127.0.0.1") == "127.0.0.1"


# The end


def occupy(server: Server) -> None:
    """Clients of every kind that would keep a server waiting for ever."""
    server.connect()
    server.connect(b"GET / HTTP/1.1\r\n")
    server.connect(request("POST", "/", b"Content-Length: 50\r\n") + b"abc")
    server.connect(request("POST", "/", CHUNKED))
    server.connect(request("GET", "/")).read()
    server.connect(request("GET", "/?size=100000000"), buffer=4096)
    server.connect(buffer=4096).flood(request("GET", "/?size=10000") * 2000)


def test_it_ends_in_time_whatever_clients_do(start: Start) -> None:
    alone, several = start(), start(workers=2)
    families = alone.family() | several.family()
    occupy(alone)
    occupy(several)
    began = time.monotonic()
    alone.process.terminate()
    assert several.end(signal.SIGINT) == 0
    assert alone.process.wait(10) == 0
    assert time.monotonic() - began < 10
    await_that(lambda: all(map(has_ended, families)))
    assert "Traceback" not in alone.log + several.log


def test_what_is_under_way_is_finished(start: Start) -> None:
    server = start()
    client = server.connect(request("GET", "/?sleep=1"))
    time.sleep(0.2)
    server.process.terminate()
    assert client.read().status == 200
    assert server.process.wait(10) == 0


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    server = start()
    server.connect(request("GET", "/?sleep=60"))
    server.process.terminate()
    server.process.terminate()  # an echo
    time.sleep(1.2)
    assert server.process.poll() is None
    began = time.monotonic()
    assert server.end() == 1
    assert time.monotonic() - began < 2


def has_ended(pid: int) -> bool:
    return not is_alive(pid)


def pid_of_worker(server: Server) -> int:
    return int(server.get("/").json["pid"])


def test_workers_are_replaced_and_none_outlives_its_master(start: Start) -> None:
    server = start(workers=2)
    for _ in range(3):
        pid = pid_of_worker(server)
        os.kill(pid, signal.SIGKILL)
        await_that(partial(has_ended, pid))
        assert pid_of_worker(server) != pid  # from the other, or from the new one when it is there
    await_that(lambda: len({pid_of_worker(server) for _ in range(20)}) == 2)

    family = server.family()
    server.end(signal.SIGKILL)
    await_that(lambda: all(map(has_ended, family)))
    with pytest.raises(ConnectionRefusedError):
        Client(server.port)
    assert start(port=server.port).get("/").status == 200


def test_workers_that_cannot_start_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_FAILS", "1")
    server = Server("tests.support.server_process", tmp_path, workers=2)
    assert server.process.wait(30) == 1


def test_a_port_in_use_is_said_in_one_line(real: Server, tmp_path: Path) -> None:
    server = Server("storekeeper", tmp_path, port=real.port)
    assert server.process.wait(30) == 1
    last = server.log.splitlines()[-1]
    assert last == f"storekeeper: cannot listen on 127.0.0.1:{real.port}: address already in use"
    assert "Traceback" not in server.log
