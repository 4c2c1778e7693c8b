"""In which currency accounts expect to be invoiced."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import tree
from accounts.models import AccountNode, SettingInterval, SettingName
from tenancy.actor import Actor


def account_currencies(actor: Actor, account_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """Return the currency that each account has set or inherits, and those above.

    Two statements. None where nobody sets one. What holds from now on counts,
    intervals without an end.

    Source: docs/billing-rules.md, “An account's currency”.
    """
    members = list(
        AccountNode.objects.filter(
            tree.lies_above(actor.tenant_id, account_ids, "account_id"), tenant_id=actor.tenant_id
        )
        .order_by("level")
        .values_list("account_id", "parent_id")
    )
    own: dict[UUID | None, Any] = dict(
        SettingInterval.objects.filter(
            Q(account_id__in=[member for member, _parent in members]) | Q(account=None),
            tenant_id=actor.tenant_id,
            name=SettingName.CURRENCY,
            valid_to=None,
        ).values_list("account_id", "value")
    )
    found: dict[UUID | None, str | None] = {None: own.get(None)}
    for account_id, parent_id in members:
        found[account_id] = own.get(account_id) or found.get(parent_id)
    return {account_id: currency for account_id, currency in found.items() if account_id}
