"""Changing all accounts that are selected: what becomes of each is shown before it is done."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.middleware import ActorRequest
from accounts.operations.accounts.editing_jobs import request_edit
from accounts.operations.accounts.editing_many import MOST_AT_ONCE, ManyReport, edit_many
from accounts.queries.sellers import sellers
from accounts.tasks import edit_soon
from accounts.versions import ChangedMeanwhile
from dashboard.pages.customers.many_form import ManyForm
from dashboard.pages.customers.many_selection import kept, selected, way_back
from dashboard.pages.customers.many_words import (
    SHOWN,
    Named,
    apply_label,
    by_reason,
    done_text,
    shown_change,
)
from tenancy.errors import Invalid
from web.accounts import account_url
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.templatetags.figures import quantity

EDIT, CHOOSE, PREVIEW, SAVE = "edit", "choose", "preview", "save"
_SAY_MORE: Final = ("invalid_account", "invalid_settings")
"""Refusals of which the single faults say more than the whole."""


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def edit_selected(request: ActorRequest) -> HttpResponse:
    """Ask what is to change of the selected accounts; POST shows what it does, then does it."""
    actor = request.actor
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    values = request.POST if request.method == "POST" else request.GET
    ids = selected(actor, values)
    with_settings = access.allows_everywhere(actor, Action.EDIT_SETTINGS)
    step = request.POST.get("step", EDIT)
    form = ManyForm(
        request.POST if request.method == "POST" else None,
        today=actor.today,
        sellers=[(one.public_id, one.name) for one in sellers(actor)] if with_settings else [],
        with_settings=with_settings,
    )
    if request.method != "POST" or step in (EDIT, CHOOSE):
        return _form(request, values, len(ids), form, is_plain=True)
    if not form.is_valid():
        return _form(request, values, len(ids), form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        if len(ids) > MOST_AT_ONCE:
            return _in_the_background(request, ids, form, values)
        report = edit_many(
            actor,
            ids,
            form.wanted(actor.today),
            seen=request.POST.get("seen") or "none",
            today=actor.today,
            is_dry_run=step != SAVE,
            now=timezone.now(),
        )
    except ChangedMeanwhile as refusal:
        form.add_error(None, refusal.detail)
        return _form(request, values, len(ids), form, HTTPStatus.CONFLICT)
    except Invalid as refusal:
        says_more = refusal.code in _SAY_MORE
        for detail in [one.detail for one in refusal.errors if says_more] or [refusal.detail]:
            form.add_error(None, detail)
        return _form(request, values, len(ids), form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if step != SAVE:
        return _preview(request, values, form, report)
    messages.success(request, done_text(len(report.changing)))
    return redirect(way_back(values))


def _in_the_background(
    request: ActorRequest, ids: Sequence[UUID], form: ManyForm, values: QueryDict
) -> HttpResponse:
    """Have so many looked at piece by piece, and lead to where that can be watched."""
    actor = request.actor
    job = request_edit(
        actor,
        ids,
        form.wanted(actor.today),
        back=way_back(values),
        today=actor.today,
        now=timezone.now(),
    )
    edit_soon(actor, job.pk)
    return redirect("customers:edit_job", job.public_id)


def _context(values: QueryDict, count: int) -> dict[str, Any]:
    text = ngettext("Change %(count)s account", "Change %(count)s accounts", count)
    title = text % {"count": quantity(count)}
    back = way_back(values)
    return {
        "title": title,
        "steps": [Crumb(_("Customers"), reverse("customers:list")), Crumb(title)],
        "kept": kept(values),
        "back_url": back,
    }


def _form(
    request: ActorRequest,
    values: QueryDict,
    count: int,
    form: ManyForm,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    is_plain: bool = False,
) -> HttpResponse:
    if is_plain and form.is_bound:
        # Asked for another field only: nothing is wrong yet.
        form.full_clean()
        form.errors.clear()
    context = {**_context(values, count), "form": form}
    return render(request, "customers/many.html", context, status=status)


def _preview(
    request: ActorRequest, values: QueryDict, form: ManyForm, report: ManyReport
) -> HttpResponse:
    changing, refused = report.changing, report.refused
    held = {name: request.POST.get(name, "") for name in form.fields}
    same = len(report.outcomes) - len(changing) - len(refused)
    setting = form.cleaned_data.get("setting") or ""
    context = {
        **_context(values, len(report.outcomes)),
        "held": {name: value for name, value in held.items() if value},
        "seen": report.digest,
        "counts": {
            "changing": quantity(len(changing)),
            "same": quantity(same),
            "refused": quantity(len(refused)),
        },
        "changes": [shown_change(one) for one in changing[:SHOWN]],
        "more_changes": max(0, len(changing) - SHOWN),
        "refused": by_reason(refused),
        "keepers": [Named(name, account_url(key)) for key, name in report.below.keepers],
        "more_keepers": report.below.keeper_count - len(report.below.keepers),
        "followers": report.below.follower_count,
        "setting": SETTINGS[setting].label if setting else "",
        "day": form.wanted(request.actor.today).day if setting else None,
        "apply_label": apply_label(len(changing)),
        "can_apply": bool(changing),
    }
    return render(request, "customers/many_preview.html", context)
