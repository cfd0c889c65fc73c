"""How many requests one network and one user may send: counted in units, and told by `RateLimit`."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.concurrency import rate_limiter
from storekeeper.concurrency.rate_limiter import RateLimiter
from storekeeper.errors import TooManyRequests
from storekeeper.http import request_limits
from storekeeper.http.request_context import RequestContext
from storekeeper.http.request_limits import RequestLimits
from storekeeper.settings import Settings
from tests.conftest import Clock, as_served
from tests.openapi.test_openapi import Json, document, operations  # noqa: F401
from tests.support import images
from tests.support.concurrent_workers import Answer, Call, at_once, log_in, statuses
from tests.support.console_browser import Browser
from tests.support.login_guesses import Start, starting

ADDRESS = "192.0.2.1"
READ = "/item/chair"  # takes one unit
LIST = "/store/ikea"  # takes five, from anybody
PICTURE = images.encoded(images.two_colours(), "PNG")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the limits take for the time; the test moves it."""
    clock = Clock()
    clock.now = 1000.0
    monkeypatch.setattr("storekeeper.http.request_limits.monotonic", clock)
    return clock


@pytest.fixture
def start(engine: sa.Engine, settings: Settings, now: Clock) -> Iterator[Start]:
    none = msgspec.structs.replace(settings, network_requests_per_minute=0, user_requests_per_minute=0)
    with starting(none) as start:
        yield start


def ask(app: Any, path: str, token: str = "", address: str = ADDRESS, method: str = "GET", **more: Any) -> Answer:
    headers = tuple(more.pop("headers", {}).items())
    return at_once([app], [Call(method, path, more.pop("body", None), token, address, headers)])[0]


def log_in_to(app: Any, username: str = "alice") -> str:
    return log_in(app, username)["access_token"]


def test_by_default_a_network_has_60000_units_and_a_user_30000() -> None:
    settings = Settings()
    assert (settings.network_requests_per_minute, settings.user_requests_per_minute) == (60_000, 30_000)


# How many


