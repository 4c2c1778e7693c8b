"""Placing: which pending charge goes on which document, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from accounts.models import SettingName
from billing_rules.consolidation import Consolidation, ConsolidationKey, key_of, parts_apart
from billing_rules.money import plain_digits
from billing_rules.tax import TaxDecision, TaxGroupKey, group_key
from billing_rules.tax_rates import Rate
from billing_rules.territories import tax_area
from invoicing.engine.families import Families, Parties, Problem
from invoicing.engine.offsetting import offset_among, set_aside
from invoicing.engine.rows import ChargeRow

# Bill-to and payer, each with the account whose setting decided it.
_Deciders = tuple[tuple[UUID, UUID | None], tuple[UUID, UUID | None]]


@dataclass(slots=True)
class Placed:
    """A charge with its tax group."""

    charge: ChargeRow
    tax: TaxGroupKey


@dataclass(slots=True)
class PlacedDocument:
    """The charges of one consolidation key, before they are summed up.

    ``day`` is the latest ``invoice_on`` among them: what is read at the bill-to is read for it.
    """

    key: ConsolidationKey
    decision: TaxDecision
    day: date
    placed: list[Placed] = field(default_factory=list)

    @property
    def bill_to_id(self) -> UUID:
        """The account it is addressed to."""
        return self.key.bill_to

    def keep_pending(self, problem: str, **params: object) -> None:
        """Say of each charge that it waits, and for what; ``params`` are named by the sentence."""
        for placed in self.placed:
            placed.charge.reason = {
                **placed.charge.reason,
                "code": "pending",
                "problem": problem,
                "params": params,
                "run_date": None,
            }

    def leave_out_offset(self) -> None:
        """Leave out what was taken back as a whole, with what takes it back."""
        if all(placed.charge.credited_id is None for placed in self.placed):
            return
        gone = offset_among(placed.charge for placed in self.placed)
        if not gone:
            return
        for placed in self.placed:
            if placed.charge.id in gone:
                set_aside(placed.charge)
        self.placed = [placed for placed in self.placed if placed.charge.id not in gone]
        self.day = max((placed.charge.invoice_on for placed in self.placed), default=self.day)


def place_charges(
    families: Families, charges: Iterable[ChargeRow], *, run_date: date
) -> list[PlacedDocument]:
    """Group charges by consolidation key and write into each why it is where it is.

    Bill-to, payer and settings are resolved as of each charge's ``invoice_on`` (R21). A credit
    that names its bill-to and payer goes to them, with what else they are invoiced. A charge whose
    tax can't be told stays pending and is noted. What was taken back as a whole is on no document:
    charge and credits become ``offset`` where they would have stood on the same one.

    Args:
        families: the families of this batch.
        charges: not invoiced ones with ``invoice_on`` up to the run's date.
        run_date: named in the reason.

    Returns:
        Documents in the order of their bill-to's path, then currency.

    Source: docs/billing-rules.md, R1, R9 to R12, R14, R21; docs/billing-rules.md, Changes.
    """
    placer = _Placer(families, run_date)
    for charge in charges:
        placer.place(charge)
    placer.leave_out_offset()
    placer.tell_apart()
    return sorted(placer.documents, key=lambda document: _order(families, document.key))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where charges go that have the same owner, day and whatever else decides it."""

    document: PlacedDocument
    decided_by: _Deciders


@dataclass(frozen=True, slots=True)
class _Taxed:
    """What charges of one place share whose tax is the same for the same reason."""

    key: TaxGroupKey
    reason: dict[str, object]


