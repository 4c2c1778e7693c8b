"""Products and prices on screen."""

import re
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from invoicing.models import InvoiceLine
from subscriptions.models import Price, Product
from subscriptions.operations.catalogue import (
    ProductNameTaken,
    archive_price,
    archive_product,
    create_product,
)
from tests.http.dashboard.conftest import version_in, why_url
from tests.world import NOW, Vendor, account, price, subscription

FORM = {
    "name": "Desk", "model": "flat", "currency": "eur", "unit_amount": "12,50",
    "interval_count": "3", "interval": "month", "timing": "arrears", "tax_class": "reduced",
}  # fmt: skip


@pytest.fixture
def browser(billed: Vendor, visit: Any) -> Client:
    made: Client = visit(billed.staff("Fiona", "finance_admin"))
    return made


@pytest.fixture
def product(billed: Vendor) -> Product:
    return create_product(billed.actor, name="Desk", now=NOW)


def new_price(product: Product) -> str:
    return f"/catalogue/products/{product.public_id}/prices/new/"


def key_of(browser: Client, url: str) -> str:
    [key] = re.findall(r'name="key" value="([^"]+)"', browser.get(url).content.decode())
    return str(key)


def tiers(*rows: tuple[str, str, str]) -> dict[str, list[str]]:
    up_to, unit_amount, flat_amount = (list(column) for column in zip(*rows, strict=True))
    return {
        "tier_up_to": up_to, "tier_unit_amount": unit_amount, "tier_flat_amount": flat_amount,
    }  # fmt: skip


def the_price(vendor: Vendor, name: str = "Desk") -> Price:
    with vendor.seen():
        return Price.objects.select_related("product").get(name=name)


def test_makes_a_product_and_gives_it_a_price(billed: Vendor, browser: Client):
    key = key_of(browser, "/catalogue/products/new/")
    made = browser.post("/catalogue/products/new/", {"key": key, "name": " Desk "})
    again = browser.post("/catalogue/products/new/", {"key": key, "name": "Desk"})
    url = f"{made['Location']}prices/new/"
    answer = browser.post(
        url, {**FORM, "key": key_of(browser, url)}, headers={"accept-language": "de"}
    )

    assert (made.status_code, again["Location"]) == (302, made["Location"])
    assert answer.status_code == 302
    stored = the_price(billed)
    assert (stored.product.name, stored.currency, f"{stored.unit_amount:.2f}") == (
        "Desk", "EUR", "12.50",
    )  # fmt: skip
    assert (stored.interval, stored.interval_count, stored.timing) == ("month", 3, "arrears")
    assert (stored.tax_class, stored.tax_category) == ("reduced", "S")


def test_makes_a_price_in_tiers(billed: Vendor, browser: Client, product: Product):
    url = new_price(product)
    rows = tiers(("10", "5", "0"), ("", "", ""), ("", "4", "2.50"))

    answer = browser.post(url, {**FORM, **rows, "model": "volume", "key": key_of(browser, url)})

    assert answer.status_code == 302
    stored = the_price(billed)
    # The amount belongs to another model; it was not seen.
    assert stored.unit_amount is None
    assert stored.tiers == [
        {"up_to": "10", "unit_amount": "5", "flat_amount": "0"},
        {"up_to": None, "unit_amount": "4", "flat_amount": "2.5"},
    ]
    page = browser.get(f"/catalogue/prices/{stored.public_id}/").content.decode()
    assert '<svg class="price-steps"' in page


