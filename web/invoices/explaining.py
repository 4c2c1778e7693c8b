"""The steps of an explanation in the reader's words: rule by rule, with the numbers used."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_rules.metering import Aggregation
from billing_rules.pricing import Model
from invoicing.words.charges import name_of
from tenancy.formats import date_text, period_text
from web.templatetags.figures import (
    money,
    percent,
    quantity,
    unit_price,
)

Values = Mapping[str, Any]
Written = Callable[[Values], str]

_MODELS: Final[Mapping[str, Promise]] = {
    Model.FLAT: gettext_lazy("flat price, whatever the quantity"),
    Model.PER_UNIT: gettext_lazy("price per unit"),
    Model.GRADUATED: gettext_lazy("graduated: each tier at its own price"),
    Model.VOLUME: gettext_lazy("volume: the whole quantity at the price of its tier"),
    Model.PACKAGE: gettext_lazy("price per package begun"),
    Model.PERCENTAGE: gettext_lazy("a percentage of an amount"),
}
_TAX_REASONS: Final[Mapping[str, Promise]] = {
    "domestic": gettext_lazy("Seller and recipient are in the same country: its VAT applies."),
    "reverse_charge": gettext_lazy(
        "The recipient is in another EU country and has a valid VAT ID: reverse charge."
    ),
    "outside_scope": gettext_lazy(
        "The service is supplied outside the seller's tax area: outside the scope of VAT."
    ),
    "small_business": gettext_lazy("The seller is a small business: no VAT is charged."),
    "eu_without_vat_id": gettext_lazy(
        "The recipient is in another EU country but has no valid VAT ID: the seller's VAT applies."
    ),
}


_TERRITORIES: Final[Mapping[str, Promise]] = {
    "monaco": gettext_lazy("Monaco"),
    "isle_of_man": gettext_lazy("Isle of Man"),
    "northern_ireland": gettext_lazy("Northern Ireland"),
    "canary_islands": gettext_lazy("Canary Islands"),
    "ceuta": gettext_lazy("Ceuta"),
    "melilla": gettext_lazy("Melilla"),
    "busingen": gettext_lazy("Büsingen am Hochrhein"),
    "heligoland": gettext_lazy("Heligoland"),
    "livigno": gettext_lazy("Livigno"),
    "campione_d_italia": gettext_lazy("Campione d'Italia"),
    "aland": gettext_lazy("Åland Islands"),
    "mount_athos": gettext_lazy("Mount Athos"),
    "french_overseas": gettext_lazy("French overseas territory"),
}
_MEASURES: Final[Mapping[str, Promise]] = {
    Aggregation.SUM: gettext_lazy("the sum"),
    Aggregation.MAX: gettext_lazy("the largest quantity"),
    Aggregation.LAST: gettext_lazy("the quantity of the last one"),
    Aggregation.UNIQUE_COUNT: gettext_lazy("the different keys"),
}
_COUNTED_AS: Final[Mapping[str, Promise]] = {
    "monaco": gettext_lazy("France"),
    "isle_of_man": gettext_lazy("the United Kingdom"),
    "northern_ireland": gettext_lazy("the United Kingdom"),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One step: what it is about, a sentence, and the calculations behind it."""

    title: str
    text: str | SafeString
    formulas: tuple[str, ...] = ()


def steps_of(steps: Iterable[Any], currency: str, *, written: Written = name_of) -> list[Explained]:
    """Return the steps that a reader can follow, in order; unknown rules are left out.

    Args:
        steps: as a query explains an amount.
        currency: that of the amount.
        written: how an account is named in a sentence.
    """
    return list(_explained(steps, currency, written))


def _explained(steps: Iterable[Any], currency: str, written: Written) -> Iterator[Explained]:
    for step in steps:
        if step.rule in _WRITERS:
            yield _WRITERS[step.rule](step.inputs, step.result, currency)
        elif step.rule in _NAMING:
            yield _NAMING[step.rule](step.inputs, step.result, written)


