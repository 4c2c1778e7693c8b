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
