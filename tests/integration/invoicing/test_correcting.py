"""The operation that corrects an invoice: exact, never more than there was, booked and final."""

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoicing.models import (
    Charge,
    DocumentToMake,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
    LedgerPosting,
    NumberSeries,
)
from invoicing.operations.correcting import correct_invoice
from invoicing.operations.issuing import NumberBeforeLast, SellerIncomplete
from invoicing.operations.wanting_corrections import (
    AlreadyCorrected,
    InvalidCorrection,
    InvoiceNotIssued,
    MoreThanLeft,
    NewCorrection,
    NotAnInvoice,
    NothingToCorrect,
)
from subscriptions.models import Subscription
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 15)


@scene
def group(vendor):
    """A group of 47 branches with prices of three rates, billed together; and a draft beside it."""
    branches = [f"B{number:02}" for number in range(47)]
    vendor.has(
        "accounts",
        account("G", billing_day=1, payment_terms_days=14),
        *(account(key, "G", cost_centre=f"K-{key}") for key in branches),
        account("other"),
    )
    vendor.has(
        "prices",
        price("full", "33.33"),
        price("odd", "9.99", model="per_unit", tax_rate=7),
        price("free", "1.01", tax_rate=0),
    )
    vendor.has(
        "subscriptions",
        *(subscription(f"F-{key}", key, "full", "2026-12-01") for key in branches),
        *(subscription(f"O-{key}", key, "odd", "2026-12-01", 3) for key in branches[::2]),
        *(subscription(f"Z-{key}", key, "free", "2026-12-01") for key in branches[::3]),
        subscription("G", "G", "full", "2026-11-17"),
        subscription("other", "other", "full", "2026-12-01"),
    )
    vendor.run("2026-12-01", within="G")
    vendor.run("2026-12-02", issue=False)
    return vendor


def the_invoice():
    return Invoice.objects.get(kind="invoice", number__isnull=False)


def correct(vendor, actor=None, *, invoice_id=None, is_dry_run=False, today=DAY, **values):
    if invoice_id is None:
        with vendor.seen():
            invoice_id = the_invoice().pk
    return correct_invoice(
        actor or vendor.actor,
        invoice_id,
        NewCorrection(**{"reason": "Agreed with Ms Brandt", **values}),
        is_dry_run=is_dry_run,
        today=today,
        now=NOW,
    )


def everything():
    """Return all rows of money, and what was told of them."""
    return [
        sorted(map(str, model.objects.values_list()))
        for model in (
            Invoice, InvoiceSection, InvoiceLine, InvoiceTax, Charge, LedgerPosting,
            NumberSeries, DocumentToMake, AuditEntry, Event,
        )
    ]  # fmt: skip


def plain(vendor):
    """Return net and tax of the invoice and of all credit notes: by section and by group."""
    sums = {"invoice": defaultdict(lambda: [0, 0]), "credit_note": defaultdict(lambda: [0, 0])}
    with vendor.seen():
        for one in InvoiceSection.objects.filter(invoice__number__isnull=False):
            found = sums[one.invoice.kind][one.account_id]
            found[0] += one.net_minor
            found[1] += one.tax_minor
        for one in InvoiceTax.objects.filter(invoice__number__isnull=False):
            found = sums[one.invoice.kind][one.category, one.rate]
            found[0] += one.base_minor
            found[1] += one.tax_minor
    return sums


def negated(amounts):
    return {key: [-net, -tax] for key, (net, tax) in amounts.items()}


def test_takes_a_whole_invoice_back_exactly_as_it_was(group):
    with group.seen():
        before = the_invoice()

    made = correct(group)

    with group.seen():
        invoice, note = the_invoice(), Invoice.objects.get(pk=made.note.pk)
    assert (note.number, note.issue_date, note.due_date, note.status) == (
        "RK-2026-000001", DAY, None, "issued",
    )  # fmt: skip
    assert (note.net_minor, note.tax_minor, note.gross_minor) == (
        -before.net_minor, -before.tax_minor, -before.gross_minor,
    )  # fmt: skip
    assert (note.section_count, note.line_count) == (before.section_count, before.line_count)
    assert (note.corrects_id, note.reason) == (before.pk, "Agreed with Ms Brandt")
    assert note.snapshot["corrects"] == {
        "number": "RE-2026-000001",
        "issue_date": "2026-12-01",
        "credited_minor": before.gross_minor,
        "balance_minor": 0,
    }
    assert (note.bill_to_id, note.payer_id, note.currency) == (
        before.bill_to_id, before.payer_id, before.currency,
    )  # fmt: skip
    assert (invoice.status, invoice.open_minor, invoice.credited_minor) == (
        "corrected", 0, before.gross_minor,
    )  # fmt: skip
    assert invoice.corrected_minor == before.gross_minor
    assert (made.credited_minor, made.balance_minor) == (before.gross_minor, 0)
    sums = plain(group)
    assert sums["credit_note"] == negated(sums["invoice"])
    assert group.violations() == []


