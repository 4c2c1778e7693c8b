"""A setup fee is charged once when an item begins, with its first invoice, and never again."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Charge, Invoice, InvoiceLine
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription, reactivate_subscription
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from invoicing.queries.foreseeing import foresee_invoices
from subscriptions.models import Item, Price, Subscription
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, price, subscription


@scene
def shop(vendor: Vendor) -> Vendor:
    """Return a vendor who sets up what is sold for 49.50."""
    vendor.has("accounts", account("A", billing_day=1), account("D", language="en"))
    vendor.has(
        "prices",
        price("desk", "10", setup_fee="49.50"),
        price("late", "10", timing="arrears", setup_fee="20"),
        price("yearly", "100", interval="year", setup_fee="99"),
        price("plain", "5", setup_fee="0"),
    )
    return vendor


def fees(shop: Vendor) -> list[tuple[str, str, int]]:
    with shop.seen():
        found = Charge.objects.filter(kind="setup").order_by("period_start", "id")
        return [(str(one.due_date), str(one.invoice_on), one.net_minor) for one in found]


def only(shop: Vendor, model):
    with shop.seen():
        return model.objects.get()


def price_id(shop: Vendor, key: str):
    with shop.seen():
        return Price.objects.get(external_id=key).pk


def test_stands_on_a_line_of_its_own_with_the_first_invoice(shop):
    shop.has("subscriptions", subscription("S", "A", "desk", "2026-11-15", quantity=3))

    shop.run("2026-12-01")
    shop.run("2027-01-01")

    with shop.seen():
        first, second = Invoice.objects.order_by("issue_date")
        lines = InvoiceLine.objects.filter(invoice=first).order_by("position")
        assert [(one.description, one.net_minor) for one in lines] == [
            ("Einrichtungsgebühr: Desk", 4_950), ("Desk", 533), ("Desk", 1_000),
        ]  # fmt: skip
        assert (first.net_minor, second.net_minor) == (6_483, 1_000)
        assert Item.objects.get().monthly_minor == 1_000
    assert shop.violations() == []


def test_is_called_as_its_document_is_written(shop):
    shop.has("subscriptions", subscription("S", "D", "desk", "2026-12-01"))

    shop.run("2026-12-01")

    with shop.seen():
        names = set(InvoiceLine.objects.values_list("description", flat=True))
    assert names == {"Setup fee: Desk", "Desk"}


@pytest.mark.parametrize(
    ("key", "cells", "wanted"),
    [
        ("plain", {}, []),
        ("desk", {"billed_until": "2026-12-01"}, []),
        ("desk", {"billed_until": "2026-11-15"}, [("2026-11-15", "2026-12-01", 4_950)]),
        ("late", {}, [("2026-11-15", "2026-12-01", 2_000)]),
        ("desk", {"end_date": "2026-11-20"}, [("2026-11-15", "2026-12-01", 4_950)]),
    ],
)
def test_is_owed_where_it_begins_here(shop, key, cells, wanted):
    shop.has("subscriptions", subscription("S", "A", key, "2026-11-15", **cells))

    shop.run("2026-12-01")
    shop.run("2027-02-01", today=date(2027, 2, 1))

    assert fees(shop) == wanted
    assert shop.violations() == []


def test_waits_with_a_part_that_is_charged_with_the_next_period(shop):
    shop.has("accounts", account("C", billing_day=1, proration_cutoff_days=20))
    shop.has("subscriptions", subscription("S", "C", "desk", "2026-11-15"))

    shop.run("2026-12-01")

    assert fees(shop) == [("2026-12-01", "2026-12-01", 4_950)]


def test_nothing_repeats_it(shop):
    shop.has("subscriptions", subscription("S", "A", "desk", "2026-11-15"))
    shop.run("2026-12-01")
    item = only(shop, Item)
    key, at = item.subscription_id, {"today": date(2026, 12, 1), "now": NOW}

    change_subscription(
        shop.actor, key, [ItemChange(item.pk, quantity=Decimal(4))], day=date(2026, 12, 5), **at
    )
    change_subscription(
        shop.actor, key, [ItemChange(item.pk, price_id(shop, "yearly"))], day=date(2027, 1, 1), **at
    )
    pause_subscription(shop.actor, key, day=date(2027, 1, 5), until=date(2027, 1, 9), **at)
    cancel_subscription(shop.actor, key, end_date=date(2027, 3, 1), **at)
    reactivate_subscription(shop.actor, key, **at)
    shop.run("2027-02-01", today=date(2027, 2, 1))

    assert fees(shop) == [("2026-11-15", "2026-12-01", 4_950)]
    assert shop.violations() == []


def test_what_comes_in_later_has_one_and_its_preview_says_so(shop):
    shop.has("subscriptions", subscription("S", "A", "plain", "2026-11-01"))
    shop.run("2026-12-01")
    wanted = [ItemAddition(price_id(shop, "desk"), Decimal(1))]
    at = {"day": date(2026, 12, 1), "today": date(2026, 12, 1), "now": NOW}
    key = only(shop, Subscription).pk

    shown = change_subscription(shop.actor, key, wanted, is_dry_run=True, **at)
    change_subscription(shop.actor, key, wanted, **at)
    shop.run("2027-01-01")

    assert [(one.kind, one.net_minor) for one in shown.charges] == [
        ("setup", 4_950), ("recurring", 1_000),
    ]  # fmt: skip
    assert [net for _due, _on, net in fees(shop)] == [4_950]
    assert shop.violations() == []


def test_invoices_to_come_have_it(shop):
    shop.has("subscriptions", subscription("S", "A", "desk", "2026-12-01"))
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        (found, *_later) = foresee_invoices(
            shop.actor, [shop.id_of("A")], first=TODAY, last=date(2026, 12, 31), tenant=tenant
        ).stored

    assert (str(found.day), found.net_minor) == ("2026-12-01", 5_950)


def test_begins_after_the_trial(shop):
    shop.has("subscriptions", subscription("S", "A", "desk", "2026-11-10"))
    with shop.seen():
        Subscription.objects.update(trial_end=date(2026, 11, 24))
        Item.objects.update(next_action_date=date(2026, 11, 24))

    shop.run("2026-12-01")

    assert fees(shop) == [("2026-11-24", "2026-12-01", 4_950)]


def test_a_run_made_again_charges_it_once(shop):
    shop.has("subscriptions", subscription("S", "A", "desk", "2026-11-15"))

    for _turn in range(3):
        shop.run("2026-12-01", issue=False)

    assert len(fees(shop)) == 1
    assert shop.violations() == []
