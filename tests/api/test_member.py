"""/store/{name}/members and /store/{name}/members/{username}"""

import threading
from typing import Any

import sqlalchemy as sa
from falcon import testing

from storekeeper.errors import LastOwner
from storekeeper.models import journal, store_member
from storekeeper.models.user import users
from storekeeper.settings import Settings
from tests.conftest import Person
from tests.support.cli_runner import run_with, says
from tests.support.console_browser import Browser
from tests.support.databases import transaction

ALICE = {"user_id": 1, "username": "alice", "role": "owner"}
BOB = {"user_id": 2, "username": "bob", "role": "clerk"}
CAROL = {"user_id": 3, "username": "carol", "role": "clerk"}
ADMIN_REQUIRED = {"error": "forbidden", "message": "Admin privilege required."}
OWNERS_ONLY = {"error": "forbidden", "message": "Only owners of the store and administrators may do this."}
NO_MEMBER = {"error": "not_found", "message": "Member not found."}
NO_STORE = {"error": "not_found", "message": "Store not found."}
NO_USER = {"error": "not_found", "message": "User not found."}
LAST_OWNER = {"error": "last_owner", "message": "A store keeps at least one owner."}
REMOVED = {"message": "Member removed."}

HERE = "/store/ikea/members"


def result(answer: testing.Result) -> tuple[int, Any]:
    return answer.status_code, answer.json


def test_who_works_there_sees_who_works_there(alice: Person, bob: Person, root: Person) -> None:
    for person in (alice, bob, root):
        assert result(person.get(HERE)) == (200, {"members": [ALICE, BOB]})
        assert result(person.get(f"{HERE}/alice")) == (200, ALICE)
        assert result(person.get(f"{HERE}/bob")) == (200, BOB)


def test_a_stranger_sees_no_members(carol: Person) -> None:
    """The list looks like an address with nothing there, a member like one who is none."""
    assert result(carol.get(HERE)) == (404, {"error": "not_found", "message": "There is nothing at this address."})
    for username in ("alice", "bob", "carol", "root", "nobody"):
        assert result(carol.get(f"{HERE}/{username}")) == (404, NO_MEMBER), username
        assert result(carol.delete(f"{HERE}/{username}")) == (404, NO_MEMBER), username


def test_who_does_not_work_there(alice: Person) -> None:
    assert result(alice.get(f"{HERE}/carol")) == (404, NO_MEMBER)
    assert result(alice.delete(f"{HERE}/carol")) == (404, NO_MEMBER)
    assert result(alice.get(f"{HERE}/nobody")) == (404, NO_USER)
    assert result(alice.put(f"{HERE}/nobody")) == (404, NO_USER)


def test_a_store_that_is_not_there(alice: Person, root: Person) -> None:
    for person in (alice, root):
        assert result(person.get("/store/lidl/members")) == (404, NO_STORE)
        for method in ("GET", "PUT", "DELETE"):
            assert result(person.call(method, "/store/lidl/members/bob")) == (404, NO_STORE), method


def test_an_owner_lets_a_clerk_in(alice: Person, carol: Person) -> None:
    assert carol.put("/item/chair", {"price": 1, "store_id": 1}).status_code == 403
    assert result(alice.put(f"{HERE}/carol")) == (201, CAROL)
    assert result(alice.put(f"{HERE}/carol", {})) == (200, CAROL)
    assert result(alice.put(f"{HERE}/carol", {"role": "clerk"})) == (200, CAROL)
    assert alice.get(HERE).json == {"members": [ALICE, BOB, CAROL]}
    assert carol.put("/item/chair", {"price": 1, "store_id": 1}).status_code == 200
    assert result(carol.delete("/item/chair")) == (403, ADMIN_REQUIRED)


def test_a_user_is_found_by_any_spelling_of_his_name(alice: Person) -> None:
    assert result(alice.put(f"{HERE}/CAROL")) == (201, CAROL)
    assert result(alice.get(f"{HERE}/Carol")) == (200, CAROL)
    assert result(alice.delete(f"{HERE}/cArol")) == (200, REMOVED)


def test_an_owner_makes_another(alice: Person, bob: Person) -> None:
    assert result(alice.put(f"{HERE}/bob", {"role": "owner"})) == (200, BOB | {"role": "owner"})
    assert bob.delete("/item/chair").status_code == 200
    assert result(bob.put(f"{HERE}/alice", {"role": "clerk"})) == (200, ALICE | {"role": "clerk"})
    assert result(alice.put(f"{HERE}/bob", {"role": "clerk"})) == (403, OWNERS_ONLY)


