"""Sentences about charges and runs: why a charge waits, what a run met."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoicing.models import Charge, Invoice, RunProblem
from tenancy.formats import date_text

Named: TypeAlias = Mapping[str, Any]
"""An account as reasons and calculations refer to it: its public id and its name."""


def name_of(named: Named) -> str:
    """Return what an account is called, empty for none."""
    return str(named.get("name") or "")


def named_as(kind: str, calculation: Mapping[str, Any]) -> str:
    """Return what a charge is called on a document or a page, in the active language."""
    name = str(calculation["price"]["name"])
    if "commitment" in calculation:
        return _("Minimum commitment: %(name)s") % {"name": name}
    return _("Setup fee: %(name)s") % {"name": name} if kind == Charge.Kind.SETUP else name


def taken_back_of(note: Invoice, *, whole: bool) -> str:
    """Return what a credit note corrects and, where the reader sees it whole, for what reason."""
    said = note.snapshot["corrects"]
    values = {
        "number": said["number"],
        "date": date_text(date.fromisoformat(said["issue_date"])),
        "reason": note.reason,
    }
    if not whole:
        return _("It takes back of invoice %(number)s of %(date)s.") % values
    return _("It takes back of invoice %(number)s of %(date)s. Reason: %(reason)s") % values


def why_here(
    charge: Charge, *, whole: bool = True, written: Callable[[Named], str] = name_of
) -> str:
    """Return why a charge stands where it stands, or waits, in the reader's language.

    Args:
        charge: the charge; its ``reason`` says what decided.
        whole: whether the reader may know all of the document; of an extract neither purchase
            order nor payer nor other documents are told (R31).
        written: how an account is named in the sentence.
    """
    reason = charge.reason
    if reason.get("code") == "pending" and reason.get("problem") in ("held", "discarded"):
        return _taken_back(charge, whole=whole)
    if charge.status == Charge.Status.OFFSET:
        return _offset(charge)
    bill_to = reason.get("bill_to") or {}
    values = {
        "bill_to": written(bill_to),
        "decided_by": written(bill_to.get("decided_by") or {}),
        "due_date": date_text(charge.due_date),
        "invoice_on": date_text(charge.invoice_on),
        # A document bears the date of its run; what was due earlier is caught up with on it.
        "run_date": _day_of(reason.get("run_date")) or date_text(charge.invoice_on),
        "po_number": reason.get("po_number") or "",
        "currency": reason.get("currency") or charge.currency,
        "payer": written(reason.get("payer") or {}),
    }
    sentences = [_where_to(reason, values, whole=whole), _what_decided(reason, whole=whole)]
    return " ".join(sentence % values for sentence in sentences if sentence)


def _taken_back(charge: Charge, *, whole: bool) -> str:
    """Say who took the draft back and why, and what brings the charge on a document again."""
    held = charge.reason.get("held") or {}
    if not whole:
        return _("It was taken off a draft and waits.")
    if not charge.is_held:
        text = _(
            "Its draft was taken back by %(by)s: “%(reason)s”. It waits for the next run since."
        )
    elif charge.held_until is None:
        text = _("It is held back by %(by)s until somebody releases it: “%(reason)s”.")
    else:
        text = _("It is held back by %(by)s until %(until)s: “%(reason)s”.")
    return text % {
        "by": held.get("by", ""),
        "reason": held.get("reason", ""),
        "until": date_text(charge.held_until) if charge.held_until else "",
    }


def _offset(charge: Charge) -> str:
    """Say that a charge, or what takes it back, stands on no document and never will."""
    if charge.kind == Charge.Kind.CREDIT:
        return _(
            "It takes back the whole of what had not been invoiced yet: neither stands on a"
            " document."
        )
    return _(
        "It was taken back as a whole before it was invoiced: neither it nor what takes it back"
        " stands on a document."
    )


def _where_to(reason: Mapping[str, Any], values: Mapping[str, str], *, whole: bool) -> str:
    """Return the sentence about the recipient; alone where nothing else decided."""
    code, decided = reason.get("code"), bool(values["decided_by"])
    if reason.get("problem"):
        return _("It was due on %(due_date)s.") if not values["bill_to"] else _goes_to(decided)
    if not values["bill_to"]:
        return _("It falls due on %(due_date)s and waits for the run of %(invoice_on)s.")
    if code == "credited":
        return _(
            "It goes to %(bill_to)s, who was charged what it takes back, whoever is invoiced now."
        )
    if code not in {"own_invoice", "per_account", "consolidated"}:
        return _(
            "It falls due on %(due_date)s and goes to %(bill_to)s with the run of %(invoice_on)s."
        )
    if not whole:
        return _goes_to(decided)
    if _apart(reason):
        own = code == "own_invoice"
        return (
            _("It was due on %(due_date)s and goes to %(bill_to)s.") if own else _goes_to(decided)
        )
    return _on_the_only_one(str(code), decided=decided)


def _goes_to(decided: bool) -> str:
    if decided:
        return _("It was due on %(due_date)s and goes to %(bill_to)s, as set at %(decided_by)s.")
    return _("It was due on %(due_date)s and goes to %(bill_to)s.")


def _on_the_only_one(code: str, *, decided: bool) -> str:
    if code == "own_invoice":
        return _(
            "It was due on %(due_date)s and stands on %(bill_to)s's own invoice,"
            " with everything else due by %(run_date)s."
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
    if decided:
        return _(
            "It was due on %(due_date)s and goes to %(bill_to)s, as set at %(decided_by)s,"
            " on one invoice with everything else due by %(run_date)s."
        )
    return _(
        "It was due on %(due_date)s and goes to %(bill_to)s, the top of the company,"
        " on one invoice with everything else due by %(run_date)s."
    )


def _apart(reason: Mapping[str, Any]) -> list[str]:
    """Return what sets the document apart from others of its recipient.

    Where there is one invoice per account anyhow, that is not worth a sentence of its own.
    """
    apart = list(reason.get("apart") or ())
    return [] if reason.get("code") == "per_account" and apart == ["service_owner"] else apart


def _what_decided(reason: Mapping[str, Any], *, whole: bool) -> str:
    """Return the sentence about what a charge waits for, or which of several documents it is on."""
    if (problem := reason.get("problem")) and whole:
        return _waits_for(str(problem), reason.get("params") or {})
    apart = _apart(reason) if whole else []
    if not apart:
        return ""
    per_account = reason.get("code") == "per_account"
    order = "" if "po_number" not in apart else "set" if reason.get("po_number") else "without"
    facts = (order, "currency" in apart)
    if facts != ("", False):
        return str((_OF_ITS_OWN if per_account else _SHARED)[facts])
    if "payer" in apart:
        return _("It stands on the invoice that %(payer)s pays.")
    if "service_owner" in apart:
        return _(
            "It stands on one invoice with everything else due by %(run_date)s of accounts that"
            " get no invoice of their own."
        )
    return _(
        "It stands on an invoice apart: the seller, the terms or the way of payment that held for"
        " %(bill_to)s on %(invoice_on)s differ from those of the other invoices."
    )


_SHARED: Final[Mapping[tuple[str, bool], Promise]] = {
    ("set", False): gettext_lazy(
        "It stands on the invoice for PO number %(po_number)s, with everything else for it due by"
        " %(run_date)s."
    ),
    ("without", False): gettext_lazy(
        "It stands on the invoice without a PO number, with everything else without one due by"
        " %(run_date)s."
    ),
    ("", True): gettext_lazy(
        "It stands on the invoice in %(currency)s, with everything else in this currency due by"
        " %(run_date)s."
    ),
    ("set", True): gettext_lazy(
        "It stands on the invoice for PO number %(po_number)s in %(currency)s, with everything"
        " else for both due by %(run_date)s."
    ),
    ("without", True): gettext_lazy(
        "It stands on the invoice in %(currency)s without a PO number, with everything else like"
        " it due by %(run_date)s."
    ),
}
_OF_ITS_OWN: Final[Mapping[tuple[str, bool], Promise]] = {
    ("set", False): gettext_lazy(
        "It stands on an invoice of its own for PO number %(po_number)s: there is one invoice per"
        " account and PO number."
    ),
    ("without", False): gettext_lazy(
        "It stands on an invoice of its own without a PO number: there is one invoice per account"
        " and PO number."
    ),
    ("", True): gettext_lazy(
        "It stands on an invoice of its own in %(currency)s: there is one invoice per account and"
        " currency."
    ),
    ("set", True): gettext_lazy(
        "It stands on an invoice of its own for PO number %(po_number)s in %(currency)s: there is"
        " one invoice per account, PO number and currency."
    ),
    ("without", True): gettext_lazy(
        "It stands on an invoice of its own in %(currency)s without a PO number: there is one"
        " invoice per account, PO number and currency."
    ),
}
_WAITS: Final[Mapping[str, Promise]] = {
    "outside_run": gettext_lazy(
        "It waits: the last run kept to a subtree in which %(bill_to)s does not lie."
    ),
    "run_date_before_last_issue": gettext_lazy(
        "It waits: an invoice with a later date had been issued already."
    ),
    "glyphs_missing": gettext_lazy("It waits: no font can show some of its signs."),
    "negative_total": gettext_lazy(
        "It waits: the total was negative and goes on the next invoice."
    ),
    "out_of_bounds": gettext_lazy("It waits: the document would be too large."),
}


def _waits_for(problem: str, params: Mapping[str, Any]) -> str:
    """Return what a charge waits for, as a text whose recipient is still to be filled in."""
    if problem == "bill_to_incomplete":
        missing = missing_names(params.get("missing", ()))
        text = _("It waits: “%(bill_to)s” lacks %(missing)s.")
        return text % {"bill_to": "%(bill_to)s", "missing": missing.replace("%", "%%")}
    if problem == "tax_rate_unknown":
        text = _("It waits: the seller has no tax rate for it on %(day)s.")
        return text % {"day": _day_of(params.get("day"))}
    return str(_WAITS.get(problem) or _("It waits until a problem of the last run is solved."))


def missing_names(missing: Iterable[str]) -> str:
    """Return what a recipient lacks, as a list of words."""
    names = {
        "legal_name": _("legal name"),
        "line1": _("street"),
        "city": _("city"),
        "country": _("country"),
    }
    return ", ".join(names.get(name, name) for name in missing)


def _day_of(text: object) -> str:
    return date_text(date.fromisoformat(text)) if isinstance(text, str) and text else ""


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
        "subscription_held": _(
            "A subscription of “%(account)s” is about to get another renewal date; it is billed"
            " once its change plan is through."
        ),
        "outside_calendar": _("A period of “%(account)s” lies outside the calendar."),
        "amount_out_of_range": _("An amount of “%(account)s” is too large."),
        "out_of_bounds": _("The document for “%(account)s” is too large and was parked."),
        "seller_incomplete": _(
            "The seller's details are placeholders marked TEST; “%(account)s” is not issued."
        ),
        "outside_run": _(
            "“%(account)s” is invoiced for accounts of this run, but lies outside of the subtree"
            " that the run keeps to: what is due for it waits."
        ),
        "glyphs_missing": _(
            "No installed font can show these signs of “%(account)s”: %(signs)s. The document would"
            " have boxes in their place; it is not made."
        ),
        "changed_since_approval": _(
            "The draft for “%(account)s” has changed since it was approved. It was drafted again"
            " and waits with the new figures."
        ),
        "run_date_before_last_issue": _(
            "An invoice with a later date was issued; “%(account)s” is not issued."
        ),
    }
    text = texts.get(
        problem.code,
        _("Something unexpected kept “%(account)s” from being billed. Run again, or ask for help."),
    )
    missing = missing_names(problem.params.get("missing", ()))
    return text % {
        "account": problem.account.name,
        "missing": missing,
        "signs": problem.params.get("signs", ""),
    }


def describe_hanging(kind: str, count: int, things: Sequence[tuple[str, str]]) -> str:
    """Return what of one kind hangs on an account, the first of them by name and id.

    Args:
        kind: as of ``invoicing.queries.hanging``.
        count: how many.
        things: the public id and the name of the first.
    """
    named = ", ".join(f"{name} ({key})" if name else key for key, name in things)
    more = count - len(things)
    values = {"what": str(_HANGING[kind]), "count": count, "named": named, "more": more}
    if more:
        return _("%(what)s (%(count)s): %(named)s and %(more)s more") % values
    return _("%(what)s (%(count)s): %(named)s") % values


def kind_of_hanging(kind: str) -> str:
    """Return what things of a kind are called that hang on an account."""
    return str(_HANGING[kind])


_HANGING: Final[Mapping[str, Promise]] = {
    "child": gettext_lazy("Sub-accounts"),
    "active_subscription": gettext_lazy("Subscriptions that run"),
    "open_charge": gettext_lazy("Charges on no invoice yet"),
    "draft": gettext_lazy("Drafts of invoices"),
    "invoiced_to_it": gettext_lazy("Accounts that are invoiced to it"),
    "paid_by_it": gettext_lazy("Accounts that it pays for"),
}
