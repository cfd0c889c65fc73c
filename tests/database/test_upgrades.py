"""Databases that older versions filled, brought up to this one: nothing is lost, and whoever was signed in stays so.

What is in them is told in tests/older/README.md. A migration that changes what was there has its own tests here, and is
named beside what the others leave out for it.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from storekeeper.database.engine import create_engine
from storekeeper.domain.ip_networks import networks
from tests.conftest import bearer
from tests.older.database import Older, Upgraded
from tests.support.cli_runner import run_with
from tests.support.database_schema import describe, triggers
from tests.support.server_process import Server

Restore = Callable[[str], Older]
Upgrade = Callable[[str], Upgraded]

both = pytest.mark.parametrize("version", ["0.1.0", "223c058"])

# Stores and items whose names a migration may change: they are like others, or no path can tell them.
PLAIN_STORES = ("ikea", "Tokyo / Ginza", "orphan", "closed", "judys", "shed", "shed (2)")
PLAIN_ITEMS = ("chair", "table", "lamp", "lost umbrella", "key", "hat", "chair (2)", "shelf")
MEMBERS = {
    "ikea": {"alice": "owner", "bob": "clerk", "carol": "clerk"},
    "Tokyo / Ginza": {"alice": "owner"},
    "orphan": {},
    "closed": {"erin": "owner"},
    "judys": {"alice": "owner"},
    "shed": {"carol": "owner"},
}
# Webhooks of those who still have the right to them.
RIGHTFUL = {
    "active": None,
    "failing": None,
    "paused": None,
    "stopped": "Its receiver answered 410: it wants no more.",
    "rotated": None,
    "of an administrator": None,
    "of the operator": None,
    "of the operator, all stores": None,
    "with a key": None,
}


@both
def test_it_gets_the_tables_of_a_new_one(upgraded: Upgrade, version: str, request: pytest.FixtureRequest) -> None:
    engine = upgraded(version).engine
    kind = engine.dialect.name
    path = request.getfixturevalue("template" if kind == "sqlite" else "postgresql_url")
    new = create_engine(f"sqlite:///{path}" if kind == "sqlite" else path)
    assert describe(engine) == describe(new)
    assert triggers(engine) == triggers(new)


@both
def test_check_finds_nothing_wrong(upgraded: Upgrade, version: str) -> None:
    settings = upgraded(version).settings
    result = run_with(settings, "check")
    assert (result.exit_code, result.stderr) == (0, "")


@both
def test_a_server_starts_on_it(older: Restore, version: str, tmp_path: Any) -> None:
    """It migrates by itself. What it answers without a token does not depend on the time."""
    settings = older(version).settings
    server = Server("storekeeper", tmp_path, database_url=settings.database)
    try:
        server.wait()
        assert server.get("/readyz").status == 200
        assert server.get("/store/orphan").json["items"][0]["name"] == "lost umbrella"
    finally:
        server.put_away()


# Sessions


@both
def test_access_tokens_of_then_work(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    for name, session in it.facts["sessions"].items():
        answer = it.client.simulate_get("/sessions", headers=bearer(session["access"])) if "access" in session else None
        if answer is not None and not session.get("is_ended"):
            current = [each["id"] for each in answer.json["sessions"] if each["is_current"]]
            assert current == [session["session_id"]], name
        elif answer is not None:
            assert (answer.status_code, answer.json["error"]) == (401, "token_revoked"), name


@both
def test_a_fresh_token_of_then_is_fresh(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    fresh = it.facts["sessions"]["till"]["fresh_access"]
    answer = it.ask("POST", "/item/sofa", fresh, json={"price": 1, "store_id": 1})
    assert answer.status_code == 201, answer.text


@both
@pytest.mark.parametrize("session", ["tablet", "till", "phone", "laptop", "desk", "root"])
def test_the_newest_refresh_token_of_then_works(upgraded: Upgrade, version: str, session: str) -> None:
    it = upgraded(version)
    told = it.facts["sessions"][session]
    for _ in range(2):
        answer = it.ask("POST", "/refresh", told["refresh"][-1])
        assert answer.status_code == 200, answer.text
        assert it.ask("GET", "/sessions", answer.json["access_token"]).status_code == 200
    assert it.ask("POST", "/refresh", answer.json["refresh_token"]).status_code == 200


@both
def test_the_courses_client_goes_on_with_its_first_refresh_token(upgraded: Upgrade, version: str, clock: Any) -> None:
    it = upgraded(version)
    (first, same) = it.facts["sessions"]["course"]["refresh"]
    assert first == same
    for _ in range(3):
        clock.now += 600
        answer = it.ask("POST", "/refresh", first)
        assert answer.status_code == 200, answer.text
        assert it.ask("GET", "/sessions", answer.json["access_token"]).status_code == 200


def test_a_browser_stays_signed_in(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    cookie = it.facts["sessions"]["console"]["cookie"]
    assert it.client.simulate_get("/console", headers={"Cookie": cookie}).status_code == 200


@both
def test_passwords_of_then_are_right(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    for name, user in it.facts["users"].items():
        assert it.log_in(name).status_code == (200 if user["is_active"] else 401), name


# Values


@both
def test_users_are_who_they_were(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    known = {each["id"]: each for each in it.get("/users?limit=200")["users"]}
    assert len(known) == len(it.facts["users"])
    for told in it.facts["users"].values():
        assert {name: told[name] for name in ("username", "is_admin", "is_active")}.items() <= known[told["id"]].items()


@both
def test_stores_have_their_items_and_members(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    for name in PLAIN_STORES:
        told, path = it.facts["stores"][name], f"/store/{name.replace('/', '%2F')}"
        store = it.get(path)
        assert (store["id"], store["name"], store["currency"]) == (told["id"], name, told["currency"])
        items = {each["id"] for each in it.facts["items"] if each["store"] == name}
        assert items - {2} <= {each["id"] for each in store["items"]}  # in 223c058 the second is archived
        if name in MEMBERS:
            members = it.get(f"{path}/members")["members"]
            assert {each["username"]: each["role"] for each in members} == MEMBERS[name]


@both
def test_items_have_their_values(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    seen = 0
    for told in it.facts["items"]:
        if told["name"] in PLAIN_ITEMS:
            item = it.get(f"/store/{told['store'].replace('/', '%2F')}/item/{told['name']}")
            assert {name: value for name, value in told.items() if name != "store"}.items() <= item.items()
            seen += 1
    assert seen == len([each for each in it.facts["items"] if each["name"] in PLAIN_ITEMS])


@both
def test_no_item_is_lost(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    items = {each["id"]: each["price"] for each in it.get("/items?limit=200&archived=any")["items"]}
    for told in it.facts["items"]:
        assert items[told["id"]] == told["price"]


@both
def test_items_are_found_by_their_words(upgraded: Upgrade, version: str) -> None:
    it = upgraded(version)
    assert [each["name"] for each in it.get("/items?q=umbr")["items"]] == ["lost umbrella"]


def test_images_are_served(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    for item in ("chair", "lost umbrella"):
        answer = it.client.simulate_get(f"{it.facts['images'][item]}/small")
        assert (answer.status_code, answer.content[8:12]) == (200, b"WEBP")


def test_imports_are_where_they_were(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    for label, told in it.facts["imports"].items():
        if "left" not in label:  # an import goes with the user who has begun it
            job = it.get(f"/imports/{told['id']}")
            assert told.items() <= job.items(), label


def test_a_plan_of_then_can_be_confirmed(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    session = it.facts["sessions"]["desk"]
    id = it.facts["imports"]["planned"]["id"]
    assert it.ask("POST", f"/imports/{id}", session["access"]).json["state"] == "queued"


def test_webhooks_go_on(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    for label, reason in RIGHTFUL.items():
        told = it.facts["webhooks"][label]
        hook = it.get(f"/webhooks/{told['id']}")
        for name in ("url", "store", "store_id", "user_id", "is_active", "created_at"):
            assert hook[name] == told[name], (label, name)
        assert hook["reason"] == reason
        with it.engine.connect() as conn:
            known = conn.execute(sa.text("SELECT secret FROM webhooks WHERE id = :id"), {"id": told["id"]})
            assert known.scalar() == told["secret"]


def test_what_was_sent_is_told(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    states = {}
    for label, told in it.facts["webhooks"].items():
        states[label] = [each["state"] for each in it.get(f"/webhooks/{told['id']}/deliveries")["deliveries"]]
    assert states["active"] == ["delivered", "delivered"]
    assert states["failing"] == ["pending"]
    assert states["paused"] == []
    assert states["stopped"] == ["failed"]
    assert states["of an administrator"] == ["delivered"] * 3


def test_a_request_that_was_answered_then_is_not_done_again(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    asked = it.facts["idempotency"]["stock-1"]
    access = it.facts["sessions"]["tablet"]["access"]
    answer = it.ask("POST", asked["path"], access, json=asked["body"], headers={"Idempotency-Key": "stock-1"})
    assert (answer.status_code, answer.json["stock"]) == (200, asked["told"]["stock"])
    assert it.get("/store/ikea/item/chair")["stock"] == asked["told"]["stock"]


def test_the_journal_reads_from_its_first_row(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    rows, path = [], "/audit?limit=100"
    while path:
        page = it.get(path)
        rows += page["changes"]
        path = page.get("next", "")
    assert [each["id"] for each in rows] == list(range(len(rows), 0, -1))
    history = it.get("/store/ikea/item/chair/history")["changes"]
    assert [each["version"] for each in history] == list(range(len(history), 0, -1))
    assert it.get("/store/ikea/item/chair/price")["lowest_price_before"] == 15.9


def test_a_journal_begins_where_there_was_none(upgraded: Upgrade) -> None:
    """Whoever followed from the start would believe that there is nothing: they are told to read it all."""
    it = upgraded("0.1.0")
    answer = it.ask("GET", "/changes?after=0", it.facts["sessions"]["root"]["access"])
    assert (answer.status_code, answer.json["error"]) == (410, "resync_required")


# Names

NEW_STORES = {6: "store-6", 7: "store-7", 9: "shed (3)", 11: "store-11", 13: f"{'y' * 76} (2)", 14: "shed (4)"}
NEW_ITEMS = {
    **{10: "chair (3)", 11: "chair (4)", 13: "item-13", 14: "item-14", 15: "item-15", 16: "two  words"},
    18: f"{'y' * 76} (2)",
}
NEW_ITEMS_LATER = NEW_ITEMS | {22: "bed"}  # with the catalogue


@both
def test_names_have_no_white_space_at_their_ends(upgraded: Upgrade, version: str) -> None:
    """Where two meet, the later gets a number; what has no name left, and `.` and `..`, is called by its id."""
    it = upgraded(version)
    new_items = NEW_ITEMS if version == "0.1.0" else NEW_ITEMS_LATER
    stores = {each["id"]: each["name"] for each in it.get("/stores?limit=200")["stores"]}
    assert {told["id"]: NEW_STORES.get(told["id"], name) for name, told in it.facts["stores"].items()} == stores
    items = {each["id"]: each for each in it.get("/items?limit=200&archived=any")["items"]}
    names = {told["id"]: new_items.get(told["id"], told["name"]) for told in it.facts["items"]}
    assert {id: items[id]["name"] for id in names} == names
    for told in it.facts["items"]:
        if told["id"] in new_items:
            assert (
                it.get(f"/store/{stores[items[told['id']]['store_id']]}/item/{names[told['id']]}")["id"] == told["id"]
            )
            assert items[told["id"]]["version"] == told.get("version", 1) + 1
    assert [each["id"] for each in it.get("/items?q=item-13")["items"]] == [13]
    assert {each["id"] for each in it.get("/items?q=chair 3")["items"]} == {10}
    assert [each["id"] for each in it.get("/items?q=words two")["items"]] == [16]


@both
def test_what_is_renamed_is_told(older: Restore, version: str) -> None:
    """To the operator, and in the journal as changes of the server's, which whoever follows it reads."""
    it = older(version)
    result = run_with(it.settings, "migrate")
    assert result.exit_code == 0
    new_items = NEW_ITEMS if version == "0.1.0" else NEW_ITEMS_LATER
    assert f"Renamed, also in the journal: {len(NEW_STORES) + len(new_items)}." in result.output
    for line in (
        "store 9: 'shed ' is now 'shed (3)'",
        "store 14: '\\xa0shed' is now 'shed (4)'",
        "item 11 of the store 'shed': 'chair\\xa0' is now 'chair (4)'",
        "item 13 of the store 'shed': '.' is now 'item-13'",
    ):
        assert line in result.output
    with it.engine.connect() as conn:
        rows = conn.execute(sa.text("SELECT * FROM changes WHERE request = '' AND action = 'update' ORDER BY id")).all()
        item = conn.execute(sa.text("SELECT name, version, updated_at FROM items WHERE id = 10")).one()
    renamed = [row for row in rows if json.loads(row.before).keys() == {"name"}]
    assert {(row.kind, row.subject_id): json.loads(row.after)["name"] for row in renamed} == {
        **{("store", id): name for id, name in NEW_STORES.items()},
        **{("item", id): name for id, name in new_items.items()},
    }
    (chair,) = [row for row in renamed if (row.kind, row.subject_id) == ("item", 10)]
    assert (chair.author_kind, chair.user_id, chair.version) == ("server", None, 2)
    assert (chair.store_id, chair.before) == (8, '{"name":" chair"}')
    told = {"name": "chair (3)", "price": 1.5, "currency": "EUR", "store_id": 8, "tags": [], "stock": 0, "image": None}
    told |= {"archived": False, "version": item.version, "updated_at": item.updated_at, "sku": None, "barcode": None}
    assert json.loads(chair.after, parse_float=Decimal) == told | {
        "id": 10,
        "description": "",
        "price": Decimal("1.50"),
    }


