"""Issuing: a draft gets its number, is frozen and is booked."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import Seller
from billing_rules.invoice_states import payment_state
from billing_rules.searching import search_key
from invoicing import ledger
from invoicing.models import (
    BillingRun,
    Charge,
    DocumentKind,
    DocumentToMake,
    Invoice,
    InvoiceLine,
    NumberSeries,
)
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.database.prepared import Given, Prepared
from tenancy.errors import Conflict
from tenancy.events import Happening, record_events
from tenancy.ids import uuid7
from tenancy.queries.tenants import own_tenant


class NumberBeforeLast(Conflict):
    """An invoice with a later date has a number already (R6)."""

    code = "run_date_before_last_issue"
    message = _("An invoice was issued after %(date)s already.")


class SellerIncomplete(Conflict):
    """The seller's details are still placeholders."""

    code = "seller_incomplete"
    message = _("The details of “%(name)s” are still placeholders marked TEST.")


# The row is locked until the transaction ends, so numbers are gapless and rise with the date.
_TAKE_NUMBERS = """
    INSERT INTO invoicing_numberseries
        (id, tenant_id, seller_id, kind, year, last_number, last_issue_date)
    VALUES (gen_random_uuid(), %(tenant)s, %(seller)s, %(kind)s, %(year)s, %(count)s, %(date)s)
    ON CONFLICT (tenant_id, seller_id, kind, year) DO UPDATE
    SET last_number = invoicing_numberseries.last_number + EXCLUDED.last_number,
        last_issue_date = EXCLUDED.last_issue_date
    WHERE COALESCE(invoicing_numberseries.last_issue_date, EXCLUDED.last_issue_date)
        <= EXCLUDED.last_issue_date
    RETURNING last_number
"""

_FREEZE = """
    UPDATE invoicing_invoice AS invoice
    SET status = new.status, series_year = new.year, series_number = new.series_number,
        number = new.number, search_names = rtrim(new.search_key, chr(10)) || invoice.search_names,
        issue_date = %(date)s, due_date = new.due_date,
        issued_at = %(now)s
    FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(years)s::int[], %(series)s::int[],
        %(numbers)s::text[], %(keys)s::text[], %(due)s::date[])
        AS new (id, status, year, series_number, number, search_key, due_date)
    WHERE invoice.tenant_id = %(tenant)s AND invoice.id = new.id
"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An invoice whose files are to be made."""

    id: UUID
    invoice_id: UUID


@operation
def issue_drafts(
    actor: Actor,
    invoices: Sequence[Invoice],
    *,
    run: BillingRun,
    issue_date: date,
    now: datetime,
) -> None:
    """Number, date, freeze and book drafts of this tenant, in the order given.

    The numbers are taken last, because their row stays locked until the transaction ends. The
    charges of drafts that were made in this transaction are marked as invoiced already.

    Args:
        actor: who issues, or on whose behalf it is done.
        invoices: drafts, locked or just made in this transaction.
        run: the run that they are of; it stands in their history.
        issue_date: the date of the run (R6), or a later one (R28).
        now: the instant.

    Raises:
        SellerIncomplete: a live tenant's seller is still a placeholder.
        NumberBeforeLast: the series has gone beyond this date.

    Source: docs/billing-rules.md, R6, R16, R21, R28.
    """
    if not invoices:
        return
    require_sellers(actor, {invoice.seller_id for invoice in invoices})
    ledger.post_issued(actor, invoices, booked_on=issue_date, now=now)
    take_numbers(actor, invoices, issue_date)
    freeze_documents(actor, invoices, issue_date=issue_date, now=now)
    of_run = {"run": run.public_id, "run_date": run.date.isoformat()}
    insert_rows([_Waiting(uuid7(), one.id) for one in invoices], into=DocumentToMake,
                tenant_id=actor.tenant_id)  # fmt: skip
    record_events(
        actor,
        [
            Happening(
                "invoice.issued",
                invoice.id,
                invoice.bill_to_id,
                before={"status": Invoice.Status.TO_APPROVE.value},
                after=said,
                data=said,
            )
            for invoice, said in ((invoice, _said(invoice, of_run)) for invoice in invoices)
        ],
        now=now,
    )


