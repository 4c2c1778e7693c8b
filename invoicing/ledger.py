"""Double entry: what is booked when a document is issued."""

from collections.abc import Iterable
from datetime import date, datetime

from invoicing.models import Invoice, LedgerEntry, LedgerPosting
from tenancy.actor import Actor
from tenancy.database.inserting import insert_rows
from tenancy.ids import uuid7


def post_issued(
    actor: Actor, invoices: Iterable[Invoice], *, booked_on: date, now: datetime
) -> None:
    """Book issued invoices: the payer owes the gross, revenue and tax stand against it.

    Each entry sums to zero, which the database checks once more when the transaction ends.
    """
    entries, postings = [], []
    for invoice in invoices:
        entry = LedgerEntry(
            id=uuid7(),
            tenant_id=actor.tenant_id,
            kind=LedgerEntry.Kind.INVOICE_ISSUED,
            source_id=invoice.id,
            booked_on=booked_on,
            currency=invoice.currency,
            created_at=now,
        )
        entries.append(entry)
        postings += [
            LedgerPosting(
                tenant_id=actor.tenant_id,
                entry_id=entry.id,
                ledger=ledger,
                account_id=account_id,
                invoice_id=invoice.id,
                amount_minor=amount_minor,
            )
            for ledger, account_id, amount_minor in (
                (LedgerPosting.Ledger.RECEIVABLE, invoice.payer_id, invoice.gross_minor),
                (LedgerPosting.Ledger.REVENUE, invoice.bill_to_id, -invoice.net_minor),
                (LedgerPosting.Ledger.TAX, invoice.bill_to_id, -invoice.tax_minor),
            )
            if amount_minor
        ]
    insert_rows(entries)
    insert_rows(postings)
