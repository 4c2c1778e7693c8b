"""Correcting: what an issued invoice asks for is taken back, whole or in part, by a credit note."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, cast
from uuid import UUID

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from accounts import access
from accounts.access import Action
from billing_rules.corrections import (
    IssuedLine,
    MoreThanIsLeft,
    NothingLeft,
    Taken,
    shared_over,
    take_back,
)
from billing_rules.invoice_states import payment_state
from billing_rules.money import to_major
from billing_rules.tax import Category, TaxGroupKey
from invoicing import ledger
from invoicing.models import (
    DocumentKind,
    DocumentToMake,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
)
from invoicing.operations.issuing import freeze_documents, require_sellers, take_numbers
from invoicing.operations.wanting_corrections import (
    AlreadyCorrected,
    InvalidCorrection,
    InvoiceNotIssued,
    MoreThanLeft,
    NewCorrection,
    NotAnInvoice,
    NothingToCorrect,
)
from invoicing.queries.invoices import get_invoice
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.errors import FieldError
from tenancy.events import Happening, record_events
from tenancy.ids import uuid7


@dataclass(frozen=True, slots=True)
class Correction:
    """A credit note, issued or as it would be, and what it does to its invoice.

    Amounts of the note and its parts are below 0. ``credited_minor`` is what it takes off what is
    open; ``balance_minor`` is credit of the account that paid (R17). Both are 0 or more.
    """

    invoice: Invoice
    note: Invoice
    sections: list[InvoiceSection]
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]
    credited_minor: int
    balance_minor: int
    is_issued: bool = False


@dataclass(slots=True)
class _Stored:
    """An invoice with its sections and lines, and what is left of each line."""

    invoice: Invoice
    sections: list[InvoiceSection]
    lines: list[InvoiceLine]
    issued: list[IssuedLine] = field(default_factory=list)


@operation
def correct_invoice(
    actor: Actor,
    invoice_id: UUID,
    wanted: NewCorrection,
    *,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Correction:
    """Take an issued invoice back, whole or in part, by a credit note that is issued at once.

    It first lowers what is open of the invoice; the rest is credit of the account that paid. What
    is taken back is not charged again by itself: charges stay invoiced, and no run repeats them.
    Whoever corrects the same invoice meanwhile waits, and finds less left.

    Args:
        actor: who corrects.
        invoice_id: which invoice.
        wanted: what of it, and why.
        is_dry_run: check and compute everything, store nothing.
        require_seen: refuses if the invoice is not as the caller has seen it; asked under the lock.
        today: the tenant's date, which is the credit note's; that of the invoice if that is later.
        now: the instant.

    Raises:
        NotFound: the invoice is out of the actor's sight.
        Forbidden: the actor may not issue documents.
        InvoiceNotIssued, NotAnInvoice, NothingToCorrect, MoreThanLeft, AlreadyCorrected: see
            their texts.
        InvalidCorrection: a line or account is not on the invoice, or the reason is no reason.
        SellerIncomplete, NumberBeforeLast: as ``issue_drafts``.

    Source: docs/billing-rules.md, R6, R15, R17.
    """
    invoice = get_invoice(actor, invoice_id, lock=not is_dry_run)
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    if wanted.key is not None and _is_known(actor, wanted.key):
        raise AlreadyCorrected
    if require_seen is not None:
        require_seen()
    if invoice.kind != DocumentKind.INVOICE:
        raise NotAnInvoice
    if invoice.status in Invoice.UNISSUED:
        raise InvoiceNotIssued
    require_sellers(actor, {invoice.seller_id})
    stored = _stored(actor, invoice)
    chosen = _chosen(stored, wanted)
    taken = _taken(stored, chosen, wanted.amount_minor)
    correction = _composed(stored, taken, wanted, now)
    if is_dry_run:
        return correction
    return _issued(
        actor, correction, issue_date=max(today, cast(date, invoice.issue_date)), now=now
    )


def _is_known(actor: Actor, key: UUID) -> bool:
    return Invoice.objects.filter(tenant_id=actor.tenant_id, pk=key).exists()


def _stored(actor: Actor, invoice: Invoice) -> _Stored:
    """Read the parts of an invoice and what earlier credit notes took back. Three statements."""
    of_invoice = {"tenant_id": actor.tenant_id, "invoice": invoice}
    sections = list(InvoiceSection.objects.filter(**of_invoice).order_by("position"))
    lines = list(InvoiceLine.objects.filter(**of_invoice).order_by("position"))
    earlier = (
        InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice__corrects=invoice)
        .order_by()
        .values("corrects_id")
        .annotate(net=Sum("net_minor"), tax=Sum("tax_minor"))
    )
    taken = {row["corrects_id"]: (row["net"], row["tax"]) for row in earlier}
    places = {section.id: place for place, section in enumerate(sections)}
    return _Stored(
        invoice,
        sections,
        lines,
        [
            IssuedLine(
                section=places[line.section_id],
                tax=TaxGroupKey(Category(line.tax_category), line.tax_rate),
                net_minor=line.net_minor,
                taken_net_minor=-taken.get(line.id, (0, 0))[0],
                taken_tax_minor=-taken.get(line.id, (0, 0))[1],
            )
            for line in lines
        ],
    )


def _chosen(stored: _Stored, wanted: NewCorrection) -> Sequence[int]:
    """Return the places of the lines that are concerned.

    Raises:
        InvalidCorrection: see ``NewCorrection.faults``; or one of them is not on this invoice.
    """
    errors = [*wanted.faults()]
    chosen: Sequence[int] = range(len(stored.lines))
    if wanted.line_ids:
        places = {line.id: place for place, line in enumerate(stored.lines)}
        unknown = _("This invoice has no such line.")
        errors += [
            FieldError("not_found", unknown, f"/lines/{number}")
            for number, key in enumerate(wanted.line_ids)
            if key not in places
        ]
        chosen = sorted({places[key] for key in wanted.line_ids if key in places})
    elif wanted.account_id is not None:
        own = {one.id for one in stored.sections if one.account_id == wanted.account_id}
        if not own:
            detail = _("This invoice has no section of this account.")
            errors.append(FieldError("not_found", detail, "/section"))
        chosen = [place for place, line in enumerate(stored.lines) if line.section_id in own]
    if errors:
        raise InvalidCorrection(errors=errors)
    return chosen


def _taken(stored: _Stored, chosen: Sequence[int], amount_minor: int | None) -> Taken:
    """Return the amounts of the credit note.

    Raises:
        NothingToCorrect, MoreThanLeft: see their texts.
    """
    try:
        taken = take_back(stored.issued, shared_over(stored.issued, chosen, amount_minor))
    except NothingLeft:
        raise NothingToCorrect from None
    except MoreThanIsLeft:
        raise MoreThanLeft from None
    if taken.gross_minor > stored.invoice.gross_minor - stored.invoice.corrected_minor:
        raise MoreThanLeft
    return taken


def _composed(stored: _Stored, taken: Taken, wanted: NewCorrection, now: datetime) -> Correction:
    """Return the rows of a credit note; everything but its amounts is as on the invoice."""
    invoice = stored.invoice
    applied = min(taken.gross_minor, invoice.open_minor)
    lines = [stored.lines[one.place] for one in taken.lines]
    note = Invoice(
        id=wanted.key or uuid7(),
        tenant_id=invoice.tenant_id,
        kind=DocumentKind.CREDIT_NOTE,
        corrects_id=invoice.id,
        reason=wanted.reason.strip(),
        status=Invoice.Status.TO_APPROVE,
        period_start=min(line.period_start for line in lines),
        period_end=max(line.period_end for line in lines),
        net_minor=-taken.net_minor,
        tax_minor=-taken.tax_minor,
        gross_minor=-taken.gross_minor,
        section_count=len(taken.sections),
        line_count=len(taken.lines),
        snapshot=invoice.snapshot
        | {
            "corrects": {
                "number": invoice.number,
                "issue_date": f"{invoice.issue_date}",
                "credited_minor": applied,
                "balance_minor": taken.gross_minor - applied,
            }
        },
        created_at=now,
        **{name: getattr(invoice, name) for name in _AS_ON_INVOICE},
    )
    sections = {
        place: _section(note, number, stored.sections[place], *taken.sections[place])
        for number, place in enumerate(taken.sections, 1)
    }
    return Correction(
        invoice=invoice,
        note=note,
        sections=[*sections.values()],
        lines=[
            _line(
                note,
                number,
                sections[stored.issued[one.place].section],
                stored.lines[one.place],
                -one.net_minor,
                -one.tax_minor,
            )
            for number, one in enumerate(taken.lines, 1)
        ],
        taxes=[
            InvoiceTax(
                tenant_id=note.tenant_id,
                invoice_id=note.id,
                category=group.key.category.value,
                rate=group.key.rate,
                base_minor=-group.base_minor,
                tax_minor=-group.tax_minor,
            )
            for group in taken.groups
        ],
        credited_minor=applied,
        balance_minor=taken.gross_minor - applied,
    )


# What the invoice is found by finds what corrects it as well: its own number is among that.
_AS_ON_INVOICE: Final = (
    "seller_id",
    "bill_to_id",
    "payer_id",
    "service_owner_id",
    "currency",
    "payment_terms_days",
    "collection",
    "language",
    "po_number",
    "splits_by_po",
    "regime",
    "recipient_key",
    "search_names",
    "search_facts",
)


def _section(
    note: Invoice, number: int, section: InvoiceSection, net_minor: int, tax_minor: int
) -> InvoiceSection:
    return InvoiceSection(
        tenant_id=note.tenant_id,
        invoice_id=note.id,
        position=number,
        account_id=section.account_id,
        path=section.path,
        lineage=section.lineage,
        cost_centre=section.cost_centre,
        po_number=section.po_number,
        net_minor=-net_minor,
        tax_minor=-tax_minor,
        gross_minor=-net_minor - tax_minor,
    )


def _line(
    note: Invoice,
    number: int,
    section: InvoiceSection,
    line: InvoiceLine,
    net_minor: int,
    tax_minor: int,
) -> InvoiceLine:
    """Return the line that takes back of another.

    Of a whole line so much less was had, at its price; of a part, one amount is taken back.

    Source: EN 16931, BT-129 and BT-146: a price is never below 0.
    """
    quantity, unit_amount = -line.quantity, line.unit_amount
    if net_minor != -line.net_minor:
        amount = to_major(net_minor, note.currency)
        quantity, unit_amount = amount / abs(amount), abs(amount)
    return InvoiceLine(
        tenant_id=note.tenant_id,
        invoice_id=note.id,
        section_id=section.id,
        position=number,
        corrects_id=line.id,
        subscription_id=line.subscription_id,
        description=line.description,
        quantity=quantity,
        unit_amount=unit_amount,
        period_start=line.period_start,
        period_end=line.period_end,
        net_minor=net_minor,
        tax_minor=tax_minor,
        tax_category=line.tax_category,
        tax_rate=line.tax_rate,
    )


def _issued(actor: Actor, correction: Correction, *, issue_date: date, now: datetime) -> Correction:
    """Store, book, number and freeze a credit note; the number is taken last."""
    invoice, note = correction.invoice, correction.note
    insert_rows([note])
    insert_rows(correction.sections)
    insert_rows(correction.lines)
    insert_rows(correction.taxes)
    ledger.post_corrected(
        actor, note, credited_minor=correction.credited_minor, booked_on=issue_date, now=now
    )
    before = str(invoice.status)
    _settle(actor, correction)
    insert_rows([DocumentToMake(tenant_id=actor.tenant_id, invoice_id=note.id)])
    take_numbers(actor, [note], issue_date)
    freeze_documents(actor, [note], issue_date=issue_date, now=now)
    record_events(actor, _happenings(correction, before), now=now)
    return Correction(
        invoice,
        note,
        correction.sections,
        correction.lines,
        correction.taxes,
        correction.credited_minor,
        correction.balance_minor,
        is_issued=True,
    )


def _settle(actor: Actor, correction: Correction) -> None:
    """Lower what is open of the invoice, whose row is locked, and say how it stands now."""
    invoice, gross_minor = correction.invoice, -correction.note.gross_minor
    invoice.credited_minor += correction.credited_minor
    invoice.corrected_minor += gross_minor
    invoice.status = payment_state(
        invoice.gross_minor, invoice.paid_minor, invoice.credited_minor, invoice.corrected_minor
    )
    Invoice.objects.filter(tenant_id=actor.tenant_id, pk=invoice.pk).update(
        status=invoice.status,
        credited_minor=F("credited_minor") + correction.credited_minor,
        corrected_minor=F("corrected_minor") + gross_minor,
    )


def _happenings(correction: Correction, status_before: str) -> list[Happening]:
    invoice, note = correction.invoice, correction.note
    issued: Mapping[str, Any] = {
        "number": note.number,
        "gross_minor": note.gross_minor,
        "currency": note.currency,
        "corrects": invoice.public_id,
        "corrects_number": invoice.number,
        "reason": note.reason,
        "credited_minor": correction.credited_minor,
        "balance_minor": correction.balance_minor,
    }
    corrected: Mapping[str, Any] = {
        "number": invoice.number,
        "status": str(invoice.status),
        "open_minor": invoice.open_minor,
        "corrected_minor": invoice.corrected_minor,
        "currency": invoice.currency,
        "credit_note": note.public_id,
        "credit_note_number": note.number,
    }
    return [
        Happening("credit_note.issued", note.id, note.bill_to_id, after=issued, data=issued),
        Happening(
            "invoice.corrected",
            invoice.id,
            invoice.bill_to_id,
            before={"status": status_before},
            after=corrected,
            data=corrected,
        ),
    ]