def freeze_documents(
    actor: Actor, documents: Sequence[Invoice], *, issue_date: date, now: datetime
) -> None:
    """Issue documents that have their numbers: from here on nothing of them changes.

    A credit note has no day by which it is to be paid.
    """
    for one in documents:
        one.status = payment_state(one.gross_minor, one.paid_minor)
        one.issue_date, one.issued_at = issue_date, now
        if one.kind == DocumentKind.INVOICE:
            one.due_date = issue_date + timedelta(days=one.payment_terms_days)
    with connection.cursor() as cursor:
        cursor.execute(
            _FREEZE,
            {
                "tenant": actor.tenant_id,
                "date": issue_date,
                "now": now,
                "ids": [str(one.id) for one in documents],
                "statuses": [one.status for one in documents],
                "years": [one.series_year for one in documents],
                "series": [one.series_number for one in documents],
                "numbers": [one.number for one in documents],
                "keys": [search_key([one.number]) for one in documents],
                "due": [one.due_date for one in documents],
            },
        )


def _said(invoice: Invoice, of_run: Mapping[str, str]) -> dict[str, object]:
    return {
        "status": str(invoice.status),
        "number": invoice.number,
        "gross_minor": invoice.gross_minor,
        "currency": invoice.currency,
        **of_run,
    }


def issue_dates(
    actor: Actor, run_date: date, seller_ids: Collection[UUID], *, today: date
) -> dict[UUID, date]:
    """Return by seller the date with which drafts of a run are issued now. One statement.

    It is the run's own while the seller's series allows; after that the day of approval. A series
    that has gone beyond that day too refuses the number.

    Source: docs/billing-rules.md, R28.
    """
    gone_on = NumberSeries.objects.filter(
        tenant_id=actor.tenant_id,
        seller_id__in=seller_ids,
        kind=DocumentKind.INVOICE,
        last_issue_date__gt=run_date,
    ).values_list("seller_id", flat=True)
    return {**dict.fromkeys(seller_ids, run_date), **dict.fromkeys(gone_on, today)}


def require_sellers(actor: Actor, seller_ids: Collection[UUID]) -> None:
    """Return if these sellers may issue.

    Raises:
        SellerIncomplete: the tenant is live and one of them is still a placeholder.
    """
    if own_tenant(actor).is_sandbox:
        return
    placeholder = Seller.objects.filter(
        tenant_id=actor.tenant_id, pk__in=seller_ids, is_placeholder=True
    ).first()
    if placeholder is not None:
        raise SellerIncomplete(name=placeholder.name)


def mark_invoiced(actor: Actor, invoice_ids: Collection[UUID]) -> None:
    """Mark the charges of drafts that an earlier transaction made. Two statements."""
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
    charge_ids = list(lines.order_by().values_list("charge_id", flat=True))
    Charge.objects.filter(tenant_id=actor.tenant_id, pk__in=charge_ids).update(
        status=Charge.Status.INVOICED
    )


_FORMATS = Prepared(
    lambda: Seller.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids")).values_list(
        "id", "number_format", "credit_note_format"
    )
)


def take_numbers(actor: Actor, invoices: Sequence[Invoice], issue_date: date) -> None:
    """Take as many numbers of each series as there are documents of its seller and kind."""
    by_series: dict[tuple[UUID, str], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        by_series[invoice.seller_id, str(invoice.kind)].append(invoice)
    sellers = list({seller_id for seller_id, _kind in by_series})
    formats: dict[tuple[UUID, str], str] = {}
    for seller_id, of_invoices, of_credit_notes in _FORMATS.rows(
        tenant=actor.tenant_id, ids=sellers
    ):
        formats[seller_id, DocumentKind.INVOICE.value] = of_invoices
        formats[seller_id, DocumentKind.CREDIT_NOTE.value] = of_credit_notes
    # One order of locking for everybody, so that two who issue for two sellers can't meet.
    for seller_id, kind in sorted(by_series):
        batch = by_series[seller_id, kind]
        with connection.cursor() as cursor:
            cursor.execute(
                _TAKE_NUMBERS,
                {
                    "tenant": actor.tenant_id,
                    "seller": seller_id,
                    "kind": kind,
                    "year": issue_date.year,
                    "count": len(batch),
                    "date": issue_date,
                },
            )
            row = cursor.fetchone()
        if row is None:
            raise NumberBeforeLast(date=issue_date)
        for number, invoice in enumerate(batch, start=row[0] - len(batch) + 1):
            invoice.series_year, invoice.series_number = issue_date.year, number
            invoice.number = formats[seller_id, kind].format(year=issue_date.year, number=number)
