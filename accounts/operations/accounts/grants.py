"""Giving a customer's people a role on an account and all below it, and ending it."""

from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import CUSTOMER_ROLES, Action
from accounts.models import Account, Contact, Grant
from accounts.models.people import CustomerRole
from accounts.operations.accounts.creating import AccountArchived
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid, NotFound
from tenancy.events import Happening, record_event


class InvalidGrant(Invalid):
    """A role or days that can't be."""

    code = "invalid_grant"
    message = _("There is no such role, or it would end before it begins.")


class AlreadyGranted(Conflict):
    """The contact has the role there, for other days."""

    code = "already_granted"
    message = _("%(name)s has this role on this account already, for other days. End it first.")


@operation
def grant_role(
    actor: Actor,
    contact_id: UUID,
    account_id: UUID,
    role: str,
    *,
    starts_on: date | None = None,
    ends_on: date | None = None,
    today: date,
    now: datetime,
) -> tuple[Grant, bool]:
    """Give a contact a role on an account and all below it; granted again it is the same grant.

    Nobody gives more than they have: the actor must be allowed there whatever the role allows.

    Args:
        actor: who gives it.
        contact_id: to whom.
        account_id: where.
        role: one of ``CustomerRole``.
        starts_on: the first day, None for at once.
        ends_on: the first day on which it is over, None for no end.
        today: a grant that is over may be given anew.
        now: for the audit trail.

    Returns:
        The grant, and whether it was given now.

    Raises:
        NotFound, Forbidden: contact or account are out of sight, or not the actor's to decide on.
        InvalidGrant, AlreadyGranted, AccountArchived: see there.
    """
    contact = _contact(actor, contact_id)
    account = Account.objects.filter(tenant_id=actor.tenant_id, pk=account_id).first()
    if account is None:
        raise NotFound
    access.require(actor, Action.EDIT_PEOPLE, account)
    _require_valid(role, starts_on, ends_on)
    for action in sorted(CUSTOMER_ROLES[role]):
        access.require(actor, action, account)
    if account.status == Account.Status.ARCHIVED:
        raise AccountArchived(name=account.name)
    grant, is_new = Grant.objects.select_for_update().get_or_create(
        tenant_id=actor.tenant_id,
        contact=contact,
        account=account,
        role=role,
        defaults={"starts_on": starts_on, "ends_on": ends_on},
    )
    if not is_new:
        if (grant.starts_on, grant.ends_on) == (starts_on, ends_on):
            return grant, False
        if grant.ends_on is None or grant.ends_on > today:
            raise AlreadyGranted(name=contact.name)
        grant.starts_on, grant.ends_on = starts_on, ends_on
        grant.save(update_fields=["starts_on", "ends_on"])
    days = {"starts_on": _day(starts_on), "ends_on": _day(ends_on)}
    said = {name: day for name, day in days.items() if day is not None}
    data = {"contact": contact.public_id, "role": role, **said}
    after = {"contact": str(contact.pk), "role": role, **days}
    happening = Happening("grant.created", grant.pk, account.pk, after=after, data=data)
    record_event(actor, happening, now=now)
    return grant, True


@operation
def end_grant(actor: Actor, grant_id: UUID, *, ends_on: date, today: date, now: datetime) -> Grant:
    """End a grant on a day; one that is over by then stays as it is.

    Args:
        actor: who ends it.
        grant_id: the grant.
        ends_on: the first day on which it is over, not before ``today``.
        today: the tenant's day.
        now: for the audit trail.

    Raises:
        NotFound, Forbidden: the grant is out of sight, or not the actor's to decide on.
        InvalidGrant: the day has passed.
    """
    grant = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("account", "contact")
        .filter(tenant_id=actor.tenant_id, pk=grant_id)
        .order_by("pk")
        .first()
    )
    if grant is None:
        raise NotFound
    access.require(actor, Action.EDIT_PEOPLE, grant.account)
    if ends_on < today:
        wrong = FieldError("invalid_ends_on", str(_("This day has passed.")), "/ends_on")
        raise InvalidGrant(errors=[wrong])
    if grant.ends_on is not None and grant.ends_on <= ends_on:
        return grant
    before = {"ends_on": _day(grant.ends_on)}
    grant.ends_on = ends_on
    if grant.starts_on is not None and grant.starts_on > ends_on:
        grant.starts_on = ends_on
    grant.save(update_fields=["starts_on", "ends_on"])
    data = {
        "contact": grant.contact.public_id,
        "role": grant.role,
        "ends_on": ends_on.isoformat(),
    }
    happening = Happening(
        "grant.ended",
        grant.pk,
        grant.account_id,
        before=before,
        after={"ends_on": ends_on.isoformat()},
        data=data,
    )
    record_event(actor, happening, now=now)
    return grant


def _contact(actor: Actor, contact_id: UUID) -> Contact:
    contact = (
        # Whoever removes the contact at the same time waits, or was first.
        Contact.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account")
        .filter(tenant_id=actor.tenant_id, pk=contact_id)
        .order_by("pk")
        .first()
    )
    if contact is None:
        raise NotFound
    access.require(actor, Action.EDIT_PEOPLE, contact.account)
    return contact


def _require_valid(role: str, starts_on: date | None, ends_on: date | None) -> None:
    if role not in CustomerRole.values:
        wrong = FieldError("invalid_role", str(_("There is no such role.")), "/role")
        raise InvalidGrant(errors=[wrong])
    if ends_on is not None and starts_on is not None and ends_on <= starts_on:
        wrong = FieldError("invalid_ends_on", str(_("It would end before it begins.")), "/ends_on")
        raise InvalidGrant(errors=[wrong])


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
