"""The one shape of errors: as plain JSON, as RFC 9457 has it, and for a bug, of which nothing is told."""

from typing import Any

import pytest
from falcon import testing
from structlog.testing import capture_logs

from storekeeper.app import create_api
from storekeeper.components import Parts, create_components
from storekeeper.http.operation import public
from storekeeper.http.root_app import RootApp
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.raw_requests import Answer

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
PROBLEM = "application/problem+json"

# Here the database makes no difference.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


class Raises:
    @public
    async def on_get(self, _req: Any, _resp: Any) -> None:
        raise RuntimeError("SELECT secret FROM /srv/data")


class CannotBeSent:
    @public
    async def on_get(self, _req: Any, resp: Any) -> None:
        resp.media = Raises()


@pytest.fixture
def buggy(settings: Settings, parts: Parts) -> Any:
    api = create_api(create_components(settings, parts))
    api.add_route("/raises", Raises())
    api.add_route("/cannot-be-sent", CannotBeSent())
    return RootApp(api, api, settings.body_seconds)


def test_security_headers_are_on_every_answer(alice: Person, buggy: Any) -> None:
    app, headers = alice.client.app, list(bearer(alice.pair["access_token"]).items())
    answers = [
        raw_requests.send(app, "GET", "/items"),
        raw_requests.send(app, "HEAD", "/items"),
        raw_requests.send(app, "POST", "/store/lidl", headers),
        raw_requests.send(app, "GET", "/items?limit=0"),
        raw_requests.send(app, "GET", "/item/chair"),
        raw_requests.send(app, "GET", "/users", headers),
        raw_requests.send(app, "GET", "/nothing"),
        raw_requests.send(app, "BREW", "/items"),
        raw_requests.send(app, "PATCH", "/items"),
        raw_requests.send(app, "OPTIONS", "/items"),
        raw_requests.send(app, "POST", "/login"),
        raw_requests.send(buggy, "GET", "/raises"),
        raw_requests.send(buggy, "GET", "/cannot-be-sent"),
    ]
    assert {answer.status for answer in answers} == {200, 201, 400, 401, 403, 404, 405, 415, 500}
    for answer in answers:
        assert answer.headers.items() >= SECURITY.items(), answer
        assert "x-request-id" in answer.headers
        names = [name for name, _ in answer.fields if name != "vary"]  # that is a list, in one line or in several
        assert len(set(names)) == len(names), "a header stands twice"


def test_a_bug_tells_nothing_and_is_in_the_log(buggy: Any) -> None:
    for path in ("/raises", "/cannot-be-sent"):
        with capture_logs() as lines:
            answer = raw_requests.send(buggy, "GET", path, [("X-Request-ID", "abc")])
        assert answer.status == 500
        assert answer.json == {
            "error": "internal_error",
            "message": "Something went wrong here. The log has it, under the request's id.",
        }
        (bug,) = (line for line in lines if line["event"] == "bug")
        assert (bug["request"], bug["log_level"]) == (answer.headers["x-request-id"], "error")
        assert bug["exc_info"].__traceback__ is not None


def test_a_bug_as_a_problem(buggy: Any) -> None:
    answer = raw_requests.send(buggy, "GET", "/raises", [("Accept", PROBLEM)])
    assert (answer.status, answer.headers["content-type"]) == (500, PROBLEM)
    assert b"SELECT" not in answer.body


SORT = "This has to be one of -id, -name, -price, -stock, -updated, id, name, price, rank, stock, updated."


def ask(client: testing.TestClient, accept: str, path: str = "/items?limit=0&sort=x") -> Answer:
    return raw_requests.send(client.app, "GET", path, [("Accept", accept)])


def test_a_problem_has_the_members_of_the_plain_error_and_those_of_the_rfc(client: testing.TestClient) -> None:
    plain, problem = ask(client, "*/*"), ask(client, PROBLEM)
    assert plain.headers["content-type"] == "application/json"
    assert plain.json == {
        "error": "invalid",
        "message": "This has to be a whole number from 1 to 200.",
        "errors": [
            {"field": "limit", "message": "This has to be a whole number from 1 to 200."},
            {"field": "sort", "message": SORT},
        ],
    }
    assert problem.headers["content-type"] == PROBLEM
    assert problem.json == plain.json | {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "This has to be a whole number from 1 to 200.",
    }


def test_the_courses_description_is_there_as_well(client: testing.TestClient) -> None:
    answer = ask(client, PROBLEM, "/item/chair")
    assert answer.json == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Request does not contain an access token.",
        "error": "authorization_required",
        "message": "Request does not contain an access token.",
        "description": "Request does not contain an access token.",
    }


WANTING = (
    "application/problem+json",
    "Application/Problem+JSON",
    "application/json, application/problem+json",
    "application/problem+json;q=0.5",
    "text/html, application/problem+json;q=0.9, */*;q=0.8",
)
NOT_WANTING = (
    "application/problem+json;q=0.5, application/json",
    "application/problem+json;q=0.5, */*;q=0.8",
    "application/problem+json;q=0",
    "application/problem+json;q=0, */*",
    "application/problem+json;q=x",
    "application/problem+jsonx",
    "application/problem+xml",
    "application/*",
    "*/*",
    "",
    "nonsense",
)


def test_who_gets_a_problem(client: testing.TestClient) -> None:
    for accept in WANTING:
        assert ask(client, accept).headers["content-type"] == PROBLEM, accept
    for accept in NOT_WANTING:
        assert ask(client, accept).headers["content-type"] == "application/json", accept


def test_success_is_plain_json_whatever_is_asked_for(client: testing.TestClient) -> None:
    for accept in (PROBLEM, "text/html", "*/*;q=0"):
        answer = ask(client, accept, "/items")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
