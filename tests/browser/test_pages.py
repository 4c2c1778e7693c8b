"""Every page in a browser: no barrier, no breach of the policy, no error, no sideways scroll."""

import pytest

from tests.browser.conftest import axe_source, barriers
from tests.browser.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW = 320
SMALLEST_TARGET = 24
# Links within text may be smaller (WCAG 2.5.8, exception "inline").
SMALL_TARGETS = """
least => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
  .filter((element) => getComputedStyle(element).display !== "inline")
  .filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && box.height && (box.width < least || box.height < least)
      && !element.classList.contains("skip");
  })
  .map((element) => element.outerHTML.slice(0, 100))
"""


@pytest.mark.parametrize(
    ("language", "theme"),
    [
        ("en", "light"),
        ("de", "dark"),
        pytest.param("de", "light", marks=pytest.mark.long),
        pytest.param("en", "dark", marks=pytest.mark.long),
    ],
)
def test_pages_are_sound(site, look, language, theme):
    axe, faults = axe_source(), []
    for who in {entry.who for entry in PAGES}:
        with look(who, language=language, theme=theme) as window:
            page, errors = window.new_page(), []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            for entry in (one for one in PAGES if one.who == who):
                page.goto(site.url(entry.url))
                if entry.opens:
                    page.locator(entry.opens).first.click()
                page.locator(entry.shows).first.wait_for(timeout=10_000)
                found = {
                    # Before axe, which copies imported stylesheets into the page to read them.
                    "policy": page.evaluate("window.__violations"),
                    "barriers": barriers(page, axe),
                    "errors": errors[:],
                    "language": page.evaluate("document.documentElement.lang") != language,
                    "headings": page.locator("h1").count() != 1,
                }
                errors.clear()
                faults += [(entry.name, kind, what) for kind, what in found.items() if what]

    assert not faults, "\n".join(map(str, faults))


def test_pages_fit_a_narrow_screen(site, look):
    faults = []
    for who in {entry.who for entry in PAGES}:
        with look(who, language="de", width=NARROW) as window:
            page = window.new_page()
            for entry in (one for one in PAGES if one.who == who):
                page.goto(site.url(entry.url))
                if entry.opens:
                    page.locator(entry.opens).first.click()
                page.locator(entry.shows).first.wait_for(timeout=10_000)
                width = page.evaluate("document.documentElement.scrollWidth")
                small = page.evaluate(SMALL_TARGETS, SMALLEST_TARGET)
                faults += [(entry.name, width, small)] if width > NARROW or small else []

    assert not faults, "\n".join(map(str, faults))
