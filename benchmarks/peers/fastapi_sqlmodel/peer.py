"""FastAPI with SQLModel under Uvicorn, which writes a line for each request unless it is told not to."""

import secrets
from collections.abc import Mapping
from urllib.parse import quote_plus

import sqlalchemy as sa

from benchmarks import data
from benchmarks.candidates import PYTHON, Candidate, Place
from benchmarks.peers.fastapi_sqlmodel import models, security
from benchmarks.peers.people import EMAIL
from benchmarks.speech import PAGE, Ask, Speech

SPEECH = Speech(
    {
        "read": Ask("GET", "/items/named/item{number}"),
        "list": Ask("GET", f"/items?limit={PAGE}&counted=false"),
        "counted": Ask("GET", f"/items?limit={PAGE}"),
        "update": Ask("PUT", "/items/{number}", '{"price": {price}}'),
        "login": Ask(
            "POST",
            "/login/access-token",
            f"username={quote_plus(EMAIL)}&password={quote_plus(data.PASSWORD)}",
            signs=False,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ),
    },
    items=lambda answer: answer["data"],
    total=lambda answer: answer["count"],
)


def _command(place: Place) -> list[str]:
    return [*PYTHON, "uvicorn", "benchmarks.peers.fastapi_sqlmodel.app:app", "--port", str(place.port)]


def _environment(place: Place) -> Mapping[str, str]:
    return {"FASTAPI_DATABASE_URL": place.url, "FASTAPI_SECRET_KEY": secrets.token_urlsafe(32)}


def _prepare(place: Place, _environment: Mapping[str, str]) -> None:
    """What its migrations would do."""
    models.SQLModel.metadata.create_all(data.create_engine(place.url))


def _fill(place: Place, _environment: Mapping[str, str], items: int) -> None:
    hashed = security.PASSWORD_HASH.hash(data.PASSWORD)
    stores = [{"id": number, "name": name} for number, name in enumerate(data.STORE_NAMES, 1)]
    user = {"id": 1, "email": EMAIL, "hashed_password": hashed}
    with data.create_engine(place.url).begin() as conn:
        conn.execute(sa.insert(models.User), user)
        conn.execute(sa.insert(models.Store), stores)
        conn.execute(sa.insert(models.Membership), [{"store_id": store["id"], "user_id": 1} for store in stores])
    data.add_items(place.url, data.IN_FLOAT, items)


PACKAGES = ("fastapi", "sqlmodel", "pyjwt", "pwdlib[argon2]", "python-multipart", "uvicorn", "uvloop", "httptools")

FASTAPI = Candidate(
    "fastapi",
    "FastAPI + SQLModel",
    ("fastapi", "sqlmodel", "pydantic", "pwdlib", "argon2-cffi", "uvicorn", "pyjwt"),
    _command,
    _environment,
    _fill,
    SPEECH,
    _prepare,
)
