"""The days of an administrator and of a clerk: with the mouse, with the keyboard alone, without script."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import PASSWORD, OpenPage, Shop, sign_in
from tests.support.server_process import Server

STORE = "/console/store/M%C3%B6bel%20Nord"


def test_the_first_day_of_an_administrator(server: Server, open_page: OpenPage) -> None:
    page = open_page()
    page.wait_for_url("**/console/set-up")
    page.get_by_label("Set-up token").fill(server.log.split('"setup_token": "')[1].split('"')[0])
    page.get_by_label("User name").fill("root")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the password").fill(PASSWORD)
    page.get_by_role("button", name="Create the administrator").click()
    expect(page.get_by_role("heading", name="There are no stores yet")).to_be_visible()

    page.get_by_role("link", name="Create the first store").click()
    page.get_by_label("Name").fill("Harbour")
    page.get_by_label("Currency").select_option("SEK")
    page.get_by_role("button", name="Create the store").click()
    expect(page.get_by_role("status")).to_contain_text("Harbour is created")

    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("User name").fill("erin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Add the user").click()
    expect(page.get_by_role("heading", name="erin")).to_be_visible()

    page.get_by_role("link", name="Stores").click()
    page.get_by_role("link", name="Harbour").click()
    page.get_by_role("link", name="Members").click()
    page.get_by_label("User name").fill("erin")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("erin is now a clerk of")

    erins = open_page("erin")
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="erin").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("heading", name="erin")).to_contain_text("deactivated")
    erins.reload()
    expect(erins.get_by_role("heading", name="Sign in")).to_be_visible()

    page.get_by_role("link", name="System").click()
    expect(page.get_by_text("✓ yes")).to_have_count(9)
    expect(page.get_by_text("✗ no")).to_have_count(0)
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_text("opened the account erin")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out.")


def test_an_owner_adds_a_webhook_lets_it_pause_and_deletes_it(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("alice", java_script_enabled=False)
    page.goto(STORE)
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_label("URL").fill("shop.example")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("A URL is written like https://shop.example/hook")).to_be_visible()
    page.get_by_label("URL").fill("https://shop.example/hook")
    page.get_by_role("button", name="Add").click()
    assert page.get_by_label("Secret").input_value().startswith("whsec_")
    page.get_by_role("link", name="I have saved it").click()
    expect(page.get_by_role("heading", name="It is waiting for its receiver's consent")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="It is paused")).to_be_visible()
    page.get_by_role("link", name="Delete …").click()
    page.get_by_role("button", name="Delete the webhook").click()
    expect(page.get_by_role("status")).to_contain_text("The webhook is deleted.")
    expect(page.get_by_text("There are no webhooks yet.")).to_be_visible()


def test_the_day_of_a_clerk(shop: Shop, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("bob")
    page.get_by_role("link", name="Möbel Nord").click()
    page.get_by_role("searchbox").press_sequentially("oak ch")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    assert "q=oak+ch" in page.url
    page.get_by_label("Price of Oak chair").fill("17,50")
    page.get_by_label("Price of Oak chair").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved: Oak chair, 17.50 EUR")
    assert shop.price("Oak chair") == 17.5

    page.get_by_label("Add to or take from the stock of Oak chair").fill("-1000")
    page.get_by_label("Add to or take from the stock of Oak chair").press("Enter")
    expect(page.locator(".error")).to_contain_text("that does not go with -1000")
    page.get_by_label("Add to or take from the stock of Oak chair").fill("5")
    page.get_by_label("Add to or take from the stock of Oak chair").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("5 on hand")

    page.get_by_role("link", name="Oak chair").click()
    expect(page.get_by_text("raised the price from")).to_be_visible()
    expect(page.locator("#history time").first).to_contain_text("today")
    page.locator("li", has_text="raised the price").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("It is undone.")
    assert shop.price("Oak chair") == 15.09

    page.get_by_role("link", name="Möbel Nord").click()
    page.get_by_label("Select Oak table").check()
    page.get_by_label("Select Oak desk").check()
    page.get_by_label("Action").select_option("percent")
    page.get_by_label("Value").fill("-10")
    page.get_by_label("Value").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Changed: 2 of 2 items.")

    file = tmp_path / "new.csv"
    file.write_text("name,price,stock\r\nOak vase,12.50,3\r\nOak jar,cheap,1\r\n")
    page.get_by_role("link", name="Import").click()
    page.get_by_label("Choose a file, or drop one here").set_input_files(file)
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", name="Some lines were refused")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    assert "cheap" not in Path(download.value.path()).read_text().splitlines()[0]
    page.get_by_role("button", name="Import the others").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert shop.price("Oak vase") == 12.5


def test_who_is_slower_chooses(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(f"{STORE}?q=oak+chair")
    shop.call("alice", "PATCH", "/item/Oak%20chair", {"price": 18})
    price = page.get_by_label("Price of Oak chair")
    price.fill("16")
    price.press("Enter")
    expect(page.locator(".error")).to_contain_text("Somebody else has changed it to 18.00")
    expect(price).to_have_value("16")
    price.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved: Oak chair, 16.00 EUR")
    assert shop.price("Oak chair") == 16


def test_prices_are_edited_with_the_keyboard_alone(shop: Shop, open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("bob")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Möbel Nord"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/store/**")
    tab_to(page, page.get_by_label("Price of Ash bench"))
    page.keyboard.press("Control+A")
    page.keyboard.type("21")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Price of Ash bowl")).to_be_focused()
    page.keyboard.type("22")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Price of Ash chair")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Price of Ash bench")).to_be_focused()
    assert shop.price("Ash bench") == 21
    assert shop.price("Ash bowl") != 22


def tab_to(page: Page, target: object) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("each => each === document.activeElement"):  # type: ignore[attr-defined]
            return
    pytest.fail("the keyboard does not lead there")


def test_a_clerks_day_without_script(shop: Shop, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page("bob", java_script_enabled=False)
    page.get_by_role("link", name="Möbel Nord").click()
    page.get_by_role("searchbox").fill("oak chair")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_label("Price of Oak chair").fill("17.50")
    page.get_by_label("Add to or take from the stock of Oak chair").fill("7")
    page.get_by_label("Price of Oak chair").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved: Oak chair, 17.50 EUR, 7 on hand.")
    assert "q=oak" in page.url, "the list keeps its place"
    expect(page.locator("time").first).to_contain_text("UTC")
    page.get_by_role("link", name="Oak chair").click()
    page.get_by_label("Description").fill("Oiled.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("changed the description from nothing to “Oiled.”")).to_be_visible()

    page.get_by_role("link", name="Möbel Nord").click()
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="← Previous").click()
    page.get_by_role("link", name="Import").click()
    file = tmp_path / "new.csv"
    file.write_text("name,price\r\nOak vase,12.50\r\n")
    page.get_by_label("Choose a file, or drop one here").set_input_files(file)
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("button", name="Import 1 item").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    sign_in_again = page.get_by_role("status")
    expect(sign_in_again).to_contain_text("You are signed out.")
    sign_in(page, "bob")


def test_what_was_typed_is_not_lost_by_a_click(shop: Shop, open_page: OpenPage) -> None:
    page = open_page("bob")
    page.goto(STORE)
    page.get_by_label("Price of Ash bench").fill("1")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Members").click()
    expect(page.get_by_label("Price of Ash bench")).to_have_value("1")
    assert asked == ["beforeunload"]
    page.get_by_label("Price of Ash bench").press("Escape")
    page.get_by_role("link", name="Members").click()
    page.wait_for_url("**/members")