def test_says_of_each_line_what_it_takes_back(group):
    with group.seen():
        line = InvoiceLine.objects.get(subscription__external_id="O-B00")

    whole = correct(group, line_ids=(line.pk,), is_dry_run=True).lines[0]
    part = correct(group, line_ids=(line.pk,), amount_minor=123, is_dry_run=True).lines[0]

    assert (whole.quantity, whole.unit_amount, whole.net_minor) == (-3, Decimal("9.99"), -2997)
    assert (part.quantity, part.unit_amount, part.net_minor) == (-1, Decimal("1.23"), -123)
    assert (whole.corrects_id, whole.charge_id, whole.description) == (line.pk, None, "Odd")
    assert (whole.period_start, whole.period_end) == (line.period_start, line.period_end)
    assert (whole.tax_minor, part.tax_minor) == (-210, -9)


def test_takes_a_section_back_with_its_own_tax(group):
    with group.seen():
        section = InvoiceSection.objects.get(account__external_id="B06", invoice=the_invoice())

    made = correct(group, account_id=section.account_id)

    assert [one.account_id for one in made.sections] == [section.account_id]
    assert (made.note.net_minor, made.note.tax_minor) == (-section.net_minor, -section.tax_minor)
    assert (made.sections[0].cost_centre, made.sections[0].path) == ("K-B06", section.path)
    assert (made.note.section_count, made.note.line_count) == (1, 3)
    with pytest.raises(NothingToCorrect):
        correct(group, account_id=section.account_id)
    with pytest.raises(NothingToCorrect):
        correct(group, account_id=section.account_id, amount_minor=1)
    assert group.violations() == []


def test_lowers_what_is_open_first_and_the_rest_is_credit_of_who_paid(group):
    with group.seen():
        invoice = the_invoice()
        paid = invoice.gross_minor - 1_000
        Invoice.objects.filter(pk=invoice.pk).update(paid_minor=paid, status="partly_paid")

    made = correct(group, amount_minor=5_000)

    gross = -made.note.gross_minor
    assert (made.credited_minor, made.balance_minor) == (1_000, gross - 1_000)
    with group.seen():
        after = the_invoice()
        booked = {
            ledger: (amount, document)
            for ledger, amount, document in LedgerPosting.objects.filter(
                entry__source_id=made.note.pk
            ).values_list("ledger", "amount_minor", "invoice_id")
        }
    assert (after.open_minor, after.status, after.paid_minor) == (0, "paid", paid)
    assert (after.credited_minor, after.corrected_minor) == (1_000, gross)
    assert booked == {
        "revenue": (5_000, made.note.pk),
        "tax": (gross - 5_000, made.note.pk),
        "receivable": (-1_000, invoice.pk),
        "customer_credit": (1_000 - gross, made.note.pk),
    }


