"""The page of a change plan: what comes of it, who decides, what became of it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.jobs import has_been_silent
from accounts.versions import ChangedMeanwhile
from dashboard.pages.plans.preview import shown
from invoicing.models import ChangePlan
from invoicing.operations.plans.aligning_jobs import resume_alignment, stop_alignment
from invoicing.operations.plans.deciding import answer_plan, approve_plan, submit_plan
from invoicing.operations.plans.planning import comment_on_plan, withdraw_plan
from invoicing.operations.plans.reversing import reverse_plan
from invoicing.queries.plans.listing import comments_of, get_plan, job_of, reverse_of
from invoicing.tasks import align_soon
from invoicing.words import describe_plan, plan_title
from tenancy.errors import BillingError, NotFound
from tenancy.formats import date_text
from tenancy.ids import key_of
from web.accounts import account_url
from web.forms import version_seen
from web.page_heads import Crumb, Fact
from web.plan_badges import plan_badge
from web.session_checks import staff_only
from web.templatetags.figures import quantity
from web.timeline import timeline_of

_PATIENCE: Final = 5
"""After so many seconds without a sign it is said that a job waits for its turn."""
_DONE: Final[Mapping[str, Promise]] = {
    ChangePlan.Status.SCHEDULED: gettext_lazy("Scheduled. It can be withdrawn until its day."),
    ChangePlan.Status.WAITING_APPROVAL: gettext_lazy("Somebody else can approve it now."),
    ChangePlan.Status.WAITING_ACCEPTANCE: gettext_lazy("It waits for the agreement."),
    ChangePlan.Status.APPLYING: gettext_lazy("It is being carried out."),
    ChangePlan.Status.APPLIED: gettext_lazy("Carried out."),
    ChangePlan.Status.WITHDRAWN: gettext_lazy("Withdrawn. Nothing was changed."),
    ChangePlan.Status.FAILED: gettext_lazy("It could not be carried out. Nothing was changed."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def plan_page(request: ActorRequest, plan_id: str) -> HttpResponse:
    """Show a plan; POST decides on it. At most six statements beside those of the frame."""
    key = ChangePlan.key_of(plan_id)
    if key is None:
        raise NotFound
    plan = get_plan(request.actor, key)
    if request.method != "POST" and request.headers.get("HX-Request"):
        return _progress(request, plan)
    if request.method != "POST":
        return _show(request, plan)
    step = _STEPS.get(request.POST.get("do", ""))
    if step is None:
        return _show(request, plan, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        done = step(request, plan)
    except ChangedMeanwhile:
        fresh = get_plan(request.actor, key)
        return _show(request, fresh, is_stale=True, status=HTTPStatus.CONFLICT)
    except BillingError as refusal:
        fresh = get_plan(request.actor, key)
        return _show(request, fresh, error=refusal.detail, status=HTTPStatus(refusal.status))
    return redirect("plans:page", done.public_id)


def _told(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    tell = messages.error if plan.status == ChangePlan.Status.FAILED else messages.success
    tell(request, str(_DONE[plan.status]))
    align_soon(request.actor, plan)
    return plan


def _submit(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    done = submit_plan(
        request.actor,
        plan.pk,
        ask_approval=request.POST["do"] == "ask",
        version=version_seen(request),
        today=request.actor.today,
        now=timezone.now(),
    )
    return _told(request, done)


def _approve(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    version, today = version_seen(request), request.actor.today
    done = approve_plan(request.actor, plan.pk, version=version, today=today, now=timezone.now())
    return _told(request, done)


def _answer(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    done = answer_plan(
        request.actor,
        plan.pk,
        accepts=request.POST["do"] == "accept",
        reason=request.POST.get("reason", ""),
        version=version_seen(request),
        today=request.actor.today,
        now=timezone.now(),
    )
    return _told(request, done)


def _withdraw(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    version = version_seen(request)
    return _told(
        request, withdraw_plan(request.actor, plan.pk, version=version, now=timezone.now())
    )


def _reverse(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    today = request.actor.today
    made = reverse_plan(
        request.actor, plan.pk, effective_date=today, today=today, now=timezone.now()
    )
    messages.success(request, _("The reverse plan is saved as a draft. Nothing changes yet."))
    return made


def _stop(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    return stop_alignment(request.actor, plan.pk, now=timezone.now())


def _resume(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    done = resume_alignment(request.actor, plan.pk, now=timezone.now())
    align_soon(request.actor, done)
    return done


def _comment(request: ActorRequest, plan: ChangePlan) -> ChangePlan:
    comment_on_plan(request.actor, plan.pk, text=request.POST.get("text", ""), now=timezone.now())
    return plan


_STEPS: Final[Mapping[str, Callable[[ActorRequest, ChangePlan], ChangePlan]]] = {
    "schedule": _submit,
    "ask": _submit,
    "approve": _approve,
    "accept": _answer,
    "decline": _answer,
    "withdraw": _withdraw,
    "reverse": _reverse,
    "stop": _stop,
    "resume": _resume,
    "comment": _comment,
}


def _progress(request: ActorRequest, plan: ChangePlan) -> HttpResponse:
    """Show how far a large alignment is; the whole page once it is through."""
    context = _job_context(request, plan)
    if not context["is_under_way"]:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "plans/_progress.html", context)


def _job_context(request: ActorRequest, plan: ChangePlan) -> dict[str, Any]:
    job = job_of(request.actor, plan)
    if job is None or plan.status != ChangePlan.Status.APPLYING:
        return {"is_under_way": False}
    return {
        "is_under_way": True,
        "plan": plan,
        "job": job,
        "is_waiting": job.is_open
        and has_been_silent(request.actor, job, seconds=_PATIENCE, now=timezone.now()),
        "why_stopped": job.problems[0]["detail"] if job.problems else "",
        "progress": {
            "done": quantity(job.done),
            "total": quantity(job.total),
            "rest": quantity(job.total - job.done),
        },
        "may_stop": access.allows_everywhere(request.actor, Action.EDIT_SETTINGS)
        and access.allows_everywhere(request.actor, Action.EDIT_SUBSCRIPTION),
    }


def _show(
    request: ActorRequest,
    plan: ChangePlan,
    *,
    error: str = "",
    is_stale: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    actor, title = request.actor, plan_title(plan)
    may_plan = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    is_author = plan.author.get("id") == str(actor.actor_id)
    reverse_plan_of_it = reverse_of(actor, plan) if plan.applied_at else None
    states = ChangePlan.Status
    context = {
        "plan": plan,
        "version": str(plan.version),
        "title": title,
        "steps": [Crumb(_("Change plans"), reverse("plans:list")), Crumb(title)],
        "badges": [plan_badge(plan)],
        "facts": [*_facts(plan)],
        "sentence": describe_plan(plan),
        "is_over": plan.status not in ChangePlan.CHANGEABLE,
        "preview": shown(plan.preview) if plan.preview else None,
        "comments": comments_of(actor, plan),
        "timeline": timeline_of(actor, plan.pk),
        "reversed_by": reverse_plan_of_it,
        "error": error,
        "is_stale": is_stale,
        "may_plan": may_plan,
        "is_draft": may_plan and plan.status == states.DRAFT,
        "needs_two": request.tenant.four_eyes,
        "may_approve": may_plan
        and plan.status == states.WAITING_APPROVAL
        and not (request.tenant.four_eyes and is_author),
        "waits_for_other": plan.status == states.WAITING_APPROVAL
        and request.tenant.four_eyes
        and is_author,
        "may_answer": may_plan and plan.status == states.WAITING_ACCEPTANCE,
        "may_withdraw": may_plan and plan.status in ChangePlan.CHANGEABLE,
        "may_reverse": may_plan
        and plan.status == states.APPLIED
        and plan.kind != ChangePlan.Kind.MERGE
        and reverse_plan_of_it is None,
        "starts_today": plan.effective_date <= actor.today,
        "scope_name": plan.account.name,
        **_job_context(request, plan),
    }
    return render(request, "plans/page.html", context, status=status)


def _facts(plan: ChangePlan) -> Iterator[Fact]:
    yield Fact(_("Takes effect"), date_text(plan.effective_date))
    yield Fact(_("Account"), plan.account.name, account_url(plan.account_id))
    if merged := plan.preview.get("merge"):
        into = merged["into"]
        yield Fact(_("Account to keep"), into["name"], account_url(key_of("acc", into["id"])))
    yield Fact(_("Planned by"), plan.author.get("label", ""))
    if plan.approver:
        yield Fact(_("Approved by"), plan.approver["label"])
    if plan.receiver is not None:
        yield Fact(_("Has to agree"), plan.receiver.name, account_url(plan.receiver.pk))
    if plan.status == ChangePlan.Status.WAITING_ACCEPTANCE and plan.acceptance_until:
        yield Fact(_("Acceptance until"), _day(plan.acceptance_until))
    if plan.acceptance:
        by = plan.acceptance["by"]["label"]
        if plan.acceptance["forced"]:
            yield Fact(_("Answered in place of the customer by"), by)
            yield Fact(_("Reason"), plan.acceptance["reason"])
        else:
            yield Fact(_("Answered by"), by)
    if plan.reverse_of_id is not None:
        first = ChangePlan(id=plan.reverse_of_id, kind=plan.kind).public_id
        yield Fact(_("Reverses"), _("an earlier plan"), reverse("plans:page", args=[first]))


def _day(day: date) -> str:
    return date_text(day)
