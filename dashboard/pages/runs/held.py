"""What is held back of drafts, and letting the next run bill it."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from invoicing.operations.runs.discarding import NothingHeld, release_charges
from invoicing.queries.held import held_back
from tenancy.ids import key_of, parse_public_id, public_id
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

PAGE_SIZE: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def held(request: ActorRequest) -> HttpResponse:
    """List what is held back by recipient; POST releases it for one of them."""
    actor = request.actor
    if request.method == "POST":
        return _release(request)
    after = parse_public_id("acc", request.GET.get("after", ""))
    rows = held_back(actor, after=after, limit=PAGE_SIZE + 1)
    older = public_id("acc", rows[PAGE_SIZE - 1].account_id) if len(rows) > PAGE_SIZE else ""
    context = {
        "rows": [{"id": public_id("acc", row.account_id), "held": row} for row in rows[:PAGE_SIZE]],
        "older": older,
        "may_release": access.allows_everywhere(actor, Action.ISSUE_INVOICE),
        "steps": [Crumb(_("Billing runs"), reverse("runs:list")), Crumb(_("Held back"))],
    }
    return render(request, "runs/held.html", context)


def _release(request: ActorRequest) -> HttpResponse:
    account_id = key_of("acc", request.POST.get("account", ""))
    try:
        count = release_charges(request.actor, account_id, now=timezone.now())
    except NothingHeld as refusal:
        messages.info(request, refusal.detail)
    else:
        done = ngettext(
            "%(count)s charge released. The next run bills it.",
            "%(count)s charges released. The next run bills them.",
            count,
        )
        messages.success(request, done % {"count": quantity(count)})
    return redirect("runs:held")
