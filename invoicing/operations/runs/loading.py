"""Loading: the trees that a run bills are locked, then read."""

from collections.abc import Iterable
from uuid import UUID

from accounts import tree
from invoicing.engine.families import Families
from invoicing.engine.reading_families import read_families
from invoicing.queries.joined import joined_with
from tenancy.actor import Actor
from tenancy.queries.tenants import own_tenant


def load_families(actor: Actor, root_ids: Iterable[UUID], within: UUID | None) -> Families:
    """Lock some trees and read their accounts, settings, sellers and rates.

    Trees through which something of theirs is invoiced, because it stood there on its day, are
    loaded with them. One statement for each tree's lock, and eight more, whatever the number of
    accounts.

    Args:
        actor: whose tenant.
        root_ids: the roots of the families.
        within: the subtree that the run is about, None for everything.
    """
    roots = list(root_ids)
    roots += joined_with(actor, roots)
    tree.lock_families(actor.tenant_id, roots)
    tenant = own_tenant(actor)
    return read_families(actor, tree.families(actor.tenant_id, roots), within, tenant=tenant)
