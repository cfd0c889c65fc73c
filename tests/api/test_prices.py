"""What an item cost, and the lowest price of the 30 days before."""

from typing import Any

import pytest
import sqlalchemy as sa

from storekeeper.models import journal
from tests.conftest import Clock, Person
from tests.support.databases import transaction

DAY = 86_400


@pytest.fixture
def start(engine: sa.Engine, clock: Clock) -> int:
    """When the chair was added, at 15.99."""
    with engine.connect() as conn:
        return int(conn.scalar(sa.select(journal.changes.c.at).where(journal.changes.c.kind == "item")) or 0)


def go(clock: Clock, alice: Person, start: int, prices: dict[int, Any]) -> None:
    """Set prices, by day."""
    for day, price in prices.items():
        clock.now = start + day * DAY
        alice.log_in()
        assert alice.patch("/item/chair", {"price": price}).status_code == 200


def told(alice: Person, when: int | str | None = None) -> Any:
    answer = alice.get("/item/chair/price" + (f"?as_of={when}" if when is not None else ""))
    assert answer.status_code == 200, answer.text
    assert answer.json == alice.get(f"/store/ikea/item/chair/price?as_of={answer.json['as_of']}").json
    return answer.json


def test_a_price_that_was_never_changed(alice: Person, start: int, clock: Clock) -> None:
    answer = told(alice)
    assert answer == {
        "item_id": 1,
        "price": 15.99,
        "currency": "EUR",
        "as_of": int(clock.now),
        "since": start,
        "lowest_price": 15.99,
        "lowest_price_before": None,
    }


def test_the_price_at_each_time(alice: Person, start: int, clock: Clock) -> None:
    go(clock, alice, start, {10: 20, 20: 12, 30: 18})
    at = [told(alice, start + day * DAY + 1)["price"] for day in (0, 9, 10, 19, 20, 29, 30, 99)]
    assert at == [15.99, 15.99, 20, 20, 12, 12, 18, 18]
    assert told(alice, start + 20 * DAY)["since"] == start + 20 * DAY


def test_the_lowest_price_of_thirty_days(alice: Person, start: int, clock: Clock) -> None:
    go(clock, alice, start, {10: 12, 11: 20, 60: 25, 70: 18})
    lowest = [told(alice, start + day * DAY + 1)["lowest_price"] for day in (0, 10, 11, 40, 42, 65, 70, 89, 91, 101)]
    assert lowest == [15.99, 12, 12, 12, 20, 20, 18, 18, 18, 18]


def test_the_price_to_show_beside_a_discount(alice: Person, start: int, clock: Clock) -> None:
    """Raised before it is reduced, it is compared with what it was before it was raised."""
    go(clock, alice, start, {100: 20, 110: 14})
    assert told(alice)["lowest_price_before"] == 15.99
    assert told(alice, start + 400 * DAY)["lowest_price_before"] == 15.99, "for as long as the price is good"
    go(clock, alice, start, {500: 30})
    assert told(alice)["lowest_price_before"] is None, "this is no reduction"
    go(clock, alice, start, {540: 29})
    assert told(alice)["lowest_price_before"] == 30, "14 is longer ago than 30 days"


def test_other_changes_do_not_count(alice: Person, start: int, clock: Clock) -> None:
    go(clock, alice, start, {1: 14})
    clock.now += DAY
    alice.log_in()
    alice.post("/item/chair/stock", {"delta": 1})
    alice.patch("/item/chair", {"price": 14, "description": "x"})
    assert told(alice)["since"] == start + DAY


def test_before_it_was_there(alice: Person, start: int, clock: Clock) -> None:
    answer = alice.get(f"/item/chair/price?as_of={start - 1}")
    assert (answer.status_code, answer.json["message"]) == (404, "The item did not exist at that time.")


def test_what_the_journal_has_forgotten(alice: Person, start: int, clock: Clock, engine: sa.Engine) -> None:
    go(clock, alice, start, {10: 12, 100: 14, 200: 13})
    with transaction(engine) as conn:
        journal.forget(conn, start + 150 * DAY)
    answer = alice.get(f"/item/chair/price?as_of={start + 50 * DAY}")
    assert (answer.status_code, answer.json["error"]) == (410, "history_forgotten")
    assert [told(alice, start + day * DAY)["price"] for day in (100, 199, 200)] == [14, 14, 13]
    assert told(alice, start + 199 * DAY)["since"] is None
    assert told(alice)["lowest_price_before"] == 14


def test_what_was_there_before_the_journal(alice: Person, start: int, clock: Clock, engine: sa.Engine) -> None:
    with transaction(engine) as conn:
        journal.forget(conn, start + 1)
    answer = told(alice)
    assert (answer["price"], answer["since"], answer["lowest_price"]) == (15.99, None, 15.99)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1793491200", 1793491200),
        ("2026-11-01T00:00:00Z", 1793491200),
        ("2026-11-01T01:00:00%2B01:00", 1793491200),
        ("2026-10-31", 1793491199),
    ],
)
def test_how_a_time_is_written(text: str, seconds: int, alice: Person, engine: sa.Engine) -> None:
    answer = alice.get(f"/item/chair/price?as_of={text}")
    assert answer.status_code == 404
    with transaction(engine) as conn:  # now it is of old
        journal.forget(conn, 2**40)
        conn.execute(sa.update(journal.forgotten).values(last_at=0))
    assert told(alice, text)["as_of"] == seconds


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-11-01T00:00:00", "2026-13-01", "-1", "1e9", "99999999999999999"]
)
def test_what_is_no_time(text: str, alice: Person) -> None:
    answer = alice.get(f"/item/chair/price?as_of={text}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "as_of")
