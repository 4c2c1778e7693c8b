"""All lines of an invoice as CSV, for spreadsheets and programs."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any
from uuid import UUID

from django.utils import translation

from accounts.exports import harmless
from billing_rules.money import plain_digits, to_major
from invoicing.documents.file_names import annex_name
from invoicing.models import Invoice, InvoiceLine, InvoiceSection
from invoicing.queries.invoices import get_invoice
from invoicing.queries.visibility import sees_whole
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.errors import Forbidden
from tenancy.formats import SheetFormats, language_of, sheets_of
from tenancy.ids import public_id

COLUMNS = (
    "invoice",
    "position",
    "customer_number",
    "account",
    "account_path",
    "account_id",
    "cost_centre",
    "po_number",
    "subscription_id",
    "description",
    "period_start",
    "period_end",
    "quantity",
    "unit_amount",
    "net",
    "currency",
    "tax_category",
    "tax_rate",
)
_NUMBERS = frozenset({"quantity", "unit_amount", "net", "tax_rate"})
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class AnnexFile:
    """A file to hand out: its name, and its text piece by piece as it is read."""

    file_name: str
    pieces: Iterator[str]


def get_annex(actor: Actor, invoice_id: UUID, *, today: date) -> AnnexFile:
    """Return the annex of an invoice: a head row, then a row per line.

    It opens in the spreadsheet of the document's language: in German separated by semicolons, with
    decimal commas and ``dd.mm.yyyy``, else by commas, with points and ISO dates; both with a mark
    of UTF-8. A period's end is not part of it, amounts are in major units. Text that a spreadsheet
    would run as a formula begins with an apostrophe.

    Args:
        actor: who asks.
        invoice_id: which one.
        today: the date in the name of a draft's file; an issued invoice has its own.

    Raises:
        NotFound: the invoice is out of sight.
        Forbidden: only a part of it is in sight (R23).
    """
    with scope(actor.tenant_id):
        invoice = get_invoice(actor, invoice_id)
        if not sees_whole(actor, invoice):
            raise Forbidden
    with translation.override(language_of(invoice.language)):
        name = annex_name(invoice, invoice.issue_date or today)
    return AnnexFile(name, _pieces(actor, invoice))


def _pieces(actor: Actor, invoice: Invoice) -> Iterator[str]:
    sheets = sheets_of(invoice.language)
    yield "\ufeff" + _csv([COLUMNS], sheets)
    last = -1
    # Read by position and not by a cursor, so that no transaction stays open for a slow reader.
    while rows := _chunk(actor, invoice, after=last):
        last = rows[-1].position
        yield _csv((_row(invoice, line) for line in rows), sheets)


def _chunk(actor: Actor, invoice: Invoice, *, after: int) -> list[InvoiceLine]:
    with scope(actor.tenant_id):
        return list(
            InvoiceLine.objects.filter(
                tenant_id=actor.tenant_id, invoice=invoice, position__gt=after
            )
            .select_related("section")
            .order_by("position")[:_CHUNK]
        )


def _row(invoice: Invoice, line: InvoiceLine) -> tuple[Any, ...]:
    section = line.section
    return (
        invoice.number or "",
        line.position,
        harmless(_customer_number(section)),
        harmless(section.path[-1] if section.path else frozen_name(invoice)),
        harmless(" › ".join(section.path)),
        public_id("acc", section.account_id),
        harmless(section.cost_centre),
        harmless(section.po_number),
        "" if line.subscription_id is None else public_id("sub", line.subscription_id),
        harmless(line.description),
        line.period_start,
        line.period_end,
        plain_digits(line.quantity),
        "" if line.unit_amount is None else plain_digits(line.unit_amount),
        str(to_major(line.net_minor, invoice.currency)),
        invoice.currency,
        line.tax_category,
        plain_digits(line.tax_rate),
    )


def frozen_name(invoice: Invoice) -> str:
    """Return the recipient's name as it stands on the document."""
    bill_to = invoice.snapshot.get("bill_to") or {}
    return str(bill_to.get("name") or "")


def _customer_number(section: InvoiceSection) -> str:
    """Return the customer number of a section's account as it was when the document was made."""
    last = section.lineage[-1] if section.lineage else {}
    return str(last.get("number") or "") if isinstance(last, dict) else ""


def _csv(rows: Any, sheets: SheetFormats) -> str:
    out = StringIO()
    writer = csv.writer(out, delimiter=sheets.separator)
    for row in rows:
        writer.writerow(
            [_cell(name, cell, sheets) for name, cell in zip(COLUMNS, row, strict=True)]
        )
    return out.getvalue()


def _cell(name: str, cell: Any, sheets: SheetFormats) -> Any:
    if isinstance(cell, date):
        return sheets.cell(cell)
    return sheets.digits(cell) if name in _NUMBERS else cell
