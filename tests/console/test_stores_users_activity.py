"""The console's pages for stores, members, imports, exports, users and the system."""

import re
from io import StringIO
from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.components import Parts
from storekeeper.console import imports
from storekeeper.importer.importer import Importer
from storekeeper.models import import_queue, store_member, store_summary, system
from storekeeper.models.paging import PageRequest
from storekeeper.models.store import get
from tests.conftest import Person
from tests.support.cast import PASSWORD
from tests.support.console_browser import Browser, said, wrong
from tests.support.databases import transaction
from tests.support.item_catalogues import fill

NEW = "another horse battery"


# Stores


def test_the_stores_at_a_glance(alices: Browser, alice: Person, engine: sa.Engine) -> None:
    fill(
        alice,
        [
            {"name": "lamp", "price": "2.50", "stock": 1_000_000},
            {"name": "gold", "price": "9999999999.99", "stock": 10**12},
            {"name": "old", "price": 7, "stock": 100, "archived": True},
        ],
    )
    with engine.connect() as conn:
        (glance,) = store_summary.page(conn, 1, PageRequest(sort="name"), 0, is_mine=True).rows
    assert (glance.role, glance.sums.items, glance.sums.sold_out, glance.sums.changed) == ("owner", 3, 1, 4)
    exact = 10_000_000_000 * 10**12 - 10**10 + 2_500_000
    assert abs(int(glance.sums.value) - exact) <= exact // 2**50, "on SQLite to 15 digits"
    assert "Items 3 Sold out 1" in said(alices.get("/console"))


def test_who_works_nowhere_is_shown_all_stores_and_what_to_do(client: testing.TestClient, engine: sa.Engine) -> None:
    carols = Browser(client, "carol")
    assert "ikea" in said(carols.get("/console"))
    assert "You are not a member of a store yet" in said(carols.get("/console?stores=mine"))


def test_a_store_is_created_described_and_deleted(alices: Browser, alice: Person) -> None:
    assert wrong(alices.post("/console/new-store", {"name": "", "currency": "EUR"})).keys() == {"name"}
    assert wrong(alices.post("/console/new-store", {"name": "a", "currency": "XXX"})).keys() == {"currency"}
    page = alices.follow(alices.post("/console/new-store", {"name": "a/b", "currency": "JPY"}))
    assert "This store has no items yet" in said(page)
    form = {"name": "tokyo", "currency": "KRW", "negative_stock": "yes"}
    answer = alices.post("/console/store/a%2Fb/settings", form)
    assert answer.headers["location"] == "/console/store/tokyo/settings"
    known = alice.get("/store/tokyo").json
    assert (known["currency"], known["negative_stock"]) == ("KRW", True)
    taken = alices.post("/console/store/tokyo/settings", form | {"name": "ikea"})
    assert "A store with name 'ikea' already exists." in said(taken)
    held = alices.post("/console/store/ikea/settings", {"name": "ikea", "currency": "USD"})
    assert wrong(held) == {"currency": "The store holds items, whose prices are in its currency."}
    assert "1 item , worth 0.00 EUR , will be deleted, too" in said(alices.get("/console/store/ikea/delete"))
    assert wrong(alices.post("/console/store/ikea/delete", {"name": "tokyo"})).keys() == {"name"}
    assert alices.post("/console/store/ikea/delete", {"name": ""}).status_code == 400
    assert "ikea is deleted." in said(alices.follow(alices.post("/console/store/ikea/delete", {"name": "ikea"})))


def test_members_come_and_go(alices: Browser, engine: sa.Engine) -> None:
    place = "/console/store/ikea/members"
    assert wrong(alices.post(place, {"username": "nobody", "role": "clerk"})) == {"username": "User not found."}
    assert alices.post(place, {"username": "carol", "role": "king"}).status_code == 400
    page = alices.follow(alices.post(place, {"username": "carol", "role": "clerk"}))
    assert "carol is now a clerk of ikea." in said(page)
    page = alices.follow(alices.post(place, {"username": "carol", "role": "owner"}))
    assert "carol is now an owner of ikea." in said(page)
    assert "Remove carol from ikea?" in said(alices.get(f"{place}/carol/remove"))
    alices.post(f"{place}/carol/remove")
    refused = alices.post(f"{place}/alice/remove")
    assert (refused.status_code, "A store keeps at least one owner." in said(refused)) == (409, True)
    with engine.connect() as conn:
        assert [each.username for each in store_member.page(conn, 1, "ikea", PageRequest()).rows] == ["alice", "bob"]


# Imports and exports


