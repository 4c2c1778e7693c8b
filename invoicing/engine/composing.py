"""Composing: the rows of one draft, from placed charges and the numbers of the rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.utils import translation

from accounts.models import Account, BankAccount, Seller, SettingName
from billing_rules.drafting import (
    DocumentDraft,
    SectionDraft,
)
from billing_rules.ordering import sort_key
from billing_rules.searching import search_key
from invoicing.engine.families import Families
from invoicing.engine.hashing import content_hash
from invoicing.engine.matching import matched
from invoicing.engine.numbering import numbered
from invoicing.engine.placing import Placed, PlacedDocument
from invoicing.engine.rows import ChargeRow, LineRow, SectionRow
from invoicing.models import (
    BillingRun,
    Charge,
    Invoice,
    InvoiceTax,
)
from invoicing.words.charges import named_as
from tenancy.formats import language_of
from tenancy.ids import public_id, uuid7, uuid7s

_SETUP: Final = Charge.Kind.SETUP.value


@dataclass(slots=True)
class Drafts:
    """Drafts in document order, the rows of those to be stored, and the charges of all.

    ``kept`` are drafts of before that say the same as one that was just composed: they stay.
    ``taken_from`` are the earlier runs whose drafts were taken up.
    """

    invoices: list[Invoice] = field(default_factory=list)
    sections: list[SectionRow] = field(default_factory=list)
    lines: list[LineRow] = field(default_factory=list)
    taxes: list[InvoiceTax] = field(default_factory=list)
    charges: dict[UUID, list[ChargeRow]] = field(default_factory=dict)
    kept: dict[UUID, Invoice] = field(default_factory=dict)
    taken_from: set[UUID] = field(default_factory=set)

    @property
    def made(self) -> list[Invoice]:
        """The drafts that are new or say something else than before."""
        return [invoice for invoice in self.invoices if invoice.id not in self.kept]

    def add(self, other: "Drafts") -> None:
        """Take over what was composed."""
        self.invoices += other.invoices
        self.sections += other.sections
        self.lines += other.lines
        self.taxes += other.taxes
        self.charges |= other.charges

    def keep(self, earlier: Invoice, charges: list[ChargeRow]) -> None:
        """Let a draft of before stand for what was composed."""
        self.invoices.append(earlier)
        self.kept[earlier.id] = earlier
        self.charges[earlier.id] = charges

    def issuable(self, families: Families) -> list[Invoice]:
        """Return the drafts whose seller may issue."""
        return [invoice for invoice in self.invoices if families.can_issue(invoice.seller_id)]

    def issuable_charges(self, families: Families) -> Iterable[ChargeRow]:
        """Return the charges of those drafts."""
        return chain.from_iterable(self.charges[invoice.id] for invoice in self.issuable(families))


def compose_documents(
    families: Families,
    run: BillingRun,
    documents: Sequence[PlacedDocument],
    earlier: Sequence[Invoice],
    numbered_on: date | None,
    now: datetime,
) -> Drafts:
    """Compose every document; one that an earlier draft becomes keeps that draft's id."""
    found = list(numbered(families, documents, run_date=numbered_on))
    before = matched([document.key for document, _numbers in found], earlier)
    drafts, shown = Drafts(), Shown()
    for document, numbers in found:
        draft = before.get(document.key)
        invoice_id = draft.id if draft else uuid7()
        composed = Composer(families, run, document, numbers, now, invoice_id, shown).compose()
        (invoice,) = composed.invoices
        if draft and draft.content_hash == invoice.content_hash:
            drafts.keep(draft, composed.charges[invoice.id])
        else:
            drafts.add(composed)
    return drafts


