"""Starting a billing run."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.accounts import get_account, resolve_reference
from dashboard.pages.runs.preview import Preview, is_confirmed, is_far_ahead, preview_of
from invoicing.operations.runs import request_run
from invoicing.tasks import work_soon
from tenancy.actor import Actor
from tenancy.errors import Invalid, NotFound
from web.page_heads import Crumb
from web.session_checks import staff_only


class NewRunForm(forms.Form):
    """The date of a run, and perhaps one account whose subtree it keeps to."""

    date = forms.DateField(
        label=gettext_lazy("Date"),
        help_text=gettext_lazy("Everything due up to this day; it becomes the date of issue."),
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )
    account = forms.CharField(
        label=gettext_lazy("Only this account and below (optional)"),
        help_text=gettext_lazy("An id such as acc_…, or ext: and your own number."),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def new_run(request: ActorRequest) -> HttpResponse:
    """Ask for date and account and say what would be taken; POST starts the run."""
    actor = request.actor
    access.require_everywhere(actor, Action.RUN_BILLING)
    if request.method == "POST":
        return _start(request, actor)
    form = NewRunForm(request.GET if "date" in request.GET else None, initial={"date": actor.today})
    if request.headers.get("HX-Request"):
        return render(request, "runs/_preview.html", {"preview": _preview(request, form)})
    # A script asks for the preview at once: the form need not wait for it.
    return _form_page(request, actor, form, Preview() if form.errors else None)


def _start(request: ActorRequest, actor: Actor) -> HttpResponse:
    form = NewRunForm(request.POST)
    if form.is_valid():
        within, day = _within(actor, form), form.cleaned_data["date"]
        if is_far_ahead(request, day) and not is_confirmed(request, day):
            form.add_error("date", _("This lies far ahead. Please confirm it below."))
        if not form.errors:
            try:
                run = request_run(
                    actor,
                    run_date=day,
                    within=within,
                    issue=False,
                    today=actor.today,
                    now=timezone.now(),
                )
            except Invalid as refusal:
                form.add_error("date", refusal.detail)
            else:
                work_soon(run)
                return redirect("runs:page", run.public_id)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    preview = _preview(request, NewRunForm(request.POST))
    return _form_page(request, actor, form, preview, status=status)


def _preview(request: ActorRequest, form: NewRunForm) -> Preview:
    """Return the preview of what the form says, empty where it can't be read."""
    if not form.is_valid():
        return Preview()
    within = _within(request.actor, form)
    return Preview() if form.errors else preview_of(request, form.cleaned_data["date"], within)


def _within(actor: Actor, form: NewRunForm) -> UUID | None:
    """Return the account that the form names; one that is not there is an error of its field."""
    if not (text := form.cleaned_data.get("account", "").strip()):
        return None
    try:
        return resolve_reference(actor, text)
    except NotFound:
        form.add_error("account", _("There is no such account."))
        return None


def _form_page(
    request: ActorRequest,
    actor: Actor,
    form: NewRunForm,
    preview: Preview | None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "preview": preview,
        "account_name": _account_name(actor, form),
        "steps": [
            Crumb(_("Billing runs"), "../"),
            Crumb(_("New run")),
        ],
    }
    return render(request, "runs/new.html", context, status=status)


def _account_name(actor: Actor, form: NewRunForm) -> str:
    """Return the name of the account that the form holds, empty where there is none."""
    text = str(form["account"].value() or "").strip()
    try:
        return get_account(actor, resolve_reference(actor, text)).name if text else ""
    except NotFound:
        return ""
