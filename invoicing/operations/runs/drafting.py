"""Drafting: from placed charges to stored drafts with sections, lines and tax."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.actor import Actor
from accounts.ids import public_id, uuid7
from accounts.models import Account, Seller, SettingName
from billing_rules.consolidation import ConsolidationKey
from billing_rules.drafting import (
    ChargeIn,
    Disposition,
    DocumentDraft,
    SectionDraft,
    disposition,
    draft_document,
)
from invoicing.models import (
    BillingRun,
    Charge,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
)
from invoicing.operations.runs.families import Families, Problem
from invoicing.operations.runs.placing import Document, Placed, hold_back, place_charges

MAX_LINES = 100_000
MAX_GROSS_MINOR = 10**15


@dataclass(slots=True)
class Drafts:
    """The rows of new drafts, and the charges that stand on them."""

    invoices: list[Invoice] = field(default_factory=list)
    sections: list[InvoiceSection] = field(default_factory=list)
    lines: list[InvoiceLine] = field(default_factory=list)
    taxes: list[InvoiceTax] = field(default_factory=list)
    charges: dict[UUID, list[Charge]] = field(default_factory=dict)

    def issuable(self, families: Families) -> list[Invoice]:
        """Return the drafts whose seller may issue."""
        return [invoice for invoice in self.invoices if families.can_issue(invoice.seller_id)]

    def issuable_charges(self, families: Families) -> Iterable[Charge]:
        """Return the charges of those drafts."""
        return chain.from_iterable(self.charges[invoice.id] for invoice in self.issuable(families))


def waiting_charges(families: Families, *, run_date: date) -> list[Charge]:
    """Return the pending charges of earlier days that stand on no document. One statement."""
    return list(
        Charge.objects.filter(
            tenant_id=families.actor.tenant_id,
            account_id__in=families.in_scope,
            status=Charge.Status.PENDING,
            invoice_on__lte=run_date,
        )
        .extra(  # constant text; the ORM has no reverse name for the line
            where=[
                "NOT EXISTS (SELECT FROM invoicing_invoiceline AS line"
                " WHERE line.tenant_id = invoicing_charge.tenant_id"
                " AND line.charge_id = invoicing_charge.id)"
            ]
        )
        .select_related("subscription")
        .order_by("id")
    )


def draft_documents(
    families: Families,
    run: BillingRun,
    *,
    new: Sequence[Charge],
    is_issuing: bool,
    now: datetime,
) -> Drafts:
    """Draft what is due, taking up drafts of the same run and key, and store all of it.

    Args:
        families: the families of this batch.
        run: the run; its date is the latest day taken.
        new: charges that rating just made; stored here, placed or not.
        is_issuing: the drafts are issued in this same transaction, so their charges are stored
            as invoiced at once.
        now: when the drafts were made.

    Returns:
        The new drafts; those that they replace are gone.

    Source: docs/billing-rules.md, R2, R12, R15, R16, R21.
    """
    actor = families.actor
    overtaken = _overtaken(families, run)
    waiting = [
        *waiting_charges(families, run_date=run.date),
        *_charges_of(actor, [draft.id for draft in overtaken]),
    ]
    due = [*waiting, *(charge for charge in new if charge.invoice_on <= run.date)]
    for charge in new:
        if charge.invoice_on > run.date:
            charge.reason = {
                "code": "pending",
                "due_date": charge.due_date.isoformat(),
                "invoice_on": charge.invoice_on.isoformat(),
            }
    documents = place_charges(families, due, run_date=run.date)
    replaced = _taken_up(families, run, documents) if documents else {}
    if replaced:
        extra = _charges_of(actor, replaced)
        documents = place_charges(families, [*due, *extra], run_date=run.date)
        waiting = [*waiting, *extra]
    drafts = _draft_all(families, run, documents, now)
    _delete_drafts(actor, [*replaced, *(draft.id for draft in overtaken)])
    if is_issuing:
        for charge in drafts.issuable_charges(families):
            charge.status = Charge.Status.INVOICED
    Charge.objects.bulk_create(new, batch_size=1_000)
    _store_placement(actor, waiting)
    Invoice.objects.bulk_create(drafts.invoices, batch_size=500)
    InvoiceSection.objects.bulk_create(drafts.sections, batch_size=2_000)
    InvoiceLine.objects.bulk_create(drafts.lines, batch_size=2_000)
    InvoiceTax.objects.bulk_create(drafts.taxes, batch_size=2_000)
    return drafts


# Where each charge of earlier days stands now, in one statement.
_PLACEMENT = """
    UPDATE invoicing_charge AS charge SET status = new.status, reason = new.reason
    FROM unnest(%s::uuid[], %s::text[], %s::jsonb[]) AS new (id, status, reason)
    WHERE charge.tenant_id = %s AND charge.id = new.id