def _price(inputs: Values, result: Values, currency: str) -> Explained:
    price, full = inputs.get("price") or {}, result.get("full_amount")
    is_once = not price.get("interval")
    text = (
        _("%(name)s, once: %(model)s.") if is_once else _("%(name)s for %(interval)s: %(model)s.")
    ) % {
        "name": price.get("name", ""),
        "interval": "" if is_once else _interval(price["interval"], price.get("interval_count", 1)),
        "model": _MODELS.get(price.get("model", ""), ""),
    }
    write = _share if price.get("model") == Model.PERCENTAGE else _tier
    formulas = [write(tier, currency) for tier in inputs.get("tiers") or ()]
    if len(formulas) > 1 and full is not None:
        total = _("Together: %(amount)s") % {"amount": unit_price(Decimal(full), currency)}
        formulas.append(total)
    return Explained(_("Price"), text, tuple(formulas))


def _minimum(inputs: Values, _result: Values, currency: str) -> Explained:
    """Say what a full period costs at least, and what the quantity alone comes to."""
    values = {
        "minimum": unit_price(Decimal(inputs.get("amount") or 0), currency),
        "before": unit_price(Decimal(inputs.get("before") or 0), currency),
    }
    text = _("A full period costs %(minimum)s at least, in any quantity.")
    formula = _("%(before)s is less: %(minimum)s")
    return Explained(_("Minimum commitment"), text % values, (formula % values,))


def _discount(inputs: Values, result: Values, currency: str) -> Explained:
    is_share = inputs.get("percent") is not None
    values = {
        "name": inputs.get("name", ""),
        "before": unit_price(Decimal(inputs.get("before") or 0), currency),
        "off": percent(Decimal(inputs["percent"]))
        if is_share
        else unit_price(Decimal(inputs.get("amount") or 0), currency),
        "after": unit_price(Decimal(result.get("full_amount") or 0), currency),
    }
    text = _("%(name)s takes %(off)s off the price of a full period, down to nothing at most.")
    formula = _("%(before)s less %(off)s = %(after)s")
    return Explained(_("Discount"), text % values, (formula % values,))


def _usage(inputs: Values, result: Values, _currency: str) -> Explained:
    meter, events = inputs.get("meter") or {}, int(inputs.get("events") or 0)
    text = ngettext(
        "The meter “%(meter)s” measured it: %(how)s of %(count)s event (%(period)s).",
        "The meter “%(meter)s” measured it: %(how)s of %(count)s events (%(period)s).",
        events,
    ) % {
        "meter": meter.get("name", ""),
        "how": _MEASURES.get(meter.get("aggregation", ""), ""),
        "count": quantity(Decimal(events)),
        "period": _period(inputs.get("period") or {}),
    }
    had = quantity(Decimal(result.get("quantity") or 0))
    unit = meter.get("unit") or ""
    return Explained(_("Usage"), text, (f"{had} {unit}".strip(),))


def _pool(inputs: Values, result: Values, written: Written) -> Explained:
    """Say what several used and pay together, and the share of one of them."""
    currency = str(result.get("currency") or "")
    values = {
        "account": written(inputs.get("account") or {}),
        "period": _period(inputs.get("period") or {}),
        "count": quantity(Decimal(inputs.get("members") or 0)),
        "used": quantity(Decimal(inputs.get("used") or 0)),
        "all": quantity(Decimal(inputs.get("quantity") or 0)),
        "share": money(int(result.get("share_minor") or 0), currency),
        "amount": money(int(inputs.get("net_minor") or 0), currency),
    }
    if inputs.get("net_minor") is None:
        text = _("It is charged together with what others used (%(period)s); this is its share.")
        return Explained(_("Pool"), text % values, (values["share"],))
    if values["account"]:
        text = _(
            "What %(account)s and all below used (%(period)s) is charged together, and shared by"
            " what each has used; cents that are left over go to the largest remainders."
        )
    else:
        text = _(
            "What several used (%(period)s) is charged together, and shared by what each has"
            " used; cents that are left over go to the largest remainders."
        )
    if inputs.get("minimum") is not None:
        least = unit_price(Decimal(inputs["minimum"]), currency)
        text = f"{text} " + _("Together they pay %(least)s at least.") % {"least": least}
    formula = _("%(used)s of %(all)s, of %(amount)s: %(share)s")
    return Explained(_("Pool"), text % values, (formula % values,))