def test_only_owners_and_administrators_choose_who_works_there(bob: Person, carol: Person, root: Person) -> None:
    for person in (bob, carol):
        for username in ("alice", "bob", "carol", "nobody"):
            for role in ("clerk", "owner"):
                assert result(person.put(f"{HERE}/{username}", {"role": role})) == (403, OWNERS_ONLY), username
    assert result(bob.delete(f"{HERE}/alice")) == (403, OWNERS_ONLY)
    assert root.get(HERE).json == {"members": [ALICE, BOB]}
    assert result(root.put(f"{HERE}/carol")) == (201, CAROL)
    assert result(root.delete(f"{HERE}/carol")) == (200, REMOVED)


def test_roles_that_there_are_not(alice: Person) -> None:
    for role in ("admin", "Owner", "", None, 1, True, ["clerk"]):
        answer = alice.put(f"{HERE}/carol", {"role": role})
        assert answer.status_code == 400, role
        assert [each["field"] for each in answer.json["errors"]] == ["role"], role
    assert alice.get(f"{HERE}/carol").status_code == 404


def test_an_owner_sends_a_clerk_away(alice: Person, bob: Person) -> None:
    assert bob.put("/item/chair", {"price": 1, "store_id": 1}).status_code == 200
    assert result(alice.delete(f"{HERE}/bob")) == (200, REMOVED)
    assert alice.get(HERE).json == {"members": [ALICE]}
    assert bob.put("/item/chair", {"price": 1, "store_id": 1}).status_code == 403, "with the same token"


def test_a_clerk_leaves(bob: Person) -> None:
    assert result(bob.delete(f"{HERE}/bob")) == (200, REMOVED)
    assert bob.get(HERE).status_code == 404
    assert result(bob.delete(f"{HERE}/bob")) == (404, NO_MEMBER)


def test_the_last_owner_stays(alice: Person, root: Person) -> None:
    for person in (alice, root):
        assert result(person.delete(f"{HERE}/alice")) == (409, LAST_OWNER)
        assert result(person.put(f"{HERE}/alice", {"role": "clerk"})) == (409, LAST_OWNER)
        assert result(person.put(f"{HERE}/alice")) == (409, LAST_OWNER), "without a body as clerk"
        assert result(person.put(f"{HERE}/alice", {"role": "owner"})) == (200, ALICE)
    assert alice.get(HERE).json == {"members": [ALICE, BOB]}


def test_an_owner_who_is_not_the_last_may_leave(alice: Person, bob: Person) -> None:
    assert alice.put(f"{HERE}/bob", {"role": "owner"}).status_code == 200
    assert result(alice.delete(f"{HERE}/alice")) == (200, REMOVED)
    assert result(bob.delete(f"{HERE}/bob")) == (409, LAST_OWNER)
    assert bob.get(HERE).json == {"members": [BOB | {"role": "owner"}]}


def test_memberships_end_with_the_user(alice: Person, bob: Person) -> None:
    assert bob.delete("/user/2").status_code == 200
    assert alice.get(HERE).json == {"members": [ALICE]}


def test_the_account_of_the_last_owner_stays(alice: Person, bob: Person, root: Person) -> None:
    """Until there is another owner, or somebody is named who becomes it."""
    for n in range(7):
        assert alice.post(f"/store/shop {n}").status_code == 201
    alone = "'ikea', 'shop 0', 'shop 1', 'shop 2', 'shop 3' and 3 more"
    refused = {
        "error": "last_owner",
        "message": f"Nobody else owns {alone}. Say who gets what only this user owns.",
    }
    assert result(alice.delete("/user/1")) == (409, refused)
    assert result(root.delete("/user/1")) == (409, refused)
    for n in range(6):
        assert alice.put(f"/store/shop {n}/members/bob", {"role": "owner"}).status_code == 201
    refused["message"] = "Nobody else owns 'ikea', 'shop 6'. Say who gets what only this user owns."
    assert result(alice.delete("/user/1")) == (409, refused)
    assert alice.put(f"{HERE}/bob", {"role": "owner"}).status_code == 200
    assert alice.delete("/store/shop 6").status_code == 200
    assert alice.delete("/user/1").status_code == 200
    assert result(root.get(HERE)) == (200, {"members": [BOB | {"role": "owner"}]})


def test_stores_are_handed_over_with_the_account(alice: Person, bob: Person, carol: Person, root: Person) -> None:
    """Those that nobody else owns, and no others; the journal tells it."""
    alice.post("/store/shed")
    alice.post("/store/ours")
    alice.put("/store/ours/members/root", {"role": "owner"})
    assert alice.delete("/user/1?stores_to=BOB").status_code == 200
    assert result(root.get(HERE)) == (200, {"members": [BOB | {"role": "owner"}]})
    assert [each["username"] for each in root.get("/store/shed/members").json["members"]] == ["bob"]
    assert [each["username"] for each in root.get("/store/ours/members").json["members"]] == ["root"]
    assert bob.delete("/item/chair").status_code == 200
    told = root.get("/audit?kind=member").json["changes"]
    assert [(each["store_id"], each["subject_id"], each["action"]) for each in told[:2]] == [
        (2, 2, "create"),
        (1, 2, "update"),
    ]