"""


def _store_placement(actor: Actor, charges: Sequence[Charge]) -> None:
    if charges:
        columns = [
            [str(charge.id) for charge in charges],
            [charge.status for charge in charges],
            [json.dumps(charge.reason, ensure_ascii=False) for charge in charges],
        ]
        with connection.cursor() as cursor:
            cursor.execute(_PLACEMENT, [*columns, actor.tenant_id])


def _taken_up(
    families: Families, run: BillingRun, documents: Sequence[Document]
) -> dict[UUID, Invoice]:
    """Return the drafts of this run whose key a new document has."""
    drafts = Invoice.objects.select_for_update().filter(
        tenant_id=families.actor.tenant_id,
        run_id=run.id,
        status__in=Invoice.UNISSUED,
        # A document that lies outside the run's subtree is not made, so its draft stays.
        bill_to_id__in={document.bill_to_id for document in documents} & families.in_scope,
    )
    wanted = {_facts(document.key) for document in documents}
    return {
        draft.id: draft
        for draft in drafts
        if (
            draft.seller_id,
            draft.bill_to_id,
            draft.payer_id,
            draft.currency,
            draft.payment_terms_days,
            draft.collection,
            draft.service_owner_id,
            (draft.po_number or None) if draft.splits_by_po else None,
        )
        in wanted
    }


def _overtaken(families: Families, run: BillingRun) -> list[Invoice]:
    """Return drafts of earlier runs that can't be issued any more: their series went on.

    What stands on them is due, so it goes on a document of this run (R4, R6).
    """
    drafts = (
        Invoice.objects.select_for_update(of=("self",))
        .filter(
            tenant_id=families.actor.tenant_id,
            status__in=Invoice.UNISSUED,
            bill_to_id__in=families.in_scope,
            run__tenant_id=families.actor.tenant_id,
            run__date__lt=run.date,
        )
        .select_related("run")
        .order_by("id")
    )
    return [
        draft
        for draft in drafts
        if draft.run is not None and not families.can_number(draft.seller_id, draft.run.date)
    ]


def _facts(key: ConsolidationKey) -> tuple[Any, ...]:
    return (
        key.seller,
        key.bill_to,
        key.payer,
        key.currency,
        key.payment_terms_days,
        key.collection,
        key.service_owner,
        key.po_number,
    )


def _charges_of(actor: Actor, invoice_ids: Iterable[UUID]) -> list[Charge]:
    lines = InvoiceLine.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
    return list(
        Charge.objects.filter(tenant_id=actor.tenant_id, pk__in=lines.values("charge_id"))
        .select_related("subscription")
        .order_by("id")
    )


def _delete_drafts(actor: Actor, invoice_ids: Sequence[UUID]) -> None:
    """Take drafts away, parts first; the database refuses it for issued ones."""
    if invoice_ids:
        for model in (InvoiceLine, InvoiceSection, InvoiceTax):
            rows = model.objects.filter(tenant_id=actor.tenant_id, invoice_id__in=invoice_ids)
            rows._raw_delete(using="default")
        Invoice.objects.filter(tenant_id=actor.tenant_id, pk__in=invoice_ids).delete()


def _draft_all(
    families: Families, run: BillingRun, documents: Sequence[Document], now: datetime
) -> Drafts:
    drafts = Drafts()
    for document in hold_back(families, documents, run_date=run.date):
        numbers = draft_document(
            [_charge_in(placed) for placed in document.placed],
            families.position,
        )
        if disposition(numbers.gross_minor) is not Disposition.ISSUE:
            document.keep_pending("negative_total")
            continue
        if len(document.placed) > MAX_LINES or numbers.gross_minor > MAX_GROSS_MINOR:
            document.keep_pending("out_of_bounds")
            families.problems.append(Problem("out_of_bounds", document.bill_to_id))
            continue
        _Writer(families, run, document, numbers, now).write(drafts)
    return drafts


def _charge_in(placed: Placed) -> ChargeIn:
    charge = placed.charge
    return ChargeIn(
        id=charge.id,
        account_id=charge.account_id,
        net_minor=charge.net_minor,
        tax=placed.tax,
        sort=(
            charge.subscription.external_id or "",
            charge.subscription_id.int,
            charge.period_start,
        ),
    )


class _Writer:
    """Makes the rows of one document."""

    def __init__(
        self,
        families: Families,
        run: BillingRun,
        document: Document,
        numbers: DocumentDraft,
        now: datetime,
    ) -> None:
        self._families = families
        self._document = document
        self._numbers = numbers
        self._settings = families.on(document.day)
        self._placed = {placed.charge.id: placed for placed in document.placed}
        self._invoice = self._make_invoice(run, now)

    def write(self, drafts: Drafts) -> None:
        """Add the rows to ``drafts``."""
        drafts.invoices.append(self._invoice)
        drafts.charges[self._invoice.id] = [placed.charge for placed in self._document.placed]
        line_number = 0
        for place, section in enumerate(self._numbers.sections, start=1):
            row = self._section(place, section)
            drafts.sections.append(row)
            for charge_id in section.charges:
                line_number += 1
                drafts.lines.append(self._line(line_number, row, charge_id))
        drafts.taxes += [
            InvoiceTax(
                tenant_id=self._invoice.tenant_id,
                invoice_id=self._invoice.id,
                category=group.key.category.value,
                rate=group.key.rate,
                base_minor=group.base_minor,
                tax_minor=group.tax_minor,
            )
            for group in self._numbers.groups
        ]

    def _make_invoice(self, run: BillingRun, now: datetime) -> Invoice:
        key, families, settings = self._document.key, self._families, self._settings
        bill_to_id, charges = self._document.bill_to_id, [p.charge for p in self._document.placed]
        split = bool(settings.value(bill_to_id, SettingName.SPLIT_BY_PO))
        own_po = settings.value(bill_to_id, SettingName.PO_NUMBER)
        return Invoice(
            id=uuid7(),
            tenant_id=run.tenant_id,
            run_id=run.id,
            seller_id=key.seller,
            bill_to_id=bill_to_id,
            payer_id=key.payer,
            service_owner_id=key.service_owner,
            status=Invoice.Status.TO_APPROVE,
            period_start=min(charge.period_start for charge in charges),
            period_end=max(charge.period_end for charge in charges),
            currency=key.currency,
            payment_terms_days=key.payment_terms_days,
            collection=key.collection,
            language=settings.value(bill_to_id, SettingName.LANGUAGE),
            po_number=(key.po_number if split else own_po) or "",
            splits_by_po=split,
            regime=self._document.decision.regime.value,
            net_minor=self._numbers.net_minor,
            tax_minor=self._numbers.tax_minor,
            gross_minor=self._numbers.gross_minor,
            section_count=len(self._numbers.sections),
            line_count=len(charges),
            snapshot=_snapshot(families, self._document),
            created_at=now,
        )

    def _section(self, place: int, section: SectionDraft) -> InvoiceSection:
        settings, account_id = self._settings, section.account_id
        po_numbers = {
            self._placed[charge_id].charge.subscription.po_number for charge_id in section.charges
        }
        own_po = settings.value(account_id, SettingName.PO_NUMBER) or ""
        return InvoiceSection(
            id=uuid7(),
            tenant_id=self._invoice.tenant_id,
            invoice_id=self._invoice.id,
            position=place,
            account_id=account_id,
            path=self._families.path(self._document.bill_to_id, account_id),
            cost_centre=settings.value(account_id, SettingName.COST_CENTRE) or "",
            po_number=(po_numbers.pop() or own_po) if len(po_numbers) == 1 else own_po,
            net_minor=section.net_minor,
            tax_minor=section.tax_minor,
            gross_minor=section.gross_minor,
        )

    def _line(self, number: int, section: InvoiceSection, charge_id: UUID) -> InvoiceLine:
        placed = self._placed[charge_id]
        charge = placed.charge
        quantity, unit_amount = _shown(charge.calculation)
        return InvoiceLine(
            tenant_id=self._invoice.tenant_id,
            invoice_id=self._invoice.id,
            section_id=section.id,
            position=number,
            charge_id=charge.id,
            subscription_id=charge.subscription_id,
            description=charge.calculation["price"]["name"],
            quantity=quantity,
            unit_amount=unit_amount,
            period_start=charge.period_start,
            period_end=charge.period_end,
            net_minor=charge.net_minor,
            tax_category=placed.tax.category.value,
            tax_rate=placed.tax.rate,
        )


def _shown(calculation: Any) -> tuple[Decimal, Decimal | None]:
    """Return quantity and unit price as a line shows them.

    Where one step without a flat amount made the price, quantity times unit price is the price
    of the full period; otherwise there is no single unit price.
    """
    steps = calculation["steps"]
    if len(steps) == 1 and Decimal(steps[0]["flat_amount"]) == 0:
        return Decimal(steps[0]["quantity"]), Decimal(steps[0]["unit_amount"])
    return Decimal(calculation["quantity"]), None


def _snapshot(families: Families, document: Document) -> dict[str, Any]:
    """Return the names, addresses and bank details used, kept with the document (R21)."""
    seller = families.sellers[document.key.seller]
    payer = families.accounts[document.key.payer]
    return {
        "seller": _seller(seller),
        "bill_to": _account(families.accounts[document.bill_to_id]),
        "payer": _account(payer),
        "is_test": seller.is_placeholder or families.is_sandbox,
        "tax_reason": document.decision.reason,
        "tenant": {"name": families.tenant_name},
    }


def _seller(seller: Seller) -> dict[str, str]:
    return {
        name: getattr(seller, name)
        for name in (
            "name",
            "line1",
            "line2",
            "postal_code",
            "city",
            "country",
            "vat_id",
            "tax_number",
            "register_entry",
            "directors",
            "email",
            "iban",
            "bic",
            "bank_name",
        )
    }


def _account(account: Account) -> dict[str, str | None]:
    return {
        "id": public_id("acc", account.id),
        "external_id": account.external_id,
        **{
            name: getattr(account, name)
            for name in (
                "name",
                "legal_name",
                "line1",
                "line2",
                "postal_code",
                "city",
                "region",
                "country",
                "vat_id",
                "email",
            )
        },
    }