def _commitment(inputs: Values, result: Values, currency: str) -> Explained:
    """Say what a period costs at least, and what its usage came to."""
    values = {
        "minimum": unit_price(Decimal(inputs.get("minimum") or 0), currency),
        "days": quantity(Decimal(inputs.get("days") or 0)),
        "all": quantity(Decimal(inputs.get("full_days") or 0)),
        "least": money(int(result.get("least_minor") or 0), currency),
        "used": money(int(inputs.get("used_minor") or 0), currency),
        "missing": money(abs(int(result.get("net_minor") or 0)), currency),
    }
    text = _(
        "A full period costs %(minimum)s at least; for %(days)s of its %(all)s days, part by part"
        " of equal terms, that is %(least)s."
    )
    formula = _("%(least)s less %(used)s for what was used = %(missing)s")
    return Explained(_("Minimum commitment"), text % values, (formula % values,))


def _share(step: Values, currency: str) -> str:
    return _("%(percent)s of %(whole)s = %(amount)s") % {
        "percent": percent(Decimal(step["unit_amount"]) * 100),
        "whole": unit_price(Decimal(step["quantity"]), currency),
        "amount": unit_price(Decimal(step["amount"]), currency),
    }


def _tier(tier: Values, currency: str) -> str:
    flat = Decimal(tier.get("flat_amount") or 0)
    values = {
        "up_to": quantity(Decimal(tier["up_to"])) if tier.get("up_to") else "",
        "quantity": quantity(Decimal(tier["quantity"])),
        "price": unit_price(Decimal(tier["unit_amount"]), currency),
        "flat": unit_price(flat, currency),
        "amount": unit_price(Decimal(tier["amount"]), currency),
    }
    if tier.get("up_to") and flat:
        return _("Up to %(up_to)s: %(quantity)s × %(price)s + %(flat)s = %(amount)s") % values
    if tier.get("up_to"):
        return _("Up to %(up_to)s: %(quantity)s × %(price)s = %(amount)s") % values
    if flat:
        return _("%(quantity)s × %(price)s + %(flat)s = %(amount)s") % values
    return _("%(quantity)s × %(price)s = %(amount)s") % values


def _anchor(inputs: Values, result: Values, written: Written) -> Explained:
    full = result.get("full_period") or {}
    values = {
        "period": _period(full),
        "day": inputs.get("day") or "",
        "name": written(inputs.get("decided_by") or {}),
        "start": _day(inputs.get("start")),
    }
    if inputs.get("rule") == "billing_day" and values["name"]:
        text = _(
            "Periods begin on day %(day)s of the month, as set at %(name)s."
            " The full period is %(period)s."
        )
    elif inputs.get("rule") == "billing_day":
        text = _("Periods begin on day %(day)s of the month. The full period is %(period)s.")
    elif inputs.get("rule") == "interval" and values["start"]:
        text = _(
            "Periods of days or weeks follow each other from the start of the subscription on"
            " %(start)s. The full period is %(period)s."
        )
    elif inputs.get("rule") == "interval":
        text = _("Periods follow each other from the first day. The full period is %(period)s.")
    elif values["start"]:
        text = _(
            "Periods begin on the day of the month on which the subscription started, %(start)s."
            " The full period is %(period)s."
        )
    else:
        text = _(
            "Periods begin on the day the subscription started. The full period is %(period)s."
        )
    return Explained(_("Anchor"), text % values)


def _credit(inputs: Values, result: Values, currency: str) -> Explained:
    values = {
        "period": _period(inputs.get("period") or {}),
        "charged": money(int(inputs.get("net_minor") or 0), currency),
        "unused": _period(inputs.get("unused") or {}),
        "net": money(int(result.get("net_minor") or 0), currency),
    }
    text = _("%(charged)s had been charged for %(period)s. The time not used is taken back.")
    if aligned := inputs.get("aligned"):
        values["since"] = date_text(date.fromisoformat(aligned["since"]))
        text = _(
            "%(charged)s had been charged for %(period)s. It renews on %(since)s already: the rest"
            " is taken back, and charged anew from that day on."
        )
    formula = _("For %(unused)s: %(net)s, so that what remains is right to the cent.")
    return Explained(_("Time not used"), text % values, (formula % values,))


