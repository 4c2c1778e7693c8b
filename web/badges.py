"""Statuses in colour and words, the same everywhere."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.invoice_states import State
from invoicing.queries.invoice_states import shown_state
from tenancy.formats import date_text


@dataclass(frozen=True, slots=True)
class Badge:
    """A short word on a coloured ground; ``is_plain`` leaves out the dot."""

    label: str
    tone: str = ""
    is_plain: bool = False


INVOICE_STATES: Final[dict[State, tuple[Promise, str]]] = {
    State.TO_APPROVE: (gettext_lazy("To approve"), "plum"),
    State.OPEN: (gettext_lazy("Open"), "info"),
    State.DUE_SOON: (gettext_lazy("Due soon"), "warn"),
    State.OVERDUE: (gettext_lazy("Overdue"), "bad"),
    State.PARTLY_PAID: (gettext_lazy("Partly paid"), "warn"),
    State.PAID: (gettext_lazy("Paid"), "ok"),
    State.CORRECTED: (gettext_lazy("Corrected"), ""),
    State.ISSUED: (gettext_lazy("Credit note"), ""),
    State.EXTRACT: (gettext_lazy("Extract"), ""),
}
"""Word and tone of every state, stored or derived."""


def state_word(state: str) -> str:
    """Return the word for a state."""
    return str(INVOICE_STATES[State(state)][0])


def invoice_badge(invoice: Any, today: date) -> Badge:
    """Return the badge of an invoice's state, as far as its reader may know it."""
    label, tone = INVOICE_STATES[shown_state(invoice, today)]
    return Badge(str(label), tone)


def invoice_badge_with_date(invoice: Any, today: date) -> Badge:
    """Return the badge of an invoice's state, with the day it is or was due while unpaid."""
    badge = invoice_badge(invoice, today)
    if not invoice.shown_open_minor:
        return badge
    values = {"status": badge.label, "date": date_text(invoice.due_date)}
    if shown_state(invoice, today) is State.DUE_SOON:
        return Badge(_("Due %(date)s") % values, badge.tone)
    return Badge(_("%(status)s, due %(date)s") % values, badge.tone)
