"""The requests of imports: what is refused at once, who may do what, and how many imports are kept."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.models import store_member
from storekeeper.models.import_job import MAX_ALIVE
from storekeeper.resources.imports import MAX_BYTES
from storekeeper.settings import Settings
from tests.conftest import Person, bearer
from tests.support import imports, raw_requests
from tests.support.concurrent_workers import Call, at_once, statuses, worker
from tests.support.databases import transaction
from tests.support.imports import carry_out, catalogue, counts, kept, send, start, upload
from tests.support.raw_requests import DISCONNECT

Bring = Callable[..., dict[str, Any]]


@pytest.fixture
def bring(bob: Person, settings: Settings) -> Bring:
    """The clerk's imports."""
    return partial(imports.bring, bob, settings)


REQUESTS: list[tuple[str, dict[str, str], int, str]] = [
    ("", {}, 400, "invalid"),
    ("store=nosuch", {}, 404, "not_found"),
    ("store=ikea&match=id", {}, 400, "invalid"),
    ("store=ikea&columns=:name", {}, 400, "invalid"),
    ("store=ikea&columns=name", {}, 400, "invalid"),
    ("store=ikea&columns=a:name;%20a:sku", {}, 400, "invalid"),
    ("store=ikea&file_name=%00", {}, 400, "invalid"),
    ("store=ikea&dryrun=true", {}, 400, "invalid"),
    ("store=ikea", {"Content_Type": "application/json"}, 415, "unsupported_media_type"),
    ("store=ikea", {"Content_Encoding": "br"}, 415, "unsupported_media_type"),
    ("store=ikea", {"Content_Encoding": "gzip"}, 400, "invalid"),  # it is not
    ("store=ikea", {"Content_Length": str(MAX_BYTES + 1)}, 413, "too_large"),
    ("store=ikea", {"Content_Length": "1000"}, 400, "invalid"),  # more than there is
    ("store=ikea", {"Authorization": "Bearer x"}, 401, "invalid_token"),
]


def test_a_request_that_is_refused_leaves_nothing_behind(app: Any, bob: Person, tmp_path: Path) -> None:
    for query, headers, status, error in REQUESTS:
        answer = send(app, bob, b"name,price\nlamp,5\n", query, **headers)
        assert (answer.status, answer.json["error"]) == (status, error), (query, headers)
    assert bob.get("/imports?store=ikea").json == {"imports": []}
    assert kept(tmp_path) == []


def test_a_cut_upload_leaves_nothing_behind(app: Any, bob: Person, tmp_path: Path) -> None:
    headers = [*bearer(bob.pair["access_token"]).items(), ("Content-Type", "text/csv")]
    first = raw_requests.pieces(b"name,price\n" * 2**20, more_body=True)  # more than one part of it
    for events in ([DISCONNECT], [first, DISCONNECT]):
        answer = raw_requests.exchange(app, "POST", "/imports?store=ikea", headers, events)
        assert (answer.status, answer.json["message"]) == (400, "The body ended early. Send the request again.")
    assert bob.get("/imports?store=ikea").json == {"imports": []}
    assert kept(tmp_path) == []


def test_imports_are_for_those_who_work_in_the_store(
    client: testing.TestClient, alice: Person, bob: Person, carol: Person, root: Person, settings: Settings
) -> None:
    first = start(bob, "name,price\nlamp,x\n")
    assert upload(carol, "name,price\n").status_code == 403
    assert carol.get("/imports?store=ikea").status_code == 403
    for call in (carol.get, carol.post, carol.delete):
        assert (call(first).status_code, call(first).json["message"]) == (404, "Import not found.")
    assert carol.get(f"{first}/refusals").status_code == 404
    assert client.simulate_get(first).status_code == 401
    carry_out(settings)
    second = start(alice, "name,price\nrug,5\n", dry_run=True)
    for person in (alice, bob, root):
        listed = person.get("/imports?store=ikea").json["imports"]
        assert [f"/imports/{each['id']}" for each in listed] == [second, first]
        assert person.get(first).json == listed[1]
        assert len(person.get(f"{first}/refusals").json["refusals"]) == 1
    page = bob.get("/imports?store=ikea&limit=1").json
    assert [page["imports"], bob.get(page["next"]).json["imports"]] == [[listed[0]], [listed[1]]]