def _correction(inputs: Values, result: Values, currency: str) -> Explained:
    values = {
        "number": (inputs.get("invoice") or {}).get("number", ""),
        "charged": money(int(inputs.get("net_minor") or 0), currency),
        "net": money(int(result.get("net_minor") or 0), currency),
        "rate": percent(Decimal(inputs.get("tax_rate") or 0)),
        "tax": money(int(result.get("tax_minor") or 0), currency),
    }
    text = _(
        "Invoice %(number)s asked for %(charged)s net here. It is taken back whole or in part, and"
        " never more than is left of it."
    )
    formula = _(
        "%(net)s net and %(tax)s VAT (%(rate)s): cents go so that all parts together come to what"
        " the invoice said."
    )
    return Explained(_("Taken back"), text % values, (formula % values,))


def _taken_over(inputs: Values, result: Values, currency: str) -> Explained:
    values = {
        "period": _period(inputs.get("period") or {}),
        "charged": money(int(inputs.get("net_minor") or 0), currency),
        "unused": _period(inputs.get("unused") or {}),
        "net": money(int(result.get("net_minor") or 0), currency),
    }
    text = _(
        "%(charged)s had been charged for %(period)s. Since another recipient is invoiced, or"
        " another pays, the rest of it is credited there and charged here."
    )
    formula = _("For %(unused)s: %(net)s, just what is credited.")
    return Explained(_("Days taken over"), text % values, (formula % values,))


def _proration(inputs: Values, result: Values, currency: str) -> Explained:
    days, full_days = inputs.get("days") or 0, inputs.get("full_days") or 0
    full, net = Decimal(inputs.get("full_amount") or 0), int(result.get("net_minor") or 0)
    values = {
        "period": _period(inputs.get("period") or {}),
        "days": days,
        "full_days": full_days,
        "full": unit_price(full, currency),
        "net": money(net, currency),
    }
    if days == full_days:
        text = ngettext(
            "The whole period of %(days)s day is charged (%(period)s).",
            "The whole period of %(days)s days is charged (%(period)s).",
            days,
        )
        formula = _("%(full)s, rounded half up: %(net)s")
    else:
        text = ngettext(
            "%(days)s of %(full_days)s days is charged (%(period)s).",
            "%(days)s of %(full_days)s days are charged (%(period)s).",
            days,
        )
        formula = _("%(full)s × %(days)s/%(full_days)s = %(net)s, rounded half up once")
    return Explained(_("Days and rounding"), text % values, (formula % values,))


def _rounding(inputs: Values, result: Values, currency: str) -> Explained:
    values = {
        "period": _period(inputs.get("period") or {}),
        "full": unit_price(Decimal(inputs.get("full_amount") or 0), currency),
        "net": money(int(result.get("net_minor") or 0), currency),
    }
    text = _("It is charged once and whole, whatever the days (%(period)s).")
    formula = _("%(full)s, rounded half up: %(net)s")
    return Explained(_("Days and rounding"), text % values, (formula % values,))


def _territory(code: str) -> str:
    """Return what a territory does to the tax, empty where the country says it all."""
    name = _TERRITORIES.get(code)
    if name is None:
        return ""
    if code in _COUNTED_AS:
        text = _("For VAT on services, %(territory)s counts as %(country)s.")
        return text % {"territory": name, "country": _COUNTED_AS[code]}
    return _("%(territory)s: outside the EU's VAT area.") % {"territory": name}