def carry_out(engine: sa.Engine, parts: Parts, tmp: Any, id: int) -> None:
    with transaction(engine) as conn:
        job = import_queue.claim(conn, "test", id)
    assert job
    path = tmp / "file"
    with path.open("w+b") as file:
        parts.storage.copy_to(job.file, file)
        file.seek(0)
        Importer(engine, job, file, lambda *_: None).run()


def test_a_file_is_planned_confirmed_and_carried_out(
    alices: Browser, alice: Person, engine: sa.Engine, parts: Parts, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_PAGE_SIZE", 1)  # the refused lines come in several pieces
    data = b"name;price;stock\r\nchair;17,50;3\r\nlamp;9,90;1\r\nrug;cheap;1\r\n;5;1\r\n"
    page = alices.follow(alices.post("/console/store/ikea/import", {"match": "name"}, file=("ümläut <a>.csv", data)))
    assert "Waiting 0 % 0 % Lines 0" in said(page)
    assert "ümläut &lt;a&gt;.csv" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    place = alices.place
    carry_out(engine, parts, tmp_path, 1)
    page = alices.get(place)
    assert "Some lines were refused" in said(page)
    assert "4 price A price is a number" in said(page)
    file = alices.get(f"{place}/refused.csv")
    assert file.headers["content-disposition"] == 'attachment; filename="refused-1.csv"'
    assert [line.split(",")[0] for line in StringIO(file.text).read().splitlines()] == ["line", "4", "5"]
    assert alice.get("/item/chair").json["price"] == 15.99
    alices.post(place, {"skip_refused": "yes"})
    carry_out(engine, parts, tmp_path, 1)
    page = alices.get(place)
    assert "Done Lines 4 New 1 Changed 1 Unchanged 0 Refused 2" in said(page)
    assert alice.get("/item/chair").json["price"] == 17.5
    over = alices.post(place)
    assert (over.status_code, "Only an import whose plan is made" in said(over)) == (409, True)


def test_a_good_plan_says_what_it_would_do(alices: Browser, engine: sa.Engine, parts: Parts, tmp_path: Any) -> None:
    data = b"Artikel,Preis\r\nlamp,5\r\n"
    form = {"match": "name", "columns": "Artikel:name;Preis:price"}
    page = alices.follow(alices.post("/console/store/ikea/import", form, file=("a.csv", data)))
    carry_out(engine, parts, tmp_path, 1)
    assert "The plan: nothing is imported yet Lines 1 New 1" in said(alices.get(alices.place))
    assert "Import 1 item" in said(alices.get(alices.place))
    cancelled = said(alices.follow(alices.post(f"{alices.place}/cancel")))
    assert "The import is cancelled." in cancelled
    assert "Cancelled Lines 0" in cancelled
    assert "a.csv" in said(alices.get("/console/store/ikea/import"))
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("form", "file", "field"),
    [
        ({"match": "colour"}, b"name", "match"),
        ({"columns": ":name"}, b"name", "columns"),
        ({"match": "name"}, b"", "file"),
    ],
)
def test_a_file_that_is_not_taken(alices: Browser, form: dict[str, str], file: bytes, field: str) -> None:
    page = alices.post("/console/store/ikea/import", form, file=("a.csv", file))
    assert page.status_code == 400
    assert field in wrong(page) or field == "match"


def test_exports(alices: Browser, alice: Person) -> None:
    fill(alice, [{"name": "lamp", "archived": True}])
    for path, lines in (
        ("csv", 2),
        ("csv?archived=any", 3),
        ("jsonl?archived=any", 2),
        ("csv?q=nothing", 1),
    ):
        file = alices.get(f"/console/store/ikea/export/{path}")
        assert (file.status_code, len(file.text.splitlines())) == (200, lines)
        assert file.headers["content-disposition"].startswith("attachment")
    assert alices.get("/console/store/ikea/export/xml").status_code == 404
    assert alices.get("/console/store/ikea/export/csv?price_min=x").status_code == 400


