"""Pools: those of an account and above it, and single ones."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from subscriptions.models import UsagePool
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import parse_public_id


def pools_in_reach(actor: Actor) -> QuerySet[UsagePool]:
    """Return the pools of accounts in reach, the newest first; each with account and price."""
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    found = UsagePool.objects.filter(tenant_id=actor.tenant_id, account__in=seen)
    return found.select_related("account", "price__meter").order_by("-starts", "-id")


def pools_above(actor: Actor, account: Account) -> list[UsagePool]:
    """Return the pools of an account and of those above in reach, the newest first.

    Two statements.
    """
    path = tree.path_ids(actor.tenant_id, account.pk)
    return list(pools_in_reach(actor).filter(account_id__in=path))


def pools_within(actor: Actor, account_ids: Sequence[UUID]) -> list[UsagePool]:
    """Return the pools of some accounts in reach. One statement."""
    return list(pools_in_reach(actor).filter(account_id__in=account_ids))


def get_pool(actor: Actor, reference: str) -> UsagePool:
    """Return a pool by its id. One statement.

    Raises:
        NotFound: none in reach is named so.
    """
    key = parse_public_id("pol", reference)
    found = pools_in_reach(actor).filter(pk=key).first() if key else None
    if found is None:
        raise NotFound
    return found
