"""How far a change of a price is that a job carries out, and what it left as it was."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.jobs import get_job, has_been_silent
from dashboard.pages.catalogue.prices import steps_to
from invoicing.operations.prices.beginning import resume_repricing, stop_repricing
from invoicing.queries.repricing import Way
from invoicing.tasks import reprice_soon
from subscriptions.queries.catalogue import get_price
from tenancy.formats import date_text
from tenancy.ids import key_of, public_id
from tenancy.models import Job
from web.page_heads import Fact
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

_PATIENCE: Final = 5


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def price_change(request: ActorRequest, job_id: str) -> HttpResponse:
    """Show how far a change of a price is; POST stops it or goes on."""
    actor, now = request.actor, timezone.now()
    job = get_job(actor, Job.Kind.PRICES, key_of("job", job_id))
    if request.method == "POST":
        if request.POST.get("do") == "stop":
            stop_repricing(actor, job.pk, now=now)
        else:
            reprice_soon(actor, resume_repricing(actor, job.pk, today=actor.today, now=now))
        return redirect("catalogue:price_change", job.public_id)
    is_part = bool(request.headers.get("HX-Request"))
    template = "catalogue/_price_change.html" if is_part else "catalogue/price_change.html"
    return render(request, template, _job_context(request, job))


def _job_context(request: ActorRequest, job: Job) -> dict[str, Any]:
    price = get_price(request.actor, public_id("prc", UUID(job.params["price"])))
    result, is_end = job.result, job.params["way"] == Way.END
    currency = result.get("currency") or price.currency
    may_edit = access.allows_everywhere(
        request.actor, Action.EDIT_CATALOGUE
    ) and access.allows_everywhere(request.actor, Action.EDIT_SUBSCRIPTION)
    title = _("End of a version") if is_end else _("Change of a price")
    is_stopped = job.status in (Job.Status.STOPPED, Job.Status.FAILED)
    return {
        "job": job,
        "title": title,
        "steps": steps_to(price, title),
        "price": price,
        "price_url": reverse("catalogue:price", args=[price.public_id]),
        "is_waiting": job.is_open
        and has_been_silent(request.actor, job, seconds=_PATIENCE, now=timezone.now()),
        "is_through": job.status == Job.Status.DONE,
        "is_stopped": is_stopped,
        "why_failed": job.problems[0]["detail"] if job.problems else "",
        "progress": {"done": quantity(job.done), "total": quantity(job.total)},
        "facts": [
            Fact(_("Price"), price.name, reverse("catalogue:price", args=[price.public_id])),
            Fact(
                _("First day without it") if is_end else _("Valid from"),
                date_text(date.fromisoformat(job.params["since"])),
            ),
            Fact(_("Changed"), quantity(result.get("changed", 0))),
            *(
                [Fact(_("Pools that follow"), quantity(result["pools"]))]
                if result.get("pools")
                else []
            ),
            Fact(_("Credited"), money(result.get("credited_minor", 0), currency)),
            Fact(_("Charged anew"), money(result.get("charged_minor", 0), currency)),
        ],
        "skipped": list(_skipped(result.get("skipped", {}).items())),
        "can_stop": may_edit and job.is_open,
        "can_go_on": may_edit and is_stopped,
    }


@dataclass(frozen=True, slots=True)
class SkippedPart:
    """Subscriptions that stay as they are, and why; ``more`` are not named."""

    why: str
    count: str
    named: Sequence[tuple[str, str]]
    more: int


_WHY_SKIPPED = {
    "own_choice": lambda: _("Another version was chosen for them; they keep it."),
    "as_it_was": lambda: _("They have the price no longer on any day that changes."),
    "no_longer_had": lambda: _("They have ended, or have the price no longer."),
    "too_many_periods": lambda: _("More than 1,200 periods would be charged anew."),
    "amount_out_of_range": lambda: _("The amount is too large."),
}


def _skipped(found: Iterable[tuple[str, Any]]) -> Iterable[SkippedPart]:
    for code, (count, first) in found:
        named = [
            (
                " · ".join(filter(None, (external_id or public_id("sub", UUID(key)), name))),
                reverse("subscriptions:page", args=[public_id("sub", UUID(key))]),
            )
            for key, external_id, name in first
        ]
        yield SkippedPart(_WHY_SKIPPED[code](), quantity(count), named, count - len(named))