def test_of_a_user_so_many_pass_and_not_one_more(start: Start, now: Clock) -> None:
    app = start(user_requests_per_minute=3)
    token, other = log_in_to(app), log_in_to(app, "bob")
    assert [ask(app, READ, token).status for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(app, READ, token, "198.51.100.1")  # wherever from
    assert refused.status == 429
    assert refused.body == {
        "error": "too_many_requests",
        "message": "There are too many requests from you, or from your network. Wait a moment.",
    }
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["ratelimit-policy"] == '"user";q=3;w=60'
    assert refused.headers["ratelimit"] == '"user";r=0;t=20'
    assert ask(app, READ, other).status == 200
    now.now += 19.9
    assert ask(app, READ, token).headers["retry-after"] == "1"
    now.now += 0.1
    assert [ask(app, READ, token).status for _ in range(2)] == [200, 429]
    now.now += 600
    assert [ask(app, READ, token).status for _ in range(4)] == [200, 200, 200, 429]


def test_of_a_network_so_many_pass_whoever_sends_them(start: Start, now: Clock) -> None:
    app = start(network_requests_per_minute=5)  # two of them are logins
    tokens = [log_in(app, name)["access_token"] for name in ("alice", "bob")]
    now.now += 60
    answers = [ask(app, READ, tokens[n % 2]) for n in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["ratelimit-policy"] == '"network";q=5;w=60'
    assert answers[-1].headers["retry-after"] == "12"
    assert ask(app, LIST).status == 429
    assert ask(app, LIST, address="192.0.3.1").status == 200
    assert ask(app, READ, tokens[0], "192.0.2.2").status == 200


@pytest.mark.parametrize(
    ("addresses", "allowed"),
    [
        (["2001:db8:0:0:a::", "2001:db8:0:0:b::"], 1),  # one /64
        ([f"2001:db8:0:{n:x}::" for n in range(8)], 3),  # of one /56
        ([f"2001:db8:0:{n:x}00::" for n in range(14)], 10),  # of one /48
        ([f"2001:db8:{n:x}::" for n in range(14)], 14),
        ([f"192.0.2.{n}" for n in range(14)], 10),
        (["::ffff:192.0.2.1", "192.0.2.1"], 1),
        (["", "a-socket"], 1),
    ],
)
def test_a_wider_network_has_its_share(start: Start, addresses: list[str], allowed: int) -> None:
    app = start(network_requests_per_minute=1)
    token = log_in_to(app)
    answers = [ask(app, READ, token, each).status for each in addresses]
    assert answers == [200] * allowed + [429] * (len(addresses) - allowed)


def test_a_limit_that_is_used_in_portions_is_no_other(start: Start, now: Clock) -> None:
    """Where there is more to be counted, it is taken out of the buckets a portion at a time."""
    app = start(user_requests_per_minute=600)
    token = log_in_to(app)
    assert statuses([ask(app, READ, token) for _ in range(601)]) == {200: 600, 429: 1}
    now.now += 1
    assert statuses([ask(app, READ, token) for _ in range(11)]) == {200: 10, 429: 1}


def test_a_user_has_no_more_from_many_addresses(start: Start) -> None:
    app = start(user_requests_per_minute=600)
    token = log_in_to(app)
    answers = [ask(app, READ, token, f"2001:db8:{n:x}::") for n in range(601)]
    assert statuses(answers) == {200: 600, 429: 1}


def test_a_burst_passes_and_then_it_goes_on_evenly(start: Start, now: Clock) -> None:
    app = start(user_requests_per_minute=120)
    token = log_in_to(app)
    passed = 0
    for _ in range(300):  # half a minute
        now.now += 0.1
        passed += ask(app, READ, token).status == 200
        passed += ask(app, READ, token).status == 200
        passed += ask(app, READ, token).status == 200
        passed += ask(app, READ, token).status == 200
        passed += ask(app, READ, token).status == 200
    assert passed == 120 + 59


def test_what_costs_more_than_there_is_in_a_minute_passes_when_all_is_left(start: Start, now: Clock) -> None:
    app = start(network_requests_per_minute=10)
    assert [ask(app, "/stores").status for _ in range(2)] == [200, 429]
    assert ask(app, "/stores").headers["retry-after"] == "120"
    now.now += 119
    assert ask(app, "/stores").status == 429
    now.now += 1
    assert ask(app, "/stores").status == 200


def test_without_limits_nothing_is_refused_and_nothing_told(start: Start) -> None:
    app = start()
    token = log_in_to(app)
    answers = [ask(app, path, token) for path in (READ, LIST) for _ in range(50)]
    assert statuses(answers) == {200: 100}
    assert not any(name.startswith("ratelimit") for answer in answers for name in answer.headers)


def test_each_process_counts_by_itself(start: Start) -> None:
    apps = [start(network_requests_per_minute=10) for _ in range(2)]
    assert [ask(app, LIST).status for app in apps for _ in range(3)] == [200, 200, 429] * 2


# What is counted


UNITS: list[tuple[str, str, int, dict[str, Any]]] = [
    ("GET", READ, 1, {}),
    ("PUT", READ, 1, {"body": {"price": 3, "store_id": 1}}),
    ("GET", "/items", 5, {}),
    ("GET", "/items?q=chair", 20, {}),
    ("GET", "/items?tag=garden", 20, {}),
    ("GET", "/store/ikea/items?price_min=2", 5, {}),
    ("GET", "/items", 15, {"headers": {"Prefer": "count=exact"}}),
    ("GET", "/items", 5, {"headers": {"Accept": "text/csv"}}),
    ("GET", "/item/chair/history", 5, {}),
    ("GET", "/stores", 20, {}),
    ("POST", "/items/bulk", 7, {"body": [{"store_id": 1, "name": f"item{n}", "price": 1} for n in range(20)]}),
    ("PUT", "/item/chair/image", 20, {"body": PICTURE, "headers": {"Content-Type": "image/png"}}),
    ("POST", "/imports?store=ikea", 20, {"body": b"name,price\r\n", "headers": {"Content-Type": "text/csv"}}),
    ("GET", "/item/chair?unknown=1", 1, {}),
    ("GET", "/livez", 0, {}),
    ("GET", "/readyz", 0, {}),
    ("GET", "/docs", 0, {}),
    ("GET", "/docs/page.css", 0, {}),
    ("GET", "/openapi.json", 0, {}),
    ("DELETE", "/stores", 0, {}),
    ("GET", "/nowhere", 0, {}),
    ("GET", "/console/static/console.css", 0, {}),
    ("GET", "/console/sign-in", 10, {}),
]


@pytest.mark.parametrize(("method", "path", "units", "more"), UNITS, ids=lambda each: str(each)[:30])
def test_what_a_request_counts_for(start: Start, method: str, path: str, units: int, more: dict[str, Any]) -> None:
    app = start(network_requests_per_minute=200)
    token = log_in_to(app)
    before = left(ask(app, LIST))
    assert ask(app, path, token, method=method, **more).status < 500
    assert before - left(ask(app, LIST)) == units + 5


@pytest.mark.parametrize(("method", "path", "units", "more"), [UNITS[n] for n in (0, 2, 6, 7, 10)], ids=str)
def test_the_same_is_counted_for_its_user(
    start: Start, method: str, path: str, units: int, more: dict[str, Any]
) -> None:
    app = start(user_requests_per_minute=200)
    token = log_in_to(app)
    before = left(ask(app, "/items", token))
    assert ask(app, path, token, method=method, **more).status < 300
    assert before - left(ask(app, "/items", token)) == units + 5


def left(answer: Answer) -> int:
    """The units that the answer says are left."""
    return int(answer.headers["ratelimit"].partition(";r=")[2].partition(";")[0])


def test_an_export_counts_by_its_size_and_is_never_cut(start: Start, now: Clock) -> None:
    app = start(user_requests_per_minute=100)
    token = log_in_to(app)
    rows = [{"store_id": 1, "name": f"item{n}", "price": 1, "description": "a" * 4000} for n in range(10)]
    assert ask(app, "/items/bulk", token, method="POST", body=rows).status == 200
    now.now += 60
    answer = ask(app, "/items", token, headers={"Accept": "text/csv"})
    assert (answer.status, answer.text.count("\r\n")) == (200, 12)
    assert 40_000 < len(answer.text) < 3 * 16_384  # so two units
    assert left(ask(app, "/items", token)) == 100 - 5 - 2 - 5


def test_who_is_let_in_is_served_to_the_end_and_owes_a_minute_at_the_most(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storekeeper.services.file_transfers.BYTES_OF_A_UNIT", 1)
    app = start(user_requests_per_minute=20)
    token = log_in_to(app)
    assert ask(app, "/items", token, headers={"Accept": "text/csv"}).status == 200
    refused = ask(app, READ, token)
    assert (refused.status, refused.headers["retry-after"]) == (429, "63")


def test_what_nothing_was_done_for_is_not_counted(start: Start) -> None:
    app = start(network_requests_per_minute=10, user_requests_per_minute=10)
    token = log_in_to(app)
    for _ in range(20):
        assert ask(app, READ).status == ask(app, READ, "no token").status == 401
        assert ask(app, "/nowhere", token).status == 404
        assert ask(app, READ, token, method="TRACE").status == 405
    assert ask(app, LIST).headers["ratelimit"] == '"network";r=5;t=30'


def test_a_token_whose_session_is_over_uses_up_nothing_of_its_user(start: Start) -> None:
    """Nor does one that worked until then."""
    app = start(user_requests_per_minute=600)
    old, token = log_in_to(app), log_in_to(app)
    assert statuses([ask(app, READ, old) for _ in range(5)]) == {200: 5}
    assert ask(app, "/logout", old, method="POST").status == 200
    assert statuses([ask(app, READ, old, f"192.0.{n % 9}.1") for n in range(700)]) == {401: 700}
    assert left(ask(app, "/items", token)) >= 600 - 5 - 1 - 5 - 4  # at the most two portions, of two units each


# Who is exempt


def test_administrators_are_not_refused(start: Start) -> None:
    app = start(network_requests_per_minute=8, user_requests_per_minute=5)
    admin, token = log_in_to(app, "root"), log_in_to(app)
    assert [ask(app, READ, admin).status for _ in range(20)] == [200] * 20
    assert [ask(app, READ, token).status for _ in range(4)] == [200] * 3 + [429]  # the network's are used up
    assert ask(app, READ, token, "198.51.100.1").status == 200


def test_whoever_is_no_administrator_any_more_is_refused_whatever_his_token_says(
    start: Start, engine: sa.Engine
) -> None:
    app = start(user_requests_per_minute=3)
    admin = log_in_to(app, "root")
    assert [ask(app, READ, admin).status for _ in range(9)] == [200] * 9
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE users SET is_admin = false WHERE username = 'root'"))
    assert ask(app, READ, admin).status == 429


def test_who_is_refused_costs_the_database_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    app = start(user_requests_per_minute=3)
    token = log_in_to(app)
    assert [ask(app, READ, token).status for _ in range(3)] == [200] * 3

    async def never(*_: Any) -> None:
        raise AssertionError("the database was asked")

    for way in ("read", "read_list", "read_one", "write"):
        monkeypatch.setattr(f"storekeeper.database.executor.Database.{way}", never)
    assert statuses([ask(app, path, token) for path in (READ, "/items") for _ in range(9)]) == {429: 18}


# What is told


def test_a_costly_answer_tells_what_is_left(start: Start, now: Clock) -> None:
    app = start(network_requests_per_minute=24_000, user_requests_per_minute=12_000)
    token = log_in_to(app)
    now.now += 60
    answer = ask(app, "/items", token)
    assert answer.headers["ratelimit-policy"] == '"network";q=24000;w=60, "user";q=12000;w=60'
    assert answer.headers["ratelimit"] == '"network";r=23995;t=1, "user";r=11995;t=1'
    for _ in range(99):
        ask(app, "/items", token)
    now.now += 1  # in which the network gets 400, and the user 200
    assert ask(app, "/items", token).headers["ratelimit"] == '"network";r=23895;t=1, "user";r=11695;t=2'
    assert ask(app, LIST).headers["ratelimit-policy"] == '"network";q=24000;w=60'


def test_any_answer_tells_it_when_half_is_used(start: Start, now: Clock) -> None:
    app = start(user_requests_per_minute=10)
    token = log_in_to(app)
    told = [ask(app, READ, token).headers.get("ratelimit") for _ in range(10)]
    assert told == [None] * 5 + [f'"user";r={left};t={6 * (10 - left)}' for left in (4, 3, 2, 1, 0)]
    now.now += 6
    failed = ask(app, "/item/nothing", token)
    assert (failed.status, "ratelimit" in failed.headers) == (404, False)
    now.now += 60
    assert "ratelimit" not in ask(app, READ, token).headers


def test_of_a_wide_network_the_least_is_told(start: Start) -> None:
    app = start(network_requests_per_minute=10)
    for n in range(9):
        assert statuses([ask(app, LIST, address=f"192.0.2.{n}") for _ in range(2)]) == {200: 2}
    assert ask(app, LIST, address="192.0.2.10").headers["ratelimit"] == '"network";r=5;t=57'
    assert ask(app, LIST, address="192.0.2.11").headers["ratelimit"] == '"network";r=0;t=60'
    refused = ask(app, LIST, address="192.0.2.12")
    assert (refused.status, refused.headers["ratelimit-policy"]) == (429, '"network";q=100;w=60')


def test_each_operation_tells_of_the_limits_but_those_that_are_not_counted(operations: dict[str, Json]) -> None:  # noqa: F811
    free = {"getLiveness", "getReadiness"}
    for id, operation in operations.items():
        responses = operation["responses"]
        assert ("429" in responses) == (id not in free), id
        assert all(
            ({"RateLimit", "RateLimit-Policy"} <= responses[status]["headers"].keys()) == (id not in free)
            for status in responses
            if status.startswith(("2", "3"))
        ), id


def test_the_log_has_one_line_a_minute_for_each_sender(start: Start, now: Clock) -> None:
    app = start(user_requests_per_minute=3)
    token = log_in_to(app)
    with capture_logs() as logs:
        for _ in range(9):
            ask(app, READ, token)
        now.now += 1
        ask(app, READ, token)
        now.now += 59
        for _ in range(9):
            ask(app, READ, token)
    lines = [line for line in logs if line["event"] == "too_many_requests"]
    assert len(lines) == 2
    assert lines[0] | {"request": ""} == {
        "event": "too_many_requests",
        "log_level": "info",
        "request": "",
        "address": ADDRESS,
        "user_id": 1,
        "method": "GET",
        "path": READ,
        "policy": "user",
    }


# In the console


def test_a_page_says_when_to_come_again_and_a_form_is_carried_out_then(start: Start, now: Clock) -> None:
    client = testing.TestClient(as_served(start(user_requests_per_minute=50)))
    browser = Browser(client, "alice")
    browser.form_key = browser.new_key()
    now.now += 60
    assert [browser.get("/console").status_code for _ in range(6)] == [200] * 5 + [429]
    page = browser.get("/console/store/ikea")
    assert (page.status_code, page.headers["retry-after"]) == (429, "12")
    assert "Load this page again in 12 seconds" in page.text
    form = {"currency": "EUR"}
    refused = browser.post("/console/new-store", form | {"name": "obi"})
    assert (refused.status_code, "Load this page again" in refused.text) == (429, True)  # and not the form once more
    assert client.simulate_get("/store/obi").status_code == 404
    now.now += 12
    assert browser.post("/console/new-store", form | {"name": "obi"}).status_code == 303
    assert client.simulate_get("/store/obi").status_code == 200


def test_an_administrator_has_as_many_pages_as_he_likes(start: Start) -> None:
    browser = Browser(testing.TestClient(as_served(start(user_requests_per_minute=20))), "root")
    assert [browser.get("/console").status_code for _ in range(9)] == [200] * 9


# In memory


def create_context(address: str, user_id: int | None = None) -> RequestContext:
    made = RequestContext("1", None, address, asyncio.Event().wait, 1)  # type: ignore[arg-type]
    made.user_id = user_id
    return made


def count(limits: RequestLimits, address: str, user_id: int | None = None) -> bool:
    """Send a request that finds its session."""
    made = create_context(address, user_id)
    is_admitted = limits.admit(made, 1)
    if is_admitted and user_id:
        limits.settle(made)
    return is_admitted


def test_memory_is_bounded_and_who_goes_on_sending_is_not_forgotten(now: Clock) -> None:
    limits = RequestLimits(500, 400)
    passed = 0
    for n in range(30_000):
        count(limits, f"2001:db8:{n >> 8:x}:{n & 255:x}::1", n + 2)
        passed += n % 20 == 0 and count(limits, ADDRESS, 1)
    assert passed == 400
    assert len(limits._senders) <= request_limits.CACHE_SIZE
    for policy in (limits._network, limits._user):
        for pace in policy._paces.values():
            assert len(pace._buckets) + len(pace._older) <= rate_limiter.CACHE_SIZE


def test_a_pace_forgets_the_keys_that_were_asked_for_longest_ago() -> None:
    pace = RateLimiter(1, 60)
    pace.bucket("a").take(0, 60)
    for n in range(rate_limiter.CACHE_SIZE // 2 - 1):
        pace.bucket(str(n))
    assert pace.bucket("a").room(0) == 0
    for n in range(rate_limiter.CACHE_SIZE // 2):
        pace.bucket(str(-n - 1))
    assert pace.bucket("a").room(0) == 0  # it was asked for meanwhile
    for n in range(rate_limiter.CACHE_SIZE):
        pace.bucket(f"x{n}")
    assert pace.bucket("a").room(0) == 60


def test_a_refusal_names_the_limit_that_has_to_be_waited_for_longest(now: Clock) -> None:
    limits = RequestLimits(2, 1)
    assert count(limits, ADDRESS, 1)
    error = limits.refusal(create_context(ADDRESS, 1), 1)
    assert isinstance(error, TooManyRequests)
    assert (error.policy, error.retry_after, error.limit, error.window) == ("user", 60, 1, 60)
