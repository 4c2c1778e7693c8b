"""Requests: what another customer's change would hand over, and the answer to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import ActorRequest
from accounts.versions import ChangedMeanwhile
from invoicing.models import ChangePlan
from invoicing.operations.plans.deciding import REASON_LENGTH, answer_plan
from invoicing.queries.plans.listing import get_plan, plans
from invoicing.queries.plans.shown import preview_for
from invoicing.words import plan_title
from tenancy.actor import Actor
from tenancy.errors import BillingError, NotFound
from tenancy.formats import date_text
from tenancy.queries import paging
from tenancy.queries.paging import Order
from web.badges import Badge
from web.forms import version_seen
from web.page_heads import Crumb, Fact
from web.plan_badges import plan_badge
from web.templatetags.figures import money

_LATEST_FIRST = Order("created_at", is_falling=True)
_ANSWERS = {"accept": True, "decline": False}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request in the list."""

    title: str
    url: str
    receiver: str
    effective: date
    until: date | None
    badge: Badge


@dataclass(frozen=True, slots=True)
class InvoicesRow:
    """The next invoices of a recipient, as things are and if it is accepted."""

    recipient: str
    before: str
    before_day: str
    after: str
    after_day: str


def waiting_count(actor: Actor) -> int:
    """Return how many requests wait for the actor's answer. One statement."""
    return plans(actor, status=ChangePlan.Status.WAITING_ACCEPTANCE).order_by().count()


@require_safe
def request_list(request: ActorRequest) -> HttpResponse:
    """List what was asked, the latest first. One statement beside those of the frame."""
    if request.actor.staff_role is not None:
        return redirect("plans:list")
    page = paging.page_of(
        plans(request.actor),
        _LATEST_FIRST,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {"rows": [_row(plan) for plan in page.rows], "page": page}
    return render(request, "portal/requests.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def request_page(request: ActorRequest, plan_id: str) -> HttpResponse:
    """Show what is asked and what would come of it; POST answers. Three statements."""
    if request.actor.staff_role is not None:
        return redirect("plans:page", plan_id)
    key = ChangePlan.key_of(plan_id)
    if key is None:
        raise NotFound
    plan = get_plan(request.actor, key)
    if request.method != "POST":
        return _show(request, plan)
    accepts = _ANSWERS.get(request.POST.get("do", ""))
    if accepts is None:
        return _show(request, plan, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        done = answer_plan(
            request.actor,
            plan.pk,
            accepts=accepts,
            reason=request.POST.get("reason", ""),
            version=version_seen(request),
            today=request.actor.today,
            now=timezone.now(),
        )
    except ChangedMeanwhile:
        error = _("Something has changed while you looked at it. Nothing was done.")
        fresh = get_plan(request.actor, key)
        return _show(request, fresh, error=error, status=HTTPStatus.CONFLICT)
    except BillingError as refusal:
        fresh = get_plan(request.actor, key)
        return _show(request, fresh, error=refusal.detail, status=HTTPStatus(refusal.status))
    said = (
        _("Accepted. It takes effect on its day.") if accepts else _("Declined. Nothing changes.")
    )
    if done.status == ChangePlan.Status.FAILED:
        messages.error(request, _("It could not be carried out. Nothing was changed."))
    else:
        messages.success(request, said)
    return redirect("portal-request", done.public_id)


def _row(plan: ChangePlan) -> RequestRow:
    return RequestRow(
        title=plan_title(plan),
        url=reverse("portal-request", args=[plan.public_id]),
        receiver=plan.receiver.name if plan.receiver else "",
        effective=plan.effective_date,
        until=_open_until(plan),
        badge=plan_badge(plan),
    )


def _open_until(plan: ChangePlan) -> date | None:
    """Return the last day on which it can be answered, None where nobody waits for one."""
    is_waiting = plan.status == ChangePlan.Status.WAITING_ACCEPTANCE
    until: date | None = plan.acceptance_until if is_waiting else None
    return until


def _show(
    request: ActorRequest,
    plan: ChangePlan,
    *,
    error: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    title = plan_title(plan)
    preview = preview_for(request.actor, plan) if plan.preview else {"billing": []}
    context = {
        "plan": plan,
        "version": str(plan.version),
        "title": title,
        "steps": [Crumb(_("Requests"), reverse("portal-requests")), Crumb(title)],
        "badges": [plan_badge(plan)],
        "facts": _facts(plan),
        "rows": [_invoices(row) for row in preview["billing"]],
        "may_answer": plan.status == ChangePlan.Status.WAITING_ACCEPTANCE,
        "receiver": plan.receiver.name if plan.receiver else "",
        "most": REASON_LENGTH,
        "error": error,
    }
    return render(request, "portal/request.html", context, status=status)


def _facts(plan: ChangePlan) -> Sequence[Fact]:
    until = _open_until(plan)
    facts = [
        Fact(_("For your account"), plan.receiver.name if plan.receiver else ""),
        Fact(_("Takes effect"), date_text(plan.effective_date)),
    ]
    if until is not None:
        facts.append(Fact(_("To be answered by"), date_text(until)))
    if plan.acceptance:
        label = _("Accepted by") if plan.acceptance["accepts"] else _("Declined by")
        facts.append(Fact(label, plan.acceptance["by"]["label"]))
        if plan.acceptance["reason"]:
            facts.append(Fact(_("Reason"), plan.acceptance["reason"]))
    return facts


def _invoices(row: Mapping[str, Any]) -> InvoicesRow:
    return InvoicesRow(
        recipient=row["bill_to"]["name"],
        before=money(row["before_minor"], row["currency"]),
        before_day=_day(row["before"]),
        after=money(row["after_minor"], row["currency"]),
        after_day=_day(row["after"]),
    )


def _day(side: Mapping[str, Any] | None) -> str:
    return "" if side is None else date_text(date.fromisoformat(side["date"]))
