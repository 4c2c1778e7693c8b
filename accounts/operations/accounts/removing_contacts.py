"""Removing a contact: its roles end with it, and what it was and did stays in the history."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.models import Account, Contact, Grant
from accounts.queries.recipients import needed_for
from accounts.versions import contact_shown, removal_shown, require_version
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, NotFound
from tenancy.events import Happening, record_events


class ContactNeeded(Conflict):
    """Documents are sent to its address; ``errors`` names the accounts."""

    code = "contact_needed"
    message = _("Documents are sent to %(email)s. Choose other recipients first.")


@operation
def remove_contact(
    actor: Actor, contact_id: UUID, *, today: date, now: datetime, version: str = ""
) -> Contact:
    """Remove a contact with its roles; the login of the same person elsewhere stays.

    Args:
        actor: who removes it; allowed to change people where it belongs and where it has roles.
        contact_id: the contact.
        today: the day on which its roles end.
        now: for the audit trail.
        version: of what was shown, ``version_of(removal_shown(…))``; empty removes it anyway.

    Returns:
        The contact as it was.

    Raises:
        NotFound, Forbidden: an account is out of sight, or its people not the actor's to change.
        ContactNeeded: its address is named as one that documents are sent to.
        ChangedMeanwhile: it is not as shown any more.
    """
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(tenant_id=actor.tenant_id, pk=contact_id)
        .order_by("pk")
        .first()
    )
    if contact is None:
        raise NotFound
    # Under the lock of the contact nobody gives it another.
    grants = Grant.objects.filter(tenant_id=actor.tenant_id, contact=contact)
    roles = list(grants.select_for_update(of=("self",)).select_related("account").order_by("id"))
    for account in _accounts(contact, roles):
        access.require(actor, Action.EDIT_PEOPLE, account)
    require_version(version, removal_shown(contact, roles))
    _require_unneeded(actor, contact, today)
    running = [one for one in roles if one.ends_on is None or one.ends_on > today]
    happenings = [_ended(one, contact, today) for one in running]
    happenings.append(_removed(contact, roles))
    record_events(actor, happenings, now=now)
    grants.delete()
    Contact.objects.filter(tenant_id=actor.tenant_id, pk=contact.pk).delete()
    return contact


def _accounts(contact: Contact, roles: Iterable[Grant]) -> list[Account]:
    """Return the account a contact belongs to and those it has a role on, each once."""
    accounts = {contact.account_id: contact.account}
    accounts.update((one.account_id, one.account) for one in roles)
    return list(accounts.values())


def _require_unneeded(actor: Actor, contact: Contact, today: date) -> None:
    named, _count = needed_for(actor, contact, today=today)
    if named:
        errors = [
            FieldError(ContactNeeded.code, f"{one.account_name}: {one.setting}") for one in named
        ]
        raise ContactNeeded(email=contact.email, errors=errors)


def _ended(grant: Grant, contact: Contact, today: date) -> Happening:
    day = today.isoformat()
    before = {"ends_on": None if grant.ends_on is None else grant.ends_on.isoformat()}
    data: dict[str, Any] = {"contact": contact.public_id, "role": grant.role, "ends_on": day}
    return Happening(
        "grant.ended", grant.pk, grant.account_id, before=before, after={"ends_on": day}, data=data
    )


def _removed(contact: Contact, roles: Iterable[Grant]) -> Happening:
    held = [
        {
            "account": str(one.account_id),
            "role": one.role,
            "starts_on": None if one.starts_on is None else one.starts_on.isoformat(),
            "ends_on": None if one.ends_on is None else one.ends_on.isoformat(),
        }
        for one in roles
    ]
    return Happening(
        "contact.removed",
        contact.pk,
        contact.account_id,
        before={**contact_shown(contact), "roles": held},
        data={"external_id": contact.external_id or ""},
    )
