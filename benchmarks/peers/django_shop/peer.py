"""Django REST framework and Django Ninja, each under gunicorn with one process of four threads."""

import secrets
import subprocess
from collections.abc import Callable, Mapping

from benchmarks import data
from benchmarks.candidates import PYTHON, Candidate, Place
from benchmarks.failure import Failure
from benchmarks.speech import ACCESS, CREDENTIALS, PAGE, REFRESH, Ask, Speech

PROJECT = "benchmarks.peers.django_shop"
_REFRESH = '{"refresh": "{token}"}'


def _tokens(answer: dict[str, str]) -> dict[str, str]:
    """A refresh gives an access token alone."""
    return {ACCESS: answer["access"], REFRESH: answer.get("refresh", "")}


REST_SPEECH = Speech(
    {
        "read": Ask("GET", "/api/items/item{number}/"),
        "list": Ask("GET", "/api/feed/"),
        "counted": Ask("GET", f"/api/items/?limit={PAGE}"),
        "find": Ask("GET", "/api/feed/?search=item{number}"),
        "update": Ask("PATCH", "/api/items/item{number}/", '{"price": {price}}'),
        "login": Ask("POST", "/api/token/", CREDENTIALS, signs=False),
        "refresh": Ask("POST", "/api/token/refresh/", _REFRESH, signs=False),
    },
    items=lambda answer: answer["results"],
    tokens=_tokens,
    total=lambda answer: answer["count"],
)
NINJA_SPEECH = Speech(
    {
        "read": Ask("GET", "/api/items/item{number}"),
        "list": Ask("GET", f"/api/feed?page_size={PAGE}"),
        "counted": Ask("GET", f"/api/items?limit={PAGE}"),
        "find": Ask("GET", f"/api/feed?page_size={PAGE}&search=item{{number}}"),
        "update": Ask("PATCH", "/api/items/item{number}", '{"price": {price}}'),
        "login": Ask("POST", "/api/token/pair", CREDENTIALS, signs=False),
        "refresh": Ask("POST", "/api/token/refresh", _REFRESH, signs=False),
    },
    items=lambda answer: answer.get("results") or answer["items"],
    tokens=_tokens,
    total=lambda answer: answer["count"],
)


def _command(place: Place) -> list[str]:
    options = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    return [*PYTHON, "gunicorn", *options, "--bind", f"127.0.0.1:{place.port}", f"{PROJECT}.wsgi"]


def _environment(api: str) -> Callable[[Place], Mapping[str, str]]:
    return lambda place: {
        "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings",
        "DJANGO_DATABASE_URL": place.url,
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(48),
        "DJANGO_API": api,
    }


def _prepare(_place: Place, environment: Mapping[str, str]) -> None:
    _run(environment, "django", "migrate", "--verbosity", "0")


def _fill(place: Place, environment: Mapping[str, str], items: int) -> None:
    _run(environment, f"{PROJECT}.fill")
    data.add_items(place.url, data.IN_FLOAT, items)


def _run(environment: Mapping[str, str], *command: str) -> None:
    done = subprocess.run([*PYTHON, *command], env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"{command[0]}: {done.stderr.strip()[-1000:]}")


def _create(name: str, title: str, api: str, parts: tuple[str, ...], speech: Speech) -> Candidate:
    parts = ("django", *parts, "gunicorn")
    return Candidate(name, title, parts, _command, _environment(api), _fill, speech, _prepare)


REST_PACKAGES = ("djangorestframework", "djangorestframework-simplejwt")
NINJA_PACKAGES = ("django-ninja", "django-ninja-jwt")

REST = _create("drf", "Django REST", "rest", REST_PACKAGES, REST_SPEECH)
NINJA = _create("ninja", "Django Ninja", "ninja_api", NINJA_PACKAGES, NINJA_SPEECH)
