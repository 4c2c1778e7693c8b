"""The tenant itself, as every act of its own reads it."""

from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared
from tenancy.models import Tenant

_TENANT = Prepared(lambda: Tenant.objects.filter(pk=Given("tenant")))
_LOCKED = Prepared(lambda: Tenant.objects.select_for_update(no_key=True).filter(pk=Given("tenant")))


def own_tenant(actor: Actor) -> Tenant:
    """Return the actor's tenant. One statement."""
    return _TENANT.one(tenant=actor.tenant_id)


def locked_tenant(actor: Actor) -> Tenant:
    """Return the actor's tenant and keep it as it is until the transaction ends.

    Rows that refer to it can be added meanwhile. One statement.
    """
    return _LOCKED.one(tenant=actor.tenant_id)
