"""Imports and exports as their tests use them: what is sent, what carries it out, and what a store then has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from falcon import testing

from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import raw_requests
from tests.support.cli_runner import run_with

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OWN = ("id", "store_id", "updated_at", "version")  # that each store gives its items anew

Bring = Callable[..., dict[str, Any]]


def upload(person: Person, file: str | bytes, media_type: str = "text/csv", **query: Any) -> testing.Result:
    body = file.encode() if isinstance(file, str) else file
    return person.post("/imports", body=body, headers={"Content-Type": media_type}, params={"store": "ikea"} | query)


def carry_out(settings: Settings) -> None:
    """What a server has a process do."""
    assert (run_with(settings, "imports", "run").exit_code) == 0


def start(person: Person, file: str | bytes, **query: Any) -> str:
    """The address of a new import."""
    answer = upload(person, file, **query)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/imports/{answer.json['id']}"
    return str(answer.headers["location"])


def bring(person: Person, settings: Settings, file: str | bytes, **query: Any) -> dict[str, Any]:
    """An import that has been carried out."""
    path = start(person, file, **query)
    carry_out(settings)
    return dict(person.get(path).json)


def counts(job: dict[str, Any]) -> tuple[str, int, int, int, int]:
    """Its state; and how many rows are added, changed, unchanged and refused."""
    found = job["state"], job["added"], job["changed"], job["unchanged"], job["refused"]
    assert job["rows"] == sum(found[1:]), job
    return found


def refusals(person: Person, job: dict[str, Any]) -> list[tuple[int, str | None, str]]:
    answer = person.get(f"/imports/{job['id']}/refusals")
    return [(each["line"], each["field"], each["message"]) for each in answer.json["refusals"]]


def catalogue(person: Person, store: str = "ikea") -> list[dict[str, Any]]:
    """All that a store has, archived items too."""
    found: list[dict[str, Any]] = []
    path = f"/store/{store}/items?archived=any&limit=200"
    while path:
        answer = person.get(path).json
        found += answer["items"]
        path = answer.get("next")
    return found


def by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Items without what each store gives them anew."""
    return {each["name"]: {key: value for key, value in each.items() if key not in OWN} for each in items}


def kept(tmp_path: Path) -> list[Path]:
    """The files that are stored."""
    return [each for each in (tmp_path / "files").rglob("*") if each.is_file()]


def send(app: Any, person: Person, body: bytes, query: str = "store=ikea", **headers: str) -> raw_requests.Answer:
    """An upload whose headers are just these."""
    fields = {"Content-Type": "text/csv"} | bearer(person.pair["access_token"])
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    length = [] if "Content-Length" in fields else [("Content-Length", str(len(body)))]
    headers = [*fields.items(), *length]
    return raw_requests.exchange(app, "POST", f"/imports?{query}", headers, [raw_requests.pieces(body)])
