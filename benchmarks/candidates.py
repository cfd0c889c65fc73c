"""The three candidates: how each is started on a port, and how its database gets the common data."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from benchmarks import data
from benchmarks.bare import tables
from benchmarks.client import Client
from benchmarks.failure import Failure
from benchmarks.speech import STORES, Speech
from storekeeper.models import item_search
from storekeeper.security.passwords import create_hasher
from storekeeper.settings import Settings

ADMIN_NAME = "administrator"
PYTHON = (sys.executable, "-m")


class Place(NamedTuple):
    """Where a candidate works: its database, its own directory, its port."""

    url: str
    directory: Path
    port: int


class Candidate(NamedTuple):
    name: str
    title: str
    parts: tuple[str, ...]  # the packages whose versions matter
    command: Callable[[Place], list[str]]
    environment: Callable[[Place], Mapping[str, str]]
    fill: Callable[[Place, Mapping[str, str], int], None]  # once it serves: its environment, how many items
    speech: Speech = STORES
    prepare: Callable[[Place, Mapping[str, str]], None] = lambda _place, _environment: None  # before it serves
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    versions: Callable[[], Mapping[str, str]] = dict  # of what is no Python package
    warm_up: int = 1  # seconds of load before an operation is measured


def _course_command(place: Place) -> list[str]:
    """One process, because the blocklist is a set in its memory; threads, because they did better than none."""
    options = ["--worker-class", "gthread", "--threads", "4", "--bind", f"127.0.0.1:{place.port}"]
    return [*PYTHON, "gunicorn", *options, "benchmarks.course.app:create_app()"]


def _course_environment(place: Place) -> Mapping[str, str]:
    return {"COURSE_DATABASE_URL": place.url, "COURSE_SECRET_KEY": secrets.token_urlsafe(32)}


def _fill_course(place: Place, _environment: Mapping[str, str], items: int) -> None:
    add_user = sa.text("INSERT INTO users (username, password) VALUES (:username, :password)")
    with data.create_engine(place.url).begin() as conn:
        for username in (ADMIN_NAME, data.USERNAME):
            conn.execute(add_user, {"username": username, "password": data.PASSWORD})
        conn.execute(sa.text("INSERT INTO stores (name) VALUES (:name)"), [{"name": name} for name in data.STORE_NAMES])
    data.add_items(place.url, data.IN_FLOAT, items)


def _bare_command(place: Place) -> list[str]:
    options = ["--factory", "--port", str(place.port), "--loop", "uvloop", "--http", "httptools"]
    return [*PYTHON, "uvicorn", "benchmarks.bare.app:create_app", *options, "--no-access-log", "--log-level", "warning"]


def _bare_environment(place: Place) -> Mapping[str, str]:
    return {"BARE_DATABASE_URL": place.url, "BARE_SECRET_KEY": secrets.token_urlsafe(32)}


def _fill_bare(place: Place, _environment: Mapping[str, str], items: int) -> None:
    hashed = create_hasher(Settings()).hash(data.PASSWORD)  # Storekeeper's parameters
    users = [{"username": name, "password_hash": hashed, "is_active": True} for name in (ADMIN_NAME, data.USERNAME)]
    engine = data.create_engine(place.url)
    tables.metadata.create_all(engine)
    with engine.begin() as conn:
        conn.execute(sa.insert(tables.users), users)
        conn.execute(sa.insert(tables.stores), [{"name": name} for name in data.STORE_NAMES])
        conn.execute(sa.insert(tables.store_members), [{"store_id": n + 1, "user_id": 2} for n in range(data.STORES)])
    data.add_items(place.url, data.IN_MINOR_UNITS, items)


def _storekeeper_command(_place: Place) -> list[str]:
    return [*PYTHON, "storekeeper", "serve"]


def _storekeeper_environment(place: Place) -> Mapping[str, str]:
    """Where it is and where its data are. All else is left as it comes."""
    return {
        "STOREKEEPER_DATA": str(place.directory),
        "STOREKEEPER_DATABASE_URL": place.url,
        "STOREKEEPER_HOST": "127.0.0.1",
        "STOREKEEPER_PORT": str(place.port),
        "STOREKEEPER_WORKERS": "1",
        # All come from one address, and one user. They are counted all the same.
        "STOREKEEPER_LOGINS_PER_MINUTE": "1000000",
        "STOREKEEPER_NETWORK_REQUESTS_PER_MINUTE": "100000000",
        "STOREKEEPER_USER_REQUESTS_PER_MINUTE": "100000000",
    }


def _fill_storekeeper(place: Place, environment: Mapping[str, str], items: int) -> None:
    _create_admin(environment)
    client = Client(place.port)
    client.ask("POST", "/register", {"username": data.USERNAME, "password": data.PASSWORD})
    token = client.sign_in()["access_token"]
    for name in data.STORE_NAMES:
        client.ask("POST", f"/store/{name}", token=token)
    data.add_items(place.url, data.IN_MINOR_UNITS, items)
    _index(place.url, items)


def _index(url: str, items: int) -> None:
    """What adding them through the API would do: they can be found by their names."""
    entries = [
        item_search.SearchDocument(number, number % data.STORES + 1, f"item{number}", None, None, "", "")
        for number in range(1, items + 1)
    ]
    with data.create_engine(url).begin() as conn:
        item_search.add(conn, entries)


def _create_admin(environment: Mapping[str, str]) -> None:
    command = [*PYTHON, "storekeeper", "create-admin", ADMIN_NAME, "--password-stdin"]
    done = subprocess.run(command, env=environment, input=data.PASSWORD, text=True, check=False, capture_output=True)
    if done.returncode:
        raise Failure(f"storekeeper create-admin: {done.stderr.strip()[-500:]}")


COURSE = Candidate(
    "course",
    "the course's stack",
    ("flask", "flask-restful", "flask-jwt-extended", "flask-sqlalchemy", "gunicorn"),
    _course_command,
    _course_environment,
    _fill_course,
)
BARE = Candidate(
    "bare",
    "a bare ASGI function",
    ("uvicorn", "httptools", "uvloop", "pysqlite3", "psycopg"),
    _bare_command,
    _bare_environment,
    _fill_bare,
)
STOREKEEPER = Candidate(
    "storekeeper",
    "Storekeeper",
    ("falcon", "sqlalchemy", "msgspec", "psycopg", "pynacl"),
    _storekeeper_command,
    _storekeeper_environment,
    _fill_storekeeper,
)

ALL = {candidate.name: candidate for candidate in (COURSE, BARE, STOREKEEPER)}
