"""What is issued stays: the database itself refuses every way to change it."""

from datetime import date

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import F

from invoicing.models import (
    Charge,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
    LedgerEntry,
    LedgerPosting,
    StoredDocument,
)
from tenancy.ids import uuid7
from tenancy.models import Event
from tests.world import NOW, account, price, subscription


@pytest.fixture
def issued(vendor):
    """Return a vendor with one issued invoice and one draft, inside its transaction."""
    vendor.has("accounts", account("A"), account("B"))
    vendor.has("prices", price("ten", "10"))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "B", "ten", "2026-12-01"),
    )
    vendor.run("2026-12-01", within="A")
    vendor.run("2026-12-01", issue=False)
    with vendor.seen():
        invoice = Invoice.objects.get(number__isnull=False)
        StoredDocument.objects.create(
            tenant_id=vendor.tenant_id,
            invoice=invoice,
            kind="pdf",
            file_name="a.pdf",
            content=b"%PDF",
            sha256="0" * 64,
            created_at=NOW,
        )
        yield vendor


def invoice():
    return Invoice.objects.get(number__isnull=False)


def draft():
    return Invoice.objects.get(number=None)


def part(model):
    return model.objects.get(invoice=invoice())


def save_changed(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def post(**values):
    LedgerPosting.objects.create(
        tenant_id=invoice().tenant_id, entry=LedgerEntry.objects.get(), amount_minor=0, **values
    )


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def bulk_update(row, name, value):
    setattr(row, name, value)
    type(row).objects.bulk_update([row], [name])


def copy(row, **values):
    row.pk = uuid7()
    for name, value in values.items():
        setattr(row, name, value)
    row.save(force_insert=True)


CHANGES = {
    "save the invoice": lambda: save_changed(invoice(), gross_minor=1, net_minor=1, tax_minor=0),
    "update the invoice": lambda: Invoice.objects.update(due_date=date(2030, 1, 1)),
    "bulk-update the invoice": lambda: bulk_update(invoice(), "po_number", "other"),
    "change the payer": lambda: save_changed(invoice(), payer=draft().payer),
    "change the snapshot": lambda: save_changed(invoice(), snapshot={}),
    "change the number": lambda: sql(
        "UPDATE invoicing_invoice SET number = 'RE-9' WHERE number > ''"
    ),
    "make it a draft again": lambda: sql(
        "UPDATE invoicing_invoice SET status = 'draft', number = NULL, series_number = NULL,"
        " issue_date = NULL, issued_at = NULL WHERE number IS NOT NULL"
    ),
    "only its status back": lambda: Invoice.objects.filter(number__isnull=False).update(
        status="to_approve"
    ),
    "hide a change behind a payment": lambda: Invoice.objects.filter(number__isnull=False).update(
        paid_minor=1, status="partly_paid", currency="CHF"
    ),
    "delete the invoice": lambda: Invoice.objects.filter(number__isnull=False)._raw_delete(
        "default"
    ),
    "delete it by SQL": lambda: sql("DELETE FROM invoicing_invoice WHERE number IS NOT NULL"),
    "save a section": lambda: save_changed(part(InvoiceSection), cost_centre="other"),
    "update sections": lambda: InvoiceSection.objects.update(path=["other"]),
    "delete a section": lambda: sql("DELETE FROM invoicing_invoicesection"),
    "add a section": lambda: copy(part(InvoiceSection), position=2),
    "save a line": lambda: save_changed(part(InvoiceLine), description="other"),
    "update lines": lambda: InvoiceLine.objects.update(net_minor=F("net_minor") + 1),
    "delete a line": lambda: part(InvoiceLine).delete(),
    "delete lines": lambda: InvoiceLine.objects.all()._raw_delete("default"),
    "add a line": lambda: copy(
        part(InvoiceLine),
        position=2,
        charge=InvoiceLine.objects.get(invoice=draft()).charge,
    ),
    "save tax": lambda: save_changed(part(InvoiceTax), tax_minor=0),
    "delete tax": lambda: sql("DELETE FROM invoicing_invoicetax"),
    "add tax": lambda: copy(part(InvoiceTax), category="Z", rate=0),
    "save the charge": lambda: save_changed(part(InvoiceLine).charge, net_minor=1),
    "make the charge pending": lambda: Charge.objects.update(status="pending"),
    "change the charge's reason": lambda: Charge.objects.update(reason={}),
    "delete the charge": lambda: sql("DELETE FROM invoicing_charge WHERE status = 'invoiced'"),
    "change the booking": lambda: LedgerEntry.objects.update(booked_on=date(2030, 1, 1)),
    "delete the booking": lambda: sql("DELETE FROM invoicing_ledgerentry"),
    "book it twice": lambda: copy(LedgerEntry.objects.get()),
    "change a posting": lambda: LedgerPosting.objects.update(amount_minor=F("amount_minor") * 2),
    "delete a posting": lambda: LedgerPosting.objects.all()._raw_delete("default"),
    "change the file": lambda: save_changed(StoredDocument.objects.get(), content=b"other"),
    "delete the file": lambda: sql("DELETE FROM invoicing_storeddocument"),
    "store a second file": lambda: copy(StoredDocument.objects.get(), content=b"other"),
    "empty the invoices": lambda: sql("TRUNCATE invoicing_invoice CASCADE"),
    "empty the ledger": lambda: sql("TRUNCATE invoicing_ledgerposting"),
    "turn the guard off": lambda: sql("ALTER TABLE invoicing_invoice DISABLE TRIGGER ALL"),
    "step out of the guard": lambda: sql("SET session_replication_role = replica"),
    "forget what happened": lambda: Event.objects.all()._raw_delete("default"),
    "rewrite what happened": lambda: sql("UPDATE accounts_auditentry SET action = 'other'"),
    "charge twice": lambda: copy(part(InvoiceLine).charge, status="pending"),
    "use a number twice": lambda: Invoice.objects.filter(number=None).update(
        status="open",
        series_year=2026,
        series_number=1,
        number="RE-2026-000001",
        issue_date=date(2026, 12, 1),
        due_date=date(2026, 12, 1),
        issued_at=NOW,
    ),
    "credit more than was asked for": lambda: Invoice.objects.filter(number__isnull=False).update(
        credited_minor=1191, corrected_minor=1191, status="corrected"
    ),
    "pay and credit more than was asked for": lambda: Invoice.objects.filter(
        number__isnull=False
    ).update(paid_minor=1190, credited_minor=1, corrected_minor=1, status="paid"),
    "credit more than was taken back": lambda: Invoice.objects.filter(number__isnull=False).update(
        credited_minor=1
    ),
    "call it corrected": lambda: Invoice.objects.filter(number__isnull=False).update(
        status="corrected"
    ),
    "make it a credit note": lambda: Invoice.objects.filter(number__isnull=False).update(
        kind="credit_note"
    ),
    "a credit note of nothing": lambda: Invoice.objects.filter(number=None).update(
        kind="credit_note", net_minor=-100, tax_minor=0, gross_minor=-100
    ),
    "a credit note that asks for money": lambda: Invoice.objects.filter(number=None).update(
        kind="credit_note", corrects=invoice()
    ),
    "an invoice that corrects": lambda: Invoice.objects.filter(number=None).update(
        corrects=invoice()
    ),
    "a line of nothing": lambda: InvoiceLine.objects.filter(invoice=draft()).update(charge=None),
    "a receivable of no document": lambda: post(ledger="receivable", account=invoice().payer),
    "a receivable of nobody": lambda: post(ledger="receivable", invoice=invoice()),
    "a credit of nobody": lambda: post(ledger="customer_credit", invoice=invoice()),
    "pay more than is owed": lambda: Invoice.objects.update(paid_minor=10**6),
    "owe less than nothing": lambda: Invoice.objects.filter(number=None).update(
        net_minor=-100, tax_minor=0, gross_minor=-100
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_is_refused_to(issued, change):
    before = everything()

    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
        CHANGES[change]()

    assert everything() == before


@pytest.mark.parametrize("model", [InvoiceLine, InvoiceSection, InvoiceTax])
def test_refuses_to_move_a_part_of_a_draft_to_an_issued_invoice(issued, model):
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(invoice=draft()).update(
            invoice=invoice(), **({} if model is InvoiceTax else {"position": 7}),
            **({"category": "Z"} if model is InvoiceTax else {}),
        )  # fmt: skip


def everything():
    """Return all rows of money as text, files as bytes."""
    return [
        sorted(
            str([bytes(v) if isinstance(v, memoryview) else v for v in row])
            for row in model.objects.values_list()
        )
        for model in (
            Invoice,
            InvoiceSection,
            InvoiceLine,
            InvoiceTax,
            Charge,
            LedgerEntry,
            LedgerPosting,
            StoredDocument,
        )
    ]


def test_lets_payments_change_what_is_paid_and_the_status(issued):
    Invoice.objects.filter(number__isnull=False).update(paid_minor=100, status="partly_paid")

    paid = invoice()
    assert (paid.paid_minor, paid.status, paid.open_minor) == (100, "partly_paid", 1090)


def test_lets_credits_change_what_is_open(issued):
    Invoice.objects.filter(number__isnull=False).update(credited_minor=100, corrected_minor=100)

    credited = invoice()
    assert (credited.credited_minor, credited.status, credited.open_minor) == (100, "open", 1090)


def test_lets_drafts_change(issued):
    InvoiceLine.objects.filter(invoice=draft()).update(description="other")
    Invoice.objects.filter(number=None).update(po_number="4711")

    assert draft().po_number == "4711"


@pytest.mark.parametrize("amounts", [(1,), (1, -2), (1190, -1000, -191)])
def test_refuses_a_booking_that_does_not_balance(issued, amounts):
    def book():
        entry = LedgerEntry.objects.create(
            tenant_id=issued.tenant_id,
            kind="invoice_issued",
            source_id=draft().pk,
            booked_on=date(2026, 12, 1),
            currency="EUR",
            created_at=NOW,
        )
        LedgerPosting.objects.bulk_create(
            LedgerPosting(
                tenant_id=issued.tenant_id,
                entry=entry,
                ledger="revenue",
                account=draft().payer,
                amount_minor=amount,
            )
            for amount in amounts
        )
        # In real life the end of the transaction does this.
        sql("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        book()

    assert LedgerEntry.objects.count() == 1


def test_balances_every_booking(issued):
    for entry in LedgerEntry.objects.all():
        amounts = LedgerPosting.objects.filter(entry=entry).values_list("amount_minor", flat=True)
        assert sorted(amounts) == [-1000, -190, 1190]
