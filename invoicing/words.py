"""Sentences about what is stored, in the active language: why a charge waits, what a run met."""

from datetime import date

from babel.dates import format_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from invoicing.models import Charge, RunProblem

_LOCALES = {"en": "en_GB", "de": "de_DE"}


def why_here(charge: Charge) -> str:
    """Return why a charge stands where it stands, or waits, in one sentence of the reader's."""
    reason = charge.reason
    bill_to = reason.get("bill_to") or {}
    decided_by = bill_to.get("decided_by")
    sentence = _sentence(
        reason.get("code"), decided=decided_by is not None, addressed=bool(bill_to)
    )
    return sentence % {
        "bill_to": bill_to.get("name", ""),
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


def describe_problem(problem: RunProblem) -> str:
    """Return the sentence for a problem in the active language."""
    texts = {
        "bill_to_incomplete": _("“%(account)s” lacks: %(missing)s. Nothing is billed to it."),
        "bill_to_not_contract_party": _(
            "“%(account)s” is invoiced through an account that is not party to its contract."
        ),
        "vat_id_missing_or_invalid": _(
            "“%(account)s” is in another EU country without a valid VAT ID: domestic tax applies."
        ),
        "tax_rate_unknown": _("The seller knows no tax rate for a service of “%(account)s”."),
        "too_many_periods": _(
            "A subscription of “%(account)s” has too many periods to catch up with at once."
        ),
        "outside_calendar": _("A period of “%(account)s” lies outside the calendar."),
        "amount_out_of_range": _("An amount of “%(account)s” is beyond all bounds."),
        "out_of_bounds": _("The document for “%(account)s” is beyond all bounds and was parked."),
        "seller_incomplete": _(
            "The seller's details are placeholders marked TEST; “%(account)s” is not issued."
        ),
        "outside_run": _(
            "“%(account)s” is invoiced for accounts of this run, but lies outside of the subtree"
            " that the run keeps to: what is due for it waits."
        ),
        "run_date_before_last_issue": _(
            "An invoice with a later date was issued; “%(account)s” is not issued."
        ),
    }
    text = texts.get(
        problem.code,
        _("Something unexpected kept “%(account)s” from being billed. Run again, or ask for help."),
    )
    names = {
        "legal_name": _("legal name"),
        "line1": _("street"),
        "city": _("city"),
        "country": _("country"),
    }
    missing = ", ".join(names.get(name, name) for name in problem.params.get("missing", ()))
    return text % {"account": problem.account.name, "missing": missing}