def test_makes_a_price_that_costs_something_at_least(
    billed: Vendor, browser: Client, product: Product
):
    url = new_price(product)
    terms = {"model": "per_unit", "unit_amount": "12.50", "minimum_amount": "100"}
    form = {**FORM, **terms, "key": key_of(browser, url)}

    preview = browser.post(url, {**form, "step": "preview"}).content.decode()
    answer = browser.post(url, form)

    # Five of 12.50 come to less than 100.00, ten to more.
    assert "€100.00" in preview
    assert "€125.00" in preview
    assert answer.status_code == 302
    stored = the_price(billed)
    assert stored.minimum_amount == Decimal(100)
    page = browser.get(f"/catalogue/prices/{stored.public_id}/").content.decode()
    assert "Minimum per period" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"minimum_amount": "5"}, "A flat price costs the same in any quantity: no minimum."),
        ({"unit_amount": "-1"}, "greater than or equal to 0"),
        ({"unit_amount": "NaN"}, "Enter a number"),
        ({"unit_amount": "1e400"}, "no more than"),
        ({"unit_amount": ""}, "This model needs an amount."),
        ({"currency": "XXX"}, "A currency code such as EUR"),
        ({"interval_count": "0"}, "greater than or equal to 1"),
        ({"interval": "eon"}, "not one of the available choices"),
        ({"name": ""}, "This field is required"),
        ({"model": "package"}, "This model needs a package size."),
        ({"model": "package", "package_size": "0"}, "A package holds more than 0."),
        (
            {"model": "percentage", "unit_amount": "100.1"},
            "A percentage is 100 at most.",
        ),
        ({"model": "volume"}, "This model needs tiers."),
        (
            {"model": "volume", **tiers(("10", "1", ""), ("5", "1", ""), ("", "1", ""))},
            "Each tier has to end above the one before it.",
        ),
        (
            {"model": "volume", **tiers(("10", "1", ""), ("", "1", ""), ("", "1", ""))},
            "Each tier has to end above the one before it.",
        ),
        ({"model": "volume", **tiers(("10", "1", ""))}, "The last tier has no end."),
        ({"model": "volume", **tiers(("10", "x", ""))}, "Tier 1: Enter a number"),
        ({"model": "volume", **tiers(("10", "", ""))}, "Tier 1: An amount is missing."),
        (
            {
                "model": "volume",
                **tiers(*[(f"{n}", "1", "") for n in range(1, 102)]),
            },
            "At most 100 tiers are possible.",
        ),
    ],
)
def test_says_at_the_field_what_cannot_be(
    billed: Vendor, browser: Client, product: Product, change: dict[str, Any], said: str
):
    url = new_price(product)
    sent = {**FORM, "unit_amount": "12.50", "key": key_of(browser, url), **change}

    answer = browser.post(url, sent)

    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    with billed.seen():
        assert not Price.objects.filter(product=product).exists()


def test_goes_on_writing_with_one_row_more_or_less(
    billed: Vendor, browser: Client, product: Product
):
    rows = tiers(("10", "5", ""), ("", "4", ""))
    sent = {**FORM, **rows, "model": "graduated", "key": key_of(browser, new_price(product))}

    more = browser.post(new_price(product), {**sent, "step": "add"}).content.decode()
    less = browser.post(new_price(product), {**sent, "remove": "0"}).content.decode()
    drawn = browser.post(new_price(product), {**sent, "step": "preview"})
    live = browser.post(new_price(product), sent, headers={"hx-request": "true"})

    assert re.findall(r'name="tier_up_to" value="([^"]*)"', more) == ["10", "", ""]
    assert re.findall(r'name="tier_unit_amount" value="([^"]*)"', more) == ["5", "", "4"]
    assert re.findall(r'name="tier_unit_amount" value="([^"]*)"', less) == ["4", ""]
    assert (drawn.status_code, live.status_code) == (200, 200)
    for answer in (drawn, live):
        assert '<svg class="price-steps"' in answer.content.decode()
    assert "<h1>" not in live.content.decode()
    with billed.seen():
        assert not Price.objects.filter(product=product).exists()


def test_a_price_that_is_used_changes_its_name_alone(billed: Vendor, browser: Client):
    with billed.seen():
        used = Price.objects.get(external_id="seats")
    url = f"/catalogue/prices/{used.public_id}/edit/"
    version = version_in(browser.get(url))
    sent = {"name": "Seat", "external_id": "seats", "unit_amount": "1", "version": version}

    answer = browser.post(url, sent)

    assert answer.status_code == 302
    with billed.seen():
        stored = Price.objects.get(pk=used.pk)
    assert (stored.name, stored.unit_amount) == ("Seat", used.unit_amount)


