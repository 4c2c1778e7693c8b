"""Contacts of an account, and who has access to it and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import Action
from accounts.declarations.values import LANGUAGES
from accounts.middleware import ActorRequest
from accounts.models import Account, Contact, Grant
from accounts.operations.accounts.grants import end_grant
from accounts.queries.paths import path_of
from accounts.queries.people import contacts, get_grant, roles_on
from tenancy.errors import NotFound
from tenancy.formats import date_text
from tenancy.ids import key_of
from tenancy.queries import paging
from web.accounts import account_url, steps_to, tabs_of
from web.roles import role_name
from web.session_checks import staff_only
from web.tables import Column, Kind, Link, Table
from web.templatetags.figures import quantity

_MOST_ROLES: Final = 200
TABLE: Final[Table[Contact]] = Table(
    name="contacts",
    title=gettext_lazy("Contacts"),
    default_sort="name",
    columns=(
        Column(
            "name",
            gettext_lazy("Name"),
            Kind.LINK,
            lambda one: Link(one.name, contact_url(one)),
            sort="name",
        ),
        Column("email", gettext_lazy("E-mail"), Kind.TEXT, lambda one: one.email, sort="email"),
        Column(
            "language",
            gettext_lazy("Language"),
            Kind.TEXT,
            lambda one: str(LANGUAGES.get(one.language, "")) or None,
        ),
        Column(
            "login",
            gettext_lazy("Can sign in"),
            Kind.TEXT,
            lambda one: _("Yes") if one.person_id else _("No"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a contact may do on an account, because of what, and for how long."""

    name: str
    url: str
    role: str
    because: str
    because_url: str
    days: str
    end_url: str


def contact_url(contact: Contact) -> str:
    """Return the address of the page of a contact."""
    account = Account(id=contact.account_id).public_id
    return reverse("customers:contact", args=[account, contact.public_id])


@require_safe
@staff_only
def people_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show the contacts of an account, and who has access to it. Four statements."""
    actor, key = request.actor, key_of("acc", account_id)
    path, state = path_of(actor, key), TABLE.state(request.GET)
    found = contacts(actor, account=key)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    held = list(roles_on(actor, [key])[: _MOST_ROLES + 1])
    may_edit = access.allows_everywhere(actor, Action.EDIT_PEOPLE)
    context = {
        "account": path[-1],
        "steps": steps_to(path, page="people"),
        "tabs": tabs_of(key, "people"),
        "table": TABLE.shown(page.rows, state, {}, ""),
        "page": page,
        "summary": _summary(len(page.rows)),
        "roles": [role for one in held[:_MOST_ROLES] for role in _role(request, one, key)],
        "has_more": len(held) > _MOST_ROLES,
        "may_add": may_edit and path[-1].status == Account.Status.ACTIVE,
        "may_edit": may_edit,
        "add_url": account_url(key, "new_contact"),
        "scope_name": path[-1].name,
    }
    return render(request, "customers/people.html", context)


@require_POST
@staff_only
def end_role(request: ActorRequest, account_id: str, grant_id: str) -> HttpResponse:
    """End a role today, then show the page that it was ended on."""
    actor = request.actor
    grant = get_grant(actor, grant_id)
    if grant.account_id != key_of("acc", account_id):
        raise NotFound
    end_grant(actor, grant.pk, ends_on=actor.today, today=actor.today, now=timezone.now())
    said = {"name": grant.contact.name, "role": role_name(grant.role)}
    messages.success(request, _("%(name)s is not “%(role)s” any more.") % said)
    if request.POST.get("back") == "contact":
        return redirect(contact_url(grant.contact))
    return redirect(account_url(grant.account_id, "people"))


def _role(request: ActorRequest, grant: Grant, key: Any) -> Iterator[Role]:
    """Yield a role that is not over; one that was granted above says where."""
    if _is_over(grant, request.actor.today):
        return
    is_here = grant.account_id == key
    yield shown_role(
        grant, _("granted here") if is_here else _("at %(name)s") % {"name": grant.account.name}
    )


def shown_role(grant: Grant, because: str) -> Role:
    """Return a role as pages list it; ``because`` says where it was granted."""
    account = Account(id=grant.account_id).public_id
    return Role(
        name=grant.contact.name,
        url=contact_url(grant.contact),
        role=role_name(grant.role),
        because=because,
        because_url=account_url(grant.account_id, "people"),
        days=_days(grant),
        end_url=reverse("customers:end_role", args=[account, grant.public_id]),
    )


def open_roles(found: Any, today: date) -> list[Role]:
    """Return the roles of a contact that are not over, with the account of each."""
    return [shown_role(one, one.account.name) for one in found if not _is_over(one, today)]


def _is_over(grant: Grant, today: date) -> bool:
    return grant.ends_on is not None and grant.ends_on <= today


def _days(grant: Grant) -> str:
    """Return from when and until when a role is given, the day it ends being the first without."""
    since, until = (day and date_text(day) for day in (grant.starts_on, grant.ends_on))
    if since and until:
        return _("from %(since)s, no longer from %(until)s") % {"since": since, "until": until}
    if until:
        return _("no longer from %(until)s") % {"until": until}
    return _("from %(since)s") % {"since": since} if since else _("without end")


def _summary(count: int) -> str:
    text = ngettext("%(count)s contact on this page", "%(count)s contacts on this page", count)
    return text % {"count": quantity(count)}
