"""Every page by keyboard alone: everything is reached, and where one is can be seen."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KINDS = (
    "sign-in",
    "invoices",
    "invoice",
    "customers",
    "account",
    "new plan to sell",
    "settings of an account",
    "run",
    "import",
    "seller, form",
    "portal",
    "operators, account",
)
STRAY_STOPS = 30
"""So often the focus may rest where nothing was counted, or within one field."""
STOPS = """
() => {
  const shown = (element) => element.checkVisibility({visibilityProperty: true})
    && element.getClientRects().length;
  const chosen = "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), "
    + "select:not([disabled]), textarea:not([disabled]), summary";
  return [...document.querySelectorAll(chosen)].filter((one) => one.tabIndex >= 0 && shown(one))
    .map((one, place) => { one.dataset.stop = place; return one.outerHTML.slice(0, 80); });
}
"""
HERE = """
() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const look = getComputedStyle(at);
  const ringed = [at, at.parentElement].some((one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1)
      || style.boxShadow !== "none";
  });
  return {stop: at.dataset.stop ?? null, ringed, name: at.outerHTML.slice(0, 80)};
}
"""


@pytest.mark.parametrize("name", KINDS)
def test_reaches_everything_and_shows_where(site, look, name):
    (entry,) = [one for one in PAGES if one.name == name]
    with look(entry.who) as window:
        page = window.new_page()
        # Cards that load their figures replace what stood there before.
        page.goto(site.url(entry.url), wait_until="networkidle")
        # A page that puts the focus into its first field is walked from its top all the same.
        page.evaluate("document.body.tabIndex = -1; document.body.focus()")
        stops, reached, unseen, last = page.evaluate(STOPS), set(), [], None
        for _ in range(len(stops) + STRAY_STOPS):
            page.keyboard.press("Tab")
            here = page.evaluate(HERE)
            # A field for a date holds the focus for its day, its month and its year.
            if here is None or here["stop"] in reached - {last}:
                break
            # Within the field the browser itself marks the part that has it.
            if not here["ringed"] and (here["stop"] is None or here["stop"] != last):
                unseen.append(here["name"])
            last = here["stop"]
            if last is not None:
                reached.add(last)

    assert [stop for place, stop in enumerate(stops) if str(place) not in reached] == []
    assert unseen == []


@pytest.mark.parametrize("opener", ["a[data-opens=palette-dialog]", "a[data-opens=scope-dialog]"])
def test_dialogs_keep_and_return_the_focus(site, look, opener):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/invoices/"))
        link = page.locator(opener).first
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_have_count(1)
        for _ in range(5):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body"
                " || !!document.activeElement.closest('dialog[open]')"
            )
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(link).to_be_focused()
