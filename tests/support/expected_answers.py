"""Stores and items as the API answers them, with what is not said about them."""

from typing import Any
from unittest.mock import ANY

USUAL = {
    "sku": None,
    "barcode": None,
    "description": "",
    "tags": [],
    "stock": 0,
    "archived": False,
    "image": None,
}


def whole(id: int, name: str, price: Any, store_id: int = 1, currency: str = "EUR", **more: Any) -> dict[str, Any]:
    """An item; when and how often it was changed is not compared."""
    known = {"id": id, "name": name, "price": price, "store_id": store_id, "currency": currency}
    return known | USUAL | {"updated_at": ANY, "version": ANY} | more


def shop(id: int, name: str, items: list[Any] | None = None, currency: str = "EUR") -> dict[str, Any]:
    return {"id": id, "name": name, "currency": currency, "negative_stock": False, "version": 1, "items": items or []}
