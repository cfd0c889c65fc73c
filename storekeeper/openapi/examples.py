"""Examples for the OpenAPI document: a whole one for each body, and values of parameters in paths.

Tests hold each against the schema that it belongs to.
"""

from typing import Any

from storekeeper.models.item import Item
from storekeeper.models.item_fields import ITEM_FIELDS
from storekeeper.models.store import STORE_FIELDS, Store

_OF_ITEM = {
    "id": 1,
    "store_id": 1,
    "currency": "EUR",
    "image": "/images/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "updated_at": 1767225600,
    "version": 3,
} | {field.name: field.example for field in ITEM_FIELDS}
_ITEM = {member: _OF_ITEM[member] for member in Item.__struct_fields__}
_OF_STORE = {"id": 1, "version": 1} | {field.name: field.example for field in STORE_FIELDS}
_STORE = {member: _OF_STORE[member] for member in Store.__struct_fields__}

# By the name of the schema. Those of requests are bodies to begin with: what has to be sent, or some of what can be.
SCHEMAS: dict[str, Any] = {
    # Requests
    "BulkRow": {"store_id": 1, "name": "chair", "price": 15.99},
    "ChosenPassword": {"ticket": f"2.1767225600.{'0' * 64}", "new_password": "a staple for the battery"},
    "Credentials": {"username": "alice", "password": "correct horse battery"},
    "ItemBody": {"price": 15.99, "store_id": 1},
    "ItemChange": {"price": 14.99, "tags": ["garden"]},
    "ItemInStoreBody": {"price": 15.99},
    "PasswordChange": {"current_password": "correct horse battery", "new_password": "a staple for the battery"},
    "PasswordConfirmation": {"password": "correct horse battery"},
    "RegisterBody": {"username": "alice", "password": "correct horse battery"},
    "ReplayBody": {"after": 17},
    "RoleBody": {"role": "clerk"},
    "RolesBody": {"is_admin": True},
    "StockBody": {"delta": -2},
    "StoreBody": {"currency": "EUR"},
    "StoreSettings": {"name": "ikea", "negative_stock": True},
    "VerifyBody": {"challenge": "5f2b7d0c9a41e83f6b2d4c8e7f1a0935"},
    "WebhookBody": {"url": "https://shop.example/hook", "store": "ikea"},
    "WebhookChange": {"url": "https://shop.example/hook"},
    # Answers
    "AccessToken": {"access_token": "eyJ0eXAiOiJKV1Qi...", "expires_in": 900},
    "Attributes": {"price": 15.99, "stock": 12},
    "Item": _ITEM,
    "Member": {"user_id": 2, "username": "bob", "role": "clerk"},
    "Message": {"message": "Item deleted."},
    "Registered": {"message": "User created successfully.", "id": 1},
    "SessionAnswer": {
        "id": 1,
        "device": "till/1.0",
        "address": "192.0.2.1",
        "began_at": 1767225600,
        "last_used_at": 1767225600,
        "is_current": True,
    },
    "Store": _STORE,
    "StoreAnswer": _STORE | {"items": [_ITEM]},
    "TokenPair": {
        "access_token": "eyJ0eXAiOiJKV1Qi...",
        "refresh_token": "eyJ0eXAiOiJKV1Qi...",
        "expires_in": 900,
    },
    "User": {"id": 1, "username": "alice", "is_admin": False, "is_active": True, "must_change_password": False},
}

# By the segment of the path that comes before the parameter, or by the parameter's name where a parameter does.
PARAMETERS: dict[str, Any] = {
    "/store": "ikea",
    "/item": "chair",
    "/user": 1,
    "/sessions": 1,
    "/members": "bob",
    "/imports": 1,
    "/webhooks": 1,
    "/deliveries": 1,
    "/images": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": "small",
}