def test_overwrites_no_price_that_somebody_else_has_changed(
    billed: Vendor, browser: Client, product: Product
):
    url = new_price(product)
    browser.post(url, {**FORM, "unit_amount": "12.50", "key": key_of(browser, url)})
    edit = f"/catalogue/prices/{the_price(billed).public_id}/edit/"
    version = version_in(browser.get(edit))
    sent = {**FORM, "version": version}
    browser.post(edit, {**sent, "unit_amount": "13"})

    answer = browser.post(edit, {**sent, "unit_amount": "14"})
    without = browser.post(edit, {**FORM, "unit_amount": "14"})

    assert '<svg class="price-steps"' in browser.get(edit).content.decode()
    assert (answer.status_code, without.status_code) == (409, 409)
    assert "<td>14</td><td>13</td>" in answer.content.decode()
    assert the_price(billed).unit_amount == 13


def test_overwrites_no_product_that_somebody_else_has_changed(
    billed: Vendor, browser: Client, product: Product
):
    url = f"/catalogue/products/{product.public_id}/edit/"
    version = version_in(browser.get(url))
    browser.post(url, {"name": "Theirs", "version": version})

    answer = browser.post(url, {"name": "Mine", "version": version})

    assert answer.status_code == 409
    assert "<td>Mine</td><td>Theirs</td>" in answer.content.decode()


def test_names_used_twice_are_refused_at_the_field(
    billed: Vendor, browser: Client, product: Product
):
    url = "/catalogue/products/new/"

    answer = browser.post(url, {"name": "Desk", "key": key_of(browser, url)})

    assert answer.status_code == 422
    assert "There is a product “Desk” already." in answer.content.decode()


def test_archives_and_sells_again(billed: Vendor, browser: Client):
    held = the_price(billed, "Platform")
    of_price = f"/catalogue/prices/{held.public_id}/"
    of_product = f"/catalogue/products/{held.product.public_id}/"

    for url in (of_price, of_product):
        browser.post(f"{url}archive/")
        assert "Archived" in browser.get(url).content.decode()
        assert held.public_id not in browser.get("/subscriptions/new/").content.decode()
        browser.post(f"{url}reopen/")
        assert held.public_id in browser.get("/subscriptions/new/").content.decode()
    with billed.seen():
        assert Product.objects.get(pk=held.product_id).archived_at is None


def test_says_where_a_price_is_used_the_largest_first(billed: Vendor, browser: Client):
    billed.has(
        "accounts", *(account(f"a{n:02}", name=f"User {n:02}", billing_day=1) for n in range(12))
    )
    billed.has(
        "subscriptions",
        *(
            subscription(f"u{n}", f"a{n:02}", "seats", "2026-11-01", quantity=100 + n)
            for n in range(12)
        ),
        # Begins later than today: nobody uses it yet.
        subscription("later", "a00", "seats", "2027-06-01", quantity=9_000),
    )
    seats = the_price(billed, "Seats")

    page = browser.get(f"/catalogue/prices/{seats.public_id}/").content.decode()

    shown = re.findall(r'<th scope="row" class="lead"><a href="([^"]+)">([^<]+)</a>', page)
    assert [name for _url, name in shown] == [f"User {n:02}" for n in range(11, 1, -1)]
    assert browser.get(shown[0][0]).status_code == 200
    assert "€999.00" in page  # 111 seats at 9.00
    assert "and 4 more accounts" in page
    assert "14 subscriptions" in page
    assert "9,000" not in page


def test_a_new_price_begins_with_the_terms_of_another(billed: Vendor, browser: Client):
    seats = the_price(billed, "Seats")
    used = browser.get(f"/catalogue/prices/{seats.public_id}/edit/").content.decode()
    [url] = re.findall(r'<a href="([^"]+like=[^"]+)"', used)

    page = browser.get(url).content.decode()

    assert 'name="unit_amount" value="9.00"' in page or 'name="unit_amount" value="9"' in page
    assert re.search(r'name="external_id"[^>]*value="seats"', page) is None
    assert '<option value="per_unit" selected>' in page
    assert browser.get(f"{url.partition('=')[0]}=prc_nothing").status_code == 404


