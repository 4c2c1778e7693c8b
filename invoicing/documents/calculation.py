"""How the amount of a line came about, in words: the proration and the tiers."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import pgettext

from billing_rules.money import exponent
from billing_rules.pricing import Model
from invoicing.documents.formats import Formats

CONTEXT = "document"


def calculation_text(calculation: Mapping[str, Any], formats: Formats) -> str:
    """Return the words under a line, empty where quantity times price says it all.

    Args:
        calculation: as stored with the charge: ``steps`` that add up to the price of a full
            period, and the ``days`` of the ``full_days`` that were served.
        formats: of the document.

    Source: docs/billing-rules.md, R3 and R19.
    """
    if commitment := calculation.get("commitment"):
        return _commitment_text(calculation, commitment, formats)
    if "credited" in calculation and "usage" in calculation:
        quantity = formats.quantity(Decimal(str(calculation["quantity"])))
        said = pgettext(CONTEXT, "usage of %(quantity)s as charged before, taken back")
        return said % {"quantity": quantity}
    if "credited" in calculation and "aligned" in calculation:
        since = formats.day(date.fromisoformat(calculation["aligned"]["since"]))
        text = pgettext(CONTEXT, "renewed from %(since)s on: %(days)s of %(all)s days taken back")
        return _part_of(calculation, "credited", text, since=since)
    if "credited" in calculation:
        text = pgettext(CONTEXT, "unused time taken back: %(days)s of %(all)s days")
        return _part_of(calculation, "credited", text)
    if "taken_over" in calculation:
        text = pgettext(CONTEXT, "time taken over: %(days)s of %(all)s days")
        return _part_of(calculation, "taken_over", text)
    if pool := calculation.get("pool"):
        return _share_text(calculation, pool, formats)
    steps = calculation.get("steps") or ()
    days, full_days = calculation.get("days"), calculation.get("full_days")
    is_partial = bool(days and full_days and days != full_days)
    is_share = (calculation.get("price") or {}).get("model") == Model.PERCENTAGE
    if not steps:
        return ""
    several, discount = len(steps) > 1 or bool(_flat_amount(steps[0])), calculation.get("discount")
    minimum = calculation.get("minimum")
    if not (is_partial or is_share or several or discount or minimum):
        return ""
    write = _share if is_share else _step
    terms = " + ".join(write(step, formats) for step in steps)
    if minimum:
        least = formats.price_with_currency(Decimal(minimum["amount"]))
        terms = pgettext(CONTEXT, "%(price)s, at least %(least)s") % {
            "price": terms,
            "least": least,
        }
    if discount:
        terms = _less(f"({terms})" if minimum else terms, discount, formats)
    if not is_partial:
        return terms
    several = several or bool(discount) or bool(minimum)
    return pgettext(CONTEXT, "prorated: %(price)s × %(days)s/%(full_days)s days") % {
        "price": f"({terms})" if several else terms,
        "days": days,
        "full_days": full_days,
    }


def _share_text(calculation: Mapping[str, Any], pool: Mapping[str, Any], formats: Formats) -> str:
    """Return of what it is a share, and the discount that is taken off it."""
    said = pgettext(CONTEXT, "share of %(amount)s for %(quantity)s used together") % {
        "amount": formats.price_with_currency(Decimal(str(pool["full_amount"]))),
        "quantity": formats.quantity(Decimal(str(pool["quantity"]))),
    }
    discount = calculation.get("discount")
    return _less(said, discount, formats) if discount else said


def _commitment_text(
    calculation: Mapping[str, Any], commitment: Mapping[str, Any], formats: Formats
) -> str:
    """Return what a period costs at least, and what its usage came to."""
    if "credited" in calculation:
        return pgettext(CONTEXT, "minimum commitment as charged before, taken back")
    decimals = exponent(calculation["price"]["currency"])
    least, used = (
        formats.price_with_currency(Decimal(commitment[name]).scaleb(-decimals))
        for name in ("least_minor", "used_minor")
    )
    said = pgettext(CONTEXT, "at least %(least)s, less %(used)s for what was used")
    return said % {"least": least, "used": used}


def _less(terms: str, discount: Mapping[str, Any], formats: Formats) -> str:
    """Return the price of a full period less a discount, by its name."""
    if discount["percent"] is not None:
        off = formats.percent(Decimal(discount["percent"]))
    else:
        off = formats.price_with_currency(Decimal(discount["amount"]))
    return pgettext(CONTEXT, "%(price)s less %(off)s (%(name)s)") % {
        "price": terms,
        "off": off,
        "name": discount["name"],
    }


def _part_of(calculation: Mapping[str, Any], name: str, text: str, **more: str) -> str:
    """Return which part it is of what an earlier line was for."""
    said = calculation[name]
    period = {key: date.fromisoformat(day) for key, day in said["period"].items()}
    return text % {
        "days": calculation["days"],
        "all": (period["end"] - period["start"]).days,
        **more,
    }


def _share(step: Mapping[str, Any], formats: Formats) -> str:
    """Return a percentage and the amount that it is taken of."""
    return pgettext(CONTEXT, "%(percent)s of %(whole)s") % {
        "percent": formats.percent(Decimal(str(step["unit_amount"])) * 100),
        "whole": formats.price_with_currency(Decimal(str(step["quantity"]))),
    }


def _step(step: Mapping[str, Any], formats: Formats) -> str:
    """Return one step: quantity times price, and what the tier costs at once."""
    quantity, flat = Decimal(str(step["quantity"])), _flat_amount(step)
    price = formats.price_with_currency(Decimal(str(step["unit_amount"])))
    parts: Sequence[str] = [f"{formats.quantity(quantity)}\u00a0×\u00a0{price}"]
    if flat:
        parts = [*parts, formats.price_with_currency(flat)]
    return " + ".join(parts)


def _flat_amount(step: Mapping[str, Any]) -> Decimal:
    return Decimal(str(step.get("flat_amount") or 0))
