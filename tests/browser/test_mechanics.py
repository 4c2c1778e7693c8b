"""What hands and eyes rely on: heads in sight, a kept focus, no cut columns."""

import pytest
from playwright.sync_api import expect

from tests.world import account, price, subscription

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOW = {"width": 1440, "height": 420}
# What lies at the middle of the first head, and of a cell on the line below it, is looked at.
HEAD = """
() => {
  const head = document.querySelector("main thead th");
  const box = head.getBoundingClientRect();
  const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const bar = document.querySelector(".top").getBoundingClientRect();
  return {
    seen: head.contains(there),
    top: Math.round(box.top),
    bar: Math.round(bar.bottom),
    scrolled: scrollY,
  };
}
"""


@pytest.mark.parametrize("url", ["/customers/?all=1", "/invoices/", "/invoices/{invoice}/"])
def test_heads_of_tables_stay_below_the_bar(site, look, url):
    with look() as window:
        page = window.new_page()
        page.set_viewport_size(LOW)
        page.goto(site.url(url))
        expect(page.locator("main .table-scroll.fits").first).to_be_visible()
        # So far that rows lie beneath the bar, and some still below it.
        page.evaluate(
            "document.querySelector('main').style.paddingBottom = '100vh';"
            "document.querySelector('main tbody tr:nth-child(2)').scrollIntoView();scrollBy(0, -20)"
        )
        head = page.evaluate(HEAD)

    assert head["scrolled"] > 0
    assert head["seen"]
    assert head["top"] == head["bar"]


def test_heads_of_a_wide_table_stay_within_its_own_box(site, look):
    with look(width=900) as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/tree/"))
        box = page.locator("main .table-scroll.wide")
        expect(box).to_be_visible()
        # The box is made as low as it gets with many rows.
        box.evaluate("one => { one.style.maxBlockSize = '70px'; one.scrollTop = 40; }")
        scrolled = box.evaluate("one => one.scrollTop")
        above = box.evaluate("one => one.getBoundingClientRect().top")
        head = page.locator("main thead th").first.bounding_box()

    assert scrolled > 0
    assert head is not None
    assert abs(head["y"] - above) <= 1


def test_focus_stays_on_the_head_that_sorts(site, look):
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/"))
        for direction in ("descending", "ascending"):
            link = page.locator("a.sort").first
            link.focus()
            with page.expect_navigation():
                page.keyboard.press("Enter")
            expect(page.locator(f"th[aria-sort={direction}] a.sort")).to_be_focused()
        # Only after sorting: a page that is opened anew begins at its top.
        page.reload()
        expect(page.locator("a.sort").first).not_to_be_focused()


def test_shows_where_one_is_in_the_tree(site, look):
    ring = "() => getComputedStyle(document.activeElement).outlineStyle"
    width = "() => parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
    with look() as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/tree/"))
        page.locator("tr[tabindex='0']").focus()
        for key in ("ArrowDown", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown"):
            page.keyboard.press(key)
            assert page.evaluate(ring) == "solid", key
            assert page.evaluate(width) >= 2, key


def test_a_fields_error_does_not_stretch_its_neighbours(site, look):
    page_url = "/settings/test-clock/"
    with look() as window:
        page = window.new_page()
        page.goto(site.url(page_url))
        form = page.locator("form.end-aligned")
        before = form.locator(".input").bounding_box()
        button = form.locator(".button")
        apart = before["y"] - button.bounding_box()["y"]
        form.locator("input[type=date]").fill("2020-01-01")
        button.click()
        expect(page.locator("form.end-aligned .error")).to_be_visible()
        after = page.locator("form.end-aligned .input").bounding_box()
        beside = page.locator("form.end-aligned .button").bounding_box()

    assert after["height"] == before["height"]
    assert abs(after["y"] - beside["y"] - apart) <= 2


def test_a_phone_shows_who_pays_in_the_tree(site, look):
    vendor = site.stage.vendor
    vendor.has("accounts", account("shop", "group", name="Laden", bill_to="shop", payer="group"))
    with look(width=390) as window:
        page = window.new_page()
        page.goto(site.url("/customers/{account}/tree/"))
        row = page.locator("tr", has=page.get_by_role("link", name="Laden", exact=True))
        note = row.locator(".paid-narrow")
        expect(note).to_have_text("Paid by Gruppe Nord")
        # Down to its row, but not to the side.
        row.evaluate("one => scrollBy(0, one.getBoundingClientRect().top - innerHeight / 2)")
        expect(note).to_be_in_viewport()
        expect(page.locator("tbody tr").first.locator(".paid-narrow")).to_have_text("Pays itself")


@pytest.mark.parametrize("by", ["touch", "keyboard"])
def test_more_currencies_open_by_touch_and_keyboard(site, chromium, by):
    vendor = site.stage.vendor
    vendor.has("prices", price("swiss", "50.00", currency="CHF", tax_rate=19))
    vendor.has("subscriptions", subscription("s7", "group", "swiss", "2026-11-01"))
    window = chromium.new_context(has_touch=True, viewport={"width": 1440, "height": 900})
    session = {"name": "sessionid", "value": site.session_of("staff"), "url": site.address}
    window.add_cookies([session])
    page = window.new_page()
    page.goto(site.url("/customers/"))
    more = page.locator("details.amounts", has_text="+1").first
    expect(more.get_by_text("CHF")).to_be_hidden()

    if by == "touch":
        more.locator("summary").tap()
    else:
        more.locator("summary").focus()
        page.keyboard.press("Enter")
    expect(more.get_by_text("CHF")).to_be_visible()
    expect(more.get_by_text("CHF")).to_contain_text("50.00")
    window.close()