class _Placer:
    """Places one charge after another; what holds for the next one too is not asked again."""

    def __init__(self, families: Families, run_date: date) -> None:
        self._families = families
        self._run_date = run_date
        self._places: dict[tuple[object, ...], _Place] = {}
        self._taxed: dict[tuple[object, ...], tuple[_Place, _Taxed | None]] = {}
        self._warned: set[tuple[str, UUID]] = set()
        self._drafted: dict[ConsolidationKey, PlacedDocument] = {}

    @property
    def documents(self) -> list[PlacedDocument]:
        """Those that charges stand on."""
        return [document for document in self._drafted.values() if document.placed]

    def leave_out_offset(self) -> None:
        """Leave out of each document what was taken back as a whole."""
        for document in self.documents:
            document.leave_out_offset()

    def tell_apart(self) -> None:
        """Write into each reason what sets its document apart from others of its recipient."""
        apart = parts_apart(document.key for document in self.documents)
        for place, taxed in self._taxed.values():
            if taxed is not None:
                taxed.reason["apart"] = apart.get(place.document.key, [])

    def place(self, charge: ChargeRow) -> None:
        """Put a charge on its document, or note that its tax can't be told."""
        where = self._where(charge)
        facts = (where, charge.due_date, charge.tax_class, charge.period_end)
        found = self._taxed.get(facts)
        if found is None:
            place = self._place(charge, where)
            found = self._taxed[facts] = place, self._tax(charge, place)
        place, taxed = found
        if taxed is None:
            self._families.problems.append(
                Problem("tax_rate_unknown", charge.account_id, charge.subscription_id)
            )
            charge.reason = _without_rate(self._families, charge, place.decided_by)
            return
        document = place.document
        charge.reason = taxed.reason
        if document.day < charge.invoice_on:
            document.day = charge.invoice_on
        document.placed.append(Placed(charge, taxed.key))

    def _tax(self, charge: ChargeRow, place: _Place) -> _Taxed | None:
        """Return the tax of a charge and why it is where it is; None if it can't be told."""
        families, document = self._families, place.document
        rate = _rate(families, charge, document.key)
        if rate is None:
            return None
        tax = group_key(document.decision, rate.category, rate.percent)
        reason = _reason(families, charge, document.key, place.decided_by, self._run_date)
        reason["tax"] = _tax(families, charge, document, tax, rate)
        _warn(families, charge, document.bill_to_id, document.decision, self._warned)
        return _Taxed(tax, reason)

    @staticmethod
    def _where(charge: ChargeRow) -> tuple[object, ...]:
        """Return all of a charge that decides on which document it stands."""
        return (
            charge.account_id,
            charge.override_on(charge.invoice_on),
            charge.order_number,
            charge.invoice_on,
            charge.currency,
            charge.bill_to_id,
            charge.payer_id,
        )

    def _place(self, charge: ChargeRow, where: tuple[object, ...]) -> _Place:
        if where not in self._places:
            key, decided_by = _key(self._families, charge)
            self._families.judged |= {charge.account_id, key.bill_to}
            self._places[where] = _Place(self._document(key, charge.invoice_on), decided_by)
        return self._places[where]

    def _document(self, key: ConsolidationKey, day: date) -> PlacedDocument:
        """Return the document of a key; it counts once a charge stands on it."""
        if key not in self._drafted:
            decision = self._families.tax_decision(key.seller, key.bill_to)
            self._drafted[key] = PlacedDocument(key, decision, day)
        return self._drafted[key]


def _order(families: Families, key: ConsolidationKey) -> tuple[object, ...]:
    return (
        families.position[key.bill_to],
        key.currency,
        -1 if key.service_owner is None else families.position[key.service_owner],
        key.po_number or "",
        str(key.seller),
        str(key.payer),
        key.payment_terms_days,
        key.collection,
    )


def _key(families: Families, charge: ChargeRow) -> tuple[ConsolidationKey, _Deciders]:
    """Return the key of a charge, and who decided its bill-to and its payer."""
    settings, owner = families.on(charge.invoice_on), charge.account_id
    bill_to = families.bill_to(owner, charge.override_on(charge.invoice_on), charge.invoice_on)
    payer = settings.payers[bill_to[0]]
    if (own := _own_parties(charge)) is not None and own != (bill_to[0], payer[0]):
        # It joins what else its recipient is invoiced: its account may have gone elsewhere.
        bill_to, payer, owner = (own[0], None), (own[1], None), own[0]
    po_number = charge.order_number or settings.value(owner, SettingName.PO_NUMBER)
    key = key_of(
        seller=families.seller_of(settings, bill_to[0]),
        bill_to=bill_to[0],
        payer=payer[0],
        service_owner=owner,
        currency=charge.currency,
        payment_terms_days=int(settings.value(bill_to[0], SettingName.PAYMENT_TERMS_DAYS)),
        collection=str(settings.value(payer[0], SettingName.COLLECTION)),
        consolidation=Consolidation(settings.value(owner, SettingName.CONSOLIDATION)),
        split_by_po=bool(settings.value(bill_to[0], SettingName.SPLIT_BY_PO)),
        po_number=po_number,
    )
    return key, (bill_to, payer)


