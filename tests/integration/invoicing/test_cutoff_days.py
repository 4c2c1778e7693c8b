"""A part of a period that is too short for an invoice of its own is charged with the next one."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Charge, InvoiceLine
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from subscriptions.models import Item, Subscription
from subscriptions.queries.renewals import renewals
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """A is billed on the 15th; parts of up to 14 days are no period of their own."""
    vendor.has(
        "accounts",
        account("A", billing_day=15, proration_cutoff_days=14),
        account("N", billing_day=15),
    )
    vendor.has(
        "prices",
        price("pro", "249.95", model="per_unit", tax_rate=19),
        price("later", "310", timing="arrears", tax_rate=19),
        price("week", "7", interval="week", tax_rate=19),
    )
    return vendor


def sells(shop, *rows, today="2026-10-01"):
    shop.has("subscriptions", *rows, today=D(today))


def charges_of(shop, key):
    with shop.seen():
        found = Charge.objects.filter(subscription__external_id=key)
        return [
            (str(one.period_start), str(one.period_end), one.net_minor, str(one.invoice_on))
            for one in found.order_by("period_start", "revision", "kind")
        ]


def lines_of(shop, day):
    with shop.seen():
        rows = InvoiceLine.objects.filter(invoice__issue_date=D(day))
        return sorted((str(one.period_start), one.net_minor) for one in rows)


def test_a_short_part_is_one_line_pair_with_the_full_period(shop):
    """1 to 15 November are 14 of 31 days: 112.88, beside 249.95."""
    sells(shop, subscription("S", "A", "pro", "2026-11-01"))

    assert shop.bills("2026-11-01", today=D("2026-11-01")) == []
    assert charges_of(shop, "S") == [("2026-11-01", "2026-11-15", 11288, "2026-11-15")]
    shop.run("2026-11-15", today=D("2026-11-15"), issue=True)
    assert lines_of(shop, "2026-11-15") == [("2026-11-01", 11288), ("2026-11-15", 24995)]
    assert shop.violations() == []


@pytest.mark.parametrize(
    ("owner", "start", "first"),
    [
        ("N", "2026-11-01", ("2026-11-01", "2026-11-15", 11288, "2026-11-01")),
        ("A", "2026-10-31", ("2026-10-31", "2026-11-15", 12094, "2026-10-31")),
        ("A", "2026-11-15", ("2026-11-15", "2026-12-15", 24995, "2026-11-15")),
    ],
    ids=["no cut-off", "longer", "full"],
)
def test_everything_else_falls_due_when_it_begins(shop, owner, start, first):
    sells(
        shop,
        subscription("S", owner, "pro", start),
    )
    shop.run("2026-11-20", today=D("2026-11-20"))

    with shop.seen():
        due = Charge.objects.order_by("period_start").first()
    assert (*charges_of(shop, "S")[0][:3], str(due.due_date)) == first


def test_in_arrears_it_waits_for_the_end_of_the_next_period(shop):
    sells(shop, subscription("S", "A", "later", "2026-11-01"))
    shop.run("2026-11-15", today=D("2026-11-15"), issue=True)

    assert charges_of(shop, "S") == [("2026-11-01", "2026-11-15", 14000, "2026-12-15")]
    shop.run("2026-12-15", today=D("2026-12-15"), issue=True)
    assert lines_of(shop, "2026-12-15") == [("2026-11-01", 14000), ("2026-11-15", 31000)]
    assert shop.violations() == []


def test_what_ends_before_the_common_date_waits_for_nothing(shop):
    sells(shop, subscription("S", "A", "pro", "2026-11-01", end_date="2026-11-10"))
    shop.run("2026-11-01", today=D("2026-11-01"))

    with shop.seen():
        assert str(Charge.objects.get().due_date) == "2026-11-01"


@pytest.mark.parametrize("what", ["end", "change"])
def test_an_end_or_a_change_while_it_waits_is_invoiced_with_it(shop, what):
    sells(shop, subscription("S", "A", "pro", "2026-11-01"))
    shop.run("2026-11-01", today=D("2026-11-01"))
    values = {"today": D("2026-11-05"), "now": NOW}
    with shop.seen():
        item = Item.objects.get()
    if what == "end":
        cancel_subscription(shop.actor, item.subscription_id, end_date=D("2026-11-08"), **values)
    else:
        change = ItemChange(item.pk, None, Decimal(2))
        change_subscription(
            shop.actor, item.subscription_id, [change], day=D("2026-11-08"), **values
        )

    assert {row[3] for row in charges_of(shop, "S")} == {"2026-11-15"}
    assert sum(row[2] for row in charges_of(shop, "S")) == 5644 + (what == "change") * 2 * 5644
    assert shop.bills("2026-11-08", today=D("2026-11-08")) == []
    shop.run("2026-11-15", today=D("2026-11-15"), issue=True)
    assert shop.violations() == []


def test_the_next_invoice_is_announced_for_the_common_date(shop):
    sells(shop, subscription("S", "A", "pro", "2026-11-01"))
    with shop.seen():
        found = list(
            Subscription.objects.select_related("account").prefetch_related("items__price")
        )
        renewal = renewals(shop.actor, found, D("2026-10-20"))[found[0].pk]

    assert str(renewal.next_invoice_date) == "2026-11-15"
