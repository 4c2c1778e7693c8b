"""Moving accounts: a question where to, as a dialog of a tree; it leads to the plan."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from dashboard.pages.plans.planning import (
    UnknownTarget,
    UnreadableDay,
    account_written,
    name_of_written,
)
from invoicing.models import ChangePlan
from invoicing.operations.plans.planning import create_plans
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.errors import BillingError, Invalid, NotFound
from tenancy.ids import key_of
from web.accounts import account_url
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

MOST_AT_ONCE: Final = 20


class TooManyMoves(Invalid):
    """More accounts are to move than are previewed while somebody waits."""

    code = "too_many_moves"
    message = gettext_lazy("At most %(most)s accounts are moved at once.")


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def move(request: ActorRequest) -> HttpResponse:
    """Ask where accounts move to. One goes on to its preview; POST of a day plans several.

    At most four statements beside those of the frame.
    """
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_SETTINGS)
    values = request.POST if request.method == "POST" else request.GET
    if values.get("everything") == "1":
        raise TooManyMoves(most=MOST_AT_ONCE)
    accounts = _accounts(actor, values.getlist("account"))
    # A selection is sent in the body as well: an address has no room for very many.
    if request.method != "POST" or "effective_date" not in values:
        return _show(request, accounts)
    try:
        plans = create_plans(
            actor, _wanted(request, accounts), today=actor.today, now=timezone.now()
        )
    except BillingError as refusal:
        status = HTTPStatus(refusal.status)
        details = [one.detail for one in refusal.errors]
        return _show(request, accounts, refusal.detail, details, status)
    count = len(plans)
    text = ngettext(
        "%(count)s move is saved as a draft. Nothing changes yet.",
        "%(count)s moves are saved as drafts. Nothing changes yet.",
        count,
    )
    messages.success(request, text % {"count": quantity(count)})
    return redirect("plans:list")


def _accounts(actor: Actor, texts: Sequence[str]) -> list[Account]:
    """Return the accounts that are to move, by name. One statement."""
    keys = {key_of("acc", text) for text in texts}
    found = list(
        access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=keys).order_by("sort_key", "id")
    )
    if not found or len(found) < len(keys):
        raise NotFound
    if len(found) > MOST_AT_ONCE:
        raise TooManyMoves(most=MOST_AT_ONCE)
    return found


def _wanted(request: ActorRequest, accounts: Sequence[Account]) -> list[Wanted]:
    values = request.POST
    try:
        day = date.fromisoformat(values.get("effective_date", "").strip())
    except ValueError:
        raise UnreadableDay from None
    target_id = None
    if values.get("choice") != "none":
        target_id = account_written(request.actor, values.get("target", ""))
        if target_id is None:
            raise UnknownTarget
    kind = str(ChangePlan.Kind.MOVE)
    return [Wanted(kind, one.pk, day, target_id=target_id) for one in accounts]


def _show(
    request: ActorRequest,
    accounts: Sequence[Account],
    error: str = "",
    details: Sequence[str] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    values = request.POST if request.method == "POST" else request.GET
    count, first = len(accounts), accounts[0]
    title = (
        _("Move %(account)s to …") % {"account": first.name}
        if count == 1
        else _("Move %(count)s accounts to …") % {"count": quantity(count)}
    )
    target = values.get("target", "")
    context = {
        "title": title,
        "steps": [Crumb(first.name, account_url(first.pk)), Crumb(title)],
        "accounts": accounts,
        "is_one": count == 1,
        "target": target,
        "target_name": name_of_written(request.actor, target),
        "takes_none": values.get("choice") == "none",
        "effective_date": values.get("effective_date", request.actor.today.isoformat()),
        "earliest": request.actor.today.isoformat(),
        "back_url": account_url(first.pk, "tree"),
        "error": error,
        "details": details,
    }
    is_part = bool(request.headers.get("HX-Request"))
    template = "plans/_moving_dialog.html" if is_part else "plans/moving.html"
    return render(request, template, context, status=status)
