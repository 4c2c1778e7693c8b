"""Statuses in colour and words, the same everywhere."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoicing.models import Invoice
from invoicing.queries.invoices import DUE_SOON_DAYS
from web.templatetags.figures import date_text


@dataclass(frozen=True, slots=True)
class Badge:
    """A short word on a coloured ground; ``is_plain`` leaves out the dot."""

    label: str
    tone: str = ""
    is_plain: bool = False


INVOICE_STATUSES: Final[dict[str, tuple[Promise, str]]] = {
    "draft": (gettext_lazy("Draft"), ""),
    "to_approve": (gettext_lazy("To approve"), "plum"),
    "open": (gettext_lazy("Open"), "info"),
    "due_soon": (gettext_lazy("Due soon"), "warn"),
    "overdue": (gettext_lazy("Overdue"), "bad"),
    "partly_paid": (gettext_lazy("Partly paid"), "warn"),
    "paid": (gettext_lazy("Paid"), "ok"),
    "corrected": (gettext_lazy("Corrected"), ""),
    "void": (gettext_lazy("Cancelled"), "struck"),
}
"""Word and tone of every status, stored or derived, in the order of the tabs."""


def shown_status(invoice: Invoice, today: date) -> str:
    """Return the status to show: overdue and due soon come before open and partly paid."""
    if invoice.status in Invoice.UNPAID and invoice.due_date is not None:
        if invoice.due_date < today:
            return "overdue"
        if invoice.status == Invoice.Status.OPEN and invoice.due_date <= today + timedelta(
            days=DUE_SOON_DAYS
        ):
            return "due_soon"
    return str(invoice.status)


def invoice_badge(invoice: Invoice, today: date) -> Badge:
    """Return the badge of an invoice's status."""
    label, tone = INVOICE_STATUSES[shown_status(invoice, today)]
    return Badge(str(label), tone)


def invoice_badge_with_date(invoice: Invoice, today: date) -> Badge:
    """Return the badge of an invoice's status, with the day it is or was due while unpaid."""
    badge = invoice_badge(invoice, today)
    if invoice.status not in Invoice.UNPAID or invoice.due_date is None:
        return badge
    values = {"status": badge.label, "date": date_text(invoice.due_date)}
    if shown_status(invoice, today) == "due_soon":
        return Badge(_("Due %(date)s") % values, badge.tone)
    return Badge(_("%(status)s, due %(date)s") % values, badge.tone)
