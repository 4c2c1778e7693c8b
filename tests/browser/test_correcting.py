"""Correcting an invoice in a browser: the preview follows the form, and the documents lead on."""

from tests.browser.conftest import axe_source, barriers


def test_the_preview_follows_the_form_and_the_documents_lead_to_each_other(look, site):
    axe = axe_source()
    for language, theme, width in (("de", "light", 1440), ("en", "dark", 390)):
        with look(language=language, theme=theme, width=width) as window:
            page = window.new_page()
            page.goto(site.url("/invoices/{invoice}/"))
            page.locator(f"a[href='{site.stage.path('/invoices/{invoice}/correction/')}']").click()
            page.locator("input[name=amount]").fill("10,00" if language == "de" else "10.00")
            page.locator("input[name=reason]").fill("Zu viel berechnet")
            page.locator("input[name=reason]").blur()
            page.locator("#preview dl.facts").wait_for()
            assert "10" in page.locator("#preview").inner_text()
            assert barriers(page, axe) == []
            page.locator("form.card button.primary").click()
            page.wait_for_url("**/invoices/inv_*/")
            assert "RK-2026-" in page.locator("h1").inner_text()
            assert barriers(page, axe) == []
            page.locator("main a", has_text="RE-2026-").first.click()
            assert page.locator("main a", has_text="RK-2026-").first.is_visible()
            assert page.evaluate("window.__violations") == []
            page.goto(site.url("/invoices/"))