def _own_parties(charge: ChargeRow) -> Parties | None:
    """Return who a credit is for, whoever is invoiced by then; None of everything else."""
    if charge.bill_to_id is None or charge.payer_id is None:
        return None
    return charge.bill_to_id, charge.payer_id


def _last_day_of(charge: ChargeRow) -> date:
    """Return the last day of service: the end of a period is not part of it."""
    return date.fromordinal(charge.period_end.toordinal() - 1)


def _rate(families: Families, charge: ChargeRow, key: ConsolidationKey) -> Rate | None:
    """Return the seller's rate on the last day of service (R14)."""
    return families.rate(key.seller, charge.tax_class, _last_day_of(charge))


def _tax(
    families: Families, charge: ChargeRow, document: PlacedDocument, tax: TaxGroupKey, rate: Rate
) -> dict[str, object]:
    """Return what decided the tax; the rate's validity where a rate of the country applies."""
    is_domestic = tax.category is rate.category and tax.rate == rate.percent
    buyer = families.accounts[document.bill_to_id]
    return {
        "reason": document.decision.reason,
        "category": tax.category.value,
        "rate": plain_digits(tax.rate),
        "seller_country": families.sellers[document.key.seller].country,
        "buyer_country": buyer.country,
        "buyer_territory": tax_area(buyer.country, buyer.postal_code).territory,
        "decided_on": _last_day_of(charge).isoformat(),
        "valid_from": rate.valid_from.isoformat() if is_domestic else None,
        "valid_to": rate.valid_to.isoformat() if is_domestic and rate.valid_to else None,
    }


def _without_rate(
    families: Families, charge: ChargeRow, decided_by: _Deciders
) -> dict[str, object]:
    """Return why a charge waits whose seller knows no tax rate for it."""
    (bill_to_id, bill_to_by), _payer = decided_by
    return {
        "code": "pending",
        "problem": "tax_rate_unknown",
        "params": {"day": _last_day_of(charge).isoformat()},
        "due_date": charge.due_date.isoformat(),
        "invoice_on": charge.invoice_on.isoformat(),
        "run_date": None,
        "bill_to": _party(families, bill_to_id, bill_to_by),
    }


def _party(families: Families, account_id: UUID, by: UUID | None) -> dict[str, object]:
    return {**(families.reference(account_id) or {}), "decided_by": families.reference(by)}


def _reason(
    families: Families,
    charge: ChargeRow,
    key: ConsolidationKey,
    decided_by: _Deciders,
    run_date: date,
) -> dict[str, object]:
    """Return why the charge stands where it stands: a code and values, put in words later."""
    (bill_to_id, bill_to_by), (payer_id, payer_by) = decided_by
    if _own_parties(charge) is not None:
        code = "credited"
    elif key.service_owner is not None:
        code = "per_account"
    elif bill_to_id == charge.account_id:
        code = "own_invoice"
    else:
        code = "consolidated"
    settings = families.on(charge.invoice_on)
    return {
        "code": code,
        "due_date": charge.due_date.isoformat(),
        "invoice_on": charge.invoice_on.isoformat(),
        "billing_day": settings.value(bill_to_id, SettingName.BILLING_DAY),
        "run_date": run_date.isoformat(),
        "po_number": key.po_number,
        "currency": key.currency,
        "bill_to": _party(families, bill_to_id, bill_to_by),
        "payer": _party(families, payer_id, payer_by),
    }


def _warn(
    families: Families,
    charge: ChargeRow,
    bill_to_id: UUID,
    decision: TaxDecision,
    warned: set[tuple[str, UUID]],
) -> None:
    """Note once per account what does not stop a document but wants looking at (R1, R14)."""
    party_id = families.accounts[charge.account_id].contract_party_id
    if charge.bill_to_id is None and party_id not in (None, bill_to_id):
        _warn_once(families, "bill_to_not_contract_party", charge.account_id, warned)
    if decision.warning:
        _warn_once(families, decision.warning, bill_to_id, warned)


def _warn_once(
    families: Families, code: str, account_id: UUID, warned: set[tuple[str, UUID]]
) -> None:
    if (code, account_id) not in warned:
        warned.add((code, account_id))
        families.problems.append(Problem(code, account_id, is_warning=True))