@given(seed=st.integers(0, 2**32))
@settings(
    max_examples=6,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_ten_in_any_order_come_to_what_there_was_to_the_cent(group, seed):
    with transaction.atomic():
        corrected_at_random(group, random.Random(seed))
        transaction.set_rollback(True)


def corrected_at_random(vendor, order: random.Random):
    with vendor.seen():
        invoice = the_invoice()
        lines = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
        accounts = list(InvoiceSection.objects.filter(invoice=invoice).values_list("account_id"))
    assert (len(accounts), invoice.section_count) == (48, 48)
    issued = 0
    while issued < 9:
        scope = order.choice(
            [
                {"line_ids": tuple(one.pk for one in order.sample(lines, order.randint(1, 9)))},
                {"account_id": order.choice(accounts)[0]},
                {},
            ]
        )
        amount = order.choice([None, order.randint(1, 9_999)]) if scope else order.randint(1, 9_999)
        try:
            correct(vendor, invoice_id=invoice.pk, amount_minor=amount, **scope)
        except (MoreThanLeft, NothingToCorrect):
            continue
        issued += 1
    correct(vendor, invoice_id=invoice.pk)

    sums = plain(vendor)
    assert sums["credit_note"] == negated(sums["invoice"])
    with vendor.seen():
        after = Invoice.objects.get(pk=invoice.pk)
        numbers = Invoice.objects.filter(kind="credit_note").order_by("series_number")
        assert [one.series_number for one in numbers] == [*range(1, 11)]
    assert (after.status, after.open_minor) == ("corrected", 0)
    assert after.corrected_minor == after.credited_minor == after.gross_minor
    assert vendor.violations() == []
    with pytest.raises(NothingToCorrect):
        correct(vendor, invoice_id=invoice.pk)


def test_a_dry_run_says_exactly_what_would_be_and_stores_nothing(group):
    with group.seen():
        before = everything()

    foreseen = correct(group, amount_minor=777, is_dry_run=True)

    with group.seen():
        assert everything() == before
    made = correct(group, amount_minor=777)
    assert (foreseen.note.number, foreseen.is_issued, made.is_issued) == (None, False, True)
    assert [(one.net_minor, one.tax_minor) for one in foreseen.lines] == [
        (one.net_minor, one.tax_minor) for one in made.lines
    ]
    assert foreseen.note.gross_minor == made.note.gross_minor


def refusals(vendor):
    """Return what is refused, and why."""
    with vendor.seen():
        invoice = the_invoice()
        draft = Invoice.objects.get(number=None)
        line = InvoiceLine.objects.filter(invoice=invoice).earliest("position")
        foreign = InvoiceLine.objects.filter(invoice=draft).earliest("position")
    support, bob = vendor.staff("Sue", "support"), vendor.customer("Bob", "admin", "G")
    invalid = InvalidCorrection
    return {
        "a draft": (InvoiceNotIssued, {"invoice_id": draft.pk}),
        "an unknown one": (NotFound, {"invoice_id": uuid7()}),
        "by support": (Forbidden, {"actor": support}),
        "by the customer": (Forbidden, {"actor": bob}),
        "out of sight": (NotFound, {"actor": vendor.customer("Eve", "admin", "other")}),
        "no reason": (invalid, {"reason": " "}),
        "a long reason": (invalid, {"reason": "x" * 10_000}),
        "a reason of two lines": (invalid, {"reason": "a\nb"}),
        "nothing": (invalid, {"amount_minor": 0}),
        "less than nothing": (invalid, {"amount_minor": -1}),
        "a line of another": (invalid, {"line_ids": (line.pk, foreign.pk)}),
        "a section of another": (invalid, {"account_id": vendor.id_of("other")}),
        "two scopes": (invalid, {"account_id": vendor.id_of("G"), "line_ids": (line.pk,)}),
        "too many lines": (invalid, {"line_ids": (line.pk,) * 10_001}),
        "more than a line": (
            MoreThanLeft,
            {"line_ids": (line.pk,), "amount_minor": line.net_minor + 1},
        ),
        "more than all": (MoreThanLeft, {"amount_minor": invoice.net_minor + 1}),
        "very much more": (MoreThanLeft, {"amount_minor": 2**80}),
    }


def test_refuses_and_changes_nothing(group):
    wanted = refusals(group)
    with group.seen():
        before = everything()

    for name, (refusal, values) in wanted.items():
        with pytest.raises(refusal):
            correct(group, **{"actor": None, **values})
        with group.seen():
            assert everything() == before, name


def test_refuses_another_tenants_invoice(group, other_vendor):
    with group.seen():
        invoice_id = the_invoice().pk

    with pytest.raises(NotFound):
        correct(other_vendor, invoice_id=invoice_id)


def test_refuses_to_correct_a_credit_note(group):
    made = correct(group, amount_minor=100)

    with pytest.raises(NotAnInvoice):
        correct(group, invoice_id=made.note.pk)


def test_one_form_makes_one(group):
    key = uuid7()
    correct(group, amount_minor=100, key=key)

    with pytest.raises(AlreadyCorrected):
        correct(group, amount_minor=100, key=key)
    with group.seen():
        assert Invoice.objects.filter(kind="credit_note").count() == 1


def test_is_dated_today_but_never_before_its_invoice_nor_before_the_last_number(group):
    early = correct(group, amount_minor=100, today=TODAY)
    assert early.note.issue_date == date(2026, 12, 1)
    correct(group, amount_minor=100, today=date(2027, 1, 2))
    later = correct(group, amount_minor=100, today=DAY)

    with group.seen():
        numbers = [
            (one.number, one.issue_date.isoformat())
            for one in Invoice.objects.filter(kind="credit_note").order_by("issued_at", "number")
        ]
    assert later.note.number == "RK-2026-000002"
    assert sorted(numbers) == [
        ("RK-2026-000001", "2026-12-01"),
        ("RK-2026-000002", "2026-12-15"),
        ("RK-2027-000001", "2027-01-02"),
    ]
    with pytest.raises(NumberBeforeLast):
        correct(group, amount_minor=100, today=date(2026, 12, 14))
    assert group.violations() == []


def test_runs_go_on_with_their_own_numbers_and_dates(group):
    correct(group, amount_minor=100, today=date(2027, 1, 20))

    group.run("2027-01-01", today=date(2027, 1, 1))

    with group.seen():
        numbers = Invoice.objects.filter(kind="invoice", number__isnull=False)
        assert sorted(numbers.values_list("number", flat=True)) == [
            "RE-2026-000001", "RE-2027-000001", "RE-2027-000002",
        ]  # fmt: skip
    assert group.violations() == []


def test_leaves_charges_subscriptions_and_revenue_alone(group):
    with group.seen():
        before = [sorted(map(str, model.objects.values_list())) for model in (Charge, Subscription)]

    correct(group)

    with group.seen():
        assert [
            sorted(map(str, model.objects.values_list())) for model in (Charge, Subscription)
        ] == before
    # What was credited is not billed again by itself.
    again = group.run("2026-12-03", within="G")
    assert again.invoice_ids == []


def test_tells_and_traces_it(group):
    made = correct(group, amount_minor=10_000)

    with group.seen():
        events = {one.kind: one.data for one in Event.objects.filter(kind__in=TOLD)}
        traced = set(AuditEntry.objects.filter(action__in=TOLD).values_list("action", "object_id"))
        waiting = list(DocumentToMake.objects.filter(invoice=made.note.pk))
    assert events["credit_note.issued"]["number"] == made.note.number
    assert events["credit_note.issued"]["gross_minor"] == made.note.gross_minor
    assert events["credit_note.issued"]["corrects"] == made.invoice.public_id
    assert events["invoice.corrected"]["open_minor"] == made.invoice.open_minor
    assert traced == {
        ("credit_note.issued", made.note.pk),
        ("invoice.corrected", made.invoice.pk),
    }
    assert len(waiting) == 1


TOLD = ("credit_note.issued", "invoice.corrected")


def test_a_live_tenant_with_placeholders_issues_none(group):
    group.change_tenant(is_sandbox=False, test_clock_at=None)

    with pytest.raises(SellerIncomplete):
        correct(group, amount_minor=100)


def test_a_credit_note_is_final(group):
    made = correct(group, amount_minor=100)

    def sql(statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)

    def save(row, **values):
        for name, value in values.items():
            setattr(row, name, value)
        row.save()

    with group.seen():
        note = Invoice.objects.get(pk=made.note.pk)
        line = InvoiceLine.objects.get(pk=made.lines[0].pk)
        changes = (
            lambda: save(note, reason="other"),
            lambda: save(note, net_minor=-1, tax_minor=0, gross_minor=-1),
            lambda: Invoice.objects.filter(pk=note.pk).update(status="paid"),
            lambda: Invoice.objects.filter(pk=note.pk).update(paid_minor=1),
            lambda: Invoice.objects.filter(pk=note.pk).update(corrected_minor=1),
            lambda: Invoice.objects.bulk_update([note], ["reason"]) or save(note, kind="invoice"),
            lambda: Invoice.objects.filter(pk=note.pk)._raw_delete("default"),
            lambda: sql("DELETE FROM invoicing_invoice WHERE kind = 'credit_note'"),
            lambda: sql(
                "UPDATE invoicing_invoice SET number = 'RK-9' WHERE corrects_id IS NOT NULL"
            ),
            lambda: save(line, net_minor=-1),
            lambda: InvoiceLine.objects.filter(pk=line.pk).update(tax_minor=0),
            lambda: sql("DELETE FROM invoicing_invoicetax"),
        )
        before = everything()
        for number, change in enumerate(changes):
            with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
                change()
            assert everything() == before, number


def test_takes_as_many_statements_whatever_the_size(group, django_assert_max_num_queries):
    with group.seen():
        invoice_id = the_invoice().pk

    with django_assert_max_num_queries(30):
        correct(group, invoice_id=invoice_id)
