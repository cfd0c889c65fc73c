"""Random callers, their accounts and their tokens: the half of `test_model` that is about who is calling."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine

from storekeeper.database.engine import metadata
from storekeeper.models import user
from tests.conftest import Clock
from tests.support.cast import HASHED, PASSWORD
from tests.support.concurrent_workers import Answer, Call
from tests.support.databases import transaction
from tests.support.reference_model import DAYS, MINUTES, Body, Model, Person, Refused, Session, Token

USERNAMES = st.sampled_from(["root", "alice", "Alice", "bob", "nobody"])
PASSWORDS = st.sampled_from([PASSWORD] * 4 + ["another horse battery"])
ANY_TOKEN, OTHER_KIND, NO_TOKEN = 16, 20, 21
CALLERS = st.integers(0, NO_TOKEN)
WHICH = st.integers(0, 4)
TIMES = st.sampled_from([1, 5, 11, 100, 300] * 4 + [20 * MINUTES, 40 * DAYS])
ROLES = st.sampled_from([{"is_admin": True}, {"is_admin": False}, {"is_active": True}, {"is_active": False}, {}])
HOME = "127.0.0.1"

Expected = tuple[int, Body]


def action(weight: int = 1, **arguments: Any) -> Callable[[Any], Any]:
    """Mark what a caller may do, and what with."""

    def mark(function: Any) -> Any:
        steps = st.tuples(st.just(function.__name__), st.fixed_dictionaries(arguments))
        function.steps = [steps] * weight
        return function

    return mark


def steps_of(machine: type) -> Any:
    """One of all the actions. Hypothesis' own choice among rules leaves most of them out of any one run."""
    marked = [getattr(machine, name).steps for name in dir(machine) if hasattr(getattr(machine, name), "steps")]
    return st.one_of([step for steps in marked for step in steps])


def claims(token: str) -> Body:
    """What a token says; the signature is for the server."""
    payload = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def message(text: str) -> Expected:
    return 200, {"message": text}


