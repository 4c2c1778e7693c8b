"""Removing a contact: what ends with it, or what it is still needed for."""

from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.middleware import ActorRequest
from accounts.models import Contact
from accounts.operations.accounts.removing_contacts import (
    ContactNeeded,
    remove_contact,
)
from accounts.queries.paths import path_of
from accounts.queries.people import get_contact, grants, was_removed
from accounts.queries.recipients import Named, needed_for
from accounts.versions import ChangedMeanwhile, removal_shown
from dashboard.pages.customers.people import contact_url, open_roles
from tenancy.errors import Conflict, NotFound
from tenancy.ids import key_of
from web.accounts import account_url, steps_to
from web.forms import version_seen, version_to_carry
from web.page_heads import Crumb
from web.session_checks import staff_only

_MOST_ROLES: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@staff_only
def remove_page(request: ActorRequest, account_id: str, contact_id: str) -> HttpResponse:
    """Ask whether to remove a contact, or say what it is needed for; POST removes it."""
    actor = request.actor
    account = path_of(actor, key_of("acc", account_id))[-1]
    if request.method == "POST" and was_removed(actor, contact_id, account.pk):
        # The button was pressed twice.
        return redirect(account_url(account.pk, "people"))
    contact = get_contact(actor, contact_id)
    if contact.account_id != account.pk:
        raise NotFound
    access.require_everywhere(actor, Action.EDIT_PEOPLE)
    if request.method != "POST":
        return _ask(request, contact)
    try:
        remove_contact(
            actor,
            contact.pk,
            today=actor.today,
            now=timezone.now(),
            version=version_seen(request),
        )
    except (ChangedMeanwhile, ContactNeeded) as refusal:
        return _ask(request, get_contact(actor, contact_id), refusal)
    messages.success(request, _("“%(name)s” is removed.") % {"name": contact.name})
    return redirect(account_url(account.pk, "people"))


def _ask(request: ActorRequest, contact: Contact, refusal: Conflict | None = None) -> HttpResponse:
    actor = request.actor
    path = path_of(actor, contact.account_id)
    status = HTTPStatus.OK if refusal is None else HTTPStatus.CONFLICT
    held = list(grants(actor, contact=contact.pk)[:_MOST_ROLES])
    named, count = needed_for(actor, contact, today=actor.today)
    title = _("Remove %(name)s?") % {"name": contact.name}
    context = {
        "title": title,
        "contact": contact,
        "roles": open_roles(held, actor.today),
        "named": [_place(one) for one in named],
        "more": count - len(named),
        "refused": "" if refusal is None or named else refusal.detail,
        "version": version_to_carry(request, removal_shown(contact, held), status=status),
        "url": f"{contact_url(contact)}remove/",
        "back_url": contact_url(contact),
        "scope_name": path[-1].name,
    }
    if request.headers.get("HX-Request"):
        return render(request, "customers/_remove_contact_dialog.html", {**context, "in_dialog": 1})
    people = account_url(path[-1].pk, "people")
    context["steps"] = [
        *steps_to(path, page="people")[:-1],
        Crumb(path[-1].name, people),
        Crumb(contact.name, contact_url(contact)),
        Crumb(title),
    ]
    return render(request, "customers/remove_contact.html", context, status=status)


def _place(named: Named) -> dict[str, str]:
    """Return where an address stands, and the page on which it is changed."""
    setting = str(SETTINGS[named.setting].label)
    if named.account_id is None:
        url = reverse("settings:default", args=[named.setting])
        return {"name": _("%(setting)s, by default") % {"setting": setting}, "url": url}
    url = f"{account_url(named.account_id, 'settings')}{named.setting}/"
    said = {"account": named.account_name, "setting": setting}
    return {"name": _("%(account)s: %(setting)s") % said, "url": url}