def test_an_export_too_many_is_refused_with_a_page(
    alices: Browser, parts: Parts, engine: sa.Engine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alices.post("/console/store/ikea/import", {"match": "name"}, file=("a.csv", b"name,price\nrug,cheap\n"))
    carry_out(engine, parts, tmp_path, 1)
    monkeypatch.setattr(parts.export_slots, "_per_user", 0)
    for path in ("store/ikea/export/csv", "store/ikea/export/jsonl", "import/1/refused.csv"):
        page = alices.get(f"/console/{path}")
        assert (page.status_code, page.headers["retry-after"]) == (429, "5")
        assert "Too many exports of yours are under way." in said(page)


# Users


def test_an_administrator_looks_after_users(roots: Browser, client: testing.TestClient, bob: Person) -> None:
    assert "alice user active" in said(roots.get("/console/users"))
    taken = roots.post("/console/new-user", {"username": "BOB", "password": PASSWORD})
    assert "A user with that username already exists." in said(taken)
    weak = roots.post("/console/new-user", {"username": "erin", "password": "password"})
    assert wrong(weak).keys() == {"password"}
    page = roots.follow(roots.post("/console/new-user", {"username": "erin", "password": PASSWORD}))
    assert "erin has an account now." in said(page)
    Browser(client, "erin")

    assert bob.get("/item/chair").status_code == 200
    assert "Sessions ended: 1." in said(roots.follow(roots.post("/console/users/2/sessions")))
    assert bob.get("/item/chair").json["error"] == "token_revoked"
    bob.log_in()
    assert wrong(roots.post("/console/users/2/password", {"password": "bob"})).keys() == {"password"}
    page = roots.follow(roots.post("/console/users/2/password", {"password": NEW}))
    assert "bob has a new password" in said(page)
    assert bob.get("/item/chair").json["error"] == "token_revoked"
    Browser(client, "bob", NEW)

    page = roots.follow(roots.post("/console/users/2/roles", {"is_active": "no"}))
    assert "deactivated" in said(page)
    assert Browser(client).post("/console/sign-in", {"username": "bob", "password": NEW}).status_code == 401
    roots.post("/console/users/2/roles", {"is_active": "yes"})
    last = roots.post("/console/users/4/roles", {"is_admin": "no"})
    assert (last.status_code, "The last administrator" in said(last)) == (409, True)
    roots.post("/console/users/2/roles", {"is_admin": "yes"})
    assert roots.post("/console/users/4/roles", {"is_admin": "no"}).headers["location"] == "/console"
    assert roots.get("/console/users").status_code == 403


def test_an_account_is_deleted(roots: Browser, engine: sa.Engine) -> None:
    assert "Delete carol?" in said(roots.get("/console/users/3/delete"))
    assert "The account of carol is deleted." in said(roots.follow(roots.post("/console/users/3/delete")))
    assert roots.get("/console/users/3").status_code == 404


def test_the_system_tells_of_itself(roots: Browser, engine: sa.Engine) -> None:
    page = said(roots.get("/console/system"))
    assert page.count("✓ yes") == 4
    assert "Users 4 Stores 1 Items 1" in page
    with engine.connect() as conn:
        facts = system.describe(conn)
    assert facts.database.split()[0] == {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[engine.dialect.name]
    assert facts.bytes > 10_000


# Activity


def test_activity_is_told_and_filtered(
    alices: Browser, roots: Browser, bob: Person, alice: Person, engine: sa.Engine
) -> None:
    bob.patch("/item/chair", {"price": "17.50"})
    alice.put("/store/ikea/members/carol", {"role": "clerk"})
    alice.patch("/store/ikea", {"name": "ikea 2"})
    alices.post("/console/store/ikea%202/item/chair/delete")
    place = "/console/store/ikea%202/activity"
    page = said(alices.get(place))
    for sentence in (
        "alice deleted chair , which cost 17.50 EUR .",
        "alice renamed the store “ikea” to “ikea 2”.",
        "alice added carol as a clerk.",
        "bob raised the price of chair from 15.99 EUR to 17.50 EUR .",
    ):
        assert sentence in page, page
    only = said(alices.get(f"{place}?kind=item&who=bob"))
    assert "raised" in only
    assert "renamed" not in only
    assert "No such changes" in said(alices.get(f"{place}?until=2020-01-01"))
    assert "raised" in said(alices.get(f"{place}?since=2020-01-01"))
    for query in ("who=nobody", "since=yesterday", "kind=dragon", "until=2020-13-01", "after=x"):
        assert "These filters are not valid" in said(alices.get(f"{place}?{query}"))
    everything = said(roots.get("/console/activity"))
    assert "opened the account alice" in everything
    assert "created" in everything
    assert "bob raised the price of chair in ikea 2 from" in everything
    (with_page,) = [roots.get("/console/activity?kind=user")]
    assert "raised" not in said(with_page)


def test_the_sums_are_those_of_the_store_alone(engine: sa.Engine, alice: Person) -> None:
    with transaction(engine) as conn:
        other = store_member.create_store(conn, 1, "tokyo", "JPY")
    fill(alice, [{"name": "futon", "price": 24800, "stock": 2}], other.id)
    with engine.connect() as conn:
        both = store_summary.sums(conn, [get(conn, "ikea"), other], 2**40)
        assert store_summary.names(conn, {other.id}) == {other.id: "tokyo"}
    assert {id: (each.items, str(each.value), each.changed) for id, each in both.items()} == {
        1: (1, "0.00", 0),
        other.id: (1, "49600", 0),
    }
    assert re.fullmatch(r"\d+", str(both[other.id].value))
