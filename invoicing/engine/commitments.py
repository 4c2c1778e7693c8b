"""Minimum commitments: what is missing at the end of a period is charged beside its usage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing_rules.money import exponent, plain_digits
from billing_rules.periods import Period
from billing_rules.proration import prorate
from invoicing.engine.calculations import calculated_once
from invoicing.engine.pooling import Part
from invoicing.engine.rows import ChargeRow, PeriodRow
from invoicing.models import Charge
from subscriptions.models import Price
from tenancy.ids import public_id, uuid7


def least_minor(parts: Iterable[Part], period: PeriodRow) -> tuple[Price | None, int]:
    """Return what the usage of a period costs at least, and by which price, None for nothing.

    Of each stretch of terms its part of the full period. Days that are charged with others have
    the minimum of their pool, if any.

    Source: docs/billing-rules.md, Minimum commitments; docs/billing-rules.md, R3.
    """
    full = Period(period.full_start, period.full_end)
    last, total = None, 0
    for part in parts:
        price = part.terms.price
        if part.terms.uncharged or part.pooled is not None or not price.is_metered:
            continue
        if price.minimum_amount is None:
            continue
        last = price
        total += prorate(Fraction(price.minimum_amount), part.period, full, price.currency)
    return last, total


def used_minor(charges: Iterable[ChargeRow]) -> int:
    """Return what was charged for usage, less what was taken back of it; shares are no part."""
    return sum(one.net_minor for one in charges if "pool" not in one.calculation)


def true_up(
    of: ChargeRow, price: Price, period: PeriodRow, *, end: date, least: int, used: int
) -> ChargeRow | None:
    """Return what makes up the difference to a minimum, None where nothing is missing.

    Args:
        of: a charge of the period, whose item, days and recipient it shares.
        price: whose minimum it is.
        period: the period.
        end: the first day that is not served any more.
        least: what the period costs at least, in minor units.
        used: what its usage costs.
    """
    missing = least - used
    if missing <= 0:
        return None
    said = {
        "id": price.public_id,
        "name": price.name,
        "model": "flat",
        "unit": "",
        "unit_amount": Decimal(missing).scaleb(-exponent(price.currency)),
        "tax_class": price.tax_class,
    }
    calculation = calculated_once(
        price=said, quantity=Decimal(1), currency=price.currency, start=period.starts, end=end
    )
    calculation["commitment"] = {
        "minimum": plain_digits(price.minimum_amount or Decimal(0)),
        "full_period": {"start": period.full_start.isoformat(),
                        "end": period.full_end.isoformat()},
        "days": (end - period.starts).days,
        "full_days": (period.full_end - period.full_start).days,
        "least_minor": least,
        "used_minor": used,
    }  # fmt: skip
    return replace(
        of,
        id=uuid7(),
        kind=Charge.Kind.COMMITMENT.value,
        period_id=None,
        period_start=period.starts,
        period_end=end,
        net_minor=missing,
        calculation=calculation,
        reason={},
        credited_id=None,
        status=Charge.Status.PENDING.value,
        tax_class=price.tax_class,
    )


def is_beside(charge: ChargeRow) -> bool:
    """Return whether a charge makes up, or takes back, a difference to a minimum."""
    return "commitment" in charge.calculation


def taken_back(standing: Sequence[ChargeRow], revision: int, like: ChargeRow) -> list[ChargeRow]:
    """Return what takes back each true-up that was not taken back yet, due as another charge."""
    gone = {one.credited_id for one in standing if one.credited_id is not None}
    return [
        _credit(one, revision, like)
        for one in standing
        if one.kind == Charge.Kind.COMMITMENT and one.id not in gone
    ]


def _credit(charge: ChargeRow, revision: int, like: ChargeRow) -> ChargeRow:
    said: Mapping[str, Any] = charge.calculation
    calculation = {
        **said,
        "net_minor": -charge.net_minor,
        "credited": {
            "charge": public_id("chg", charge.id),
            "period": said["period"],
            "net_minor": charge.net_minor,
        },
    }
    return replace(
        charge,
        id=uuid7(),
        kind=Charge.Kind.CREDIT.value,
        revision=revision,
        due_date=like.due_date,
        invoice_on=like.invoice_on,
        net_minor=-charge.net_minor,
        calculation=calculation,
        status=Charge.Status.PENDING.value,
        reason={},
        held_until=None,
        credited_id=charge.id,
    )
