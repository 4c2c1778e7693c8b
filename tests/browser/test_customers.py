"""The tree table by keyboard, and the command palette."""

import pytest
from playwright.sync_api import expect

from tenancy.ids import public_id

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOCUS = """
() => {
  const at = document.activeElement;
  const row = at.closest("tr");
  const name = row.querySelector("a.name").textContent;
  return at === row ? name : `${name} / ${at.cellIndex}`;
}
"""
LONG = "Gemeinnützige Gesellschaft für Qualitätssicherungsdienstleistungen mbH & Co. KG"
WALK = (
    ("ArrowDown", LONG),
    ("ArrowDown", LONG),
    ("ArrowLeft", "Gruppe Nord"),
    ("ArrowRight", "Gruppe Nord / 0"),
    ("ArrowRight", "Gruppe Nord / 1"),
    ("End", "Gruppe Nord / 7"),
    ("ArrowDown", f"{LONG} / 7"),
    ("Home", f"{LONG} / 0"),
    ("Control+Home", "Gruppe Nord / 0"),
    ("ArrowLeft", "Gruppe Nord"),
    ("End", LONG),
    ("Home", "Gruppe Nord"),
    ("g", LONG),
    ("PageUp", "Gruppe Nord"),
    ("PageDown", LONG),
)


def test_walks_the_tree_by_keyboard(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/tree/"))
        page.locator("tr[tabindex='0']").focus()
        for key, expected in WALK:
            page.keyboard.press(key)
            assert page.evaluate(FOCUS) == expected, key

        page.keyboard.press("Home")
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("link", name=LONG, exact=True)).to_be_hidden()
        page.keyboard.press("*")
        expect(page.get_by_role("link", name=LONG, exact=True)).to_be_visible()
        page.keyboard.press("Space")
        expect(page.locator("tr[aria-selected=true]")).to_have_count(1)
        assert page.locator("tbody tr[tabindex='0']").count() == 1
        page.keyboard.press("Enter")
        page.wait_for_url(site.url("**/customers/{account}/").removeprefix(site.address))


def test_opens_the_menu_of_a_row(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/tree/"))
        page.locator("tr[tabindex='0']").focus()
        page.keyboard.press("Shift+F10")
        menu = page.locator("#tree-menu")
        expect(menu).to_be_visible()
        expect(menu.get_by_role("link", name="Open the account")).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(menu.get_by_role("link", name="History")).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        assert page.evaluate(FOCUS) == "Gruppe Nord"

        page.get_by_role("button", name="Actions for Gruppe Nord").click()
        menu.get_by_role("link", name="Billing settings").click()
        page.wait_for_url(site.url("**/customers/{account}/settings/").removeprefix(site.address))


def test_jumps_to_an_account(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        page.keyboard.press("Control+k")
        page.keyboard.type("firma")
        expect(page.locator("#palette-dialog [role=option][aria-selected=true]")).to_contain_text(
            "Firma Allein"
        )
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Firma Allein")


def test_narrows_a_list_to_a_scope(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        page.locator("a.scope").click()
        page.keyboard.type("gruppe")
        expect(page.locator("#scope-dialog [role=option][aria-selected=true]")).to_contain_text(
            "Gruppe Nord"
        )
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/invoices/?in={public_id('acc', site.invoice.bill_to_id)}")
