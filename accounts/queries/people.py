"""People in customers' companies, and what they may do where."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Contact, Grant
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of
from tenancy.models import AuditEntry


def contacts(
    actor: Actor, *, within: UUID | None = None, account: UUID | None = None
) -> QuerySet[Contact]:
    """Return the contacts of accounts in reach, the latest first. One statement.

    Args:
        actor: who asks.
        within: only those of this account and of what lies below it.
        account: only those of this account itself.
    """
    found = Contact.objects.filter(
        tenant_id=actor.tenant_id,
        account__in=access.reach(actor, Action.VIEW_ACCOUNT).order_by().values("pk"),
    )
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    if account is not None:
        found = found.filter(account_id=account)
    return found.select_related("account", "person").order_by("-id")


def get_contact(actor: Actor, text: str) -> Contact:
    """Return the contact that ``con_…`` or ``ext:…`` names. One statement.

    Raises:
        NotFound: no contact in reach is named so.
    """
    kind, _, external_id = text.partition(":")
    if "\x00" in text:
        raise NotFound
    named = contacts(actor)
    named = (
        named.filter(external_id=external_id)
        if kind == "ext"
        else named.filter(pk=key_of("con", text))
    )
    contact = named.first()
    if contact is None:
        raise NotFound
    return contact


def was_removed(actor: Actor, text: str, account_id: UUID) -> bool:
    """Return whether ``con_…`` names a contact that was removed from an account. One statement.

    For whoever sends a form again.
    """
    seen = access.reach(actor, Action.EDIT_PEOPLE).filter(pk=account_id).order_by()
    entries = AuditEntry.objects.filter(
        tenant_id=actor.tenant_id,
        object_id=key_of("con", text),
        account__in=seen.values("pk"),
        action="contact.removed",
    )
    return entries.exists()


def grants(
    actor: Actor,
    *,
    within: UUID | None = None,
    account: UUID | None = None,
    contact: UUID | None = None,
    grant: UUID | None = None,
) -> QuerySet[Grant]:
    """Return the roles on accounts in reach, the latest first. One statement.

    Args:
        actor: who asks.
        within: only on this account and on what lies below it.
        account: only on this account itself.
        contact: only of this contact.
        grant: only this one.
    """
    found = Grant.objects.filter(
        tenant_id=actor.tenant_id,
        account__in=access.reach(actor, Action.VIEW_ACCOUNT).order_by().values("pk"),
    )
    if within is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, [within], "account_id"))
    if account is not None:
        found = found.filter(account_id=account)
    if contact is not None:
        found = found.filter(contact_id=contact)
    if grant is not None:
        found = found.filter(pk=grant)
    return found.select_related("account", "contact").order_by("-id")


def get_grant(actor: Actor, text: str) -> Grant:
    """Return the grant that ``grt_…`` names. One statement.

    Raises:
        NotFound: there is none in reach.
    """
    found = grants(actor, grant=key_of("grt", text)).first()
    if found is None:
        raise NotFound
    return found


def roles_on(actor: Actor, account_ids: Iterable[UUID]) -> QuerySet[Grant]:
    """Return the roles that reach one of these accounts, granted there or above. One statement.

    Those granted on accounts out of sight are left out.
    """
    above = tree.lies_above(actor.tenant_id, list(account_ids), "account_id")
    return grants(actor).filter(above).order_by("account__node__level", "contact__name", "id")
