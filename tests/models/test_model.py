"""Random callers against `model`: every answer's status and body is what plain dictionaries predict."""

import asyncio
from typing import Any
from urllib.parse import quote

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from storekeeper.database.engine import create_engine
from storekeeper.settings import Settings
from tests.conftest import RICH, Clock
from tests.support.concurrent_workers import Call, send, worker
from tests.support.model_sessions import CALLERS, USERNAMES, Callers, Expected, action, message, steps_of
from tests.support.reference_model import Body, Item, Person, Refused, Store

STORES = st.sampled_from(["ikea", "käthe"])
ITEMS = st.sampled_from(["chair", "a/b"])
PRICES = st.sampled_from(["0", "15.99", "15.9", "100", "0.001"])
ROLES = st.sampled_from(["owner", "clerk"])
WAYS = st.sampled_from(["by name", "by name and store", "in its store"])
PUT_OR_POST = st.sampled_from(["PUT", "PUT", "POST"])


class Shops(Callers):
    """With stores, their members and their items."""

    def path(self, *segments: str) -> str:
        return "/" + "/".join(quote(segment, safe="") for segment in segments)

    def furnish(self) -> None:
        self.begin()
        for caller, store_name, currency in ((0, "ikea", "EUR"), (1, "käthe", "KWD")):
            self.found_store(caller, store_name, currency)
            self.put_item(caller, "POST", True, store_name, "chair", "15.9")
        self.put_member(0, "ikea", "bob", "clerk")

    # Stores

    @action(caller=CALLERS, name=STORES, currency=st.sampled_from(["EUR", "JPY", "KWD"]))
    def found_store(self, caller: int, name: str, currency: str) -> None:
        def predict(asker: Person, given: Body) -> Expected:
            if name in [store.name for store in self.model.stores.values()]:
                raise Refused(400, "already_exists", f"A store with name '{name}' already exists.")
            id = self.model.new_id("store", given["id"])
            store = self.model.stores[id] = Store(id, name, currency, {asker.id: "owner"})
            return 201, self.model.shelf(store)

        body = None if currency == "EUR" else {"currency": currency}
        self.ask(self.token(caller, "access"), "POST", self.path("store", name), predict, body)

    @action(name=STORES)
    def read_store(self, name: str) -> None:
        answer = self.call(Call("GET", self.path("store", name)))
        self.compare(answer, lambda _: (200, self.model.shelf(self.model.store(name))))

    def teardown(self) -> None:
        """Nothing is there that should not be, and nothing is missing."""
        shelves = [self.model.shelf(store) for store in self.model.stores.values()]
        self.compare(self.call(Call("GET", "/stores")), lambda _: (200, {"stores": shelves}))
        names = [item.name for item in self.model.items.values()]
        teaser = {"items": names, "message": "More data available if you log in."}
        self.compare(self.call(Call("GET", "/items")), lambda _: (200, teaser))

    @action(caller=CALLERS, name=STORES, with_items=st.booleans())
    def delete_store(self, caller: int, name: str, with_items: bool) -> None:
        def predict(asker: Person, _: Body) -> Expected:
            self.model.delete_store(asker, name, with_items)
            return message("Store deleted.")

        path = self.path("store", name) + "?with_items=true" * with_items
        self.ask(self.token(caller, "access"), "DELETE", path, predict)

    # Members

    @action(2, caller=CALLERS, name=STORES, username=USERNAMES, role=ROLES)
    def put_member(self, caller: int, name: str, username: str, role: str) -> None:
        def predict(asker: Person, _: Body) -> Expected:
            return self.model.put_member(asker, name, username, role)

        path = self.path("store", name, "members", username)
        self.ask(self.token(caller, "access"), "PUT", path, predict, {"role": role}, fresh=True)

    @action(caller=CALLERS, name=STORES, username=USERNAMES)
    def read_member(self, caller: int, name: str, username: str) -> None:
        def predict(asker: Person, _: Body) -> Expected:
            return 200, self.model.seen_member(asker, name, username)

        self.ask(self.token(caller, "access"), "GET", self.path("store", name, "members", username), predict)

    @action(caller=CALLERS, name=STORES)
    def list_members(self, caller: int, name: str) -> None:
        def predict(asker: Person, _: Body) -> Expected:
            return 200, {"members": self.model.members(asker, name)}

        self.ask(self.token(caller, "access"), "GET", self.path("store", name, "members"), predict)

    @action(caller=CALLERS, name=STORES, username=USERNAMES)
    def delete_member(self, caller: int, name: str, username: str) -> None:
        def predict(asker: Person, _: Body) -> Expected:
            self.model.delete_member(asker, name, username)
            return message("Member removed.")

        path = self.path("store", name, "members", username)
        self.ask(self.token(caller, "access"), "DELETE", path, predict, fresh=True)

    # Items

    def id_of(self, store_name: str) -> int:
        """A store's id; of one that is not there, that of nothing."""
        return next((store.id for store in self.model.stores.values() if store.name == store_name), 10**9)

    def way(self, way: str, store_name: str, name: str) -> tuple[str, dict[str, Any]]:
        """The path of an item, and how the model finds it."""
        if way == "in its store":
            return self.path("store", store_name, "item", name), {"store_name": store_name}
        if way == "by name":
            return self.path("item", name), {}
        id = self.id_of(store_name)
        return self.path("item", name) + f"?store_id={id}", {"store_id": id}

    @action(4, caller=CALLERS, method=PUT_OR_POST, in_store=st.booleans(), store_name=STORES, name=ITEMS, price=PRICES)
    def put_item(self, caller: int, method: str, in_store: bool, store_name: str, name: str, price: str) -> None:
        def predict(asker: Person, given: Body) -> Expected:
            store = self.model.require(asker, "clerk", store_name)
            exact = self.model.price(price, store.currency)
            if item := self.model.named(name, store):
                if method == "POST":
                    raise Refused(400, "already_exists", f"An item with name '{name}' already exists.")
                item.price = exact
                return 200, item.shown()
            id = self.model.new_id("item", given["id"])
            item = self.model.items[id] = Item(id, name, exact, store)
            return 201, item.shown()

        path = self.path("store", store_name, "item", name) if in_store else self.path("item", name)
        body = {"price": price} if in_store else {"price": price, "store_id": self.id_of(store_name)}
        self.ask(self.token(caller, "access"), method, path, predict, body, fresh=method == "POST")

    @action(2, caller=CALLERS, way=WAYS, store_name=STORES, name=ITEMS)
    def read_item(self, caller: int, way: str, store_name: str, name: str) -> None:
        path, how = self.way(way, store_name, name)
        token = self.token(caller, "access")
        self.ask(token, "GET", path, lambda *_: (200, self.model.find(name, **how).shown()))

    @action(caller=CALLERS)
    def list_items(self, caller: int) -> None:
        def predict(*_: Any) -> Expected:
            return 200, {"items": [item.shown() for item in self.model.items.values()]}

        if token := self.token(caller, "access"):
            self.ask(token, "GET", "/items", predict)

    @action(caller=CALLERS, way=WAYS, store_name=STORES, name=ITEMS)
    def delete_item(self, caller: int, way: str, store_name: str, name: str) -> None:
        path, how = self.way(way, store_name, name)

        def predict(asker: Person, _: Body) -> Expected:
            self.model.delete_item(asker, self.model.find(name, **how), way == "in its store")
            return message("Item deleted.")

        self.ask(self.token(caller, "access"), "DELETE", path, predict)


class Machine(Shops):
    @initialize()
    def open(self) -> None:
        self.furnish()

    @rule(step=steps_of(Shops))
    def act(self, step: Any) -> None:
        name, arguments = step
        getattr(self, name)(**arguments)


def test_the_api_answers_as_plain_dictionaries_do(url: str, tmp_path: Any, clock: Clock) -> None:
    clock.now = float(int(clock.now))
    made = Settings(data=str(tmp_path), database_url=url, login_failures=3, **RICH)
    with worker(made) as app, asyncio.Runner() as runner:
        namespace = {
            "call": staticmethod(lambda call: runner.run(send(app, call))),
            "clock": clock,
            "engine": create_engine(url),
        }
        run_state_machine_as_test(
            type("Machine", (Machine,), namespace),
            settings=settings(
                max_examples=30,
                stateful_step_count=40,
                deadline=None,
                phases=[Phase.generate],  # a failure shows its steps at once; to find fewer takes minutes
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
