"""What can be changed of a store, a member, a user or a webhook is known on every surface."""

from typing import Any

import pytest
import sqlalchemy as sa
from falcon import testing

from storekeeper.models.store import STORE_FIELDS, Store, StoreField, stores
from storekeeper.models.store_member import Member
from storekeeper.models.user import User
from storekeeper.models.webhook import Webhook
from storekeeper.resources.member import RoleBody
from storekeeper.resources.store import StoreAnswer, StoreSettings
from storekeeper.resources.user import RolesBody
from storekeeper.resources.webhook import WebhookBody, WebhookChange
from tests.conftest import Person
from tests.support.console_browser import Browser, said

# What the field becomes, how that is told, and how it is typed.
CHANGES: dict[str, tuple[Any, str, str]] = {
    "name": ("ikea 2", "renamed the store “ikea” to “ikea 2”", "ikea 2"),
    "currency": ("JPY", "changed the currency of ikea from “EUR” to “JPY”", "JPY"),
    "negative_stock": (True, "allowed negative stock of ikea", "yes"),
}
SETTINGS = {"name": "ikea", "currency": "EUR"}  # as the form of the store has them


@pytest.fixture
def alices(client: testing.TestClient, alice: Person) -> Browser:
    alice.delete("/store/ikea/item/chair")  # a currency can be changed of an empty store
    return Browser(client, "alice")


@pytest.mark.parametrize("field", STORE_FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize("way", ["api", "console"])
def test_a_setting_is_changed_and_told(
    field: StoreField, way: str, alices: Browser, client: testing.TestClient, alice: Person
) -> None:
    value, words, typed = CHANGES[field.name]
    before = alice.get("/store/ikea").json
    assert before[field.name] != value
    if way == "api":
        assert alice.patch("/store/ikea", {field.name: value}).json[field.name] == value
    else:
        assert f'name="{field.name}"' in alices.get("/console/store/ikea/settings").text
        assert alices.post("/console/store/ikea/settings", SETTINGS | {field.name: typed}).status_code == 303
    (now,) = client.simulate_get("/stores").json["stores"]
    assert now == before | {field.name: value, "version": before["version"] + 1}
    assert f"alice {words}." in said(Browser(client, "root").get("/console/activity")).replace(" .", ".")


def test_the_structs_have_the_settings() -> None:
    settings = {field.name for field in STORE_FIELDS}
    assert set(Store.__struct_fields__) == settings | {"id", "version"}
    assert set(StoreSettings.__struct_fields__) == settings
    assert set(StoreAnswer.__struct_fields__) == settings | {"id", "version", "items", "next"}
    assert set(stores.c.keys()) == settings | {"id", "version", "founder_id"}
    assert set(CHANGES) == settings


def test_the_structs_of_members_users_and_webhooks_have_what_can_be_changed() -> None:
    assert set(Member.__struct_fields__) == set(RoleBody.__struct_fields__) | {"user_id", "username"}
    assert set(User.__struct_fields__) == set(RolesBody.__struct_fields__) | {"id", "username"}
    taken = {*WebhookBody.__struct_fields__, *WebhookChange.__struct_fields__}
    assert taken == {"url", "store", "is_active"}
    assert taken < set(Webhook.__struct_fields__)


# Of members and users: what is sent, and how it is told.
TOLD: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("/store/ikea/members/bob", {"role": "owner"}, "root made bob in ikea an owner"),
    ("/user/2", {"is_admin": True}, "root made bob an administrator"),
    ("/user/2", {"is_active": False}, "root deactivated bob"),
    ("/user/2", {"must_change_password": True}, "root required a new password of bob"),
)


@pytest.mark.parametrize(("path", "body", "words"), TOLD, ids=[next(iter(body)) for _, body, _ in TOLD])
def test_what_is_changed_of_members_and_users_is_told(
    path: str, body: dict[str, Any], words: str, client: testing.TestClient, root: Person
) -> None:
    send = root.put if "members" in path else root.patch
    answer = send(path, body)
    assert answer.status_code == 200, answer.text
    assert body.items() <= answer.json.items()
    assert words in said(Browser(client, "root").get("/console/activity"))


def test_each_change_of_members_and_users_is_tried() -> None:
    assert {name for _, body, _ in TOLD for name in body} == {
        *RoleBody.__struct_fields__,
        *RolesBody.__struct_fields__,
    }


def test_a_webhook_is_shown_as_it_was_changed(alice: Person, engine: sa.Engine) -> None:
    made = alice.post("/webhooks", {"url": "https://shop.example/hook", "store": "ikea"})
    path = made.headers["location"]
    shown = alice.get(path).json
    assert (shown["url"], shown["store"]) == ("https://shop.example/hook", "ikea")
    change = {"url": "https://shop.example/other", "is_active": False}
    changed = alice.patch(path, change).json
    assert alice.get(path).json == changed
    assert change.items() <= changed.items()
