"""Tags of accounts."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from accounts import access
from accounts.access import Action
from accounts.models import AccountTag
from tenancy.actor import Actor


def tags_of(actor: Actor, account_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Return the tags of accounts in sight, each account's in order. One statement."""
    ids = list(account_ids)
    found: dict[UUID, list[str]] = {account_id: [] for account_id in ids}
    seen = access.reach(actor, Action.VIEW_ACCOUNT).filter(pk__in=ids).order_by()
    rows = AccountTag.objects.filter(tenant_id=actor.tenant_id, account__in=seen.values("pk"))
    for account_id, name in rows.order_by("id").values_list("account_id", "name"):
        found[account_id].append(name)
    return {account_id: sorted(names, key=str.casefold) for account_id, names in found.items()}


def tags_in_use(actor: Actor, *, limit: int = 200) -> list[str]:
    """Return tags of accounts in sight, for whoever chooses among them. One statement."""
    seen = access.reach(actor, Action.VIEW_ACCOUNT).order_by().values("pk")
    rows = AccountTag.objects.filter(tenant_id=actor.tenant_id, account__in=seen)
    return list(rows.order_by("key").distinct("key").values_list("name", flat=True)[:limit])


def has_tag(actor: Actor, name: str) -> Q:
    """Return the condition that an account has a tag, in any case."""
    tagged = AccountTag.objects.filter(
        tenant_id=actor.tenant_id, key=name.replace("\x00", "").strip().casefold()
    )
    return Q(pk__in=tagged.order_by().values("account_id"))