def test_says_what_another_price_would_bring_in(billed: Vendor, browser: Client):
    seats = the_price(billed, "Seats")
    url = new_price(seats.product)
    sent = {
        **FORM, "model": "volume", **tiers(("5", "10", ""), ("", "9.555", "")),
        "interval_count": "1", "timing": "advance", "like": seats.public_id,
    }  # fmt: skip

    def shown(**change: str) -> str:
        answer = browser.post(url, {**sent, **change}, headers={"hx-request": "true"})
        return re.sub(r"\s+", " ", answer.content.decode())

    # 8 and 2.5 seats: 72.00 + 22.50 before; 76.44 (not 76.4400) + 25.00 then.
    for figure in ("2 subscriptions", "€94.50", "€101.44", "€6.94"):
        assert figure in shown()
    assert "€33.81" in shown(interval_count="3")
    for nothing in (shown(currency="CHF"), shown(like=""), shown(interval="eon")):
        assert "€94.50" not in nothing
    assert "€94.50" in browser.get(f"{url}?like={seats.public_id}").content.decode()


def test_a_percentage_is_billed_and_explained(billed: Vendor, browser: Client):
    billed.has("prices", price("fee", "2.9", model="percentage", product="Payments", tax_rate=19))
    billed.has("accounts", account("till", billing_day=1))
    billed.has(
        "subscriptions",
        subscription("fees", "till", "fee", "2026-12-01", quantity="1000.00"),
        subscription("part", "till", "fee", "2026-12-22", quantity="1000.00"),
    )
    billed.run("2027-01-01")

    with billed.seen():
        lines = InvoiceLine.objects.filter(subscription__external_id__in=["fees", "part"])
        stored = {
            (line.subscription.external_id, line.period_start.isoformat()): line
            for line in lines.select_related("subscription")
        }
    whole, part = stored["fees", "2026-12-01"], stored["part", "2026-12-22"]
    assert (whole.quantity, whole.unit_amount) == (Decimal(1000), Decimal("0.029"))
    assert whole.net_minor == 2900
    assert part.net_minor == 935  # 10 of 31 days
    why = browser.get(why_url(billed, "till", "fees")).content.decode()
    assert "2.9% of €1,000.00 = €29.00" in why
    page = browser.get(f"/catalogue/prices/{the_price(billed, 'Fee').public_id}/")
    assert "2.9%" in page.content.decode()
    assert billed.violations() == []


def test_files_sell_nothing_at_what_is_archived(billed: Vendor):
    platform = the_price(billed, "Platform")
    archive_price(billed.actor, platform.pk, now=NOW)
    subscribed = billed.load(
        "subscriptions", [subscription("new", "firm", "platform", "2026-12-01")]
    )
    again = billed.load("subscriptions", [subscription("s4", "firm", "platform", "2026-11-01")])
    archive_product(billed.actor, platform.product_id, now=NOW)
    priced = billed.load("prices", [price("new", "5")])
    same = billed.load("prices", [price("platform", "100.00", tax_rate=19)])

    assert [error.code for error in subscribed.errors] == ["price_archived"]
    assert [error.code for error in priced.errors] == ["product_archived"]
    assert (again.unchanged, same.unchanged) == (1, 1)


def test_who_only_reads_is_offered_nothing_to_change(billed: Vendor, visit: Any):
    reading = visit(billed.staff("Rita", "auditor"))
    held = the_price(billed, "Platform")

    for url in ("/catalogue/", "/catalogue/products/", f"/catalogue/prices/{held.public_id}/"):
        assert "/new/" not in reading.get(url).content.decode().partition("<main")[2]
    for url in ("products/new/", f"prices/{held.public_id}/edit/"):
        assert reading.get(f"/catalogue/{url}").status_code == 403
    assert reading.post(f"/catalogue/prices/{held.public_id}/archive/").status_code == 403
    assert the_price(billed, "Platform").archived_at is None


def test_of_two_who_make_the_same_product_at_once_one_is_told(committed_vendor: Vendor):
    start, ends = Barrier(2), []

    def make() -> None:
        start.wait()
        try:
            create_product(committed_vendor.actor, name="Desk", now=NOW)
            ends.append("made")
        except ProductNameTaken:
            ends.append("taken")
        finally:
            connection.close()

    threads = [Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ends) == ["made", "taken"]
