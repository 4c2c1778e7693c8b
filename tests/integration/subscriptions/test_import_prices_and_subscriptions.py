"""Importing prices and subscriptions: what is there already stays as it is."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Account
from subscriptions.models import Item, Price, Product, Subscription
from tests.scenes import scene
from tests.world import account, price, subscription


def found(report):
    return [(error.row, error.column, error.code) for error in report.errors]


def test_creates_prices_of_every_model(vendor):
    vendor.has(
        "prices",
        price("flat", "9.99", tax_rate="7"),
        price("unit", "0.00000001", model="per_unit", interval="week", interval_count=2),
        price("grad", model="graduated", tiers="10:45:0|inf:35.5:2", interval="quarter"),
        price("vol", model="volume", tiers="100:15:0|inf:12.5:25", currency="JPY"),
        price("pack", "12", model="package", package_size="1000", timing="arrears"),
        price("free", "0", tax_rate="0", product="Other"),
    )

    with vendor.seen():
        prices = {p.external_id: p for p in Price.objects.all()}
        assert sorted(Product.objects.values_list("name", flat=True)) == ["Other", "Product"]
    assert prices["unit"].unit_amount == Decimal("0.00000001")
    assert prices["unit"].cycle.days == 14
    assert prices["grad"].tiers == [
        {"up_to": "10", "unit_amount": "45", "flat_amount": "0"},
        {"up_to": None, "unit_amount": "35.5", "flat_amount": "2"},
    ]
    assert [prices[key].tax_class for key in ("flat", "unit", "free")] == [
        "reduced", "standard", "zero",
    ]  # fmt: skip
    assert (prices["free"].tax_category, prices["pack"].timing) == ("Z", "arrears")


@pytest.mark.parametrize(
    "cells",
    [
        {"unit_amount": "10"},
        {"name": "Other"},
        {"product": "Other"},
        {"interval": "year"},
        {"timing": "arrears"},
        {"currency": "CHF"},
        {"tax_rate": "7"},
        {"model": "per_unit"},
    ],
    ids=lambda cells: next(iter(cells)),
)
def test_refuses_to_change_a_price(vendor, cells):
    vendor.has("prices", price("p", "9.99", tax_rate="19"))

    report = vendor.load("prices", [price("p", "9.99", tax_rate="19") | cells, price("new", "1")])

    assert found(report) == [(2, "external_id", "already_exists_different")]
    with vendor.seen():
        assert list(Price.objects.values_list("external_id", "unit_amount")) == [
            ("p", Decimal("9.99"))
        ]


def test_takes_the_same_price_written_otherwise_for_the_same(vendor):
    vendor.has("prices", price("p", "9.90", tax_rate="19", interval_count="1"))

    report = vendor.load("prices", [price("p", "9.9000", tax_rate="19.0", interval_count="")])

    assert (report.unchanged, report.errors) == (1, ())


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"unit_amount": ""}, "unit_amount", None),
        ({"unit_amount": "1e3"}, "unit_amount", "not_a_number"),
        ({"unit_amount": "1e400"}, "unit_amount", None),
        ({"unit_amount": "Infinity"}, "unit_amount", "not_finite"),
        ({"unit_amount": "1,50"}, "unit_amount", "not_a_number"),
        ({"unit_amount": "0.000000001"}, "unit_amount", "too_many_decimals"),
        ({"unit_amount": "1" * 13}, "unit_amount", "out_of_range"),
        ({"unit_amount": "٣"}, "unit_amount", "not_a_number"),
        ({"tiers": "10:1:0|inf:1:0"}, "tiers", None),
        ({"model": "graduated", "unit_amount": ""}, "tiers", None),
        ({"model": "graduated", "unit_amount": "", "tiers": "inf:1"}, "tiers", "malformed_tiers"),
        ({"model": "graduated", "unit_amount": "", "tiers": "10:x:0|inf:1:0"}, "tiers", None),
        ({"model": "package"}, "package_size", None),
        ({"model": "package", "package_size": "0"}, "package_size", None),
        ({"interval_count": "0"}, "interval_count", "out_of_range"),
        ({"interval": "fortnight"}, "interval", "unknown_value"),
        ({"timing": ""}, "timing", "required"),
        ({"currency": "EURO"}, "currency", "unknown_currency"),
        ({"currency": "BGN"}, "currency", "currency_withdrawn"),
        ({"tax_rate": "16"}, "tax_rate", "unknown_tax_rate"),
        ({"tax_rate": "-19"}, "tax_rate", "negative"),
        ({"name": "x" * 201}, "name", "too_long"),
    ],
)
def test_refuses_prices_that_mean_nothing(vendor, cells, column, code):
    report = vendor.load("prices", [price("p", "1") | cells])

    (error,) = report.errors
    assert (error.row, error.column) == (2, column)
    assert code in (None, error.code)
    with vendor.seen():
        assert not Price.objects.exists()
        assert not Product.objects.exists()


@scene
def shop(vendor):
    vendor.has("accounts", account("a"), account("b"))
    vendor.has("prices", price("p", "9.99"), price("q", "5"))
    return vendor


def test_creates_subscriptions_that_wait_for_their_first_day(shop):
    shop.has(
        "subscriptions",
        subscription("open", "a", "p", "2026-11-01", "2.500000", po_number="77"),
        subscription("ends", "a", "p", "2026-11-01", end_date="2026-12-01"),
        subscription("moved", "b", "q", "2026-01-01", billed_until="2026-11-01"),
        subscription("done", "b", "q", "2026-01-01", end_date="2026-03-01",
                     billed_until="2026-03-01"),
    )  # fmt: skip

    with shop.seen():
        items = {i.subscription.external_id: i for i in Item.objects.select_related("subscription")}
    assert {key: (i.chain_end, i.next_action_date) for key, i in items.items()} == {
        "open": (None, date(2026, 11, 1)),
        "ends": (None, date(2026, 11, 1)),
        "moved": (None, date(2026, 11, 1)),
        "done": (None, None),
    }
    assert items["open"].quantity == Decimal("2.5")
    assert items["open"].subscription.po_number == "77"


@pytest.mark.parametrize(
    "cells",
    [
        {"quantity": 2},
        {"account_external_id": "b"},
        {"price_external_id": "q"},
        {"start_date": "2026-11-02"},
        {"end_date": "2027-01-01"},
        {"po_number": "1"},
        {"billed_until": "2026-12-01"},
    ],
    ids=lambda cells: next(iter(cells)),
)
def test_refuses_to_change_a_subscription(shop, cells):
    shop.has("subscriptions", subscription("s", "a", "p", "2026-11-01"))

    same = shop.load("subscriptions", [subscription("s", "a", "p", "2026-11-01", "1.0")])
    report = shop.load(
        "subscriptions",
        [
            subscription("s", "a", "p", "2026-11-01") | cells,
            subscription("t", "a", "p", "2026-11-01"),
        ],
    )

    assert (same.unchanged, same.errors) == (1, ())
    assert found(report) == [(2, "external_id", "already_exists_different")]
    with shop.seen():
        assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"quantity": ""}, "quantity", "required"),
        ({"quantity": "-1"}, "quantity", "negative"),
        ({"quantity": "0.0000001"}, "quantity", "too_many_decimals"),
        ({"quantity": "NaN"}, "quantity", "not_finite"),
        ({"start_date": "01.11.2026"}, "start_date", "not_a_date"),
        ({"start_date": "2026-02-30"}, "start_date", "not_a_date"),
        ({"start_date": "2500-01-01"}, "start_date", "date_out_of_range"),
        ({"start_date": "1800-01-01"}, "start_date", "date_out_of_range"),
        ({"end_date": "2026-11-01"}, "end_date", "end_before_start"),
        ({"end_date": "2026-10-01"}, "end_date", "end_before_start"),
        ({"billed_until": "2026-10-01"}, "billed_until", "billed_before_start"),
        ({"account_external_id": "z"}, "account_external_id", "unknown_account"),
        ({"price_external_id": "z"}, "price_external_id", "unknown_price"),
        ({"po_number": "x" * 101}, "po_number", "too_long"),
    ],
)
def test_refuses_subscriptions_that_mean_nothing(shop, cells, column, code):
    good = subscription("good", "a", "p", "2026-11-01")

    report = shop.load("subscriptions", [good, subscription("s", "a", "p", "2026-11-01") | cells])

    assert found(report) == [(3, column, code)]
    with shop.seen():
        assert not Subscription.objects.exists()


def test_refuses_subscriptions_of_an_archived_account(shop):
    with shop.seen():
        Account.objects.filter(external_id="a").update(status="archived")

    report = shop.load("subscriptions", [subscription("s", "a", "p", "2026-11-01")])

    assert found(report) == [(2, "account_external_id", "account_archived")]


def test_does_not_know_another_tenants_accounts_and_prices(shop, other_vendor):
    report = other_vendor.load("subscriptions", [subscription("s", "a", "p", "2026-11-01")])

    assert found(report) == [
        (2, "account_external_id", "unknown_account"),
        (2, "price_external_id", "unknown_price"),
    ]


@pytest.mark.parametrize("kind", ["prices", "subscriptions"])
def test_stores_nothing_in_a_dry_run(shop, kind):
    rows = {
        "prices": [price("new", "1", product="New")],
        "subscriptions": [subscription("s", "a", "p", "2026-11-01")],
    }[kind]

    report = shop.load(kind, rows, dry=True)

    assert (report.created, report.is_dry_run) == (1, True)
    with shop.seen():
        assert (Price.objects.count(), Product.objects.count()) == (2, 1)
        assert not Subscription.objects.exists()
