"""Sentences about change plans: what one does, what to look at, and why one has failed."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invoicing.models import ChangePlan
from tenancy.formats import date_text

KINDS: Final[Mapping[str, Promise]] = {
    ChangePlan.Kind.MOVE: gettext_lazy("Move"),
    ChangePlan.Kind.PAYER: gettext_lazy("Payer"),
    ChangePlan.Kind.BILL_TO: gettext_lazy("Invoice recipient"),
    ChangePlan.Kind.CONSOLIDATION: gettext_lazy("Consolidation"),
    ChangePlan.Kind.CLOSING: gettext_lazy("Closing"),
    ChangePlan.Kind.PROMOTION: gettext_lazy("Takes the place above"),
    ChangePlan.Kind.SUBSCRIPTION: gettext_lazy("Recipient of a subscription"),
    ChangePlan.Kind.MERGE: gettext_lazy("Merge"),
    ChangePlan.Kind.ALIGNMENT: gettext_lazy("One renewal date"),
}

_CHANGED: Final[Mapping[str, Promise]] = {
    "places": gettext_lazy("where accounts stand"),
    "accounts": gettext_lazy("names, addresses or states of accounts"),
    "settings": gettext_lazy("billing settings"),
    "subscriptions": gettext_lazy("subscriptions"),
}


def plan_title(plan: ChangePlan) -> str:
    """Return what a plan does, in a few words."""
    name = plan.account.name
    wanted: Mapping[str, Any] = plan.parameters
    to = _target(plan)
    if plan.kind == ChangePlan.Kind.MOVE:
        return _move_title(name, to)
    if plan.kind == ChangePlan.Kind.PAYER:
        if not wanted["payer"]:
            return _("%(account)s: payer inherited") % {"account": name}
        return _("%(account)s: %(payer)s pays") % {"account": name, "payer": to}
    if plan.kind == ChangePlan.Kind.BILL_TO:
        return _bill_to_title(plan, name, to)
    if plan.kind == ChangePlan.Kind.SUBSCRIPTION:
        return _subscription_title(plan, name, to)
    if plan.kind == ChangePlan.Kind.MERGE:
        return _("Merge %(account)s into %(into)s") % {"account": name, "into": _kept(plan, to)}
    if plan.kind == ChangePlan.Kind.ALIGNMENT:
        return _alignment_title(wanted["alignment"], name)
    if plan.kind == ChangePlan.Kind.CONSOLIDATION:
        return _consolidation_title(wanted.get("consolidation"), name)
    if plan.kind == ChangePlan.Kind.CLOSING:
        if wanted.get("reopens"):
            return _("Open %(account)s again") % {"account": name}
        return _("Close %(account)s") % {"account": name}
    if wanted.get("places"):
        return _("Put %(account)s back where it was") % {"account": name}
    return _("%(account)s takes the place of the account above it") % {"account": name}


def _move_title(name: str, to: str) -> str:
    if not to:
        return _("Move %(account)s to the top, as a customer of its own") % {"account": name}
    return _("Move %(account)s below %(parent)s") % {"account": name, "parent": to}


def _kept(plan: ChangePlan, to: str) -> str:
    """Return the name of the account that is kept; where both are called alike with its number."""
    number: str | None = plan.preview["merge"]["into"]["external_id"]
    if number and to == plan.account.name:
        return _("%(account)s (%(number)s)") % {"account": to, "number": number}
    return to


def _bill_to_title(plan: ChangePlan, name: str, to: str) -> str:
    target = plan.parameters["bill_to"]
    if not target:
        text = _("%(account)s: on the invoice of the account above")
    elif target == plan.account.public_id:
        text = _("%(account)s: own invoice")
    else:
        text = _("%(account)s: on the invoice of %(bill_to)s")
    return text % {"account": name, "bill_to": to}


def _subscription_title(plan: ChangePlan, name: str, to: str) -> str:
    values = {"subscription": plan.preview["subscription"]["name"], "account": name, "bill_to": to}
    if to:
        return _("%(subscription)s of %(account)s: invoiced to %(bill_to)s") % values
    return _("%(subscription)s of %(account)s: invoiced as the account is") % values


def _consolidation_title(value: Any, name: str) -> str:
    if value == "per_account":
        text = _("%(account)s: one invoice per account")
    elif value == "one_invoice":
        text = _("%(account)s: one invoice for all accounts with the same recipient")
    else:
        text = _("%(account)s: consolidation inherited")
    return text % {"account": name}


def _alignment_title(wanted: Mapping[str, Any], name: str) -> str:
    if wanted.get("is_back"):
        return _("%(account)s: renewal dates as they were") % {"account": name}
    text = _("%(account)s renews on %(day)s")
    if wanted.get("scope") == "payer":
        text = _("What %(account)s pays for renews on %(day)s")
    return text % {
        "account": name,
        "day": renewal_day(wanted["billing_day"], wanted["billing_month"]),
    }


def renewal_day(day: int, month: int | None) -> str:
    """Return the day on which periods begin, in words."""
    if month is None:
        return _("day %(day)s of the month") % {"day": day}
    return _("%(day)s %(month)s") % {"day": day, "month": MONTHS[month]}


def _target(plan: ChangePlan) -> str:
    """Return the name that the preview had for whom the plan names."""
    shown: Mapping[str, Any] = plan.preview
    if plan.kind == ChangePlan.Kind.MOVE:
        places = [one["to"] for one in shown.get("moves", ())]
        return str(places[0]["name"]) if places and places[0] else ""
    target = shown.get("target")
    return str(target["name"]) if target else ""


def describe_plan(plan: ChangePlan) -> str:
    """Return how it stands with a plan, in a sentence; empty where its state says it all."""
    if plan.status == ChangePlan.Status.FAILED:
        return describe_failure(plan)
    if plan.status == ChangePlan.Status.WITHDRAWN and plan.acceptance.get("accepts") is False:
        by = plan.acceptance["by"]["label"]
        return _("%(by)s declined: %(reason)s") % {
            "by": by,
            "reason": plan.acceptance["reason"] or "–",
        }
    return ""


def describe_failure(plan: ChangePlan) -> str:
    """Return why a plan has failed; nothing of it was done."""
    failure: Mapping[str, Any] = plan.failure
    if failure["code"] == "world_changed":
        parts = [str(_CHANGED[one]) for one in failure.get("parts", ()) if one in _CHANGED]
        return _("Since its preview something changed: %(parts)s. Nothing was done.") % {
            "parts": ", ".join(parts)
        }
    return str(failure.get("detail", ""))


def describe_warning(warning: Mapping[str, Any]) -> str:
    """Return what somebody should look at before a plan is carried out."""
    account = (warning.get("account") or {}).get("name", "")
    if warning["code"] == "not_contract_party":
        count = warning["accounts"]
        text = ngettext(
            "%(example)s would be invoiced to %(account)s, which is not its contract party."
            " A wrong recipient can cost the deduction of input VAT.",
            "%(count)s accounts, such as %(example)s, would be invoiced to %(account)s, which is"
            " not their contract party. A wrong recipient can cost the deduction of input VAT.",
            count,
        )
        return text % {
            "count": count,
            "example": warning["example"]["name"],
            "account": account,
        }
    if warning["code"] == "prices_stay":
        text = ngettext(
            "%(count)s subscription, of %(account)s, keeps the price that was agreed, though its"
            " new place has another. Change it on its page if it is to have that.",
            "%(count)s subscriptions, such as one of %(account)s, keep the prices that were"
            " agreed, though their new place has others. Change them on their pages if they are"
            " to have those.",
            warning["count"],
        )
        return text % {"count": warning["count"], "account": account}
    if warning["code"] == "discounts_stay":
        text = ngettext(
            "%(count)s subscription, of %(account)s, keeps the discount of an account that is not"
            " above it any more. End it on its page if it is to go.",
            "%(count)s subscriptions, such as one of %(account)s, keep discounts of accounts that"
            " are not above them any more. End them on their pages if they are to go.",
            warning["count"],
        )
        return text % {"count": warning["count"], "account": account}
    if warning["code"] == "discounts_not_taken":
        text = ngettext(
            "%(count)s subscription, of %(account)s, does not take the discount of its new place."
            " Give it one if it is to have it; what begins there takes it.",
            "%(count)s subscriptions, such as one of %(account)s, do not take the discounts of"
            " their new place. Give them one if they are to have it; what begins there takes it.",
            warning["count"],
        )
        return text % {"count": warning["count"], "account": account}
    if warning["code"] == "recipient_incomplete":
        return _(
            "%(account)s would be invoiced, but legal name, street, city or country is missing:"
            " its invoices would wait."
        ) % {"account": account}
    if warning["code"] == "other_plan_stops":
        return _(
            "The change of %(account)s that is planned for %(day)s would not be carried out,"
            " because this one moves accounts that it depends on. Plan it again afterwards."
        ) % {"account": account, "day": date_text(date.fromisoformat(warning["effective_date"]))}
    if warning["code"] == "credit_waits":
        return _(
            "%(account)s is not invoiced enough any more for its credit to be taken from: what is"
            " left of it waits for its next invoice."
        ) % {"account": account}
    if warning["code"] == "payer_without_effect":
        return _(
            "%(account)s gets no invoices of its own, so a payer set on it has no effect there."
        ) % {"account": account}
    return _(
        "The trees are too large to compute the next invoices here. The billing run does it all"
        " the same."
    )
