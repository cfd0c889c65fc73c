"""Real requests and their answers: those of docs/api-by-example.md, and some with the greatest numbers there can be.

They are made of a real server, one after the other. Clients get the answers of success again, from `replay`.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import parse_qsl, unquote
from urllib.request import Request, urlopen

from storekeeper.models.import_job import ALIVE
from tests.support.response_contract import Contract, Json, resolve
from tests.support.server_process import Server, await_that
from tests.support.worked_examples import FILES, Known, Message, exact, examples

PEARLS = "/store/Perlen%20%2F%20See"
MOST_STOCK = 10**12
# Made once, as Alice. Cents that 32 bits do not keep, currencies with no and with three digits, and what has no value.
ONCE: list[tuple[str, str, Any]] = [
    ("POST", PEARLS, {"currency": "EUR"}),
    ("POST", f"{PEARLS}/item/pearl", {"price": 12.34, "stock": MOST_STOCK, "sku": "P-1", "tags": ["sea", "white"]}),
    ("PUT", f"{PEARLS}/item/crown", {"price": 9999999999.99}),
    ("PATCH", f"{PEARLS}/item/pearl", {"price": 16777216.01, "archived": False}),
    ("POST", f"{PEARLS}/item/pearl/stock", {"delta": -1}),
    ("PUT", f"{PEARLS}/members/bob", None),
    ("POST", "/store/yen", {"currency": "JPY"}),
    ("POST", "/store/yen/item/pearl", {"price": 1500}),
    ("POST", "/store/dinar", {"currency": "KWD"}),
    ("POST", "/store/dinar/item/pearl", {"price": 0.125}),
    ("GET", f"{PEARLS}/item/crown/price", None),
]
# What is answered so again, however often.
LASTING: list[tuple[str, str, Any]] = [
    ("PUT", f"{PEARLS}/members/bob", None),
    ("GET", f"{PEARLS}/item/pearl", None),
    ("GET", f"{PEARLS}/item/crown", None),
    ("GET", f"{PEARLS}/items?sort=-price&price_min=12.34", None),
    ("GET", f"{PEARLS}/history", None),
    ("GET", "/changes?limit=200", None),
    ("GET", "/store/dinar", None),
]


class Answer(NamedTuple):
    status: int
    media_type: str
    body: bytes


class Exchange(NamedTuple):
    """A request in the words of the description, and its answer.

    `declared` are the defaults of all parameters, None where there is none, and `given` the values of some by place.
    """

    operation: str
    tag: str
    method: str
    template: str
    declared: Json
    given: dict[str, Json]
    token: str
    media_type: str
    media_types: list[str]
    body: bytes
    body_type: str
    answer: Answer
    answer_type: str


class Recorder:
    """Speaks to the server, and keeps what it answered where that is a success that clients read."""

    def __init__(self, server: Server, document: Json) -> None:
        self.server = server
        self.contract = Contract(document)
        self.exchanges: list[Exchange] = []

    def make(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Answer:
        answer = self._ask(method, target, headers, body)
        is_quoted = b'"price": "' in (body or b"")  # taken as well, and not described
        if answer.status < 300 and answer.media_type.startswith(("application/json", "image/")) and not is_quoted:
            self.exchanges.append(self._exchange(method, target, headers, body, answer))
        return answer

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Answer:
        request = Request(f"http://127.0.0.1:{self.server.port}{target}", body, headers, method=method)
        try:
            with urlopen(request, timeout=30) as told:
                return Answer(told.status, told.headers["Content-Type"], told.read())
        except HTTPError as told:
            return Answer(told.code, told.headers["Content-Type"], told.read())

    def _exchange(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None, answer: Answer
    ) -> Exchange:
        path, _, query = target.partition("?")
        template, operation = self._operation(method, path)
        shared = self.contract.document["paths"][template].get("parameters", [])
        declared = {each["name"]: each for each in (*shared, *operation.get("parameters", []))}
        words = {"path": in_path(template, path), "query": dict(parse_qsl(query)), "header": headers}
        media_type = headers.get("Content-Type", "").replace("merge-patch+", "")
        taken = operation.get("requestBody", {}).get("content", {})
        given = resolve(self.contract.document, operation["responses"][str(answer.status)])["content"]
        return Exchange(
            operation=operation["operationId"],
            tag=operation["tags"][0],
            method=method,
            template=template,
            declared={name: each["schema"].get("default") for name, each in declared.items()},
            given={place: typed(declared, place, values) for place, values in words.items()},
            token=headers.get("Authorization", "").removeprefix("Bearer ") if operation["security"] else "",
            media_type=media_type,
            media_types=list(taken),
            body=body or b"",
            body_type=type_name(taken[media_type]["schema"]) if body else "",
            answer=answer,
            answer_type=type_name(given[answer.media_type]["schema"]),
        )

    def _operation(self, method: str, path: str) -> tuple[str, Json]:
        operation = self.contract.operation(method, path)
        assert operation, f"{method} {path} is not described"
        return next(
            (template, operation)
            for template, methods in self.contract.document["paths"].items()
            if operation is methods.get(method.lower())
        )


def record(server: Server, document: Json) -> list[Exchange]:
    """All successes, in their order."""
    recorder = Recorder(server, document)
    known = Known(SETUP=server.log.split('"setup_token": "')[1].split('"')[0])
    for request, told in examples():
        answer = recorder.make(*filled(request, known))
        assert told.line.split()[1] == str(answer.status), f"{request.line}: {answer.body!r}"
        if told.body and "json" in answer.media_type:
            known.learn(exact(told.body), exact(answer.body.decode()))
        await_imports(server)
        known |= challenge(server)
    headers = {"Authorization": f"Bearer {known['ALICE']}"}
    for method, target, given in ONCE + LASTING:
        body = None if given is None else json.dumps(given).encode()
        more = {"Content-Type": "application/json"} if body else {}
        answer = recorder.make(method, target, headers | more, body)
        assert answer.status < 300, f"{method} {target}: {answer.body!r}"
    return recorder.exchanges


def filled(request: Message, known: Known) -> tuple[str, str, dict[str, str], bytes | None]:
    method, target = known.fill(request.line).split()
    headers = {name: known.fill(value) for name, value in request.headers.items()}
    body = FILES.get(request.body) or known.fill(request.body).encode() or None
    return method, target, ({"Content-Type": "application/json"} if body else {}) | headers, body


def rows(server: Server, query: str) -> list[Any]:
    database = sqlite3.connect(Path(server.environ["STOREKEEPER_DATA"]) / "storekeeper.db")
    try:
        return [value for (value,) in database.execute(query)]
    finally:
        database.close()


def await_imports(server: Server) -> None:
    """Until none is under way."""
    await_that(lambda: not {*rows(server, "SELECT state FROM imports")} & {*ALIVE})


def challenge(server: Server) -> dict[str, str]:
    """What the receiver of a new webhook would be told."""
    said = rows(server, "SELECT nonce FROM webhooks WHERE nonce IS NOT NULL")
    return {"CHALLENGE": said[0]} if said else {}


def in_path(template: str, path: str) -> dict[str, str]:
    pairs = zip(template.split("/"), path.split("/"), strict=True)
    return {name.strip("{}"): unquote(value) for name, value in pairs if name.startswith("{")}


def typed(declared: Json, place: str, given: dict[str, str]) -> Json:
    """Those of the values that are declared to be there, of their types."""
    known = {name.lower(): each for name, each in declared.items() if each["in"] == place}
    return {
        known[name.lower()]["name"]: value if is_text(known[name.lower()]["schema"]) else json.loads(value)
        for name, value in given.items()
        if name.lower() in known
    }


def is_text(schema: Json) -> bool:
    return "string" in {each.get("type") for each in (schema, *schema.get("anyOf", []))}


def type_name(schema: Json) -> str:
    """The name of what it refers to, also as a list of them. Files have none."""
    reference: str = schema.get("items", schema).get("$ref", "")
    return reference.rpartition("/")[2]
