"""No answer leaves /openapi.json: Schemathesis sends what it allows and what it forbids, and reads the answers.

By the engine of its command line: its pytest plugin would make a test, with a new database, of each operation.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from falcon import testing
from schemathesis import Case, engine
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events
from schemathesis.hooks import unregister

from storekeeper.domain import names
from storekeeper.errors import Invalid
from storekeeper.http.request import MAX_ID
from storekeeper.openapi import document as openapi
from storekeeper.settings import Settings
from tests.conftest import RICH, Person
from tests.support import images
from tests.support.cast import PASSWORD

CODE = re.compile(r"^- `(\w+)`", re.MULTILINE)
NO_USER = 999
CONFIG: dict[str, Any] = {
    "generation": {"deterministic": True, "no-shrink": True, "database": "none"},
    "analysis": {"constants": {"enabled": False}},  # it would pick strings of our source, others in each run
    "checks": {
        # A taken name is answered 400, as the course does it: `what_is_allowed_is_not_invalid` looks closer.
        "positive_data_acceptance": {"enabled": False},
    },
    # What is left are the examples, and the bounds of each parameter and member from both sides: the same in each run.
    # Random requests, and chains of calls, are for our own tests, which know more of what should come of them.
    "phases": {"fuzzing": {"enabled": False}, "stateful": {"enabled": False}},
}


@schemathesis.check
def what_is_allowed_is_not_invalid(_: Any, response: schemathesis.Response, case: Case) -> None:
    is_allowed = case.meta and case.meta.generation.mode.is_positive and _is_described(case.headers or {})
    if is_allowed and response.status_code == 400 and not case.path.endswith("/verify"):  # a guess at a challenge
        assert response.json()["error"] != "invalid", response.text


def _is_described(headers: Mapping[str, Any]) -> bool:
    """Whether they match their patterns: some are too much for Schemathesis, and it sends 0."""
    known = {name: pattern for name, (pattern, *_) in openapi.PARAMETERS.items() if name in headers}
    return all(re.search(pattern, str(headers[name])) for name, pattern in known.items())


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """Without the throttle, which would soon be all that answers."""
    return Settings(data=str(tmp_path), database_url=url, login_failures=10**6, login_failures_overall=10**6, **RICH)


@pytest.fixture
def schema(app: Any, client: testing.TestClient) -> Iterator[schemathesis.BaseSchema]:
    document = exact(client.simulate_get("/openapi.json").json)
    schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(CONFIG))
    schema.app = app
    schemathesis.hook(before_call)
    yield schema
    unregister(before_call)


def test_no_answer_to_nobody_leaves_the_document(schema: schemathesis.BaseSchema) -> None:
    """That the others want a token is seen where one is sent: Schemathesis takes it away there."""
    assert_conforms(schema.include(lambda context: {} in security(context) or not security(context)))


def test_no_answer_to_alice_leaves_the_document(schema: schemathesis.BaseSchema, alice: Person) -> None:
    sign_in(schema, alice)
    assert_conforms(schema)


def test_no_answer_to_root_leaves_the_document(schema: schemathesis.BaseSchema, root: Person) -> None:
    """Where it matters that they are an administrator."""
    sign_in(schema, root)
    assert_conforms(schema.include(tag="users"))


def security(context: Any) -> list[dict[str, Any]]:
    declared: list[dict[str, Any]] = context.operation.definition.raw["security"]
    return declared


def assert_conforms(schema: schemathesis.BaseSchema) -> None:
    found = list(failures(schema))
    assert not found, "\n\n".join(found)


def failures(schema: schemathesis.BaseSchema) -> Iterator[str]:
    count = 0
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            count += len(event.recorder.interactions)
            for check in (check for checks in event.recorder.checks.values() for check in checks):
                if info := check.failure_info:
                    yield f"{event.label}: {info.failure.title}\n{info.failure.message}\n{info.code_sample}"
        elif isinstance(event, events.NonFatalError | events.FatalError):
            yield str(getattr(event, "info", event))
    if count < 100:
        yield f"Schemathesis has sent {count} requests only."


def exact(document: dict[str, Any]) -> dict[str, Any]:
    """The document read as strictly as can be: no other members, and with each status no other error codes."""
    document = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    for each in schemas.values():
        if "properties" in each:
            each["additionalProperties"] = False
    for response in failing(document):
        for content in response["content"].values():
            content["schema"] = copy.deepcopy(schemas[content["schema"]["$ref"].rpartition("/")[2]])
            content["schema"]["properties"]["error"]["enum"] = CODE.findall(response["description"])
    return document


def failing(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document["components"]["responses"].values()
    for path in document["paths"].values():
        for method in path.keys() - {"parameters"}:
            for status, response in path[method]["responses"].items():
                if status >= "400" and "$ref" not in response:
                    yield response


def sign_in(schema: schemathesis.BaseSchema, person: Person) -> None:
    """Send everything as this person, who logs in again when their session has ended, and is never deleted."""

    @schema.auth(refresh_interval=None)
    class Bearer:
        def get(self, case: Case, _: Any) -> str:
            return person.pair["refresh_token" if case.path == "/refresh" else "access_token"]

        def set(self, case: Case, token: str, _: Any) -> None:
            case.headers["Authorization"] = f"Bearer {token}"
            if case.method in ("DELETE", "PATCH") and str(case.path_parameters.get("user_id")) == str(person.id):
                case.path_parameters["user_id"] = NO_USER

    @schema.hook
    def after_call(context: Any, case: Case, response: schemathesis.Response) -> None:
        if case.path in ("/logout", "/sessions/{session_id}") and response.status_code == 200:
            person.log_in()


def before_call(context: Any, case: Case, kwargs: Any) -> None:
    make_present(case)
    if case.meta and case.meta.generation.mode.is_positive:
        make_sound(case)
        if case.method == "PUT" and case.path.endswith("/image"):
            kwargs["data"] = IMAGE  # as its body, Schemathesis would take the bytes for a mistake


def make_present(case: Case) -> None:
    """Let it be about a store that is there: of the others one only hears that they are not."""
    if case.path == "/store/{name}" and case.method == "DELETE" and case.path_parameters["name"] == "ikea":
        case.path_parameters["name"] = "a store that may go"
    if case.path.startswith("/store/{name}/") and not case.meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters["name"] = "ikea"
    if case.path == "/imports" and not case.meta.is_negative_at(ParameterLocation.QUERY):
        case.query["store"] = "ikea"
    if case.path == "/webhooks" and isinstance(case.body, dict) and isinstance(case.body.get("store"), str):
        case.body["store"] = "ikea"
    if isinstance(case.body, dict) and is_id(case.body.get("store_id")):
        case.body["store_id"] = 1


def is_id(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= MAX_ID


def make_sound(case: Case) -> None:
    """What JSON Schema cannot say of a request that is right."""
    case.query.pop("cursor", None)  # they are ours: nobody can make one up
    make_search_sound(case)
    case.path_parameters.update({name: sound(name, value) for name, value in case.path_parameters.items()})
    for members in (case.query, *(case.body if isinstance(case.body, list) else [case.body])):
        if isinstance(members, dict):
            members.update({name: SOUND[name](value) for name, value in members.items() if value and name in SOUND})
    if case.path == "/register":
        case.body["username"] = sound("username", case.body["username"])
    if case.path == "/items/bulk":
        rows = [{"price": 15.99} | each | dict.fromkeys(("sku", "barcode")) for each in case.body]
        case.body[:] = {row["name"]: row for row in rows}.values()


def make_search_sound(case: Case) -> None:
    """Prices can only be compared within a store, and what is found ranked if something was searched for."""
    by = {name.removeprefix("-") for name in (*case.query, str(case.query.get("sort")))}
    if case.path == "/items" and by & {"price_min", "price_max", "price", "stock"}:
        case.query["store_id"] = 1
    if case.query.get("sort") == "rank":
        case.query.setdefault("q", "chair")


def cents(price: Any) -> Any:
    return type(price)("15.99" if isinstance(price, str) else 15.99)


IMAGE = images.encoded(images.two_colours(2, 2), "PNG")
# A price in cents, a currency of ISO 4217, a barcode whose last digit is right, and passwords that are not common.
SOUND: dict[str, Callable[[Any], Any]] = {
    "price": cents,
    "price_min": cents,
    "price_max": cents,
    "currency": lambda _: "EUR",
    "tag": lambda tag: tag[: names.TAG_LENGTH],
    "barcode": lambda _: "4006381333931",
    "url": lambda _: "https://shop.example/hook",
    "columns": lambda _: "Artikel:name",
} | dict.fromkeys(("password", "current_password", "new_password"), lambda _: PASSWORD)


def sound(name: str, value: Any) -> Any:
    """Without characters that cannot be seen, of which patterns know only some."""
    check = {"name": names.of_thing, "item_name": names.of_thing, "username": names.of_user}.get(name)
    try:
        return check(unquote(value)) and value if check else value
    except Invalid:
        return "sound"