def test_an_import_that_is_over_is_neither_cancelled_nor_confirmed(
    bring: Bring, bob: Person, settings: Settings
) -> None:
    waiting = start(bob, "name,price\nlamp,5\n")
    assert bob.post(waiting).json["message"] == "Only an import whose plan is made can be confirmed."
    answer = bob.delete(waiting)
    assert (answer.status_code, counts(answer.json)) == (200, ("cancelled", 0, 0, 0, 0))
    planned = bring("name,price\nlamp,5\n", dry_run=True)
    done = bring("name,price\nchair,5\n")
    answer = bob.delete(f"/imports/{planned['id']}")
    assert (answer.status_code, counts(answer.json)) == (200, ("cancelled", 0, 0, 0, 0))
    for path in (waiting, f"/imports/{planned['id']}", f"/imports/{done['id']}"):
        for answer in (bob.delete(path), bob.post(path)):
            assert (answer.status_code, answer.json["error"]) == (409, "import_is_over")
    carry_out(settings)
    assert [each["name"] for each in catalogue(bob)] == ["chair"]


def test_of_many_who_confirm_or_cancel_at_once_one_does(bring: Bring, bob: Person, settings: Settings) -> None:
    job = bring("name,price\nlamp,5\n", dry_run=True)
    path, token = f"/imports/{job['id']}", bob.pair["access_token"]
    with worker(settings) as first, worker(settings) as second:
        answers = at_once([first, second], [Call("POST", path, token=token)] * 8)
        assert statuses(answers) == {202: 1, 409: 7}
        carry_out(settings)
        job = bring("name,price\nrug,5\n", dry_run=True)
        answers = at_once([first, second], [Call("DELETE", f"/imports/{job['id']}", token=token)] * 8)
        assert statuses(answers) == {200: 1, 409: 7}
    assert [each["name"] for each in catalogue(bob)] == ["chair", "lamp"]


def test_ten_imports_of_a_user_wait_or_are_under_way(
    alice: Person, bob: Person, bring: Bring, settings: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    """Those that are over, planned or refused are neither; the files of the latter are kept."""
    for _ in range(3):
        bring("name,price\nchair,5\n")
    for _ in range(MAX_ALIVE + 1):
        start(bob, "name,price\nlamp,5\n", dry_run=True)
        start(bob, "name,price\nlamp,x\n")
        carry_out(settings)
    before = len(kept(tmp_path))
    assert before == 2 * (MAX_ALIVE + 1)
    paths = [start(bob, "name,price\nlamp,5\n") for _ in range(MAX_ALIVE)]
    answer = upload(bob, "name,price\nrug,5\n")
    assert (answer.status_code, answer.json["error"]) == (409, "too_many_imports")
    assert len(kept(tmp_path)) == before + MAX_ALIVE
    start(alice, "name,price\nbed,5\n")  # hers are counted for herself
    for path in paths:
        assert upload(bob, "name,price\nrug,5\n").status_code == 409
        bob.delete(path)
        bob.delete(start(bob, "name,price\nrug,5\n"))
        start(bob, "name,price\nrug,5\n")
    with transaction(engine) as conn:
        store_member.create_store(conn, 2, "aldi", "EUR")
    assert upload(bob, "name,price\n", store="aldi").status_code == 409
    assert len(kept(tmp_path)) == before + MAX_ALIVE + 1


def test_what_is_confirmed_is_one_of_ten(alice: Person, bob: Person, bring: Bring, settings: Settings) -> None:
    planned = bring("name,price\nlamp,5\n", dry_run=True)
    paths = [start(bob, "name,price\nlamp,5\n") for _ in range(MAX_ALIVE)]
    answer = bob.post(f"/imports/{planned['id']}")
    assert (answer.status_code, answer.json["error"]) == (409, "too_many_imports")
    assert bob.get(f"/imports/{planned['id']}").json["state"] == "planned"
    bob.delete(paths[0])
    assert bob.post(f"/imports/{planned['id']}").status_code == 202
    assert upload(bob, "name,price\nrug,5\n").status_code == 409


def test_what_has_come_before_is_answered_though_ten_are_under_way(bob: Person) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "the-tenth"}
    for _ in range(MAX_ALIVE - 1):
        start(bob, "name,price\nlamp,5\n")
    first, again = (bob.post("/imports?store=ikea", body=b"name,price\nrug,5\n", headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (202, 202, first.json)


def test_of_many_at_once_no_more_are_kept(bob: Person, settings: Settings, tmp_path: Path) -> None:
    headers = [*bearer(bob.pair["access_token"]).items(), ("Content-Type", "text/csv")]

    async def upload_all(apps: list[Any]) -> list[raw_requests.Answer]:
        return await asyncio.gather(
            *(
                raw_requests._exchange(
                    app, raw_requests.scope("POST", "/imports?store=ikea", headers), [raw_requests.pieces(b"name")]
                )
                for app in apps
            )
        )

    with worker(settings) as first, worker(settings) as second:
        answers = asyncio.run(upload_all([first, second] * MAX_ALIVE))
    assert sorted(answer.status for answer in answers) == [202] * MAX_ALIVE + [409] * MAX_ALIVE
    assert len(kept(tmp_path)) == MAX_ALIVE
