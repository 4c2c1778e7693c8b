"""Changing what is said of an account: all its particulars in one form."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.operations.accounts import ExternalIdTaken, InvalidAccount, edit_account
from accounts.queries.particulars import particulars_of
from accounts.queries.paths import path_of
from accounts.versions import ChangedMeanwhile
from tenancy.ids import key_of
from web.accounts import account_url, steps_to
from web.forms import version_seen, version_to_carry
from web.page_heads import Crumb
from web.particulars_form import ParticularsForm, particulars_differing, typed_particulars
from web.session_checks import staff_only


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def edit_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show the form; POST changes the account, or says at each field what is wrong."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    with_settings = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    if request.method != "POST":
        stored = particulars_of(actor, path[-1].pk)
        form = ParticularsForm(initial=typed_particulars(stored), with_settings=with_settings)
        return _form(request, path, form, stored)
    form = ParticularsForm(request.POST, with_settings=with_settings)
    try:
        if _changed(request, path[-1], form):
            messages.success(request, _("Saved. Issued invoices keep what they were issued with."))
            return redirect(account_url(path[-1].pk))
    except ChangedMeanwhile:
        stored = particulars_of(actor, path[-1].pk)
        return _form(request, path, form, stored, status=HTTPStatus.CONFLICT)
    return _form(request, path, form, {}, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _changed(request: ActorRequest, account: Account, form: ParticularsForm) -> bool:
    """Change the account; a refusal goes to the fields it names."""
    values = form.values() if form.is_valid() else {}
    if form.errors:
        return False
    try:
        edit_account(
            request.actor,
            account.pk,
            today=request.actor.today,
            now=timezone.now(),
            version=version_seen(request),
            **values,
        )
    except (InvalidAccount, ExternalIdTaken) as refusal:
        form.refuse(refusal.errors)
        return False
    return True


def _form(
    request: ActorRequest,
    path: list[Account],
    form: ParticularsForm,
    stored: Mapping[str, Any],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    account = path[-1]
    is_stale = status == HTTPStatus.CONFLICT
    context = {
        "form": form,
        "groups": list(form.grouped()),
        "version": version_to_carry(request, stored, status=status),
        "conflict": particulars_differing(form, stored) if is_stale else None,
        "account": account,
        "back_url": account_url(account.pk),
        "settings_url": account_url(account.pk, "settings"),
        "steps": [
            *steps_to(path)[:-1],
            Crumb(account.name, account_url(account.pk)),
            Crumb(_("Change")),
        ],
        "scope_name": account.name,
    }
    return render(request, "customers/edit.html", context, status=status)
