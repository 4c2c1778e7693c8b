"""One contact: adding and changing it, and giving it roles."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final

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
from accounts.declarations.values import LANGUAGES
from accounts.middleware import ActorRequest
from accounts.models import Account, Contact
from accounts.models.people import CustomerRole
from accounts.operations.accounts.contacts import create_contact, edit_contact
from accounts.operations.accounts.grants import grant_role
from accounts.queries.paths import path_of
from accounts.queries.people import get_contact, grants
from accounts.versions import ChangedMeanwhile, contact_shown
from dashboard.pages.customers.people import contact_url, open_roles
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.ids import key_of
from web import kept_forms
from web.accounts import account_url, steps_to
from web.form_keys import fresh_key, key_in
from web.forms import differences, version_seen, version_to_carry
from web.page_heads import Crumb
from web.roles import role_name
from web.session_checks import staff_only

FIELDS: Final[dict[str, Any]] = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail"),
    "language": gettext_lazy("Language"),
    "external_id": gettext_lazy("External ID"),
}
kept_forms.LABELS.update(FIELDS)
_INPUT: Final = {"class": "input", "autocomplete": "off"}
_MOST_ROLES: Final = 200


class ContactForm(forms.Form):
    """All that can be said of a contact, as plain text: the operation judges it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make a field of each."""
        super().__init__(*args, **kwargs)
        choices = [("", _("none")), *((code, str(word)) for code, word in LANGUAGES.items())]
        for name, label in FIELDS.items():
            widget = forms.Select(attrs=_INPUT, choices=choices)
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=1_000,
                widget=widget if name == "language" else forms.TextInput(attrs=_INPUT),
            )

    def values(self) -> dict[str, Any]:
        """Return what was sent."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.data}

    def refuse(self, refusal: Invalid | Conflict) -> None:
        """Put what is wrong to the fields that it is about."""
        for error in refusal.errors:
            name = error.pointer.removeprefix("/")
            self.add_error(name if name in self.fields else None, error.detail)
        if not refusal.errors:
            self.add_error(None, refusal.detail)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new_contact(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show an empty form; POST adds a contact to an account."""
    actor = request.actor
    path = path_of(actor, key_of("acc", account_id))
    access.require_everywhere(actor, Action.EDIT_PEOPLE)
    if request.method != "POST":
        return _new_page(request, path, ContactForm())
    form, key = ContactForm(request.POST), key_in(actor, request.POST.get("key", ""))
    if key is None:
        form.add_error(None, _("This form is too old. Please send it once more."))
    if form.is_valid():
        try:
            contact, is_new = create_contact(
                actor, path[-1].pk, key=key, now=timezone.now(), **form.values()
            )
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal)
        else:
            said = _("Added.") if is_new else _("This contact was there already.")
            messages.success(request, said)
            return redirect(contact_url(contact))
    return _new_page(request, path, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def contact_page(request: ActorRequest, account_id: str, contact_id: str) -> HttpResponse:
    """Show a contact with its roles; POST changes what is said of it."""
    contact = _contact(request, account_id, contact_id)
    if request.method != "POST":
        return _page(request, contact, ContactForm(initial=contact_shown(contact)))
    form, status = ContactForm(request.POST), HTTPStatus.UNPROCESSABLE_ENTITY
    if form.is_valid():
        try:
            edit_contact(
                request.actor,
                contact.pk,
                now=timezone.now(),
                version=version_seen(request),
                **form.values(),
            )
        except ChangedMeanwhile:
            contact, status = _contact(request, account_id, contact_id), HTTPStatus.CONFLICT
        except (Invalid, Conflict) as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect(account_url(contact.account_id, "people"))
    return _page(request, contact, form, status=status)


@require_http_methods(["POST"])
@staff_only
def give_role(request: ActorRequest, account_id: str, contact_id: str) -> HttpResponse:
    """Give a contact a role on its account and all below it."""
    contact, until = _contact(request, account_id, contact_id), request.POST.get("until", "")
    try:
        ends_on = date.fromisoformat(until) if until else None
        grant_role(
            request.actor,
            contact.pk,
            contact.account_id,
            request.POST.get("role", ""),
            ends_on=ends_on,
            today=request.actor.today,
            now=timezone.now(),
        )
    except ValueError:
        messages.error(request, _("Please give the day as year-month-day."))
    except (Invalid, Conflict) as refusal:
        messages.error(request, refusal.errors[0].detail if refusal.errors else refusal.detail)
    else:
        messages.success(request, _("The role is given."))
    return redirect(contact_url(contact))


def _contact(request: ActorRequest, account_id: str, contact_id: str) -> Contact:
    """Return a contact of this account; who sends something has to be allowed to change it."""
    contact = get_contact(request.actor, contact_id)
    if contact.account_id != key_of("acc", account_id):
        raise NotFound
    if request.method == "POST":
        access.require_everywhere(request.actor, Action.EDIT_PEOPLE)
    return contact


def _new_page(
    request: ActorRequest,
    path: list[Account],
    form: ContactForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    actor, carried = request.actor, request.POST.get("key", "")
    context = {
        "form": form,
        "may_edit": True,
        "key": carried if key_in(actor, carried) else fresh_key(actor),
        **_frame(path, _("New contact")),
    }
    return render(request, "customers/contact.html", context, status=status)


def _page(
    request: ActorRequest,
    contact: Contact,
    form: ContactForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    actor, stored = request.actor, contact_shown(contact)
    is_stale = status == HTTPStatus.CONFLICT
    held = grants(actor, contact=contact.pk)[:_MOST_ROLES]
    context = {
        "form": form,
        "version": version_to_carry(request, stored, status=status),
        "conflict": differences(form, FIELDS, stored) if is_stale else None,
        "contact": contact,
        "may_edit": access.allows_everywhere(actor, Action.EDIT_PEOPLE),
        "roles": open_roles(held, actor.today),
        "role_choices": [(role, role_name(role)) for role in CustomerRole.values],
        "roles_url": f"{contact_url(contact)}roles/",
        "remove_url": f"{contact_url(contact)}remove/",
        "earliest": actor.today.isoformat(),
        **_frame(path_of(actor, contact.account_id), contact.name),
    }
    return render(request, "customers/contact.html", context, status=status)


def _frame(path: list[Account], title: str) -> dict[str, Any]:
    people = account_url(path[-1].pk, "people")
    return {
        "account": path[-1],
        "title": title,
        "back_url": people,
        "steps": [*steps_to(path, page="people")[:-1], Crumb(path[-1].name, people), Crumb(title)],
        "scope_name": path[-1].name,
    }