def test_followers_hear_of_the_new_names(upgraded: Upgrade) -> None:
    it = upgraded("223c058")
    changes, path = [], "/changes?after=0&limit=200"
    while (page := it.get(path))["changes"]:
        changes += page["changes"]
        path = page["next"]
    last = {(each["kind"], each["subject_id"]): each["after"] for each in changes}
    items = {each["id"]: each for each in it.get("/items?limit=200&archived=any")["items"]}
    for id in NEW_ITEMS_LATER:
        assert last["item", id] == {name: items[id][name] for name in last["item", id]}  # later versions have more


def test_who_has_a_name_of_two_scripts_goes_on(upgraded: Upgrade) -> None:
    """New ones are refused; those who are there sign in, and can be given a role."""
    it = upgraded("223c058")
    name = "\u0430dmin"
    assert it.log_in(name).status_code == 200
    token = it.facts["sessions"]["root"]["access"]
    assert it.ask("PUT", f"/store/ikea/members/{quote(name)}", token).status_code == 201
    answer = it.client.simulate_post("/register", json={"username": f"{name}2", "password": "correct horse battery"})
    assert answer.status_code == 400


# Who is known


@both
def test_users_are_known_where_they_were_signed_in(upgraded: Upgrade, version: str) -> None:
    """0017, or else a flood of wrong logins just after the upgrade would keep all of them out."""
    with upgraded(version).engine.connect() as conn:
        lived = conn.execute(sa.text("SELECT user_id, address FROM sessions")).all()
        known = {tuple(row) for row in conn.execute(sa.text("SELECT user_id, network FROM sign_ins"))}
    assert known == {(user_id, networks(address)[0].name) for user_id, address in lived}
    assert known


@both
def test_stores_without_an_owner_are_told(older: Restore, version: str) -> None:
    it = older(version)
    result = run_with(it.settings, "migrate")
    assert "Stores that nobody owns, so that administrators alone look after them: 'orphan'." in result.output
    assert run_with(it.settings, "members", "without-owner").output == "3\torphan\n"
