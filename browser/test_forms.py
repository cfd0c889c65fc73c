"""Forms count once, however they are sent; and what was typed is not lost."""

import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Request, Route, expect

from browser.conftest import PASSWORD, OpenPage, Shop

STORE = f"/console/store/{quote('Möbel Nord')}"
ITEM = f"{STORE}/item/{quote('Oak chair')}"
SLOW_SECONDS = 1.5
STOCK = 0  # of the oak chair, to begin with


def slow_line(page: Page) -> list[Route]:
    """What is sent waits here until the test lets it go on."""
    held: list[Route] = []
    page.route("**/*", only_posts(held.append))
    return held


def slowly(route: Route) -> None:
    """It is carried out, and then its answer takes its time."""
    route.fetch(max_redirects=0)
    time.sleep(SLOW_SECONDS)
    route.continue_()


def posts(page: Page) -> list[Request]:
    """The forms that are sent from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


def expect_count(page: Page, held: list[Route], count: int) -> None:
    for _ in range(100):
        if len(held) >= count:
            break
        page.wait_for_timeout(50)
    assert len(held) == count


def stock(shop: Shop) -> int:
    return int(shop.call("alice", "GET", "/item/Oak%20chair")["stock"])


def only_posts(handle: Callable[[Route], None]) -> Callable[[Route], None]:
    return lambda route: handle(route) if route.request.method == "POST" else route.continue_()


def test_save_clicked_twice_counts_once(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(ITEM)
    page.get_by_label("On hand:").fill("5")
    held, sent = slow_line(page), posts(page)
    label = "document.querySelector('main .primary').innerText"
    page.evaluate(f"addEventListener('pagehide', () => {{ sessionStorage.label = {label} }})")
    page.get_by_role("button", name="Save", exact=True).dblclick(no_wait_after=True)
    page.keyboard.press("Enter")
    expect_count(page, held, 1)
    held[0].continue_()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_label("On hand: 5")).to_be_visible()
    assert page.evaluate("sessionStorage.label") == "Saving…"
    assert len(sent) == 1
    assert stock(shop) == STOCK + 5


def test_enter_pressed_twice_counts_once(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(f"{STORE}?q=oak+chair")
    held, sent = slow_line(page), posts(page)
    delta = page.get_by_label("Add to or take from the stock of Oak chair")
    delta.fill("5")
    delta.press("Enter")
    delta.press("Enter")
    expect(page.locator("tr[aria-busy]")).to_have_count(1)
    held[0].continue_()
    page.unroute("**/*")
    expect(page.get_by_role("status")).to_contain_text("5 on hand")
    assert len(sent) == 1
    delta.fill("2")
    delta.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("7 on hand")
    assert stock(shop) == STOCK + 7, "the next one counts as well"


def test_enter_pressed_twice_counts_once_without_script(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob", java_script_enabled=False)
    page.goto(ITEM)
    sent = posts(page)
    page.route("**/*", only_posts(slowly))
    delta = page.get_by_label("On hand:")
    delta.fill("5")
    delta.press("Enter", no_wait_after=True)
    delta.press("Enter", no_wait_after=True)
    expect(page.get_by_label("On hand: 5")).to_be_visible()
    assert sent
    assert stock(shop) == STOCK + 5


def test_a_row_whose_answer_is_lost_counts_once(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(f"{STORE}?q=oak+chair")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(re.findall(r"form_key=([^&]*)", route.request.post_data or "")[0])
        if len(keys) == 1:
            route.fetch(max_redirects=0)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/*", only_posts(lose))
    delta = page.get_by_label("Add to or take from the stock of Oak chair")
    delta.fill("5")
    delta.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("counts once. Saved: Oak chair, 15.09 EUR, 5 on hand.")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert stock(shop) == STOCK + 5
    expect(delta).to_have_value("")


def test_a_server_that_is_away_loses_nothing_of_what_was_typed(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(f"{STORE}?q=oak")
    page.clock.install()
    page.route("**/*", only_posts(lambda route: route.abort("connectionrefused")))
    delta = page.get_by_label("Add to or take from the stock of Oak chair")
    delta.fill("5")
    delta.press("Enter")
    for _ in range(4):
        page.wait_for_timeout(200)
        page.clock.run_for(10_000)
    expect(page.get_by_role("status")).to_contain_text("The server does not answer.")
    expect(delta).to_have_value("5")
    page.unroute("**/*")
    page.get_by_label("Price of Oak table").fill("99")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_label("Price of Oak table")).to_have_value("99.00")
    assert stock(shop) == STOCK + 5
    assert shop.price("Oak table") == 99


def test_a_page_whose_answer_is_lost_counts_once(shop: Shop, open_page: OpenPage) -> None:
    """Who loads the page once more sends the same form again."""
    page = open_page("bob", java_script_enabled=False)
    page.goto(ITEM)
    page.get_by_label("On hand:").fill("5")
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(str(route.fetch(max_redirects=0).status))
        route.abort("connectionreset")

    page.route("**/*", only_posts(lose))
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("chrome-error://**")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("this form has come more than once, and counts once.")
    assert lost == ["303"]
    assert stock(shop) == STOCK + 5


def test_going_back_shows_the_form_anew(shop: Shop, open_page: OpenPage) -> None:
    for script in (True, False):
        page = open_page("bob", java_script_enabled=script)
        page.goto(ITEM)
        before = stock(shop)
        page.get_by_label("On hand:").fill("5")
        key = page.locator("main [name=form_key]").first.input_value()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
        page.go_back()
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_enabled()
        assert page.locator("main [name=form_key]").first.input_value() != key
        page.get_by_label("On hand:").fill("2")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
        assert stock(shop) == before + 7


def test_a_page_from_the_back_cache_has_new_keys(shop: Shop, open_page: OpenPage) -> None:
    """The browser of the tests keeps none: what it would tell such a page is told here."""
    page = open_page("bob")
    page.goto(ITEM)
    keys = page.locator("[name=form_key]")
    old = [each.input_value() for each in keys.all()]
    page.get_by_label("SKU").fill("typed")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(keys.first).not_to_have_value(old[0])
    new = [each.input_value() for each in keys.all()]
    assert len({*old, *new}) == 2 * len(old)
    expect(page.get_by_label("SKU")).to_have_value("typed")


def end_session(shop: Shop) -> None:
    """Bob's, in the browser."""
    for each in shop.call("bob", "GET", "/sessions")["sessions"]:
        if not each["is_current"]:
            shop.call("bob", "DELETE", f"/sessions/{each['id']}")


