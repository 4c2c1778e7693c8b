"""The next invoices of a subscription are what the runs then make of it, to the cent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.models import Charge, InvoiceLine
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.wanting import NewCharge
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.queries import first_invoices
from invoicing.queries import next_invoices as module
from invoicing.queries.next_invoices import next_invoices
from subscriptions.queries.renewals import renewals
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


class TestOfLists:
    """Lists and the API name the day of the first of them, also of what waits."""

    @pytest.fixture
    def shop(self, shop):
        """It has a subscription by the year beside, which is not invoiced for months."""
        shop.has("prices", price("year", "1200", interval="year", tax_rate=19))
        shop.has("subscriptions", subscription("Y", "A", "year", "2026-11-01"))
        shop.run("2026-11-23")
        return shop

    def day(self, shop, key, actor=None):
        with shop.seen():
            actor = actor or shop.actor
            found = get_subscription(actor, f"ext:{key}", today=TODAY)
            return renewals(actor, [found], TODAY)[found.pk].next_invoice_date

    def agreed(self, shop, key="Y"):
        """Return the day of the list, which has to be that of the subscription's page."""
        day = self.day(shop, key)
        with shop.seen():
            tenant = Tenant.objects.get(pk=shop.tenant_id)
            found = get_subscription(shop.actor, f"ext:{key}", today=TODAY)
            page = next_invoices(shop.actor, found, most=1, tenant=tenant)
        assert day == next((one.day for one in page.invoices), None)
        return str(day)

    def charge(self, shop, key="Y", **values):
        wanted = NewCharge(
            D("2026-12-10"),
            description="Set-up",
            unit_amount=Decimal(50),
            currency="EUR",
            subscription_id=self.key(shop, key),
        )
        add_charge(shop.actor, shop.id_of("A"), replace(wanted, **values), today=TODAY, now=NOW)

    def key(self, shop, key):
        with shop.seen():
            return get_subscription(shop.actor, f"ext:{key}", today=TODAY).pk

    def test_where_nothing_waits(self, shop):
        assert (self.agreed(shop, "S"), self.agreed(shop)) == ("2026-12-01", "2027-11-01")

    def test_of_what_is_charged_once(self, shop):
        self.charge(shop)

        assert self.agreed(shop) == "2027-01-01"

    def test_of_what_is_billed_now(self, shop):
        self.charge(shop, first_day=TODAY, is_billed_now=True)

        assert self.agreed(shop) == "2026-11-23"

    def test_of_a_draft(self, shop):
        self.charge(shop, first_day=TODAY, is_billed_now=True)
        shop.run("2026-11-23", issue=False)

        assert self.agreed(shop) == "2026-11-23"

    def test_of_a_credit_that_comes_with_what_is_charged_next(self, shop):
        pause_subscription(
            shop.actor,
            self.key(shop, "S"),
            day=D("2026-11-11"),
            until=D("2027-02-01"),
            today=TODAY,
            now=NOW,
        )

        # It goes on in February; the invoice of the group takes the credit before.
        assert self.agreed(shop, "S") == "2026-12-01"

    def test_of_what_is_held_back(self, shop):
        self.charge(shop)
        with shop.seen():
            Charge.objects.filter(status="pending").update(is_held=True)
            assert self.agreed(shop) == "2027-11-01"
            Charge.objects.filter(status="pending").update(held_until=D("2027-01-15"))
        assert self.agreed(shop) == "2027-01-15"

    def test_is_told_whoever_sees_the_subscription(self, shop):
        self.charge(shop)

        assert str(self.day(shop, "Y", shop.customer("Bob", "viewer", "A"))) == "2027-01-01"

    def test_of_trees_that_are_too_large_is_that_of_the_charge(self, shop, monkeypatch):
        self.charge(shop)
        monkeypatch.setattr(first_invoices, "MOST_ACCOUNTS", 1)

        assert str(self.day(shop, "Y")) == "2027-01-01"

    def test_takes_no_more_statements_for_many(self, shop):
        shop.has(
            "subscriptions", *(subscription(f"M{n}", "A", "year", "2026-11-01") for n in range(20))
        )
        for number in range(20):
            self.charge(shop, f"M{number}")
        with shop.seen():
            found = [get_subscription(shop.actor, f"ext:M{n}", today=TODAY) for n in range(20)]
            counts = []
            for some in (found[:1], found):
                with CaptureQueriesContext(
                    connection,
                ) as made:
                    days = renewals(shop.actor, some, TODAY)
                counts.append(len(made))
                assert {str(one.next_invoice_date) for one in days.values()} == {"2026-11-23"}
        assert counts[0] == counts[1] <= 24
