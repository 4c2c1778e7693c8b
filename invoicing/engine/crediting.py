"""Crediting: what was charged for days on which another is invoiced goes back, and over to it."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from billing_rules.settling import Charged, since
from invoicing.engine.families import Families, Parties
from invoicing.engine.rating import invoice_day, invoice_day_of
from invoicing.engine.rows import ChargeRow
from invoicing.engine.settling import charged_so_far, credit_of
from invoicing.engine.what_if import Crediting, WhatIf
from invoicing.models import Charge
from tenancy.ids import public_id, uuid7


@dataclass(frozen=True, slots=True)
class Billed:
    """A charge or a credit, and where it stands.

    Attributes:
        charge: as it was made.
        owner_id: whose its item is now; a duplicate's may have become another's.
        parties: of the document that was made of it; None of what is pending still: who is
            invoiced for that, the settings of its day say.
        document: id and number of the issued document, None where there is none yet.
    """

    charge: ChargeRow
    owner_id: UUID
    parties: Parties | None = None
    document: tuple[UUID, str] | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Some days that were charged to one and are another's: the credit and the charge.

    Attributes:
        credit: names whose it is.
        charge: of as much.
        before: who was invoiced and paid.
        after: who is invoiced and pays.
        document: on which the days were invoiced, None where they are on no issued one yet.
    """

    credit: ChargeRow
    charge: ChargeRow
    before: Parties
    after: Parties
    document: tuple[UUID, str] | None


@dataclass(frozen=True, slots=True)
class MadeOver:
    """What a change does to what is charged.

    Attributes:
        transfers: what is credited and charged, in the order of the items' ids and days.
        kept: credits that wait already, and stay theirs whose charges they take back.
    """

    transfers: Sequence[Transfer] = ()
    kept: Sequence[ChargeRow] = ()


def made_over(
    stored: Families, changed: Families, what_if: WhatIf, billed: Iterable[Billed], *, today: date
) -> MadeOver:
    """Return what a change credits to those who were charged, and charges to those who come.

    It is about days from the change on, of accounts or a subscription whose bill-to or payer the
    change makes another: whatever stands charged for them with someone else than who is invoiced
    then. What is pending and resolved on the day of the change or later follows by itself, but for
    credits: they stay with who was charged what they take back.

    Args:
        stored: the families as they are, as of the day of the change.
        changed: the same as they are then.
        what_if: the change; its ``crediting`` says of whom.
        billed: all charges and credits of the periods that end after the day.
        today: nothing falls due before.

    Source: docs/billing-rules.md, Change plans.
    """
    if what_if.crediting is None:
        return MadeOver()
    by_item: dict[UUID, list[Billed]] = defaultdict(list)
    for one in billed:
        if one.charge.item_id is not None:
            by_item[one.charge.item_id].append(one)
    maker = _Maker(stored, changed, what_if, what_if.crediting, today)
    items = [by_item[item_id] for item_id in sorted(by_item)]
    return MadeOver(
        [made for some in items for made in maker.of_item(some)],
        [credit for some in items for credit in maker.kept(some)],
    )


class _Maker:
    """Makes the transfers of one item after another."""

    def __init__(
        self,
        stored: Families,
        changed: Families,
        what_if: WhatIf,
        crediting: Crediting,
        today: date,
    ) -> None:
        self._stored, self._changed = stored, changed
        self._what_if, self._crediting, self._today = what_if, crediting, today

    def of_item(self, billed: Sequence[Billed]) -> Iterator[Transfer]:
        """Yield what is credited and charged of one item, in the order of days."""
        known: Mapping[Hashable, Billed] = {one.charge.id: one for one in billed}
        charges = [one.charge for one in billed]
        revision = 1 + max(charge.revision for charge in charges)
        currency = charges[0].currency
        for piece in since(charged_so_far(charges), self._crediting.day, currency):
            made = self._transfer(known[piece.charge], piece, revision)
            if made is not None:
                yield made

    def kept(self, billed: Sequence[Billed]) -> Iterator[ChargeRow]:
        """Yield the pending credits of one item that would go to somebody else by the change."""
        known = {one.charge.id: one for one in billed}
        for one in billed:
            credit, earlier = one.charge, known.get(one.charge.credited_id or one.charge.id)
            is_free = credit.credited_id is not None and credit.bill_to_id is None
            is_settled = bool(one.parties) or credit.is_offset
            if is_settled or not is_free or credit.invoice_on < self._crediting.day:
                continue
            before = earlier and (earlier.parties or self._pending(earlier.charge))
            if before and self._is_other(one, credit.invoice_on, before):
                yield replace(credit, bill_to_id=before[0], payer_id=before[1])

    def _is_other(self, billed: Billed, day: date, before: Parties) -> bool:
        """Return whether on a day, and by the change, others have an item than had a charge."""
        charge = replace(billed.charge, account_id=billed.owner_id)
        (owed,) = self._what_if.readdressed([charge])
        after = _parties(self._changed, owed, day)
        return after not in (before, _parties(self._stored, charge, day))

    def _transfer(self, billed: Billed, piece: Charged, revision: int) -> Transfer | None:
        """Return what becomes of one piece; None where it stays, or costs nothing."""
        (owed,) = self._what_if.readdressed([replace(billed.charge, account_id=billed.owner_id)])
        due_date = max(piece.period.start, self._today)
        day = invoice_day(self._changed, owed, due_date)
        before = billed.parties or self._pending(billed.charge)
        if before is None or not piece.net_minor or not self._is_other(billed, day, before):
            return None
        after = _parties(self._changed, owed, day)
        credit = credit_of(
            billed.charge,
            piece,
            revision,
            due_date=due_date,
            invoice_on=invoice_day_of(self._changed, before[0], due_date),
        )
        credit.bill_to_id, credit.payer_id = before
        credit.subscription = owed.subscription
        charge = _charge(billed.charge, owed, piece, revision)
        charge.due_date, charge.invoice_on = due_date, day
        return Transfer(credit, charge, before, after, billed.document)

    def _pending(self, charge: ChargeRow) -> Parties | None:
        """Return to whom a pending charge is invoiced, None where its day is to come."""
        if charge.invoice_on >= self._crediting.day:
            return None
        return _parties(self._stored, charge, charge.invoice_on)


def _parties(families: Families, charge: ChargeRow, day: date) -> Parties:
    return families.parties(charge.account_id, charge.override_on(day), day)


def _charge(charge: ChargeRow, owed: ChargeRow, piece: Charged, revision: int) -> ChargeRow:
    """Return a pending charge for as much as is credited of another one."""
    part = piece.period
    calculation = {
        **charge.calculation,
        "period": {"start": part.start.isoformat(), "end": part.end.isoformat()},
        "days": part.days,
        "net_minor": piece.net_minor,
        "taken_over": {
            "charge": public_id("chg", charge.id),
            "period": charge.calculation["period"],
            "net_minor": charge.net_minor,
        },
    }
    return replace(
        owed,
        id=uuid7(),
        kind=Charge.Kind.RECURRING.value,
        revision=revision,
        period_start=part.start,
        period_end=part.end,
        net_minor=piece.net_minor,
        calculation=calculation,
        status=Charge.Status.PENDING.value,
        reason={},
        held_until=None,
        credited_id=None,
        bill_to_id=None,
        payer_id=None,
    )
