"""What the preview of the next invoice says, compared with what the run of that day then bills."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.models import Charge, Invoice, InvoiceLine, InvoiceSection
from invoicing.queries import upcoming as previewing
from invoicing.queries.upcoming import upcoming_invoices
from subscriptions.models import Item, Period, Subscription
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

MOST_STATEMENTS = 10


@scene
def shop(vendor):
    """Return a vendor with prices of each kind, and a group of three."""
    vendor.has(
        "accounts",
        account("G"),
        account("A", "G", name="Anna"),
        account("B", "G", name="Bert"),
    )
    vendor.has(
        "prices",
        price("ten", "10"),
        price("late", "7", timing="arrears"),
        price("year", "365", interval="year"),
        price("chf", "10", currency="CHF"),
        price("seats", model="graduated", tiers="10:9:0|inf:7.5:0"),
    )
    return vendor


def preview(vendor, key, actor=None):
    return preview_of(vendor, vendor.id_of(key), actor)


def preview_of(vendor, account_id, actor=None):
    actor = actor or vendor.actor
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        return upcoming_invoices(actor, account_id, tenant=tenant, today=TODAY, now=NOW)


def plainly(upcoming):
    """Return the documents to come as plain data, like ``billed`` does for those that came."""
    return [
        {
            "payer": document.payer.name,
            "currency": document.currency,
            "amounts": (document.net_minor, document.tax_minor, document.gross_minor),
            "sections": [
                (
                    list(section.path),
                    section.net_minor,
                    [
                        (line.description, line.period_start, line.period_end, line.net_minor)
                        for line in section.lines
                    ],
                )
                for section in document.sections
            ],
        }
        for document in upcoming.documents
        if not document.waits_for
    ]


def billed(vendor, key, day):
    """Run a day, and return what it made for a recipient."""
    report = vendor.run(day, issue=False)
    with vendor.seen():
        invoices = Invoice.objects.filter(
            pk__in=report.invoice_ids, bill_to_id=vendor.id_of(key)
        ).select_related("payer")
        return [
            {
                "payer": invoice.payer.name,
                "currency": invoice.currency,
                "amounts": (invoice.net_minor, invoice.tax_minor, invoice.gross_minor),
                "sections": [
                    (
                        section.path,
                        section.net_minor,
                        [
                            (line.description, line.period_start, line.period_end, line.net_minor)
                            for line in InvoiceLine.objects.filter(section_id=section.id).order_by(
                                "position"
                            )
                        ],
                    )
                    for section in InvoiceSection.objects.filter(invoice_id=invoice.id).order_by(
                        "position"
                    )
                ],
            }
            for invoice in sorted(invoices, key=lambda one: report.invoice_ids.index(one.id))
        ]


def stored(vendor):
    with vendor.seen():
        return (
            list(Item.objects.order_by("id").values_list("id", "chain_end", "next_action_date")),
            list(Charge.objects.order_by("id").values_list("id", "status", "reason")),
            Period.objects.count(),
            Invoice.objects.count(),
        )


def assert_comes_true(vendor, key, bill_to=None):
    before = stored(vendor)
    upcoming = preview(vendor, key)
    assert stored(vendor) == before
    assert plainly(upcoming) != []
    assert plainly(upcoming) == billed(vendor, bill_to or key, upcoming.day)
    return upcoming


def test_tells_what_is_billed_in_advance(shop):
    shop.has(
        "subscriptions",
        subscription("S1", "G", "ten", "2026-12-05"),
        subscription("S2", "A", "seats", "2026-12-05", quantity=24),
        subscription("S3", "B", "ten", "2026-12-09"),
    )

    upcoming = assert_comes_true(shop, "G")

    assert upcoming.day == date(2026, 12, 5)
    assert upcoming.bill_to.name == "G"
    (document,) = upcoming.documents
    assert (document.net_minor, document.line_count) == (20_500, 2)
    assert document.sections[1].path == ("Anna",)
    assert document.sections[1].lines[0].quantity == Decimal(24)


def test_tells_what_is_billed_in_arrears_after_the_period(shop):
    shop.has("subscriptions", subscription("S1", "A", "late", "2026-11-23"))

    upcoming = assert_comes_true(shop, "A", "G")

    assert upcoming.day == date(2026, 12, 23)
    assert upcoming.documents[0].sections[0].lines[0].period_start == date(2026, 11, 23)


def test_tells_what_is_billed_in_arrears_when_the_period_has_begun(shop):
    shop.has(
        "subscriptions",
        subscription("S1", "G", "late", "2026-11-10"),
        subscription("S2", "A", "ten", "2026-11-10"),
    )
    shop.run("2026-11-23")

    upcoming = assert_comes_true(shop, "G")

    assert upcoming.day == date(2026, 12, 10)
    assert upcoming.documents[0].net_minor == 1_700


def test_waits_for_the_billing_day_and_takes_a_part_of_a_period(shop):
    shop.has("accounts", account("M", billing_day=15))
    shop.has(
        "subscriptions",
        subscription("S1", "M", "ten", "2026-11-25"),
        subscription("S2", "M", "ten", "2026-12-01"),
        subscription("S3", "M", "late", "2026-11-20"),
    )

    upcoming = assert_comes_true(shop, "M")

    assert upcoming.day == date(2026, 12, 15)
    assert upcoming.documents[0].line_count == 5


def test_takes_what_is_overdue_today(shop):
    shop.has("subscriptions", subscription("S1", "G", "ten", "2026-09-01"))

    upcoming = assert_comes_true(shop, "G")

    assert upcoming.day == TODAY
    assert upcoming.documents[0].line_count == 3


def test_keeps_apart_what_a_run_keeps_apart(shop):
    shop.has("accounts", account("C", "G", bill_to="C", payer="G"))
    shop.has(
        "subscriptions",
        subscription("S1", "G", "ten", "2026-12-01"),
        subscription("S2", "G", "chf", "2026-12-01"),
        subscription("S3", "C", "ten", "2026-12-01"),
        subscription("S4", "A", "year", "2026-12-01"),
    )
    with shop.seen():
        Subscription.objects.filter(external_id="S4").update(override_bill_to_id=shop.id_of("C"))

    group = preview(shop, "G")
    assert [document.currency for document in group.documents] == ["CHF", "EUR"]
    own = assert_comes_true(shop, "C")

    assert own.documents[0].payer.name == "G"
    assert own.documents[0].net_minor == 37_500


def test_looks_past_others_dates(shop):
    shop.has("accounts", account("C", "G", bill_to="C"))
    shop.has(
        "subscriptions",
        subscription("S1", "C", "year", "2026-11-01"),
        *(subscription(f"T{n}", "A", "ten", f"2026-11-{n:02}") for n in range(1, 29)),
    )
    shop.run("2026-11-23")

    assert assert_comes_true(shop, "C").day == date(2027, 11, 1)


def test_takes_what_waited_for_an_address(shop):
    shop.has("accounts", account("N", line1="", billing_day=1))
    shop.has("subscriptions", subscription("S1", "N", "ten", "2026-11-01"))
    shop.run("2026-11-23")
    waiting = preview(shop, "N")
    assert [one.waits_for for one in waiting.documents] == ["bill_to_incomplete"]
    shop.has("accounts", account("N", line1="Hof 4", billing_day=1))

    upcoming = assert_comes_true(shop, "N")

    assert upcoming.day == TODAY


def test_goes_on_to_the_day_when_a_negative_total_is_made_good(shop):
    shop.has("subscriptions", subscription("S1", "G", "ten", "2026-11-20"))
    shop.run("2026-11-23")
    with shop.seen():
        charge = Charge.objects.get()
        charge.pk, charge.revision, charge.net_minor = uuid7(), 1, -4_000
        charge.status, charge.invoice_on = "pending", date(2026, 11, 22)
        charge.save(force_insert=True)
    shop.has("subscriptions", subscription("S2", "A", "year", "2026-12-02"))

    upcoming = assert_comes_true(shop, "G")

    assert upcoming.day == date(2026, 12, 2)
    assert upcoming.documents[0].net_minor == 36_500 - 4_000


def test_says_nothing_where_nothing_is_to_come(shop):
    shop.has("subscriptions", subscription("S1", "G", "ten", "2026-11-01", end_date="2026-11-20"))
    shop.run("2026-11-23")

    upcoming = preview(shop, "G")

    assert (upcoming.day, upcoming.documents) == (None, ())


def test_does_not_repeat_what_a_draft_holds(shop):
    shop.has("subscriptions", subscription("S1", "G", "ten", "2026-11-20"))
    shop.run("2026-11-23", issue=False)

    assert preview(shop, "G").day == date(2026, 12, 20)


def test_leaves_large_families_alone(shop, monkeypatch):
    monkeypatch.setattr(previewing, "MOST_ACCOUNTS", 2)

    upcoming = preview(shop, "A")

    assert upcoming.is_too_large
    assert (upcoming.account.name, [one.name for one in upcoming.above]) == ("Anna", ["G"])


def test_sends_few_statements_and_locks_nothing(shop):
    shop.has(
        "subscriptions",
        subscription("S1", "G", "late", "2026-11-01"),
        *(subscription(f"T{n}", "A", "ten", f"2026-11-{n:02}") for n in range(1, 29)),
    )
    shop.run("2026-11-23")
    shop.id_of("G")

    with CaptureQueriesContext(connection) as captured:
        preview(shop, "G")

    own = ("SAVEPOINT", "RELEASE", "SELECT set_config(")
    sent = [one["sql"] for one in captured if not one["sql"].startswith(own)]
    # One more is the test's: it reads the tenant.
    assert len(sent) <= MOST_STATEMENTS + 1
    assert [
        sql for sql in sent if not sql.lstrip("(\n ").startswith("SELECT") or "FOR UPDATE" in sql
    ] == []


@pytest.mark.parametrize("role", ["billing", "auditor", "support", "developer"])
def test_is_for_the_vendors_people(shop, role):
    assert preview(shop, "G", shop.staff("Ines", role)).account.name == "G"


def test_is_not_for_customers_nor_for_strangers(shop, other_vendor):
    with pytest.raises(Forbidden):
        preview(shop, "G", shop.customer("Bob", "admin", "G"))
    with pytest.raises(NotFound):
        preview_of(other_vendor, shop.id_of("G"))
    with pytest.raises(NotFound):
        preview_of(shop, uuid7())