class Callers(RuleBasedStateMachine):
    """Set before it runs: how to call, the clock, and the database."""

    call: Callable[[Call], Answer]
    clock: Clock
    engine: sa.Engine

    def begin(self) -> None:
        with transaction(self.engine) as conn:
            for table in reversed(metadata.sorted_tables):
                conn.execute(sa.delete(table))
            root = user.add(conn, "root", HASHED, True)
        self.model = Model(int(self.clock.now))
        self.model.users[self.model.new_id("user", root.id)] = Person(root.id, "root", PASSWORD, is_admin=True)
        self.tokens: dict[str, list[Token]] = {"access": [], "refresh": []}
        for name in ("alice", "bob"):
            self.register(name, PASSWORD)
        for name in ("root", "bob", "alice"):
            self.log_in(name, PASSWORD, HOME)

    def token(self, caller: int, kind: str) -> Token | None:
        """Mostly a live one of the right kind; sometimes none, one of the other kind, or a dead one."""
        if caller == NO_TOKEN:
            return None
        other = "refresh" if kind == "access" else "access"
        given = self.tokens[other if caller == OTHER_KIND else kind]
        live = [each for each in given if each.sid in self.model.sessions and each.expires > self.model.now]
        chosen = live if live and caller < ANY_TOKEN else given
        return chosen[-1 - caller % len(chosen)] if chosen else None

    def user_id(self, which: int) -> int:
        """Somebody's; or nobody's."""
        return [*self.model.users, 10**9][which % (len(self.model.users) + 1)]

    def ask(
        self,
        token: Token | None,
        method: str,
        path: str,
        predict: Callable[[Person, Any], Expected],
        body: Any = None,
        **admission: Any,
    ) -> None:
        """Make the request and compare; `predict` is asked only for callers who are admitted."""
        answer = self.call(Call(method, path, body, token.text if token else ""))
        self.compare(answer, lambda given: predict(self.model.admit(token, **admission), given))

    def compare(self, answer: Answer, predict: Callable[[Any], Expected]) -> None:
        given = json.loads(answer.text, parse_float=str)
        try:
            expected = predict(given)
        except Refused as refused:
            wait = refused.body.pop("_retry_after", None)
            assert wait is None or answer.headers["retry-after"] == wait
            expected = refused.status, refused.body
        assert (answer.status, given) == expected

    @action(2, seconds=TIMES)
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds
        self.model.now += seconds

    # Coming and going

    @action(name=USERNAMES, password=PASSWORDS)
    def register(self, name: str, password: str) -> None:
        def predict(given: Body) -> Expected:
            if self.model.by_name(name):
                raise Refused(400, "already_exists", "A user with that username already exists.")
            id = self.model.new_id("user", given["id"])
            self.model.users[id] = Person(id, name, password)
            return 201, {"message": "User created successfully.", "id": id}

        self.compare(self.call(Call("POST", "/register", {"username": name, "password": password})), predict)

    @action(3, name=USERNAMES, password=PASSWORDS, address=st.sampled_from([HOME, "192.0.2.1"]))
    def log_in(self, name: str, password: str, address: str) -> None:
        def predict(given: Body) -> Expected:
            person = self.model.login(name, password, address)
            sid = self.model.new_id("session", claims(given["access_token"])["sid"])
            session = Session(sid, person.id, address, self.model.now, self.model.now)
            self.model.sessions[sid] = session
            return 200, self.issued(given, session, 1, True)

        body = {"username": name, "password": password}
        self.compare(self.call(Call("POST", "/login", body, "", address)), predict)

    def issued(self, given: Body, session: Session, number: int, is_fresh: bool) -> Body:
        """The tokens of an answer. A refresh token is known, if that number was given out before."""
        access = self.issued_access(given, session, is_fresh)
        known = session.refresh_tokens.setdefault(number, given["refresh_token"])
        assert len(set(session.refresh_tokens.values())) == len(session.refresh_tokens)
        ends = session.began + 90 * DAYS
        self.tokens["refresh"].append(Token(known, "refresh", session.id, session.began, ends, number=number))
        return access | {"refresh_token": known}

    def issued_access(self, given: Body, session: Session, is_fresh: bool) -> Body:
        now, text, person = self.model.now, given["access_token"], self.model.users[session.user_id]
        told = {"sub": str(person.id), "sid": session.id, "fresh": is_fresh, "is_admin": person.is_admin}
        assert told.items() <= claims(text).items()
        self.tokens["access"].append(Token(text, "access", session.id, now, now + 15 * MINUTES, is_fresh))
        return {"access_token": text, "expires_in": 15 * MINUTES}

    @action(4, caller=CALLERS)
    def refresh(self, caller: int) -> None:
        token = self.token(caller, "refresh")

        def predict(_: Person, given: Body) -> Expected:
            assert token
            return 200, self.issued(given, self.model.refresh(token), token.number + 1, False)

        self.ask(token, "POST", "/refresh", predict, kinds="refresh")

    @action(caller=CALLERS, password=PASSWORDS)
    def log_in_freshly(self, caller: int, password: str) -> None:
        token = self.token(caller, "access")

        def predict(asker: Person, given: Body) -> Expected:
            assert token
            self.model.check(asker, password, f"session {token.sid}")
            return 200, self.issued_access(given, self.model.sessions[token.sid], True)

        self.ask(token, "POST", "/login/fresh", predict, {"password": password})

    @action(caller=CALLERS, kind=st.sampled_from(["access", "refresh"]))
    def log_out(self, caller: int, kind: str) -> None:
        token = self.token(caller, kind)

        def predict(asker: Person, _: Body) -> Expected:
            assert token
            del self.model.sessions[token.sid]
            return message(f"User <id={asker.id}> successfully logged out.")

        self.ask(token, "POST", "/logout", predict, kinds="access refresh")

    @action(caller=CALLERS)
    def list_sessions(self, caller: int) -> None:
        token = self.token(caller, "access")

        def predict(asker: Person, _: Body) -> Expected:
            assert token
            return 200, {"sessions": [each.shown(token.sid) for each in self.model.sessions_of(asker)]}

        self.ask(token, "GET", "/sessions", predict)

    @action(caller=CALLERS)
    def end_other_sessions(self, caller: int) -> None:
        token = self.token(caller, "access")

        def predict(asker: Person, _: Body) -> Expected:
            assert token
            return message(f"Other sessions ended: {self.model.end_sessions(asker.id, token.sid)}.")

        self.ask(token, "DELETE", "/sessions", predict, fresh=True)

    # Accounts

    @action(caller=CALLERS, which=WHICH, password=PASSWORDS, new=PASSWORDS)
    def change_password(self, caller: int, which: int, password: str, new: str) -> None:
        token, id = self.token(caller, "access"), self.user_id(which)

        def predict(asker: Person, _: Body) -> Expected:
            assert token
            person = self.model.seen_user(Person(asker.id, "", ""), id)
            self.model.check(person, password, f"session {token.sid}")
            person.password = new
            self.model.end_sessions(id, token.sid)
            return message("Password changed.")

        body = {"current_password": password, "new_password": new}
        self.ask(token, "PUT", f"/user/{id}/password", predict, body, fresh=True)

    @action(caller=CALLERS, which=WHICH)
    def read_user(self, caller: int, which: int) -> None:
        id = self.user_id(which)
        token = self.token(caller, "access")
        self.ask(token, "GET", f"/user/{id}", lambda asker, _: (200, self.model.seen_user(asker, id).shown()))

    @action(caller=CALLERS)
    def list_users(self, caller: int) -> None:
        def predict(*_: Any) -> Expected:
            return 200, {"users": [person.shown() for person in self.model.users.values()]}

        self.ask(self.token(caller, "access"), "GET", "/users", predict, admin=True)

    @action(caller=CALLERS, which=WHICH, change=ROLES)
    def set_roles(self, caller: int, which: int, change: Body) -> None:
        id = self.user_id(which)
        token = self.token(caller, "access")

        def predict(*_: Any) -> Expected:
            return 200, self.model.set_roles(id, change)

        self.ask(token, "PATCH", f"/user/{id}", predict, change, admin=True, fresh=True)

    @action(caller=CALLERS, which=WHICH)
    def delete_user(self, caller: int, which: int) -> None:
        id = self.user_id(which)

        def predict(asker: Person, _: Body) -> Expected:
            self.model.delete_user(asker, id)
            return message("User deleted.")

        self.ask(self.token(caller, "access"), "DELETE", f"/user/{id}", predict, fresh=True)
