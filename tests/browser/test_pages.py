"""Every page in a browser: no barrier, no breach of the policy, no error, no sideways scroll.

Pictures of what was seen are kept beside a sheet that shows them all: ``.local/screenshots``.
"""

import re
from html import escape
from pathlib import Path

import pytest
from django.conf import settings

from tests.browser.conftest import axe_source, barriers
from tests.browser.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, MIDDLE, PHONE, NARROW = 1440, 1024, 390, 320
PARTS = 3
"""Into so many tests a walk is cut, which several processes then share."""
FOLDER = Path(settings.BASE_DIR) / ".local" / "screenshots"
SMALLEST_PICTURE = 2_000
"""Bytes: what a picture of nothing takes."""
SMALLEST_TARGET = 24
# Links within text may be smaller (WCAG 2.5.8, exception "inline").
SMALL_TARGETS = """
least => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
  .filter((element) => getComputedStyle(element).display !== "inline")
  .filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && box.height && (box.width < least || box.height < least)
      && !element.matches(".skip, .visually-hidden[aria-hidden=true]");
  })
  .map((element) => element.outerHTML.slice(0, 100))
"""
CUT = """
() => [...document.querySelectorAll("main :is(th, td, h1, h2, dd, .button, .badge)")]
  .filter((one) => one.checkVisibility() && one.clientWidth && !one.matches(".visually-hidden"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .filter((one) => getComputedStyle(one).textOverflow !== "ellipsis")
  .map((one) => one.outerHTML.slice(0, 90))
"""
SIDEWAYS = """
() => [...document.querySelectorAll("main *")]
  .filter((one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .filter((one) => !one.matches(".table-scroll, .flow-scroll, .tabs, .code, pre"))
  .map((one) => one.outerHTML.slice(0, 90))
"""
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Between them the first two see each language, theme and width; the long tests see all together.
WALKS = [("de", "light", WIDE), ("en", "dark", PHONE)]
LONG_WALKS = [
    (language, theme, width)
    for language in ("en", "de")
    for theme in ("light", "dark")
    for width in (WIDE, PHONE)
    if (language, theme, width) not in WALKS
]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [*WALKS, *(pytest.param(*walk, marks=pytest.mark.long) for walk in LONG_WALKS)],
)
def test_pages_are_sound(site, look, language, theme, width, part):
    axe, faults = axe_source(), []
    folder = FOLDER / f"{language}-{theme}-{width}"
    folder.mkdir(parents=True, exist_ok=True)
    entries = PAGES[part::PARTS]
    for who in sorted({entry.who for entry in entries}):
        with look(who, language=language, theme=theme, width=width) as window:
            page, errors = window.new_page(), []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            for entry in (one for one in entries if one.who == who):
                show(page, site, entry)
                picture = folder / file_name(entry.name)
                page.screenshot(path=picture, full_page=True)
                found = {
                    # Before axe, which copies imported stylesheets into the page to read them.
                    "policy": page.evaluate("window.__violations"),
                    "barriers": [
                        (rule, where)
                        for rule, where in barriers(page, axe)
                        if not (entry.covers and rule == "target-size")
                    ],
                    "language": page.evaluate("document.documentElement.lang") != language,
                    "headings": page.locator("h1").count() != 1,
                    "picture": picture.stat().st_size <= SMALLEST_PICTURE,
                    # German words are the longer ones.
                    "fit": language == "de" and unfit(page, entry, width),
                    "errors": errors[:],
                }
                errors.clear()
                faults += [(entry.name, kind, what) for kind, what in found.items() if what]
    _write_sheet(folder)

    assert not faults, "\n".join(map(str, faults))


def show(page, site, entry):
    page.goto(site.url(entry.url))
    if entry.opens:
        page.locator(entry.opens).first.click()
    page.locator(entry.shows).first.wait_for(timeout=10_000)


def unfit(page, entry, width):
    """Return what does not fit when the window is made narrower, and make it ``width`` again."""
    resize(page, MIDDLE)
    faults = [] if width_of(page) <= MIDDLE else [(MIDDLE, "wide", width_of(page))]
    # Pages of the platform's operators are a library's.
    if "operators" not in entry.name:
        faults += [(MIDDLE, "cut", one) for one in page.evaluate(CUT)]
        faults += [(MIDDLE, "sideways", one) for one in page.evaluate(SIDEWAYS)]
    resize(page, NARROW)
    faults += [] if width_of(page) <= NARROW else [(NARROW, "wide", width_of(page))]
    faults += [(NARROW, "small", one) for one in page.evaluate(SMALL_TARGETS, SMALLEST_TARGET)]
    resize(page, width)
    return faults


def resize(page, width):
    page.set_viewport_size({"width": width, "height": page.viewport_size["height"]})
    page.evaluate(DRAWN)


def width_of(page):
    return page.evaluate("document.documentElement.scrollWidth")


def file_name(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name) + ".png"


def _write_sheet(folder: Path) -> None:
    figures = "\n".join(
        f'<a href="{file_name(one.name)}"><figure><img src="{file_name(one.name)}" width="320" '
        f'loading="lazy" alt=""><figcaption>{escape(one.name)}</figcaption></figure></a>'
        for one in PAGES
    )
    text = f'<!doctype html><meta charset="utf-8"><title>{folder.name}</title>\n{figures}\n'
    (folder / "index.html").write_text(text, encoding="utf-8")