@pytest.mark.parametrize("script", [True, False])
def test_the_session_ends_while_somebody_types(shop: Shop, open_page: OpenPage, script: bool) -> None:
    page = open_page("bob", java_script_enabled=script)
    page.goto(ITEM)
    page.get_by_label("Description").fill("Oiled by hand.")
    page.get_by_label("On hand:").fill("5")
    end_session(shop)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Sign in, and your input is here again.")
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status")).to_contain_text("Your session ended before this was saved.")
    expect(page.get_by_label("Description")).to_have_value("Oiled by hand.")
    expect(page.get_by_label("On hand:")).to_have_value("5")
    assert stock(shop) == STOCK
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert stock(shop) == STOCK + 5


def test_the_session_ends_while_somebody_types_into_the_table(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(f"{STORE}?q=oak")
    page.get_by_label("Price of Oak table").fill("99")
    delta = page.get_by_label("Add to or take from the stock of Oak chair")
    delta.fill("5")
    end_session(shop)
    delta.press("Enter")
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status")).to_contain_text("Your session ended before this was saved.")
    expect(delta).to_have_value("5")
    expect(page.get_by_label("Price of Oak table")).to_have_value("99")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("2 items are saved.")
    assert stock(shop) == STOCK + 5


def test_a_discount_minds_what_others_did_meanwhile(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(f"{STORE}?q=oak")
    page.get_by_label("Select Oak chair").check()
    page.get_by_label("Select Oak desk").check()
    shop.call("alice", "PATCH", "/item/Oak%20chair", {"price": 500})
    page.get_by_label("Value").fill("-10")
    page.get_by_label("Value").press("Enter")
    expect(page.get_by_role("heading", name="Check these prices")).to_be_visible()
    expect(page.get_by_label("Change Oak chair")).not_to_be_checked()
    assert shop.price("Oak chair") == 500
    page.get_by_role("button", name="Change the selected, and 1 other").click()
    expect(page.get_by_role("status")).to_contain_text("Changed: 1 of 1 items.")
    assert shop.price("Oak chair") == 500
