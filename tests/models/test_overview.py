"""What a store's items come to."""

from decimal import Decimal

import sqlalchemy as sa

from storekeeper.models import store_summary
from storekeeper.models.paging import PageRequest
from storekeeper.models.store_summary import StoreTotals
from tests.conftest import Person
from tests.support.item_catalogues import fill


def test_each_stores_items_are_added_up_by_themselves(alice: Person, engine: sa.Engine) -> None:
    alice.patch("/store/ikea", {"negative_stock": True})
    alice.post("/store/tokyo", {"currency": "JPY"})
    tokyo = alice.get("/store/tokyo").json["id"]
    alice.post("/store/empty")
    fill(
        alice,
        [
            {"name": "lamp", "price": "2.50", "stock": 3},
            {"name": "owed", "price": "100.00", "stock": -2},
            {"name": "gone", "price": "5.00", "stock": 0},
            {"name": "old", "price": "7.00", "stock": 100, "archived": True},
            {"name": "tea", "price": 300, "stock": 4, "store_id": tokyo},
        ],
    )
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE items SET updated_at = 99 WHERE name = 'gone'")
        glances = store_summary.page(conn, 1, PageRequest(sort="name"), 100, is_mine=True).rows
    assert {glance.store.name: glance.sums for glance in glances} == {
        "empty": StoreTotals(items=0, sold_out=0, changed=0, value=Decimal("0.00")),
        "ikea": StoreTotals(items=4, sold_out=3, changed=4, value=Decimal("7.50")),
        "tokyo": StoreTotals(items=1, sold_out=0, changed=1, value=Decimal("1200")),
    }
