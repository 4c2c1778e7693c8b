"""What a change of a subscription makes good, in words, before anybody agrees to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoicing.models import Charge
from invoicing.words.charges import named_as
from tenancy.formats import date_text, period_text
from web.page_heads import Fact
from web.templatetags.figures import money

_MOST_CHARGES: Final = 50


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A credit or charge that would be made, in words."""

    title: str
    days: str
    invoice_on: str
    amount: str


def made_good(facts: Sequence[Fact], charges: Sequence[Charge], currency: str) -> dict[str, Any]:
    """Return what ``_made_good.html`` shows: facts, the sum, and the first charges."""
    hidden = len(charges) - _MOST_CHARGES
    more = ngettext("%(n)s more is in the sum.", "%(n)s more are in the sum.", hidden)
    total = sum(charge.net_minor for charge in charges)
    return {
        "facts": [*facts, Fact(_("To be made good, net"), money(total, currency))],
        "charges": [_row(charge) for charge in charges[:_MOST_CHARGES]],
        "more": more % {"n": hidden} if hidden > 0 else "",
        "errors": [],
    }


def refused(form: forms.Form) -> dict[str, Any]:
    """Return the same for a form that says nothing that can be."""
    errors = [str(error) for some in form.errors.values() for error in some]
    return {"facts": [], "charges": [], "errors": errors}


def _row(charge: Charge) -> ChargeRow:
    name = named_as(charge.kind, charge.calculation)
    is_credit = charge.kind == Charge.Kind.CREDIT
    return ChargeRow(
        title=_("Time not used: %(name)s") % {"name": name} if is_credit else name,
        days=period_text(charge.period_start, charge.period_end),
        invoice_on=date_text(charge.invoice_on),
        amount=money(charge.net_minor, charge.currency),
    )