class Composer:
    """Makes the rows of one document."""

    def __init__(
        self,
        families: Families,
        run: BillingRun,
        document: PlacedDocument,
        numbers: DocumentDraft,
        now: datetime,
        invoice_id: UUID,
        shown: "Shown",
    ) -> None:
        """Take the document's charges, and the numbers that the rules computed from them.

        ``invoice_id`` is that of the draft which it replaces, or a new one.
        """
        self._shown = shown
        self._invoice_id = invoice_id
        self._families = families
        self._document = document
        self._numbers = numbers
        self._settings = families.on(document.day)
        self._placed = {placed.charge.id: placed for placed in document.placed}
        self._invoice = self._make_invoice(run, now)

    def compose(self) -> Drafts:
        """Return the rows of this one document, its content's digest included."""
        drafts = Drafts()
        self._write(drafts)
        self._invoice.search_facts = search_key(self._facts(drafts.sections))
        self._invoice.content_hash = content_hash(
            self._invoice, drafts.sections, drafts.lines, drafts.taxes
        )
        return drafts

    def _write(self, drafts: Drafts) -> None:
        drafts.invoices.append(self._invoice)
        drafts.charges[self._invoice.id] = [placed.charge for placed in self._document.placed]
        lines = enumerate(uuid7s(len(self._placed)), start=1)
        for place, section in enumerate(self._numbers.sections, start=1):
            row = self._section(place, section)
            drafts.sections.append(row)
            for charge_id, (number, line_id) in zip(section.charges, lines, strict=False):
                drafts.lines.append(self._line(line_id, number, row, self._placed[charge_id]))
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
        po_number = (key.po_number if split else own_po) or ""
        bill_to = families.accounts[bill_to_id]
        return Invoice(
            id=self._invoice_id,
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
            po_number=po_number,
            splits_by_po=split,
            regime=self._document.decision.regime.value,
            net_minor=self._numbers.net_minor,
            tax_minor=self._numbers.tax_minor,
            gross_minor=self._numbers.gross_minor,
            section_count=len(self._numbers.sections),
            line_count=len(charges),
            snapshot=_snapshot(families, self._document),
            recipient_key=sort_key(bill_to.name),
            search_names=search_key([bill_to.name]),
            created_at=now,
        )

    def _facts(self, sections: Iterable[SectionRow]) -> Iterator[str | None]:
        """Yield what the document is found by, but its recipient and number; each once."""
        bill_to = self._families.accounts[self._document.bill_to_id]
        yield from (bill_to.external_id, bill_to.legal_name, bill_to.vat_id)
        charges = [placed.charge for placed in self._document.placed]
        orders = {section.po_number for section in sections}
        orders |= {charge.order_number for charge in charges}
        yield from sorted({self._invoice.po_number, *orders})
        yield from sorted({charge.calculation["price"]["name"] for charge in charges})

    def _section(self, place: int, section: SectionDraft) -> SectionRow:
        settings, account_id = self._settings, section.account_id
        po_numbers = {self._placed[charge_id].charge.order_number for charge_id in section.charges}
        own_po = settings.value(account_id, SettingName.PO_NUMBER) or ""
        return SectionRow(
            id=uuid7(),
            invoice_id=self._invoice.id,
            position=place,
            account_id=account_id,
            path=self._families.path(self._document.bill_to_id, account_id),
            lineage=self._families.lineage(self._document.bill_to_id, account_id),
            cost_centre=settings.value(account_id, SettingName.COST_CENTRE) or "",
            po_number=(po_numbers.pop() or own_po) if len(po_numbers) == 1 else own_po,
            net_minor=section.net_minor,
            tax_minor=section.tax_minor,
            gross_minor=section.gross_minor,
        )

    def _line(self, line_id: UUID, number: int, section: SectionRow, placed: Placed) -> LineRow:
        charge, tax = placed.charge, placed.tax
        quantity, unit_amount = self._shown.of(charge.calculation)
        return LineRow(
            line_id,
            self._invoice.id,
            section.id,
            number,
            charge.id,
            charge.subscription_id,
            self._described(charge),
            quantity,
            unit_amount,
            charge.period_start,
            charge.period_end,
            charge.net_minor,
            tax.category.value,
            tax.rate,
        )

    def _described(self, charge: ChargeRow) -> str:
        """Return what a line is called, in the document's language."""
        if charge.kind != _SETUP and "commitment" not in charge.calculation:
            return str(charge.calculation["price"]["name"])
        with translation.override(language_of(self._invoice.language)):
            return named_as(charge.kind, charge.calculation)


class Shown:
    """Tells quantity and unit price as a line shows them; of the same price and quantity once."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[tuple[int, bool], tuple[Decimal, Decimal | None]] = {}

    def of(self, calculation: Mapping[str, Any]) -> tuple[Decimal, Decimal | None]:
        """Return quantity and unit price, None where there is no single one.

        Where one step without a flat amount or a minimum made the price, quantity times unit price
        is the price of the full period. What is taken back is had so much less: its quantity is
        negative, prices never are (BR-27).

        Source: EN 16931, BT-129 and BT-146.
        """
        # The charges that are drafted keep their steps alive, so an address names them.
        key = id(calculation["steps"]), "credited" in calculation
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _shown(calculation)
        return found


def _shown(calculation: Mapping[str, Any]) -> tuple[Decimal, Decimal | None]:
    steps, sign = calculation["steps"], -1 if "credited" in calculation else 1
    if len(steps) == 1 and "minimum" not in calculation and Decimal(steps[0]["flat_amount"]) == 0:
        return sign * Decimal(steps[0]["quantity"]), Decimal(steps[0]["unit_amount"])
    return sign * Decimal(calculation["quantity"]), None


def _snapshot(families: Families, document: PlacedDocument) -> dict[str, Any]:
    """Return the names, addresses and bank details used, kept with the document (R21)."""
    seller = families.sellers[document.key.seller]
    payer = families.accounts[document.key.payer]
    return {
        "seller": _seller(families, seller, document.key.currency),
        "bill_to": _account(families.accounts[document.bill_to_id]),
        "payer": _account(payer),
        "is_test": seller.is_placeholder or families.is_sandbox,
        "tax_reason": document.decision.reason,
        "tenant": {"name": families.tenant_name},
    }


def _seller(families: Families, seller: Seller, currency: str) -> dict[str, str]:
    """Return the seller with the account that takes money of the document's currency, if any."""
    banks: Seller | BankAccount | None = (
        seller if seller.currency == currency else families.bank_accounts.get((seller.id, currency))
    )
    bank = {name: getattr(banks, name, "") for name in ("iban", "bic", "bank_name")}
    return bank | {
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
