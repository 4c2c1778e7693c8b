"""Lists in the browser: selecting, the drawer, dialogs, keys, comboboxes, high and low rows."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_selects_rows_and_adds_them_up(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        bar, boxes = page.locator("[data-bulk]"), page.locator("[data-pick]")
        count = boxes.count()
        assert count >= 3
        expect(bar).to_be_hidden()

        boxes.first.click()
        expect(bar.locator("[data-count]")).to_have_text("1 selected")
        boxes.last.click(modifiers=["Shift"])
        expect(bar.locator("[data-count]")).to_have_text(f"{count} selected")
        expect(bar.locator("[data-sum]")).to_contain_text("€")
        expect(page.locator("[data-pick-all]")).to_be_checked()
        page.locator("[data-pick-all]").click()
        expect(bar).to_be_hidden()
        page.locator("[data-pick-all]").click()
        bar.get_by_role("button", name="Clear selection").click()
        expect(bar).to_be_hidden()


def test_saves_selected_rows_without_script(site, chromium):
    window = chromium.new_context(java_script_enabled=False, accept_downloads=True)
    window.add_cookies(
        [{"name": "sessionid", "value": site.session_of("staff"), "url": site.address}]
    )
    page = window.new_page()
    page.goto(site.url("/invoices/?status=open"))
    page.locator("[data-pick]").first.check()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Export (CSV)").click()

    assert waited.value.suggested_filename == "acme-invoices-2026-11-23.csv"
    assert len(waited.value.path().read_text(encoding="utf-8-sig").splitlines()) == 2
    page.goto(site.url("/runs/{waiting_run}/"))
    page.locator("[data-pick]").first.check()
    page.get_by_role("button", name="Approve selected …").click()
    expect(page.get_by_role("heading", name="Approve the selected drafts?")).to_be_visible()
    window.close()


def test_looks_at_an_invoice_beside_the_list(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/?status=open"))
        peek, drawer = page.locator("a[data-drawer]").first, page.locator("#side")
        number = page.locator("tbody th a").first.inner_text()

        peek.focus()
        page.keyboard.press("Enter")
        expect(drawer).to_be_visible()
        expect(drawer.get_by_role("heading", name=f"Invoice {number}")).to_be_visible()
        page.keyboard.press("Escape")
        expect(drawer).to_be_hidden()
        expect(peek).to_be_focused()
        peek.click()
        # It takes the focus when it opens: wait for that before using the keys again.
        expect(drawer.get_by_role("heading", name=f"Invoice {number}")).to_be_visible()
        # The drawer may lie over it; the keyboard reaches it all the same.
        page.locator("a[data-drawer]").nth(1).press("Enter")
        other = page.locator("tbody th a").nth(1).inner_text()
        expect(drawer.get_by_role("heading", name=f"Invoice {other}")).to_be_visible()
        drawer.get_by_role("button", name="Close").click()
        expect(page.locator("a[data-drawer]").nth(1)).to_be_focused()


def test_shows_what_was_asked_for_last(site, look):
    asked, given_up = [], []

    def hold_the_first(route):
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()

    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/?status=open"))
        page.on("requestfailed", lambda request: given_up.append(request.url))
        peeks, drawer = page.locator("a[data-drawer]"), page.locator("#side")
        other = page.locator("tbody th a").nth(1).inner_text()
        page.route("**/glance/", hold_the_first)
        peeks.first.press("Enter")
        peeks.nth(1).press("Enter")

        expect(drawer.get_by_role("heading", name=f"Invoice {other}")).to_be_visible()
        # Nobody waits for the slow answer to the first question any more.
        assert given_up == asked[:1]
        drawer.get_by_role("button", name="Close").click()
        expect(peeks.nth(1)).to_be_focused()


def test_says_when_something_is_gone(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        page.route("**/glance/", lambda route: route.fulfill(status=404, body=""))
        page.locator("a[data-drawer]").first.click()

        expect(page.locator(".toast")).to_have_text("This is not there any more.")


def test_approves_the_selected_in_a_dialog(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/runs/{waiting_run}/"))
        drafts = page.locator("[data-pick]").count()
        page.locator("[data-pick]").first.check()
        opener = page.get_by_role("button", name="Approve selected …")
        opener.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Approve the selected drafts?")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(opener).to_be_focused()

        opener.click()
        dialog.get_by_role("button", name="Back, change nothing").click()
        expect(dialog).to_have_count(0)
        opener.click()
        dialog.get_by_role("button", name="Issue 1 invoice").click()
        expect(page.get_by_text("1 invoice issued.")).to_be_visible()
        expect(page.locator("[data-pick]")).to_have_count(drafts - 1)


def test_walks_by_keys_unless_they_are_off(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        page.keyboard.press("j")
        expect(page.locator("tbody th a").first).to_be_focused()
        page.keyboard.press("j")
        expect(page.locator("tbody th a").nth(1)).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("x")
        expect(page.locator("[data-pick]").first).to_be_checked()
        page.keyboard.press("e")
        expect(page.locator("details[data-export]")).to_have_attribute("open", "")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(sheet.get_by_text("Billing runs")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("gcx?")
        expect(page.locator("[data-page-search]")).to_have_value("gcx?")
        page.locator("h1").click()
        page.keyboard.press("g")
        page.keyboard.press("r")
        expect(page.get_by_role("heading", name="Billing runs", level=1)).to_be_visible()

        page.get_by_label("Appearance").click()
        with page.expect_response("**/appearance/"):
            page.get_by_role("button", name="Single-key shortcuts off").click()
        page.reload()
        page.keyboard.press("?")
        expect(sheet).to_be_hidden()
        page.keyboard.press("j")
        expect(page.locator("tbody th a").first).not_to_be_focused()


def test_chooses_an_account_by_keys(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/runs/new/"))
        field = page.get_by_role("combobox", name="Only this account and below (optional)")
        field.click()
        field.press_sequentially("gemein")
        options = page.locator(".combobox [role=option]")
        expect(options).to_have_count(1)
        expect(options.first).to_contain_text("Gruppe Nord")
        with page.expect_response("**/runs/new/?**"):
            page.keyboard.press("Enter")

        expect(field).to_have_attribute("aria-expanded", "false")
        assert page.locator("input[name=account]").input_value().startswith("acc_")
        expect(page.locator("#preview")).to_contain_text("lies outside of this subtree")
        page.keyboard.type("zzz")
        field.blur()
        expect(field).to_have_value(
            "Gemeinnützige Gesellschaft für Qualitätssicherungsdienstleistungen mbH & Co. KG"
        )
        field.fill("")
        expect(page.locator("input[name=account]")).to_have_value("")
        expect(page.get_by_role("group", name="Recent").get_by_role("option")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(options.first).to_be_hidden()


def test_lowers_the_rows(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/runs/"))
        row = page.locator("tbody tr").first
        before = row.bounding_box()["height"]
        page.get_by_label("Appearance").click()
        with page.expect_response("**/appearance/"):
            page.get_by_role("button", name="Compact rows").click()
        assert row.bounding_box()["height"] < before
        page.reload()
        assert page.locator("tbody tr").first.bounding_box()["height"] < before


def test_menus_of_the_bar_stay_on_a_narrow_screen(site, look):
    with look(language="de", width=320) as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        menus = page.locator(".top details.menu > summary")
        assert menus.count() == 2
        for number in range(menus.count()):
            menus.nth(number).click()
            box = page.locator(".top details.menu[open] > .panel").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320
            page.keyboard.press("Escape")
