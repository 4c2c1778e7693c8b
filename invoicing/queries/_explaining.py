"""How a charge came about, step by step, and in a sentence why it is where it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from invoicing.models import Charge

_LOCALES = {"en": "en_GB", "de": "de_DE"}

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was applied: what went in and what came out, as plain JSON."""

    rule: str
    inputs: Values
    result: Values


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an amount came about, and why it stands where it stands."""

    steps: tuple[Step, ...]
    sentence: str


def explain(charge: Charge, *, whole: bool) -> Explanation:
    """Return the explanation of a charge; of a partial view without who pays."""
    return Explanation(tuple(_steps(charge, whole=whole)), why_here(charge))


def _steps(charge: Charge, *, whole: bool) -> Iterator[Step]:
    calculation, reason = charge.calculation, charge.reason
    yield from _amount_steps(calculation, charge.currency)
    yield Step(
        "bill_to",
        {"decided_by": _decided_by(reason, "bill_to")},
        {"bill_to": _party(reason, "bill_to")},
    )
    if whole:
        yield Step(
            "payer",
            {"decided_by": _decided_by(reason, "payer")},
            {"payer": _party(reason, "payer")},
        )
    yield Step(
        "invoice_on",
        {"due_date": reason.get("due_date"), "billing_day": reason.get("billing_day")},
        {"invoice_on": reason.get("invoice_on"), "run_date": reason.get("run_date")},
    )
    yield Step("consolidation", {}, {"code": reason.get("code")})
    if tax := reason.get("tax"):
        yield Step(
            "tax",
            _picked(tax, "reason", "seller_country", "buyer_country"),
            _picked(tax, "category", "rate"),
        )


def _amount_steps(calculation: Values, currency: str) -> Iterator[Step]:
    full = {"full_amount": calculation.get("full_amount"), "currency": currency}
    yield Step(
        "price",
        {
            **_picked(calculation, "price", "quantity"),
            "tiers": calculation.get("steps", []),
        },
        full,
    )
    if anchor := calculation.get("anchor"):
        yield Step(
            "anchor",
            _picked(anchor, "rule", "day", "month", "decided_by"),
            _picked(calculation, "full_period"),
        )
    yield Step(
        "proration",
        {
            **_picked(calculation, "full_amount", "period", "days", "full_days"),
            "rounding": "half_up",
        },
        {"net_minor": calculation.get("net_minor"), "currency": currency},
    )


def _picked(values: Values, *names: str) -> dict[str, Any]:
    return {name: values.get(name) for name in names}


def _party(reason: Values, role: str) -> Values | None:
    party = reason.get(role)
    return _picked(party, "id", "name") if party else None


def _decided_by(reason: Values, role: str) -> Values | None:
    return (reason.get(role) or {}).get("decided_by")


def why_here(charge: Charge) -> str:
    """Return why a charge stands where it stands, or waits, in one sentence of the reader's."""
    reason = charge.reason
    decided_by = _decided_by(reason, "bill_to")
    bill_to = reason.get("bill_to")
    sentence = _sentence(
        reason.get("code"), decided=decided_by is not None, addressed=bill_to is not None
    )
    return sentence % {
        "bill_to": (bill_to or {}).get("name", ""),
        "decided_by": (decided_by or {}).get("name", ""),
        "due_date": _day(charge.due_date),
        "invoice_on": _day(charge.invoice_on),
    }


def _sentence(code: object, *, decided: bool, addressed: bool) -> str:
    if not addressed:
        return _("It falls due on %(due_date)s and waits for the run of %(invoice_on)s.")
    if code == "own_invoice":
        return _(
            "It was due on %(due_date)s and stands on %(bill_to)s's own invoice,"
            " with everything else due by %(invoice_on)s."
        )
    if code == "per_account" and decided:
        return _(
            "It was due on %(due_date)s and goes to %(bill_to)s, as set at %(decided_by)s,"
            " on an invoice of its own: there is one invoice per account."
        )
    if code == "per_account":
        return _(
            "It was due on %(due_date)s and goes to %(bill_to)s, the top of the company,"
            " on an invoice of its own: there is one invoice per account."
        )
    if code == "consolidated" and decided:
        return _(
            "It was due on %(due_date)s and goes to %(bill_to)s, as set at %(decided_by)s,"
            " on one invoice with everything else due by %(invoice_on)s."
        )
    if code == "consolidated":
        return _(
            "It was due on %(due_date)s and goes to %(bill_to)s, the top of the company,"
            " on one invoice with everything else due by %(invoice_on)s."
        )
    return _("It falls due on %(due_date)s and goes to %(bill_to)s with the run of %(invoice_on)s.")


def _day(day: date) -> str:
    language = (get_language() or "en").partition("-")[0]
    return str(format_date(day, "medium", locale=_LOCALES.get(language, "en_GB")))