def _tax(inputs: Values, result: Values, currency: str) -> Explained:
    text = str(_TAX_REASONS.get(inputs.get("reason", ""), ""))
    if where := _territory(inputs.get("buyer_territory") or ""):
        text = f"{text} {where}"
    values = {
        "rate": percent(Decimal(result.get("rate") or 0)),
        "day": _day(inputs.get("decided_on")),
        "from": _day(inputs.get("valid_from")),
        "to": _day(inputs.get("valid_to"), days=-1),
    }
    if not values["day"]:
        formula = _("VAT rate %(rate)s")
    elif values["to"]:
        formula = _(
            "VAT rate %(rate)s, valid from %(from)s to %(to)s. The last day of service decides:"
            " %(day)s."
        )
    elif values["from"]:
        formula = _(
            "VAT rate %(rate)s, valid since %(from)s. The last day of service decides: %(day)s."
        )
    else:
        formula = _("VAT rate %(rate)s. The last day of service decides: %(day)s.")
    return Explained(_("Tax"), text, (formula % values,))


def _bill_to(inputs: Values, result: Values, written: Written) -> Explained:
    values = _deciding(inputs, result.get("bill_to"), written)
    if _is_set_there(inputs, result.get("bill_to")):
        text = _("The invoice goes to %(name)s, as set there.")
    elif values["decided_by"]:
        text = _("The invoice goes to %(name)s, as set at %(decided_by)s.")
    else:
        text = _("The invoice goes to %(name)s: nothing else is set on the way up.")
    return Explained(_("Recipient"), text % values)


def _payer(inputs: Values, result: Values, written: Written) -> Explained:
    values = _deciding(inputs, result.get("payer"), written)
    if _is_set_there(inputs, result.get("payer")):
        text = _("%(name)s pays, as set there.")
    elif values["decided_by"]:
        text = _("%(name)s pays, as set at %(decided_by)s.")
    else:
        text = _("%(name)s pays: nobody has taken that over.")
    return Explained(_("Payer"), text % values)


_WRITERS: Final[Mapping[str, Callable[[Values, Values, str], Explained]]] = {
    "price": _price,
    "commitment": _commitment,
    "correction": _correction,
    "credit": _credit,
    "discount": _discount,
    "minimum": _minimum,
    "taken_over": _taken_over,
    "usage": _usage,
    "proration": _proration,
    "rounding": _rounding,
    "tax": _tax,
}
_NAMING: Final[Mapping[str, Callable[[Values, Values, Written], Explained]]] = {
    "pool": _pool,
    "anchor": _anchor,
    "bill_to": _bill_to,
    "payer": _payer,
}


def _deciding(inputs: Values, party: Values | None, written: Written) -> dict[str, str]:
    return {
        "name": written(party or {}),
        "decided_by": written(inputs.get("decided_by") or {}),
    }


def _is_set_there(inputs: Values, party: Values | None) -> bool:
    """Return whether an account is chosen by what is set on itself; others may be called alike."""
    decided_by, chosen = inputs.get("decided_by") or {}, party or {}
    by = "id" if "id" in decided_by and "id" in chosen else "name"
    return bool(decided_by.get(by, "") == chosen.get(by, ""))


def _day(text: object, *, days: int = 0) -> str:
    """Return a stored day in words, or another so many days later; empty for none."""
    if not isinstance(text, str) or not text:
        return ""
    return date_text(date.fromisoformat(text) + timedelta(days=days))


def _period(period: Values) -> str:
    if not period.get("start") or not period.get("end"):
        return ""
    return period_text(date.fromisoformat(period["start"]), date.fromisoformat(period["end"]))


def _interval(unit: str, count: int) -> str:
    """Return the length of a full period as a noun: "1 month", "2 weeks"."""
    words = {
        "day": ngettext("%(count)s day", "%(count)s days", count),
        "week": ngettext("%(count)s week", "%(count)s weeks", count),
        "month": ngettext("%(count)s month", "%(count)s months", count),
        "quarter": ngettext("%(count)s quarter", "%(count)s quarters", count),
        "half_year": ngettext("%(count)s half-year", "%(count)s half-years", count),
        "year": ngettext("%(count)s year", "%(count)s years", count),
    }
    return words.get(unit, "%(count)s") % {"count": quantity(count)}
