"""How a charge came about, step by step."""

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from billing_rules.money import plain_digits
from invoicing.models import Charge, InvoiceLine
from invoicing.words.charges import Named, name_of, taken_back_of, why_here

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """One rule that was applied: what went in and what came out, as plain JSON."""

    rule: str
    inputs: Values
    result: Values


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an amount came about, and why it stands where it stands."""

    steps: tuple[ExplanationStep, ...]
    sentence: str


def deciders(charge: Charge) -> set[str]:
    """Return the ids of accounts at which something was set that decided about a charge."""
    named = (
        (charge.calculation.get("anchor") or {}).get("decided_by"),
        (charge.calculation.get("pool") or {}).get("account"),
        *(_decided_by(charge.reason, role) for role in ("bill_to", "payer")),
    )
    return {one["id"] for one in named if one}


def explain(
    charge: Charge,
    *,
    whole: bool,
    known: Collection[str] | None = None,
    written: Callable[[Named], str] = name_of,
) -> Explanation:
    """Return the explanation of a charge.

    Args:
        charge: the charge.
        whole: whether the reader sees the whole document; of an extract who pays, the terms of
            the run and what else decided about the document are left out (R31).
        known: the ids of accounts in the reader's reach; others that decided are not named. None
            where all are in reach.
        written: how an account is named in the sentence.
    """
    if known is not None:
        _forget(charge, known)
    sentence = why_here(charge, whole=whole, written=written)
    return Explanation(tuple(_steps(charge, whole=whole)), sentence)


def explain_correction(line: InvoiceLine, *, whole: bool) -> Explanation:
    """Return the explanation of a line of a credit note: what it takes back of, and why.

    Args:
        line: with its invoice, and the line that it corrects with its invoice.
        whole: whether the reader sees the whole document; of an extract the reason is left out,
            which may name others (R31).
    """
    corrected = cast(InvoiceLine, line.corrects)
    invoice = corrected.invoice
    step = ExplanationStep(
        "correction",
        {
            "invoice": {"id": invoice.public_id, "number": invoice.number},
            "line": corrected.public_id,
            "net_minor": corrected.net_minor,
            "tax_category": line.tax_category,
            "tax_rate": plain_digits(line.tax_rate),
        },
        {
            "net_minor": line.net_minor,
            "tax_minor": line.tax_minor,
            "currency": line.invoice.currency,
        },
    )
    return Explanation((step,), taken_back_of(line.invoice, whole=whole))


def _forget(charge: Charge, known: Collection[str]) -> None:
    """Take the names of accounts that are not known out of a charge, which is never saved."""
    charge.calculation, charge.reason = deepcopy(charge.calculation), deepcopy(charge.reason)
    for values in (charge.calculation.get("anchor"), *map(charge.reason.get, ("bill_to", "payer"))):
        if values and (values.get("decided_by") or {}).get("id") not in known:
            values["decided_by"] = None
    pool = charge.calculation.get("pool")
    if pool and (pool.get("account") or {}).get("id") not in known:
        pool["account"] = None


def _steps(charge: Charge, *, whole: bool) -> Iterator[ExplanationStep]:
    calculation, reason = charge.calculation, charge.reason
    yield from _amount_steps(calculation, charge.currency, whole=whole)
    yield ExplanationStep(
        "bill_to",
        {"decided_by": _decided_by(reason, "bill_to")},
        {"bill_to": _party(reason, "bill_to")},
    )
    if whole:
        yield ExplanationStep(
            "payer",
            {"decided_by": _decided_by(reason, "payer")},
            {"payer": _party(reason, "payer")},
        )
        yield ExplanationStep(
            "invoice_on",
            {"due_date": reason.get("due_date"), "billing_day": reason.get("billing_day")},
            {"invoice_on": reason.get("invoice_on"), "run_date": reason.get("run_date")},
        )
        parts = _picked(reason, "apart", "po_number", "currency")
        yield ExplanationStep("consolidation", parts, _picked(reason, "code", "problem"))
    if tax := reason.get("tax"):
        yield ExplanationStep(
            "tax",
            _picked(
                tax,
                "reason",
                "seller_country",
                "buyer_country",
                "buyer_territory",
                "decided_on",
                "valid_from",
                "valid_to",
            ),
            _picked(tax, "category", "rate"),
        )


def _amount_steps(calculation: Values, currency: str, *, whole: bool) -> Iterator[ExplanationStep]:
    discount = calculation.get("discount")
    listed = discount["before"] if discount else calculation.get("full_amount")
    minimum = calculation.get("minimum")
    full = {"full_amount": minimum["before"] if minimum else listed, "currency": currency}
    if usage := calculation.get("usage"):
        yield ExplanationStep(
            "usage",
            {**_picked(usage, "meter", "events"), **_picked(calculation, "period")},
            _picked(calculation, "quantity"),
        )
    if pool := calculation.get("pool"):
        yield from _pool_steps(calculation, pool, currency, whole=whole)
    else:
        yield ExplanationStep(
            "price",
            {
                **_picked(calculation, "price", "quantity"),
                "tiers": calculation.get("steps", []),
            },
            full,
        )
    if minimum:
        yield ExplanationStep(
            "minimum",
            _picked(minimum, "amount", "before"),
            {"full_amount": listed, "currency": currency},
        )
    if discount:
        yield ExplanationStep(
            "discount",
            _picked(discount, "id", "name", "percent", "amount", "before"),
            {"full_amount": discount["after"], "currency": currency},
        )
    if anchor := calculation.get("anchor"):
        yield ExplanationStep(
            "anchor",
            _picked(anchor, "rule", "day", "month", "start", "decided_by"),
            _picked(calculation, "full_period"),
        )
    if commitment := calculation.get("commitment"):
        yield ExplanationStep(
            "commitment",
            _picked(commitment, "minimum", "full_period", "days", "full_days", "used_minor"),
            {"least_minor": commitment.get("least_minor"), "currency": currency,
             "net_minor": calculation.get("net_minor")},
        )  # fmt: skip
    credited, taken_over = calculation.get("credited"), calculation.get("taken_over")
    if earlier := credited or taken_over:
        yield ExplanationStep(
            "credit" if credited else "taken_over",
            {
                **_picked(earlier, "charge", "period", "net_minor"),
                "unused": calculation.get("period"),
                **({"aligned": aligned} if (aligned := calculation.get("aligned")) else {}),
                "rounding": "half_up",
            },
            {"net_minor": calculation.get("net_minor"), "currency": currency},
        )
        return
    if "full_days" not in calculation:
        # What is charged once is charged whole.
        yield ExplanationStep(
            "rounding",
            {**_picked(calculation, "full_amount", "period"), "rounding": "half_up"},
            {"net_minor": calculation.get("net_minor"), "currency": currency},
        )
        return
    yield ExplanationStep(
        "proration",
        {
            **_picked(calculation, "full_amount", "period", "days", "full_days"),
            "rounding": "half_up",
        },
        {"net_minor": calculation.get("net_minor"), "currency": currency},
    )


def _pool_steps(
    calculation: Values, pool: Values, currency: str, *, whole: bool
) -> Iterator[ExplanationStep]:
    """Yield what several used together, what that costs, and the share of one.

    What others used is nothing for who sees an extract: the own share alone (R31).
    """
    if whole:
        yield ExplanationStep(
            "price",
            {
                **_picked(calculation, "price"),
                "quantity": pool.get("quantity"),
                "tiers": pool.get("steps", []),
            },
            {"full_amount": pool.get("full_amount"), "currency": currency},
        )
    others = (
        _picked(pool, "account", "members", "quantity", "net_minor", "minimum") if whole else {}
    )
    yield ExplanationStep(
        "pool",
        {**_picked(pool, "id", "period"), "used": calculation.get("quantity"), **others},
        {"share_minor": pool.get("share_minor"), "currency": currency},
    )


def _picked(values: Values, *names: str) -> dict[str, Any]:
    return {name: values.get(name) for name in names}


def _party(reason: Values, role: str) -> Values | None:
    party = reason.get(role)
    return _picked(party, "id", "name") if party else None


def _decided_by(reason: Values, role: str) -> Values | None:
    return (reason.get(role) or {}).get("decided_by")
