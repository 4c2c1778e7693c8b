"""One billing run: its progress, what it made, what has to be looked at, what is different."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.runs.documents import documents_of
from dashboard.pages.runs.status import duration_text, joined_by, run_badge, steps_of
from invoicing.models import BillingRun, RunProblem
from invoicing.queries import run_figures
from invoicing.queries.run_comparison import RunChange, comparison_of
from invoicing.queries.run_figures import RunSum
from invoicing.queries.run_problems import first_problems
from invoicing.queries.runs import get_run_with_progress
from invoicing.words import describe_problem
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.ids import key_of, public_id
from web import badges
from web.page_heads import Crumb
from web.requests import whole_number
from web.session_checks import staff_only
from web.templatetags.figures import quantity
from web.timeline import timeline_of

EACH: Final = 10
PATIENCE: Final = 5
"""Seconds without progress after which the page says that nobody works on the run."""

_TITLES: Final[dict[str, Promise]] = {
    "bill_to_incomplete": gettext_lazy("Name or address incomplete"),
    "bill_to_not_contract_party": gettext_lazy("Recipient is not party to the contract"),
    "vat_id_missing_or_invalid": gettext_lazy("VAT ID missing or not valid"),
    "tax_rate_unknown": gettext_lazy("Tax rate unknown"),
    "too_many_periods": gettext_lazy("Too many periods at once"),
    "subscription_held": gettext_lazy("About to get another renewal date"),
    "outside_calendar": gettext_lazy("Period outside the calendar"),
    "amount_out_of_range": gettext_lazy("Amount too large"),
    "out_of_bounds": gettext_lazy("Document too large"),
    "seller_incomplete": gettext_lazy("Seller's details incomplete"),
    "glyphs_missing": gettext_lazy("Signs that no font can show"),
    "run_date_before_last_issue": gettext_lazy("A later date was issued already"),
    "outside_run": gettext_lazy("Invoiced outside of the run's subtree"),
    "changed_since_approval": gettext_lazy("Changed since the approval"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem as a sentence, and the account it is about."""

    sentence: str
    account: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one kind: how many there are, and the first of them."""

    title: str
    count: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.findings)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come; ``poll`` is the address to ask again, empty once it is through."""

    done: int
    total: int
    poll: str = ""
    is_waiting: bool = False


def title_of(run: BillingRun) -> str:
    """Return how pages call a run."""
    return _("Billing run of %(date)s") % {"date": date_text(run.date)}


@require_safe
@vary_on_headers("HX-Request")
@staff_only
def run_page(request: ActorRequest, run_id: str) -> HttpResponse:
    """Show a run; htmx asks for the live part alone, every second while it is worked on."""
    actor = request.actor
    run, done, total = get_run_with_progress(actor, key_of("run", run_id))
    context = _live(actor, run, _progress(request, run, done, total))
    is_poll = bool(request.headers.get("HX-Request")) and "done" in request.GET
    if is_poll and context["progress"].poll:
        return render(request, "runs/_live.html", context)
    context |= _details(request, actor, run, context["sums"])
    if not is_poll:
        return render(request, "runs/page.html", context)
    # It is through: the whole page is new, and nothing asks again.
    response = render(request, "runs/_body.html", context)
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#run", "outerHTML"
    return response


def _live(actor: Actor, run: BillingRun, progress: Progress) -> dict[str, Any]:
    sums = run_figures.sums_of(actor, [run.pk]).get(run.pk, [])
    return {
        "run": run,
        "run_id": run.public_id,
        "run_steps": steps_of(run),
        "progress": progress,
        "sums": sums,
        "documents": sum(one.count for one in sums),
        "drafts": sum(one.drafts for one in sums),
    }


def _progress(request: ActorRequest, run: BillingRun, done: int, total: int) -> Progress:
    is_open = run.finished_at is None and total > 0
    if not is_open:
        return Progress(done, total)
    now = int(time.time())
    since = whole_number(request.GET.get("since", ""), now)
    if whole_number(request.GET.get("done", ""), done) != done:
        since = now
    return Progress(done, total, f"?done={done}&since={since}", now - since >= PATIENCE)


def _details(
    request: ActorRequest, actor: Actor, run: BillingRun, sums: list[RunSum]
) -> dict[str, Any]:
    problems = first_problems(actor, run.pk, each=EACH)
    severities = RunProblem.Severity
    has_problems = any(one.severity == severities.PROBLEM for one in problems)
    # Half a run compares with nothing.
    comparison = comparison_of(actor, run) if run.finished_at else None
    may_issue = access.allows_everywhere(actor, Action.ISSUE_INVOICE)
    is_waiting = run.status == BillingRun.Status.TO_APPROVE
    return {
        **documents_of(request, run, sums, may_approve=may_issue and is_waiting),
        "title": title_of(run),
        "crumbs": [Crumb(_("Billing runs"), "../"), Crumb(title_of(run))],
        "badges": [run_badge(run, has_problems=has_problems)],
        "problems": _groups(problems, severities.PROBLEM),
        "warnings": _groups(problems, severities.WARNING),
        "comparison": comparison,
        "changes": [_change(one) for one in comparison.top] if comparison else [],
        "trends": _trends(comparison.sums) if comparison else [],
        "may_approve": may_issue and is_waiting,
        "waits_for_others": not may_issue and is_waiting,
        "may_repeat": access.allows_everywhere(actor, Action.RUN_BILLING)
        and run.finished_at is not None
        and has_problems,
        "duration": duration_text(run),
        "timeline": timeline_of(actor, run.pk),
        "time_zone": request.tenant.time_zone,
        "taken_by": run.taken_by,
        "joined_by": joined_by(run),
    }


def _groups(problems: Iterable[Any], severity: str) -> list[Group]:
    of_severity = [one for one in problems if one.severity == severity]
    groups = []
    for code, alike in groupby(of_severity, key=lambda problem: str(problem.code)):
        rows = list(alike)
        findings = [
            Finding(_sentence(one), one.account.name, one.account.public_id) for one in rows
        ]
        title = _TITLES.get(code, gettext_lazy("Something unexpected"))
        groups.append(Group(str(title), rows[0].alike, findings))
    return groups


def _sentence(problem: RunProblem) -> str:
    """Return what a problem says, and how often it was met if more than once."""
    count = problem.params.get("count", 1)
    if count == 1:
        return describe_problem(problem)
    times = ngettext("Met %(count)s time.", "Met %(count)s times.", count)
    return f"{describe_problem(problem)} {times % {'count': quantity(count)}}"


def _change(change: RunChange) -> dict[str, Any]:
    if change.before_minor is None:
        kind, tone = _("new"), "info"
    elif change.after_minor is None:
        kind, tone = _("gone"), "warn"
    else:
        kind, tone = "", ""
    return {
        "name": change.name,
        "account_id": public_id("acc", change.account_id),
        "currency": change.currency,
        "before_minor": change.before_minor,
        "after_minor": change.after_minor,
        "difference_minor": change.difference_minor,
        "before_on": change.before_on,
        "badge": badges.Badge(kind, tone, is_plain=True) if kind else None,
    }


def _trends(sums: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    return [
        {
            "currency": currency,
            "before_minor": before,
            "after_minor": after,
            "percent": round((after - before) * 100 / before, 1) if before else None,
        }
        for currency, (before, after) in sorted(sums.items())
    ]


def sums_key(sums: Iterable[RunSum]) -> str:
    """Return what tells whether two looks at a run's drafts saw the same."""
    waiting = (one for one in sums if one.drafts)
    return "_".join(f"{one.currency}{one.drafts}x{one.draft_gross_minor}" for one in waiting)
