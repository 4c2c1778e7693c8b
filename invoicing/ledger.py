"""Double entry: what is booked when a document is issued."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, cast
from uuid import UUID

from invoicing.models import Invoice, LedgerEntry, LedgerPosting
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.ids import uuid7

Ledger = LedgerPosting.Ledger


class _Side(NamedTuple):
    """One side of an entry: debit above 0, credit below."""

    ledger: str
    account_id: UUID
    invoice_id: UUID
    amount_minor: int


def post_issued(
    actor: Actor, invoices: Iterable[Invoice], *, booked_on: date, now: datetime
) -> None:
    """Book issued invoices: the payer owes the gross, revenue and tax stand against it.

    Each entry sums to zero, which the database checks once more when the transaction ends.
    """
    entries, postings = [], []
    for invoice in invoices:
        sides = (
            _Side(Ledger.RECEIVABLE, invoice.payer_id, invoice.id, invoice.gross_minor),
            _Side(Ledger.REVENUE, invoice.bill_to_id, invoice.id, -invoice.net_minor),
            _Side(Ledger.TAX, invoice.bill_to_id, invoice.id, -invoice.tax_minor),
        )
        kind = LedgerEntry.Kind.INVOICE_ISSUED
        entry = _entry(actor, kind, invoice, booked_on=booked_on, now=now)
        entries.append(entry)
        postings += _postings(entry, sides)
    insert_rows(entries)
    insert_rows(postings)


def post_corrected(
    actor: Actor, note: Invoice, *, credited_minor: int, booked_on: date, now: datetime
) -> None:
    """Book a credit note: revenue and tax go back, the payer owes less or has a credit.

    Args:
        actor: who issues it.
        note: the credit note; its amounts are below 0.
        credited_minor: how much of its total lowers what is open of the invoice that it corrects;
            the rest is credit of the payer.
        booked_on: its date.
        now: the instant.

    Source: docs/billing-rules.md, R17.
    """
    rest_minor = -note.gross_minor - credited_minor
    sides = (
        _Side(Ledger.REVENUE, note.bill_to_id, note.id, -note.net_minor),
        _Side(Ledger.TAX, note.bill_to_id, note.id, -note.tax_minor),
        _Side(Ledger.RECEIVABLE, note.payer_id, cast(UUID, note.corrects_id), -credited_minor),
        _Side(Ledger.CUSTOMER_CREDIT, note.payer_id, note.id, -rest_minor),
    )
    kind = LedgerEntry.Kind.CREDIT_NOTE_ISSUED
    entry = _entry(actor, kind, note, booked_on=booked_on, now=now)
    insert_rows([entry])
    insert_rows(_postings(entry, sides))


def _entry(
    actor: Actor, kind: str, document: Invoice, *, booked_on: date, now: datetime
) -> LedgerEntry:
    return LedgerEntry(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        kind=kind,
        source_id=document.id,
        booked_on=booked_on,
        currency=document.currency,
        created_at=now,
    )


def _postings(entry: LedgerEntry, sides: Iterable[_Side]) -> list[LedgerPosting]:
    return [
        LedgerPosting(
            tenant_id=entry.tenant_id,
            entry_id=entry.id,
            ledger=side.ledger,
            account_id=side.account_id,
            invoice_id=side.invoice_id,
            amount_minor=side.amount_minor,
        )
        for side in sides
        if side.amount_minor
    ]
