"""Settling: what items should have been charged by now, minus what they were."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing_rules.money import plain_digits
from billing_rules.periods import Period
from billing_rules.settling import Charged, Credited, Owed, settle, standing
from invoicing.engine.calculations import Calculations
from invoicing.engine.commitments import is_beside, least_minor, taken_back, true_up, used_minor
from invoicing.engine.families import Families
from invoicing.engine.measuring import window_of
from invoicing.engine.pooling import Part, Pooling
from invoicing.engine.rating import invoice_day
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow, Terms
from invoicing.models import Charge
from tenancy.ids import public_id, uuid7


class Settler:
    """Makes the credits and charges that bring one item after another in line with its terms."""

    def __init__(self, families: Families, *, today: date, is_billed_now: bool) -> None:
        """Take the families of the items.

        Args:
            families: their settings decide when something is invoiced.
            today: nothing falls due before.
            is_billed_now: don't wait for the bill-to's billing day.
        """
        self._families = families
        self._today = today
        self._is_billed_now = is_billed_now
        self._pooling = Pooling(families)
        self._calculations = Calculations(families, self._pooling)

    def settle(
        self, item: ItemRow, periods: Sequence[PeriodRow], charges: Sequence[ChargeRow]
    ) -> list[ChargeRow]:
        """Return the credits and charges of one item, in the order of their days.

        Args:
            item: with the terms that should hold; what ended is owed up to its end.
            periods: those that have fallen due, all from the first that changes on, in order.
            charges: all charges and credits of these periods.

        Raises:
            InvalidQuantity: more was measured than can be priced.

        Source: docs/billing-rules.md, Changes; docs/billing-rules.md, Usage.
        """
        beside = [one for one in charges if is_beside(one)]
        charges = [one for one in charges if not is_beside(one)]
        if not charges:
            return []
        known: dict[Hashable, ChargeRow] = {charge.id: charge for charge in charges}
        self._read_usage(item, periods)
        owed = [pair for period in periods for pair in self._owed(item, period)]
        terms: dict[Hashable, Part] = {one.terms: held for one, held in owed}
        made = settle(
            charged_so_far(charges),
            [one for one, _held in owed],
            charges[0].currency,
        )
        revision = 1 + max(charge.revision for charge in [*charges, *beside])
        found = [
            *(
                self._credit(item, known[piece.charge], piece, revision)
                for piece in made.taken_back
            ),
            *(
                self._charge(
                    item,
                    _of(periods, one.period),
                    terms[one.terms],
                    one,
                    revision,
                    charges,
                )
                for one, _minor in made.charged
            ),
        ]
        if item.has_minimum or beside:
            for period in periods:
                found += self._true_up(item, period, [*charges, *found], beside, revision + 1)
        return found

    def _true_up(
        self,
        item: ItemRow,
        period: PeriodRow,
        charges: Sequence[ChargeRow],
        beside: Sequence[ChargeRow],
        revision: int,
    ) -> list[ChargeRow]:
        """Return what brings the true-up of a period in line with what its usage costs now."""
        own = [one for one in charges if one.period_id == period.id]
        standing = [one for one in beside if one.period_start == period.starts]
        end = min(period.ends, item.subscription.end_date or period.ends)
        price, least = None, 0
        if end > period.starts:
            price, least = least_minor(self._parts(item, period), period)
        if not own or (price is None and not standing):
            return []
        used = used_minor(own)
        due_date, invoice_on = self._when(item, Period(period.starts, period.ends), own)
        like = replace(own[-1], due_date=due_date, invoice_on=invoice_on, revision=revision)
        if max(0, least - used) == sum(one.net_minor for one in standing):
            return []
        back = taken_back(standing, revision, like)
        if price is None:
            return back
        made = true_up(like, price, period, end=end, least=least, used=used)
        return back if made is None else [*back, made]

    def _read_usage(self, item: ItemRow, periods: Iterable[PeriodRow]) -> None:
        """Read for all periods at once what meters measured; no statement where none does."""
        if item.is_metered:
            windows = (
                window_of(item.subscription, part.terms.price, part.period)
                for period in periods
                for part in self._parts(item, period)
            )
            self._families.usage.read(self._families.actor, windows)

    def _owed(self, item: ItemRow, period: PeriodRow) -> Iterator[tuple[Owed, Part]]:
        """Yield what a period should cost, terms by terms, up to the end of the subscription.

        Days of terms that are not charged cost nothing. What was used in some days has its price
        for just these days: it is charged as it is, or taken back as a whole.
        """
        for held in self._parts(item, period):
            part, terms = held.period, held.terms
            if held.pooled is not None:
                quantity, share_minor, amount = self._calculations.pooled(item, held)
                price = held.pooled.price
                named: Hashable = (
                    *_named(replace(terms, price=price), quantity), part,
                    held.pooled.pool.public_id, share_minor,
                )  # fmt: skip
                full = part
            elif terms.price.is_metered:
                used = self._calculations.usage(item, terms.price, part)
                named = (*_named(terms, used.quantity), part)
                amount = self._calculations.amount(terms.price, used.quantity, terms.discount)
                full = part
            else:
                named = _named(terms, terms.quantity)
                amount = self._calculations.amount(terms.price, terms.quantity, terms.discount)
                full = Period(period.full_start, period.full_end)
            yield Owed(terms=named, period=part, full=full, amount=amount), held

    def _parts(self, item: ItemRow, period: PeriodRow) -> Iterator[Part]:
        """Yield the charged parts of a period up to the end of the subscription."""
        end = min(period.ends, item.subscription.end_date or period.ends)
        if end <= period.starts:
            return
        if item.is_metered:
            found = self._pooling.parts(item, period.starts, end)
        else:
            found = (Part(*one) for one in item.terms_between(period.starts, end))
        yield from (part for part in found if not part.terms.uncharged)

    def _credit(self, item: ItemRow, charge: ChargeRow, piece: Charged, revision: int) -> ChargeRow:
        due_date, invoice_on = self._when(item, piece.period, [charge])
        return credit_of(charge, piece, revision, due_date=due_date, invoice_on=invoice_on)

    def _charge(
        self,
        item: ItemRow,
        period: PeriodRow,
        held: Part,
        owed: Owed,
        revision: int,
        charges: Iterable[ChargeRow],
    ) -> ChargeRow:
        terms, price = held.terms, held.terms.price
        part = replace(
            period, starts=owed.period.start, ends=owed.period.end, quantity=terms.quantity
        )
        if held.pooled is not None:
            price = held.pooled.price
            calculation = self._calculations.of_pool(item, held, part)
        else:
            calculation = self._calculations.of(item, price, part, terms.discount)
        of_period = [one for one in charges if one.period_id == period.id]
        due_date, invoice_on = self._when(item, owed.period, of_period)
        return ChargeRow(
            id=uuid7(),
            item_id=item.id,
            period_id=period.id,
            subscription=item.subscription,
            account_id=item.account_id,
            period_start=part.starts,
            period_end=part.ends,
            due_date=due_date,
            invoice_on=invoice_on,
            currency=price.currency,
            net_minor=calculation["net_minor"],
            calculation=calculation,
            revision=revision,
            tax_class=price.tax_class,
        )

    def _when(self, item: ItemRow, part: Period, charges: Iterable[ChargeRow]) -> tuple[date, date]:
        """Return when what makes good some days falls due, and when it is invoiced.

        Both as what it takes the place of, where no document was issued of that yet: a draft is
        made anew with it, and a part that waits for the next period goes on waiting.
        """
        pending = [one for one in charges if one.status != Charge.Status.INVOICED]
        beside = [
            one for one in pending if one.period_start < part.end and part.start < one.period_end
        ]
        if beside:
            return max((one.due_date, one.invoice_on) for one in beside)
        waits_until = max((one.due_date for one in pending), default=date.min)
        due_date = max(part.start, self._today, waits_until)
        if self._is_billed_now:
            return due_date, due_date
        return due_date, invoice_day(self._families, item, due_date)


def credit_of(
    charge: ChargeRow, piece: Charged, revision: int, *, due_date: date, invoice_on: date
) -> ChargeRow:
    """Return a pending credit for some days of a charge."""
    part = piece.period
    calculation = {
        **charge.calculation,
        "period": {"start": part.start.isoformat(), "end": part.end.isoformat()},
        "days": part.days,
        "net_minor": -piece.net_minor,
        "credited": {
            "charge": public_id("chg", charge.id),
            "period": charge.calculation["period"],
            "net_minor": charge.net_minor,
        },
    }
    return replace(
        charge,
        id=uuid7(),
        kind=Charge.Kind.CREDIT.value,
        revision=revision,
        period_start=part.start,
        period_end=part.end,
        due_date=due_date,
        invoice_on=invoice_on,
        net_minor=-piece.net_minor,
        calculation=calculation,
        status=Charge.Status.PENDING.value,
        reason={},
        held_until=None,
        credited_id=charge.id,
    )


def charged_so_far(charges: Sequence[ChargeRow]) -> list[Charged]:
    """Return what stands of the charges of one item after its credits; there is at least one.

    Raises:
        ValueError: a credit is for days that its charge does not stand for any more.
    """
    return standing(map(_event, sorted(charges, key=_came_about)), charges[0].currency)


def _of(periods: Sequence[PeriodRow], part: Period) -> PeriodRow:
    return next(one for one in periods if one.starts <= part.start < one.ends)


def _named(terms: Terms, quantity: Decimal) -> tuple[str, str, str]:
    discount = "" if terms.discount is None else terms.discount.public_id
    return terms.price.public_id, plain_digits(quantity), discount


def _came_about(charge: ChargeRow) -> tuple[int, bool, date]:
    """Order charges as they were made: a change first takes back, then charges."""
    return charge.revision, charge.kind != Charge.Kind.CREDIT, charge.period_start


def _event(charge: ChargeRow) -> Charged | Credited:
    calculation = charge.calculation
    period = Period(charge.period_start, charge.period_end)
    if charge.kind == Charge.Kind.CREDIT:
        return Credited(charge.credited_id, period)
    named: tuple[Hashable, ...] = (
        calculation["price"]["id"],
        calculation["quantity"],
        (calculation.get("discount") or {}).get("id", ""),
    )
    return Charged(
        charge=charge.id,
        terms=_with_pool(calculation, (*named, period)) if "usage" in calculation else named,
        period=period,
        full=_period(calculation["full_period"]),
        amount=Fraction(calculation["full_amount"]),
        net_minor=charge.net_minor,
    )


def _with_pool(calculation: Mapping[str, Any], named: tuple[Hashable, ...]) -> Hashable:
    pool = calculation.get("pool")
    return (*named, pool["id"], pool["share_minor"]) if pool else named


def _period(said: Mapping[str, str]) -> Period:
    return Period(date.fromisoformat(said["start"]), date.fromisoformat(said["end"]))
