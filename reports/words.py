"""What the calendar says of its entries, in the reader's language."""

from django.utils.translation import gettext as _

from invoicing.models import ChangePlan
from reports.declarations import Kind
from reports.models import CalendarEntry


def title_of(entry: CalendarEntry) -> str:
    """Return what an entry is, in one line; of a part it names the recipient's account alone."""
    name = entry.account.name
    details, kind = entry.details, Kind(entry.kind)
    values = {"account": name, "number": details.get("number", ""), "name": details.get("name", "")}
    if kind is Kind.PRICE_CHANGE:
        return _terms(entry)
    if kind is Kind.PLAN:
        values["plan"] = str(dict(ChangePlan.Kind.choices).get(details.get("plan", ""), ""))
        return _("Change plan (%(plan)s): %(account)s") % values
    if kind is Kind.PAUSE and details.get("goes_on"):
        return _("%(name)s goes on: %(account)s") % values
    if kind is Kind.RUN:
        return _("Billing run") if entry.subject_id else _("Billing run to come")
    return _SENTENCES[kind, bool(values["number"]), entry.is_part]() % values


def _terms(entry: CalendarEntry) -> str:
    values = {**entry.details, "account": entry.account.name}
    if values["name"] != values["old_name"]:
        return _("%(name)s instead of %(old_name)s: %(account)s") % values
    return _("%(name)s, %(quantity)s instead of %(old_quantity)s: %(account)s") % values


_SENTENCES = {
    (Kind.INVOICE, True, False): lambda: _("Invoice %(number)s: %(account)s"),
    (Kind.INVOICE, False, False): lambda: _("Invoice to come: %(account)s"),
    (Kind.INVOICE, True, True): lambda: _("Invoice %(number)s, part of %(account)s"),
    (Kind.INVOICE, False, True): lambda: _("Invoice to come, part of %(account)s"),
    (Kind.DUE, True, False): lambda: _("Due: %(number)s, %(account)s"),
    (Kind.DUE, False, False): lambda: _("Due, invoice to come: %(account)s"),
    (Kind.DEBIT, True, False): lambda: _("Debit: %(number)s, %(account)s"),
    (Kind.DEBIT, False, False): lambda: _("Debit, invoice to come: %(account)s"),
    (Kind.RENEWAL, False, False): lambda: _("Renewal of %(name)s: %(account)s"),
    (Kind.TRIAL_END, False, False): lambda: _("End of the trial of %(name)s: %(account)s"),
    (Kind.END, False, False): lambda: _("End of %(name)s: %(account)s"),
    (Kind.NOTICE, False, False): lambda: _("Last day of notice for %(name)s: %(account)s"),
    (Kind.TERM, False, False): lambda: _("Next term of %(name)s begins: %(account)s"),
    (Kind.PAUSE, False, False): lambda: _("%(name)s is paused: %(account)s"),
}
