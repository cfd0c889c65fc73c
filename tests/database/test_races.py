"""Many at once, before two workers that share a database: one name, one item, one session, the last administrator."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.models import session, user
from storekeeper.models.item import items
from storekeeper.models.store_member import members
from storekeeper.models.user import users
from storekeeper.security import setup_token
from storekeeper.security.signing_keys import KeyRing
from storekeeper.settings import Settings
from tests.support.cast import HASHED, PASSWORD
from tests.support.concurrent_workers import Answer, Call, at_once, call, log_in, statuses, worker
from tests.support.databases import transaction

ROUNDS = 5
NEW_PASSWORD = "another horse battery"

Workers = list[Any]


@pytest.fixture
def workers(engine: sa.Engine, settings: Settings) -> Iterator[Workers]:
    with worker(settings) as first, worker(settings) as second:
        yield [first, second]


def all_at_once(workers: Workers, calls: list[Call]) -> list[Answer]:
    """As `at_once`; and nothing of it may end in a 5xx."""
    answers = at_once(workers, calls)
    assert [answer for answer in answers if answer.status >= 500] == []
    return answers


def count(engine: sa.Engine, select: sa.Select[Any]) -> int:
    with engine.connect() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(select.subquery())).scalar_one()


def is_live(app: Any, token: str) -> bool:
    return call(app, "GET", "/sessions", token=token).status == 200


# Sessions


def test_fifty_refreshes_at_once_answer_one_successor(workers: Workers) -> None:
    refresh_token = log_in(workers[0], "alice")["refresh_token"]
    for _ in range(2):
        answers = all_at_once(workers, [Call("POST", "/refresh", token=refresh_token)] * 50)
        assert statuses(answers) == {200: 50}
        successors = {answer.body["refresh_token"] for answer in answers}
        assert len(successors) == 1
        assert refresh_token not in successors
        refresh_token = successors.pop()


def test_a_logout_wins_over_refreshes_at_the_same_time(workers: Workers) -> None:
    for _ in range(ROUNDS):
        pair = log_in(workers[0], "alice")
        refresh = Call("POST", "/refresh", token=pair["refresh_token"])
        logout = Call("POST", "/logout", token=pair["access_token"])
        answers = all_at_once(workers, [refresh, refresh, logout, refresh, refresh])
        assert answers[2].status == 200
        given = [answer.body for answer in answers if "refresh_token" in answer.body]
        for each in [pair, *given]:
            assert not is_live(workers[1], each["access_token"])
            assert call(workers[0], "POST", "/refresh", token=each["refresh_token"]).body["error"] == "token_revoked"


def test_of_many_logouts_one_ends_the_session(workers: Workers) -> None:
    for _ in range(ROUNDS):
        token = log_in(workers[0], "alice")["refresh_token"]
        answers = all_at_once(workers, [Call("POST", "/logout", token=token)] * 6)
        assert statuses(answers) == {200: 1, 401: 5}
        assert {answer.body["error"] for answer in answers if answer.status == 401} == {"token_revoked"}


def test_deactivation_ends_sessions_that_begin_or_refresh_meanwhile(workers: Workers) -> None:
    for _ in range(ROUNDS):
        root = log_in(workers[0], "root")["access_token"]
        refresh = Call("POST", "/refresh", token=log_in(workers[0], "carol")["refresh_token"])
        login = Call("POST", "/login", {"username": "carol", "password": PASSWORD})
        off = Call("PATCH", "/user/3", {"is_active": False}, root)
        answers = all_at_once(workers, [refresh, login, off, refresh, login])
        assert answers[2].status == 200
        assert call(workers[0], "PATCH", "/user/3", {"is_active": True}, root).status == 200
        given = [answer.body["access_token"] for answer in answers if "access_token" in answer.body]
        assert not any(is_live(workers[1], token) for token in given)


def test_a_login_with_the_old_password_does_not_outlive_its_change(workers: Workers, engine: sa.Engine) -> None:
    for _ in range(ROUNDS):
        token = log_in(workers[0], "alice")["access_token"]
        login = Call("POST", "/login", {"username": "alice", "password": PASSWORD})
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        answers = all_at_once(workers, [login, login, Call("PUT", "/user/1/password", body, token), login, login])
        assert answers[2].status == 200, answers[2]
        begun = [answer.body["access_token"] for answer in answers if answer.status == 200 and answer != answers[2]]
        assert not any(is_live(workers[1], each) for each in begun)
        assert is_live(workers[1], token)
        assert call(workers[1], login.method, login.path, login.body).status == 401
        with transaction(engine) as conn:
            user.set_password(conn, 1, HASHED)
            session.end_others(conn, 1)


# Users


def test_fifty_registrations_of_one_name_in_mixed_case_make_one_user(workers: Workers, engine: sa.Engine) -> None:
    names = ["straße", "STRASSE", "Strasse", "sTRAßE", "ｓｔｒａｓｓｅ"] * 10
    answers = all_at_once(workers, [Call("POST", "/register", {"username": n, "password": PASSWORD}) for n in names])
    assert statuses(answers) == {201: 1, 400: 49}
    messages = {answer.body["message"] for answer in answers if answer.status == 400}
    assert messages == {"A user with that username already exists."}
    assert count(engine, sa.select(users.c.id).where(users.c.username_key == "strasse")) == 1


def test_the_setup_token_makes_one_administrator(workers: Workers, engine: sa.Engine, settings: Settings) -> None:
    with transaction(engine) as conn:
        conn.execute(sa.delete(users).where(users.c.is_admin))
    token = setup_token.create(KeyRing(settings.keys_path))
    bodies = [{"username": f"admin{n}", "password": PASSWORD, "setup_token": token} for n in range(16)]
    answers = all_at_once(workers, [Call("POST", "/register", body) for body in bodies])
    assert statuses(answers) == {201: 1, 403: 15}
    assert count(engine, sa.select(users.c.id).where(users.c.is_admin)) == 1


@pytest.mark.parametrize(
    ("method", "body"),
    [("PATCH", {"is_admin": False}), ("PATCH", {"is_active": False}), ("DELETE", None)],
    ids=["demote", "deactivate", "delete"],
)
def test_two_administrators_cannot_both_remove_each_other(
    workers: Workers, engine: sa.Engine, method: str, body: Any
) -> None:
    admins = sa.select(users.c.id).where(users.c.is_admin, users.c.is_active)
    for n in range(ROUNDS):
        with transaction(engine) as conn:
            conn.execute(sa.update(users).values(is_admin=False))
            pair = [user.add(conn, f"admin{n}.{each}", HASHED, True) for each in "ab"]
        tokens = [log_in(workers[0], each.username)["access_token"] for each in pair]
        calls = [Call(method, f"/user/{pair[1 - i].id}", body, tokens[i]) for i in (0, 1)]
        answers = all_at_once(workers, calls)
        assert count(engine, admins) == 1
        assert [answer.status for answer in answers].count(200) == 1
        assert {answer.status for answer in answers} <= {200, 401, 403, 404, 409}


# Stores


def test_two_owners_cannot_both_remove_each_other(workers: Workers, engine: sa.Engine) -> None:
    owners = sa.select(members.c.user_id).where(members.c.role == "owner", members.c.store_id == 1)
    tokens = {name: log_in(workers[0], name)["access_token"] for name in ("alice", "bob", "root")}
    for removal in [("DELETE", None), ("PUT", {"role": "clerk"})] * 2:
        for name in ("alice", "bob"):
            path = f"/store/ikea/members/{name}"
            assert call(workers[0], "PUT", path, {"role": "owner"}, tokens["root"]).status in (200, 201)
        method, body = removal
        calls = [
            Call(method, "/store/ikea/members/bob", body, tokens["alice"]),
            Call(method, "/store/ikea/members/alice", body, tokens["bob"]),
        ]
        answers = all_at_once(workers, calls)
        assert count(engine, owners) == 1
        assert [answer.status for answer in answers].count(200) == 1
        assert {answer.status for answer in answers} <= {200, 403, 404, 409}


def test_two_owners_cannot_both_leave(workers: Workers, engine: sa.Engine) -> None:
    owners = sa.select(members.c.user_id).where(members.c.role == "owner", members.c.store_id == 1)
    tokens = {name: log_in(workers[0], name)["access_token"] for name in ("alice", "bob", "root")}
    for _ in range(ROUNDS):
        for name in ("alice", "bob"):
            call(workers[0], "PUT", f"/store/ikea/members/{name}", {"role": "owner"}, tokens["root"])
        leaving = [Call("DELETE", f"/store/ikea/members/{name}", token=tokens[name]) for name in ("alice", "bob")]
        assert statuses(all_at_once(workers, leaving)) == {200: 1, 409: 1}
        assert count(engine, owners) == 1


def test_a_store_is_deleted_once(workers: Workers) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    for _ in range(ROUNDS):
        call(workers[0], "POST", "/store/corner", token=token)
        answers = all_at_once(workers, [Call("DELETE", "/store/corner", token=token)] * 6)
        assert statuses(answers) == {200: 1, 404: 5}


def test_of_many_stores_of_one_name_one_is_founded(workers: Workers) -> None:
    tokens = [log_in(workers[0], name)["access_token"] for name in ("alice", "carol")]
    answers = all_at_once(workers, [Call("POST", "/store/corner", token=tokens[n % 2]) for n in range(20)])
    assert statuses(answers) == {201: 1, 400: 19}
    messages = {answer.body["message"] for answer in answers if answer.status == 400}
    assert messages == {"A store with name 'corner' already exists."}


@pytest.mark.parametrize("with_items", [False, True])
def test_a_store_that_is_deleted_takes_no_item(workers: Workers, engine: sa.Engine, with_items: bool) -> None:
    """Whoever adds one meanwhile is told that the store is gone, or it is not gone."""
    token = log_in(workers[0], "alice")["access_token"]
    for n in range(ROUNDS):
        of = call(workers[0], "POST", f"/store/kiosk{n}", token=token).body["id"]
        body = {"price": 1, "store_id": of}
        adding = [Call("POST" if i % 2 else "PUT", f"/item/pen{i}", body, token) for i in range(8)]
        delete = Call("DELETE", f"/store/kiosk{n}" + "?with_items=true" * with_items, token=token)
        answers = all_at_once(workers, [*adding[:3], delete, *adding[3:]])
        deleted, added = answers.pop(3), [answer for answer in answers if answer.status == 201]
        assert statuses(answers).keys() <= {201, 404}
        held = count(engine, sa.select(items.c.id).where(items.c.store_id == of))
        if deleted.status == 200:
            assert held == 0
            assert call(workers[1], "GET", f"/store/kiosk{n}").status == 404
        else:
            assert (deleted.status, deleted.body["error"], with_items) == (409, "store_not_empty", False)
            assert held == len(added) == 8


# Items


def test_thirty_two_writers_on_one_item_leave_what_one_of_them_wrote(workers: Workers) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    prices = [100 + n for n in range(32)]
    calls = [Call("PUT", "/item/chair", {"price": price, "store_id": 1}, token) for price in prices]
    answers = all_at_once(workers, calls)
    assert [(answer.status, answer.body["price"]) for answer in answers] == [(200, price) for price in prices]
    assert call(workers[1], "GET", "/item/chair", token=token).body["price"] in prices


def test_thirty_two_writers_on_as_many_items_lose_nothing(workers: Workers) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    for status, base in ((201, 100), (200, 1000)):
        bodies = [{"price": base + n, "store_id": 1} for n in range(32)]
        calls = [Call("PUT", f"/item/shelf{n}", body, token) for n, body in enumerate(bodies)]
        answers = all_at_once(workers, calls)
        assert [(answer.status, answer.body["price"]) for answer in answers] == [(status, base + n) for n in range(32)]
    held = call(workers[1], "GET", "/store/ikea").body["items"]
    assert {item["name"]: item["price"] for item in held if item["name"] != "chair"} == {
        f"shelf{n}": 1000 + n for n in range(32)
    }


def test_an_item_is_added_once(workers: Workers) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    posts = [Call("POST", "/item/table", {"price": n, "store_id": 1}, token) for n in range(20)]
    answers = all_at_once(workers, posts)
    assert statuses(answers) == {201: 1, 400: 19}
    assert {answer.body["message"] for answer in answers if answer.status == 400} == {
        "An item with name 'table' already exists."
    }
    added = next(answer.body for answer in answers if answer.status == 201)
    assert call(workers[1], "GET", "/item/table", token=token).body == added


def test_of_many_puts_one_adds_the_item_and_the_others_change_it(workers: Workers) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    for n in range(ROUNDS):
        calls = [Call("PUT", f"/item/lamp{n}", {"price": price, "store_id": 1}, token) for price in range(10)]
        answers = all_at_once(workers, calls)
        assert statuses(answers) == {200: 9, 201: 1}
        assert len({answer.body["id"] for answer in answers}) == 1
        assert call(workers[1], "GET", f"/item/lamp{n}", token=token).body["price"] in range(10)


def test_an_item_is_deleted_once(workers: Workers) -> None:
    token = log_in(workers[0], "alice")["access_token"]
    answers = all_at_once(workers, [Call("DELETE", "/item/chair", token=token)] * 10)
    assert statuses(answers) == {200: 1, 404: 9}
