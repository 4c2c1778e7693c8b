"""The org chart by keyboard, its lines, its size, and the picture that is saved."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AT = "document.activeElement.getAttribute('aria-label').split(/[,.]/)[0]"
LONG = "Gemeinnützige Gesellschaft für Qualitätssicherungsdienstleistungen mbH & Co"
WALK = (
    ("ArrowRight", LONG),
    ("ArrowRight", LONG),
    ("ArrowDown", LONG),
    ("ArrowLeft", "Gruppe Nord"),
    ("ArrowLeft", "Gruppe Nord"),
    ("End", LONG),
    ("Home", "Gruppe Nord"),
)


def test_is_walked_by_arrow_keys(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/chart/"))
        page.locator("[role=treeitem][tabindex='0']").focus()
        for key, expected in WALK:
            page.keyboard.press(key)
            assert page.evaluate(AT) == expected, key

        page.keyboard.press("Space")
        expect(page.locator("[role=treeitem]")).to_have_count(1)
        assert "shut=acc_" in page.url
        assert page.evaluate(AT) == "Gruppe Nord"
        page.keyboard.press("ArrowRight")
        expect(page.locator("[role=treeitem]")).to_have_count(2)
        assert page.locator("[role=treeitem][tabindex='0']").count() == 1
        page.keyboard.press("Enter")
        page.wait_for_url(site.url("**/customers/{account}/").removeprefix(site.address))


def test_folds_without_a_script_too(site, chromium, look):
    with look() as window:
        cookies = window.cookies()
    plain = chromium.new_context(java_script_enabled=False)
    plain.add_cookies(cookies)
    page = plain.new_page()
    page.goto(site.url("/customers/{account}/chart/"))
    page.get_by_role("link", name="Close the accounts below Gruppe Nord").click()
    expect(page.locator("[role=treeitem]")).to_have_count(1)
    plain.close()


def test_switches_lines_and_size(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/chart/"))
        line = page.locator(".org .tie.invoiced")
        expect(line).not_to_have_css("display", "none")
        page.get_by_label("Who is invoiced").uncheck()
        expect(line).to_have_css("display", "none")
        assert "lines=pays" in page.url
        assert "lines=invoiced" not in page.locator("a[data-fold]").get_attribute("href")

        before = page.locator("[data-org]").bounding_box()["width"]
        page.get_by_role("button", name="Larger").click()
        assert page.locator("[data-org]").bounding_box()["width"] == pytest.approx(1.25 * before)
        page.get_by_role("button", name="100 %").click()
        assert page.locator("[data-org]").bounding_box()["width"] == pytest.approx(before)


def test_saves_a_picture(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/chart/"))
        page.locator("details[data-export] summary").click()
        with page.expect_download() as found:
            page.get_by_role("button", name="Picture (PNG)").click()

        assert found.value.suggested_filename == "gruppe-nord-org-chart-2026-11-23.png"
        saved = Path(found.value.path()).read_bytes()
        assert saved.startswith(b"\x89PNG")
        assert len(saved) > 10_000
        assert page.evaluate("window.__violations") == []
