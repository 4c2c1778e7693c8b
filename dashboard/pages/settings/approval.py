"""Who approves: whether drafts wait, and whether for somebody else than who asked for them."""

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.operations.approval import set_approval
from accounts.versions import ChangedMeanwhile
from dashboard.pages.settings.sellers import tabs_of
from tenancy.errors import Invalid
from web.forms import version_seen, version_to_carry
from web.session_checks import staff_only


class ApprovalForm(forms.Form):
    """The two switches."""

    approval_required = forms.BooleanField(
        label=gettext_lazy("Drafts wait for approval"),
        help_text=gettext_lazy("Otherwise runs issue by themselves, those of the timetable too."),
        required=False,
    )
    four_eyes = forms.BooleanField(
        label=gettext_lazy("Who asked for a run does not approve it"),
        help_text=gettext_lazy(
            "A second person looks at the drafts. Runs of the timetable can be approved by anybody"
            " who may issue."
        ),
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def approval(request: ActorRequest) -> HttpResponse:
    """Show how drafts are approved; POST changes it."""
    actor, tenant = request.actor, request.tenant
    if request.method != "POST":
        names = ApprovalForm.base_fields
        return _page(request, ApprovalForm(initial={name: getattr(tenant, name) for name in names}))
    access.require_everywhere(actor, Action.MANAGE_TENANT)
    form = ApprovalForm(request.POST)
    if form.is_valid():
        try:
            version = version_seen(request)
            set_approval(actor, **form.cleaned_data, version=version, now=timezone.now())
        except ChangedMeanwhile:
            tenant.refresh_from_db()
            return _page(request, form, status=HTTPStatus.CONFLICT)
        except Invalid as refusal:
            form.add_error("four_eyes", refusal.detail)
        else:
            messages.success(request, _("Saved. It holds from the next approval on."))
            return redirect("settings:approval")
    return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    request: ActorRequest, form: ApprovalForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    stored = {name: getattr(request.tenant, name) for name in ApprovalForm.base_fields}
    labels = {name: field.label for name, field in ApprovalForm.base_fields.items()}
    words = {True: _("Yes"), False: _("No")}
    context = {
        "form": form,
        "version": version_to_carry(request, stored, status=status),
        "conflict": [
            {"label": labels[name], "mine": words[bool(form[name].value())], "stored": words[value]}
            for name, value in stored.items()
            if bool(form[name].value()) != value
        ]
        if status == HTTPStatus.CONFLICT
        else None,
        "tabs": tabs_of(request, "approval"),
        "may_change": access.allows_everywhere(request.actor, Action.MANAGE_TENANT),
    }
    return render(request, "settings/approval.html", context, status=status)