def test_who_gets_the_stores_is_another_who_is_active(alice: Person, root: Person) -> None:
    root.patch("/user/3", {"is_active": False})
    for username, message in (
        ("nobody", "User not found."),
        ("alice", "The stores go to another user, who is active."),
        ("carol", "The stores go to another user, who is active."),
    ):
        answer = alice.delete(f"/user/1?stores_to={username}")
        assert (answer.status_code, answer.json["errors"]) == (400, [{"field": "stores_to", "message": message}])
    assert alice.get(HERE).status_code == 200


def test_two_owners_that_leave_at_once_are_not_both_let_go(alice: Person, bob: Person, engine: sa.Engine) -> None:
    """Whoever comes second waits, and then is the last one."""
    alice.put(f"{HERE}/bob", {"role": "owner"})
    verdicts: list[str] = []

    def leave(user_id: int) -> None:
        try:
            with transaction(engine) as conn, journal.signed(conn, journal.OPERATOR):
                store_member.delete_user(conn, user_id, user_id)
        except LastOwner:
            verdicts.append("refused")
        else:
            verdicts.append("deleted")

    threads = [threading.Thread(target=leave, args=(user_id,)) for user_id in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(verdicts) == ["deleted", "refused"]


def test_a_store_without_an_owner_is_given_one(
    root: Person, bob: Person, settings: Settings, engine: sa.Engine
) -> None:
    """One of before: administrators see it, and they or the operator give it an owner."""
    assert run_with(settings, "members", "without-owner").output == ""
    with transaction(engine) as conn:
        conn.execute(sa.delete(users).where(users.c.id == 1))
    assert run_with(settings, "members", "without-owner").output == "1\tikea\n"
    assert "Stores without an owner" in Browser(root.client, "root").get("/console/system").text
    assert result(bob.delete("/item/chair")) == (403, ADMIN_REQUIRED)
    done = run_with(settings, "members", "set", " ikea", "bob", "--role", "owner")
    assert done.output == "bob is an owner of 'ikea'.\n"
    assert run_with(settings, "members", "list", "ikea").output == "bob\towner\n"
    assert run_with(settings, "members", "without-owner").output == ""
    assert "Stores without an owner" not in Browser(root.client, "root").get("/console/system").text
    says(run_with(settings, "members", "set", "ikea", "bob", "--role", "clerk"), 1, LAST_OWNER["message"])
    assert bob.delete("/item/chair").status_code == 200
    assert root.get("/audit?kind=member").json["changes"][0]["user_id"] is None


def test_the_operator_deletes_a_user(alice: Person, settings: Settings) -> None:
    message = "Nobody else owns 'ikea'. Say who gets what only this user owns. --stores-to names a user."
    says(run_with(settings, "users", "delete", "alice"), 1, message)
    done = run_with(settings, "users", "delete", "alice", "--stores-to", "bob")
    assert done.output == "The account of alice is deleted.\nbob owns the store 'ikea' now.\n"
    says(run_with(settings, "users", "delete", "alice"), 1, "User not found.")


def test_the_console_asks_who_gets_the_stores(alice: Person, root: Person) -> None:
    browser = Browser(root.client, "root")
    page = browser.get("/console/users/1/delete")
    assert "These stores have no other owner" in page.text
    answer = browser.post("/console/users/1/delete", {"stores_to": ""})
    assert (answer.status_code, "Nobody else owns &#39;ikea&#39;." in answer.text) == (409, True)
    answer = browser.post("/console/users/1/delete", {"stores_to": "nobody"})
    assert (answer.status_code, "User not found." in answer.text) == (400, True)
    assert browser.post("/console/users/1/delete", {"stores_to": "bob"}).status_code == 303
    assert result(root.get(HERE)) == (200, {"members": [BOB | {"role": "owner"}]})
    assert "Nobody else owns" not in browser.get("/console/users/3/delete").text


def test_memberships_end_with_the_store(alice: Person, bob: Person) -> None:
    assert alice.delete("/store/ikea?with_items=true").status_code == 200
    assert alice.post("/store/ikea").status_code == 201
    assert result(alice.get(HERE)) == (200, {"members": [ALICE]})
    assert bob.get(HERE).status_code == 404


def test_the_list_in_the_order_of_names(alice: Person) -> None:
    assert alice.put(f"{HERE}/carol").status_code == 201
    assert alice.put(f"{HERE}/root", {"role": "owner"}).status_code == 201
    listed = alice.get(f"{HERE}?sort=name").json["members"]
    assert [each["username"] for each in listed] == ["alice", "bob", "carol", "root"]
