"""docs/api-by-example.md: every request there is made, and answered as it says."""

import json
import re
from decimal import Decimal

import falcon
import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.database.engine import create_engine
from storekeeper.http.responses import PROBLEM
from storekeeper.models.webhook import webhooks
from storekeeper.security import setup_token
from storekeeper.settings import Settings
from tests.support import markdown
from tests.support.imports import carry_out
from tests.support.response_contract import Contract
from tests.support.worked_examples import FILES, Known, Message, exact, examples

# Members of answers that the document shows nowhere with a value: nothing is sent there to those who follow.
UNSHOWN = {
    *("Change.before", "ErrorBody.cursor", "Import.reason", "NewSecret.reason", "Webhook.reason"),
    *("ErrorBody.conditions", "ErrorBody.limit", "ErrorBody.used", "Readiness.conditions"),
    *(f"Condition.{member}" for member in ("message", "name", "reason", "since", "status")),
    *(f"Delivery.{member}" for member in ("change_id", "ended_at", "error", "ms", "status", "tried_at")),
}
ADDRESS = "192.0.2.7"


@pytest.fixture
def engine(url: str) -> sa.Engine:
    """In place of the one with the cast: a database without a row."""
    return create_engine(url)


def challenge(settings: Settings) -> dict[str, str]:
    """What the receiver of a new webhook was told, as $CHALLENGE."""
    with create_engine(settings.database).connect() as conn:
        said = conn.scalars(sa.select(webhooks.c.nonce).where(webhooks.c.nonce.is_not(None))).first()
    return {"CHALLENGE": said} if said else {}


def make(client: testing.TestClient, request: Message, known: Known) -> testing.Result:
    method, target = known.fill(request.line).split()
    headers = {name: known.fill(value) for name, value in request.headers.items()}
    body = FILES.get(request.body) or known.fill(request.body) or None
    if body:
        headers.setdefault("Content-Type", "application/json")
    path, _, query = target.partition("?")
    return client.simulate_request(method, path, query_string=query, headers=headers, body=body, remote_addr=ADDRESS)


def test_every_example_is_true(client: testing.TestClient, parts: Parts, settings: Settings) -> None:
    known = Known(SETUP=setup_token.create(parts.keys))
    for request, told in examples():
        given = make(client, request, known)
        assert told.line == f"HTTP/1.1 {given.status}", f"{request.line}: {given.text}"
        for name, value in told.headers.items():
            pattern = re.escape(value).replace(re.escape(markdown.ANY), ".+")
            assert re.fullmatch(pattern, given.headers[name]), f"{request.line}: {name}: {given.headers[name]}"
        assert is_told(known, told.body, given), f"{request.line}: {given.text}"
        carry_out(settings)
        known |= challenge(settings)


def test_every_answer_is_as_described(client: testing.TestClient, parts: Parts, settings: Settings) -> None:
    """Each answer of the document, strictly; together they show each member with a value that is not null."""
    contract = Contract(client.simulate_get("/openapi.json").json)
    known = Known(SETUP=setup_token.create(parts.keys))
    for request, told in examples():
        given = make(client, request, known)
        media_type = given.headers["content-type"]
        if media_type in (falcon.MEDIA_JSON, PROBLEM):
            method, target = known.fill(request.line).split()
            operation = contract.operation(method, target.partition("?")[0])
            assert operation, request.line
            contract.check(operation, given.status_code, media_type, json.loads(given.text, parse_float=Decimal))
            known.learn(exact(told.body), exact(given.text))
        carry_out(settings)
        known |= challenge(settings)
    unseen = {each for each in contract.members() if not each.startswith("Problem.") and not each.endswith(".next")}
    unseen -= contract.seen | UNSHOWN
    assert not unseen, f"{sorted(unseen)} have no value in docs/api-by-example.md. Show one, or add them to UNSHOWN."


def is_told(known: Known, told: str, given: testing.Result) -> bool:
    """Whether a body is as the document shows it; an image is not shown there."""
    if given.headers["content-type"].startswith("image/"):
        return not told and len(given.content) > 0
    if given.headers["content-type"].startswith("application/"):
        answer = exact(given.text)
        return markdown.fits(known.learn(exact(told), answer), answer)
    return markdown.fits(told, "\n".join(given.text.splitlines()))


def test_every_operation_has_an_example_of_its_success(client: testing.TestClient) -> None:
    described = client.simulate_get("/openapi.json").json["paths"]
    shown = {
        request.line.split("?")[0].replace("$IMAGE", "/images/key")
        for request, told in examples()
        if told.line.startswith("HTTP/1.1 2")
    }
    for path, operations in described.items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        for method in set(operations) - {"parameters"}:
            wanted = re.compile(f"{method.upper()} {pattern}")
            assert any(map(wanted.fullmatch, shown)), f"{method.upper()} {path} has no example"
