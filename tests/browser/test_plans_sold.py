"""Plans to sell in the browser: made by keyboard alone, foretold while one writes, and given."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_makes_a_plan_by_keyboard_and_says_what_begins_with_it(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/catalogue/plans/new/"))
        page.get_by_label("Name").fill("By keys")
        offered = page.get_by_label("One more price")
        chosen = offered.locator("option", has_text="Platform").first
        offered.select_option(chosen.get_attribute("value"))
        page.get_by_role("button", name="Add it").focus()
        page.keyboard.press("Enter")

        # One goes on writing in the new row.
        quantity = page.get_by_label("Quantity")
        expect(quantity).to_be_focused()
        expect(page.locator(".plan-row strong")).to_have_text("Platform")
        with page.expect_response("**/catalogue/plans/new/"):
            quantity.fill("3")
            page.keyboard.press("Tab")
        expect(page.locator("#preview")).to_contain_text("3 × Platform")
        page.get_by_label("At least").fill("4")
        page.keyboard.press("Enter")
        expect(page.locator(".plan-row .error")).to_have_text("At least 4 is expected.")
        page.get_by_label("At least").fill("2")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1)).to_have_text("By keys")
        expect(page.locator("main")).to_contain_text("from 2")


def test_gives_another_plan_from_the_page_of_a_subscription(site, look):
    with look(width=390) as window:
        page = window.new_page()
        page.goto(site.url("/subscriptions/{subscription}/"))
        page.get_by_role("link", name="Another plan").click()
        page.get_by_role("link", name="Seats and more").click()
        preview = page.locator("#preview")
        expect(preview).to_contain_text("MRR of these items since then")
        with page.expect_response("**/plan/?*"):
            page.locator("[name=item_0]").fill("51")
            page.keyboard.press("Tab")
        expect(preview).to_contain_text("At most 50 is expected.")


def test_the_menu_of_a_subscription_opens_and_closes_by_keyboard(site, look):
    with look(width=390) as window:
        page = window.new_page()
        page.goto(site.url("/subscriptions/{subscription}/"))
        menu = page.locator("details[name=subscription-menu]")
        menu.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(menu.locator(".panel")).to_be_visible()
        page.keyboard.press("Escape")
        expect(menu.locator(".panel")).to_be_hidden()
        expect(menu.locator("summary")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1)).to_have_text("Add an item")
