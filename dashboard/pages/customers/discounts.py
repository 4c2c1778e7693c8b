"""Discounts of an account, for all below it: own and inherited, and how far they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.jobs import jobs
from accounts.queries.paths import path_of
from subscriptions.models import Discount
from subscriptions.queries.discounts import discounts_above, reaches
from tenancy.actor import Actor
from tenancy.ids import key_of
from tenancy.models import Job
from web.accounts import account_url, steps_to
from web.discounts import discount_rows
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

_JOBS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is that gives a discount, or ends it."""

    title: str
    done: int
    total: int
    said: str
    failure: str
    is_open: bool


@require_safe
@vary_on_headers("HX-Request")
@staff_only
def account_discounts(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show the discounts of an account and of those above, and how far they are carried out."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    account = path[-1]
    may_give = access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION)
    is_archived = account.status == Account.Status.ARCHIVED
    given = discounts_above(actor, account)

    def end_url(one: Discount) -> str:
        if not may_give or one.account_id != account.pk:
            return ""
        return reverse("customers:end_discount", args=[account.public_id, one.public_id])

    reached = reaches(actor, [one.pk for one in given]) if given else {}
    rows = discount_rows(given, reached, actor.today, end_url=end_url)
    own = [row for row, one in zip(rows, given, strict=True) if one.account_id == account.pk]
    inherited = [row for row, one in zip(rows, given, strict=True) if one.account_id != account.pk]
    progress = _progress(actor, given)
    title = _("Discounts")
    context = {
        "title": title,
        "steps": discount_steps(path, title),
        "own": own,
        "inherited": inherited,
        "progress": progress,
        "is_open": any(one.is_open for one in progress),
        "give_url": reverse("customers:give_discount", args=[account.public_id])
        if may_give and not is_archived
        else "",
        "scope_name": account.name,
    }
    is_part = bool(request.headers.get("HX-Request"))
    template = "customers/_discounts.html" if is_part else "customers/discounts.html"
    return render(request, template, context)


def _progress(actor: Actor, given: list[Discount] | Any) -> list[Progress]:
    """Return how far the last jobs of some discounts are. One statement, none without any."""
    names = {str(one.pk): one.name for one in given}
    if not names:
        return []
    # One that came by a file is carried out with all others of the file, while that goes on.
    of_a_file = Q(params__many=True, status__in=(Job.Status.WAITING, Job.Status.RUNNING))
    found = jobs(actor, Job.Kind.DISCOUNT).filter(Q(params__discount__in=list(names)) | of_a_file)
    return [
        Progress(
            title=names.get(job.params.get("discount", ""), _("Discounts of a file")),
            done=job.done,
            total=job.total,
            said=_said(job),
            failure=str(job.problems[0]["detail"]) if job.problems else "",
            is_open=job.is_open,
        )
        for job in found[:_JOBS_SHOWN]
    ]


def _said(job: Job) -> str:
    counts: Mapping[str, int] = job.result
    refused = sum(
        count for word, count in counts.items() if word not in ("changed", "same", "behind", "gone")
    )
    values = {
        "done": quantity(job.done),
        "total": quantity(job.total),
        "changed": quantity(counts.get("changed", 0)),
        "refused": quantity(refused),
    }
    if job.params.get("many"):
        return _("%(done)s of %(total)s discounts are through.") % values
    if job.params["way"] == "end":
        return (
            _(
                "Subscriptions it ended for: %(changed)s; %(done)s of %(total)s are through,"
                " %(refused)s could not be changed."
            )
            % values
        )
    return (
        _(
            "Subscriptions it was given to: %(changed)s; %(done)s of %(total)s are through,"
            " %(refused)s could not be changed."
        )
        % values
    )


def discount_steps(path: list[Account], title: str) -> list[Crumb]:
    """Return the way to a page about discounts of an account."""
    here = Crumb(path[-1].name, account_url(path[-1].pk))
    return [*steps_to(path)[:-1], here, Crumb(title)]
