"""A tour of the whole API with marked passwords and tokens, none of which may come out anywhere but to their owner."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import create_engine, metadata
from storekeeper.security import signing_keys
from tests.support import databases
from tests.support.server_process import Server, request

MARK = "m4rked-secret"
HASH = "$argon2"  # what every password's hash begins with
PASSWORD = f"a {MARK} password"
PARAMETER = re.compile("{[a-z_]+}")
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return databases.for_a_server(request, tmp_path)


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    """Two workers, and PostgreSQL's password in a file."""
    if not url.startswith("sqlite"):
        url = sa.make_url(url).set(password=f"{MARK}-of-postgresql").render_as_string(hide_password=False)
    config = tmp_path / "storekeeper.toml"
    config.write_text(f'database_url = "{url}"\n')
    server = Server("storekeeper", tmp_path, config=config, workers=2).wait()
    yield server
    server.put_away()


class Tour:
    """Calls that a server answers, and all that was secret in them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.secrets = {MARK}
        self.answers: list[bytes] = []

    def call(self, method: str, path: str, body: Any = None, token: str = "", head: bytes = JSON) -> Any:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        bearer = f"Authorization: Bearer {token}\r\n".encode() if token else b""
        read = self.server.ask(request(method, path, head + bearer, sent))
        self.answers.append(read.body)
        answer = read.json
        self.secrets |= {answer[name] for name in ("access_token", "refresh_token") if name in answer}
        return answer

    def log_in(self, username: str, password: str = PASSWORD) -> Any:
        return self.call("POST", "/login", {"username": username, "password": password})


def test_no_password_hash_or_token_comes_out(server: Server, url: str, tmp_path: Path) -> None:
    tour = Tour(server)
    tour.secrets |= {key.secret for key in signing_keys.load(tmp_path / "data" / "keys.json")}
    setup_token = server.log.split('"setup_token": "')[1].split('"')[0]
    greeting = "".join(line for line in server.log.splitlines() if not line.startswith("{"))

    accounts(tour, setup_token)
    token = tour.log_in("root")["access_token"]
    blunders(tour, token)
    shown = [tour.call("GET", path, token=token) for path in ("/audit?limit=200", "/changes", "/users", "/sessions")]
    assert [each["after"]["username"] for each in shown[0]["changes"] if each["action"] == "create"] == [
        "alice",
        "root",
    ]
    for each in ("", f"{MARK}.{MARK}.{MARK}", token):
        everything(tour, each)
    assert tour.call("GET", "/sessions", token=token)["error"] == "token_revoked"

    log = server.log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert len(lines) > 200
    assert {line["status"] for line in lines if line["event"] == "request"} >= {200, 201, 400, 401, 403, 404, 415}
    assert [secret for secret in tour.secrets | {HASH} if secret in log] == []
    assert [answer for answer in tour.answers if HASH.encode() in answer] == []
    assert tables_with_hashes(url) == {"users"}
    assert log.count(setup_token) == greeting.count(setup_token) == 1
    for pid in server.family():
        seen = Path(f"/proc/{pid}/environ").read_text() + Path(f"/proc/{pid}/cmdline").read_text()
        assert [secret for secret in tour.secrets | {setup_token} if secret in seen] == []


def tables_with_hashes(url: str) -> set[str]:
    with create_engine(url).connect() as conn:
        rows = {table.name: conn.execute(sa.select(table)).all() for table in metadata.sorted_tables}
    return {name for name, found in rows.items() if HASH in str(found)}


def accounts(tour: Tour, setup_token: str) -> None:
    """What honest people do."""
    first = {"username": "root", "password": PASSWORD, "setup_token": setup_token}
    assert tour.call("POST", "/register", first)["id"] == 1
    assert tour.call("POST", "/register", {"username": "alice", "password": PASSWORD})["id"] == 2
    pair = tour.log_in("alice")
    tour.call("POST", "/refresh", token=pair["refresh_token"])
    tour.call("POST", "/login/fresh", {"password": PASSWORD}, pair["access_token"])
    change = {"current_password": PASSWORD, "new_password": f"another {MARK}"}
    assert tour.call("PUT", "/user/2/password", change, pair["access_token"]) == {"message": "Password changed."}
    tour.call("GET", "/users", token=pair["access_token"])
    tour.call("POST", "/logout", token=pair["access_token"])
    tour.call("GET", "/sessions", token=pair["access_token"])


def blunders(tour: Tour, token: str) -> None:
    """Wrong secrets, secrets in the wrong place, and requests that go wrong because of them."""
    assert tour.log_in("alice", f"wrong {MARK}")["error"] == "invalid_credentials"
    assert tour.call("POST", "/login/fresh", {"password": f"wrong {MARK}"}, token)["error"] == "invalid_credentials"
    tour.call("POST", "/register", {"username": PASSWORD, "password": "alice"})
    tour.call("POST", "/register", {"username": "bob", "password": MARK, "is_admin": MARK})
    tour.call("POST", "/register", {"username": "bob", "password": [MARK]})
    tour.call("POST", "/register", {"username": "bob", "password": PASSWORD, "setup_token": MARK})
    tour.call("POST", "/register", b'{"username": "bob", "password": "' + PASSWORD.encode())
    tour.call("POST", "/register", b"username=bob&password=" + PASSWORD.encode(), head=b"")
    for _ in range(11):
        tour.log_in(PASSWORD, "alice")
    tour.call("GET", f"/items?access_token={MARK}")
    tour.call("GET", "/items", token=f"{MARK}.{MARK}.{MARK}")
    tour.call("GET", "/sessions", head=f"Authorization: Basic {MARK}\r\n".encode())
    tour.call("GET", "/sessions", head=f"Cookie: session={MARK}\r\nX-Api-Key: {MARK}\r\n".encode())
    tour.server.ask(f"GET /items HTTP/1.1\r\nAuthorization: Bearer {MARK}\r\nno header at all\r\n\r\n".encode())
    tour.server.ask(f"{MARK} {MARK}\r\n\r\n".encode())


def everything(tour: Tour, token: str) -> None:
    """Every operation, with secrets in all members of the body and in other bodies."""
    document = tour.call("GET", "/openapi.json")
    for path, operations in sorted(document["paths"].items(), key=lambda pair: pair[0] == "/logout"):
        concrete = PARAMETER.sub("77", path)
        for method in sorted(set(operations) - {"parameters"}):
            tour.call(method.upper(), concrete, body_of(operations[method], document), token)
            tour.call(method.upper(), concrete, {MARK: MARK}, token)
            for media_type in media_types(operations[method]):
                head = f"Content-Type: {media_type}\r\n".encode()
                tour.call(method.upper(), f"{concrete}?store={MARK}", PASSWORD.encode(), token, head)
                tour.call(method.upper(), concrete, PASSWORD.encode(), token, head)


def body_of(operation: Any, document: Any) -> Any:
    """The members of the body that it takes, secrets all."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    schema = content["application/json"]["schema"]
    name = schema.get("items", schema)["$ref"].rpartition("/")[2]
    body = dict.fromkeys(document["components"]["schemas"][name]["properties"], MARK)
    return [body] if "items" in schema else body


def media_types(operation: Any) -> list[str]:
    return list(operation.get("requestBody", {}).get("content", {})) or ["application/json"]
