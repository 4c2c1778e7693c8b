"""The next invoices of a subscription are what the runs then make of it, to the cent."""

from datetime import date

import pytest

from invoicing.models import InvoiceLine
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.queries import next_invoices as module
from invoicing.queries.next_invoices import next_invoices
from subscriptions.queries.subscriptions import get_subscription
from tenancy.errors import NotFound
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """G is invoiced on the 1st for A; billed up to 23 November."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
    vendor.has("prices", price("base", "300", tax_rate=19), price("other", "1000", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S", "A", "base", "2026-11-01"),
        subscription("O", "G", "other", "2026-11-01"),
    )
    vendor.run("2026-11-23")
    return vendor


def coming(shop, actor=None, *, most=3):
    actor = actor or shop.actor
    with shop.seen():
        tenant = Tenant.objects.get(pk=shop.tenant_id)
        found = get_subscription(actor, "ext:S", today=TODAY)
        return next_invoices(actor, found, most=most, tenant=tenant)


def test_are_what_the_runs_then_bill(shop):
    with shop.seen():
        key = get_subscription(shop.actor, "ext:S", today=TODAY).pk
    pause_subscription(
        shop.actor, key, day=D("2026-11-11"), until=D("2026-12-11"), today=TODAY, now=NOW
    )
    found = [(str(one.day), one.lines, one.net_minor) for one in coming(shop).invoices]
    for day, _lines, _net in found:
        shop.run(day, today=D(day))

    made = []
    with shop.seen():
        for day, _lines, _net in found:
            lines = InvoiceLine.objects.filter(subscription_id=key, invoice__issue_date=day)
            made.append((day, lines.count(), sum(lines.values_list("net_minor", flat=True))))
    # -200.00 and 21 of 31 days, then whole months.
    assert found == made
    assert found == [("2026-12-01", 2, 323), ("2027-01-01", 1, 30000), ("2027-02-01", 1, 30000)]


def test_are_no_more_than_asked_for_and_end_with_it(shop):
    assert len(coming(shop, most=1).invoices) == 1


def test_are_not_computed_for_a_tree_that_is_too_large(shop, monkeypatch):
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 1)

    assert coming(shop).is_too_large


def test_are_for_those_who_may_see_the_invoices_of_the_tree(shop, bob):
    with pytest.raises(NotFound):
        coming(shop, bob("A"))
