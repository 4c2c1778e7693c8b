"""What the pages do with a script, and without one."""

import pytest
from playwright.sync_api import expect

from accounts.models import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"


def test_signs_in_and_out_without_script(site, chromium):
    person = Person.objects.get(pk=site.people["staff"])
    person.set_password(PASSWORD)
    person.save()
    window = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = window.new_page()

    page.goto(site.url("/invoices/?status=open"))
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Invoices")).to_be_visible()
    assert page.url.endswith("/invoices/?status=open")

    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Rechnungen")).to_be_visible()
    page.locator("a[href*='inv_']").first.click()
    page.locator("a[data-why]").first.click()
    expect(page.get_by_role("heading", name="Wie entsteht der Betrag?")).to_be_visible()

    page.locator("details.menu > summary").last.click()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    window.close()


def test_opens_and_folds_an_explanation(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/{invoice}/"))
        link = page.locator("a[data-why]").first

        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".why-row")).to_be_visible()
        expect(link).to_have_attribute("aria-expanded", "true")
        link.click()
        expect(page.locator(".why-row")).to_be_hidden()
        expect(link).to_have_attribute("aria-expanded", "false")
        link.click()
        expect(page.locator(".why-row")).to_have_count(1)


def test_changes_the_appearance_at_once_and_for_later(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        page.get_by_label("Appearance").click()
        with page.expect_response("**/appearance/"):
            page.get_by_role("button", name="Dark").click()

        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_closes_menus_and_finds_the_search_by_keyboard(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        menu = page.locator("details.menu > summary").last
        menu.click()
        page.keyboard.press("Escape")

        expect(page.locator("details.menu[open]")).to_have_count(0)
        expect(menu).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()


def test_first_tab_skips_to_the_content(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.locator("main")).to_be_focused()


@pytest.fixture
def tree_page(site, look):
    """The tree of the customer, in a window of its own."""
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/tree/"))
        page.locator("[role=treegrid] tr[tabindex='0']").wait_for()
        yield page


def name_of(row):
    return row.locator("a.name").inner_text()


def test_moves_an_account_by_keyboard_from_the_menu_of_its_row(tree_page):
    rows = tree_page.locator("tr[data-key]:not([hidden])")
    last, target = rows.last, name_of(rows.nth(0))
    last.focus()
    tree_page.keyboard.press("Shift+F10")
    tree_page.keyboard.press("ArrowDown")
    while "Move to" not in tree_page.evaluate("document.activeElement.textContent"):
        tree_page.keyboard.press("ArrowDown")
    tree_page.keyboard.press("Enter")
    field = tree_page.get_by_role("combobox", name="New account above")
    expect(field).to_be_visible()
    field.focus()
    tree_page.keyboard.type(target)
    expect(tree_page.locator(".dialog [role=option][aria-selected=true]")).to_contain_text(target)
    tree_page.keyboard.press("Enter")
    tree_page.keyboard.press("Enter")

    tree_page.wait_for_url("**/plans/new/?**")
    assert "kind=move" in tree_page.url
    assert "target=acc_" in tree_page.url


def test_moves_what_is_selected_together(tree_page):
    rows = tree_page.locator("tr[data-key]:not([hidden])")
    for place in (0, 1):
        rows.nth(place).focus()
        tree_page.keyboard.press(" ")
    expect(tree_page.locator(".bulk [data-count]")).to_have_text("2 selected")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    rows.nth(1).locator("[data-pick]").uncheck()
    expect(rows.nth(1)).to_have_attribute("aria-selected", "false")
    rows.nth(1).locator("[data-pick]").check()

    tree_page.locator(".bulk").get_by_role("button", name="Move to …").click()

    expect(tree_page.get_by_role("heading", name="Move 2 accounts to …")).to_be_visible()
    tree_page.get_by_role("button", name="Back, change nothing").click()
    expect(tree_page.locator("dialog.dialog[open]")).to_have_count(0)
    expect(tree_page.locator(".bulk [data-count]")).to_have_text("2 selected")


def test_rows_are_dragged_below_another(tree_page):
    rows = tree_page.locator("tr[data-key]:not([hidden])")
    moved, target = rows.last, rows.nth(0)
    said = name_of(target)

    moved.locator("a.name").drag_to(target.locator("td").first)

    expect(tree_page.get_by_role("heading", name=f"Move {name_of(moved)} to …")).to_be_visible()
    expect(tree_page.get_by_role("combobox", name="New account above")).to_have_value(said)
