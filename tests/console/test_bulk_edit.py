"""Several items of the console's table, changed at once: what others have done meanwhile is not overwritten."""

import re
from html import unescape

import pytest
from falcon import testing

from tests.conftest import Person
from tests.support.console_browser import Browser, fields, said
from tests.support.item_catalogues import fill

STORE = "/console/store/ikea"


def ticked(browser: Browser, *ids: int) -> list[tuple[str, str]]:
    """What the table's form sends when these are ticked."""
    shown = [(name, value) for name, value in fields(browser.get(STORE)).items() if name not in ("item", "value")]
    return [*shown, *(("item", str(id)) for id in ids)]


def test_a_discount_is_given_once(alices: Browser, alice: Person) -> None:
    form = [*ticked(alices, 1), ("action", "percent"), ("value", "-10")]
    for _ in range(2):
        assert alices.post(f"{STORE}/selection", form).status_code == 303
    assert "Changed: 1 of 1 items." in said(alices.get(STORE))
    assert alice.get("/item/chair").json["price"] == 14.39


@pytest.mark.parametrize(("action", "value", "becomes"), [("percent", "-10", 450), ("price", "300", 300)])
def test_a_price_that_others_have_changed_is_left_alone(
    alices: Browser, bob: Person, alice: Person, action: str, value: str, becomes: float
) -> None:
    (lamp,) = fill(alice, [{"name": "lamp", "price": 200}])
    form = [*ticked(alices, 1, lamp["id"]), ("action", action), ("value", value)]
    bob.patch("/item/chair", {"price": 500})
    page = alices.post(f"{STORE}/selection", form)
    assert page.status_code == 409
    assert "Somebody else has changed 1 price since you opened the page" in said(page)
    assert f"chair 15.99 EUR 500.00 EUR {becomes}.00 EUR" in said(page)
    assert prices(alice) == {"chair": 500, "lamp": 200}, "nothing is changed yet"

    confirmed = [(name, unescape(value)) for name, value in sent_by(page)]
    assert ("item", "1") not in confirmed, "it is not ticked"
    assert alices.post(f"{STORE}/selection", confirmed).status_code == 303
    assert prices(alice) == {"chair": 500, "lamp": 180 if action == "percent" else 300}


def test_a_price_that_others_have_changed_is_changed_all_the_same(alices: Browser, bob: Person, alice: Person) -> None:
    form = [*ticked(alices, 1), ("action", "percent"), ("value", "-10")]
    bob.patch("/item/chair", {"price": 500})
    confirmed = [*sent_by(alices.post(f"{STORE}/selection", form)), ("item", "1")]
    bob.patch("/item/chair", {"price": 600})
    again = alices.post(f"{STORE}/selection", confirmed)
    assert (again.status_code, "500.00 EUR 600.00 EUR 540.00 EUR" in said(again)) == (409, True)
    assert alices.post(f"{STORE}/selection", [*sent_by(again), ("item", "1")]).status_code == 303
    assert prices(alice) == {"chair": 540}


@pytest.mark.parametrize(
    ("action", "value", "price"),
    [
        ("percent", "-100", 0),
        ("percent", "100", 31.98),
        ("percent", "-90", 1.6),
        ("price", "0", 0),
        ("price", "1599", 1599),
    ],
)
def test_a_striking_change_is_asked_about(
    alices: Browser, alice: Person, action: str, value: str, price: float
) -> None:
    page = alices.post(f"{STORE}/selection", [*ticked(alices, 1), ("action", action), ("value", value)])
    assert (page.status_code, "1 price would become less than a fourth, or twice as much or more" in said(page)) == (
        409,
        True,
    )
    assert prices(alice) == {"chair": 15.99}
    assert ("item", "1") in sent_by(page), "it is ticked"
    assert "Changed: 1 of 1 items." in said(alices.follow(alices.post(f"{STORE}/selection", sent_by(page))))
    assert prices(alice) == {"chair": price}


def test_what_others_do_to_other_fields_is_in_nobodys_way(alices: Browser, bob: Person, alice: Person) -> None:
    form = [*ticked(alices, 1), ("action", "percent"), ("value", "10")]
    bob.patch("/item/chair", {"tags": ["new"], "description": "Oak."})
    bob.post("/item/chair/stock", {"delta": 4})
    assert alices.post(f"{STORE}/selection", form).status_code == 303
    assert prices(alice) == {"chair": 17.59}


def test_a_price_that_nobody_says_they_saw_is_asked_about(alices: Browser, alice: Person) -> None:
    page = alices.post(f"{STORE}/selection", {"item": "1", "action": "percent", "value": "-10"})
    assert (page.status_code, "chair – 15.99 EUR 14.39 EUR" in said(page)) == (409, True)
    assert prices(alice) == {"chair": 15.99}


def prices(person: Person) -> dict[str, float]:
    return {each["name"]: each["price"] for each in person.get("/items").json["items"]}


def sent_by(page: testing.Result) -> list[tuple[str, str]]:
    """What a browser would send of the form that is shown."""
    form = page.text.partition("<main")[2].partition('<form method="post"')[2].partition("</form>")[0]
    inputs = re.findall(r'<input ([^>]*name="([^"]*)"[^>]*? value="([^"]*)"[^>]*)>', form)
    return [(name, unescape(value)) for tag, name, value in inputs if "checkbox" not in tag or "checked" in tag]
