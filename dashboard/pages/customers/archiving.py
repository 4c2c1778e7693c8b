"""Archiving an account, or the list of what hangs on it; and taking one into use again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account, SettingName
from accounts.operations.accounts import AccountMerged, ParentArchived, reopen_account
from accounts.queries.paths import path_of
from invoicing.models import ChangePlan
from invoicing.operations.accounts import AccountInUse, archive_account
from invoicing.queries import hanging
from invoicing.queries.hanging import Hanging, hanging_on
from invoicing.words.charges import kind_of_hanging
from tenancy.ids import key_of
from web.accounts import account_url, steps_to
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

_ADVICE: Final[Mapping[str, Promise]] = {
    hanging.CHILD: gettext_lazy("Archive or move these first, or close the account by a plan."),
    hanging.SUBSCRIPTION: gettext_lazy("End these first; what is owed until then is invoiced."),
    hanging.CHARGE: gettext_lazy("The next billing run puts these on an invoice."),
    hanging.DRAFT: gettext_lazy("Issue these, or take them back."),
    hanging.INVOICED_HERE: gettext_lazy("Choose another invoice recipient for these."),
    hanging.PAID_HERE: gettext_lazy("Choose another payer for these."),
}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that hangs on the account, and where it can be settled."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Things of one kind: what to do about them, the first by name, how many there are more."""

    title: str
    count: str
    advice: str
    things: list[Thing]
    more: int


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def archive_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Ask whether to archive an account, or list what hangs on it; POST archives it."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    account = path[-1]
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    if request.method != "POST":
        return _ask(request, path)
    try:
        archive_account(actor, account.pk, today=actor.today, now=timezone.now())
    except AccountInUse:
        return _ask(request, path, status=HTTPStatus.CONFLICT)
    messages.success(request, _("“%(name)s” is archived.") % {"name": account.name})
    return redirect(account_url(account.pk))


@require_POST
@staff_only
def reopen(request: ActorRequest, account_id: str) -> HttpResponse:
    """Take an archived account into use again."""
    key = key_of("acc", account_id)
    try:
        account = reopen_account(request.actor, key, now=timezone.now())
    except (AccountMerged, ParentArchived) as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, _("“%(name)s” is in use again.") % {"name": account.name})
    return redirect(account_url(key))


def _ask(
    request: ActorRequest, path: list[Account], *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    actor, account = request.actor, path[-1]
    found = hanging_on(actor, account.pk, today=actor.today)
    title = _("Archive %(name)s?") % {"name": account.name}
    plans = reverse("plans:new")
    may_plan = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    context = {
        "title": title,
        "kinds": [_kind(one, account) for one in found],
        "is_archived": account.status == Account.Status.ARCHIVED,
        "url": account_url(account.pk, "archive"),
        "back_url": account_url(account.pk),
        "plan_url": f"{plans}?kind={ChangePlan.Kind.CLOSING}&account={account.public_id}"
        if may_plan and any(one.kind == hanging.CHILD for one in found)
        else "",
        "scope_name": account.name,
    }
    if request.headers.get("HX-Request"):
        return render(request, "customers/_archive_dialog.html", {**context, "in_dialog": True})
    here = Crumb(account.name, account_url(account.pk))
    context["steps"] = [*steps_to(path)[:-1], here, Crumb(title)]
    return render(request, "customers/archive.html", context, status=status)


def _kind(found: Hanging, account: Account) -> Kind:
    return Kind(
        title=kind_of_hanging(found.kind),
        count=quantity(found.count),
        advice=str(_ADVICE[found.kind]),
        things=list(_things(found, account)),
        more=found.count - len(found.things),
    )


def _things(found: Hanging, account: Account) -> Iterator[Thing]:
    for key, name in found.things:
        shown = name
        match found.kind:
            case hanging.CHILD:
                url = reverse("customers:page", args=[key])
            case hanging.SUBSCRIPTION:
                url = reverse("subscriptions:page", args=[key])
            case hanging.DRAFT:
                url = reverse("invoices:page", args=[key])
                shown = _("Draft for %(account)s") % {"account": name}
            case hanging.CHARGE:
                url = account_url(account.pk, "upcoming")
            case hanging.INVOICED_HERE:
                url = reverse("customers:change_setting", args=[key, SettingName.BILL_TO])
            case _:
                url = reverse("customers:change_setting", args=[key, SettingName.PAYER])
        yield Thing(shown or key, url)
