"""The legal entities of a tenant that issue invoices."""

from uuid import UUID

from django.db.models import QuerySet

from accounts import access
from accounts.access import Action
from accounts.models import BankAccount, Seller
from accounts.queries.audit import entries_about
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.models import AuditEntry


def sellers(actor: Actor) -> QuerySet[Seller]:
    """Return the tenant's sellers, the oldest first. One statement.

    Raises:
        Forbidden: the actor may not see the tenant's settings.
    """
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    return Seller.objects.filter(tenant_id=actor.tenant_id).order_by("created_at", "id")


def get_seller(actor: Actor, seller_id: UUID) -> Seller:
    """Return one seller. One statement.

    Raises:
        NotFound: there is none.
        Forbidden: see ``sellers``.
    """
    seller = sellers(actor).filter(pk=seller_id).first()
    if seller is None:
        raise NotFound
    return seller


def bank_accounts_of(actor: Actor, seller: Seller) -> QuerySet[BankAccount]:
    """Return the accounts for other currencies than the seller's own, by currency. One statement.

    Raises:
        Forbidden: the actor may not see the tenant's settings.
    """
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    found = BankAccount.objects.filter(tenant_id=actor.tenant_id, seller=seller)
    return found.order_by("currency")


def changes_of(actor: Actor, seller: Seller, *, limit: int) -> list[AuditEntry]:
    """Return what was changed of a seller, the latest first. One statement."""
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    return entries_about(actor, [seller.pk], limit=limit)
