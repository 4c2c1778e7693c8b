"""What a plan depends on, in digests: if one differs on its day, its preview is not true now."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Q

from accounts.models import SettingInterval
from invoicing.queries.plans.standing import Standing, one_of
from subscriptions.models import Item

PARTS: Final = ("places", "accounts", "settings", "subscriptions")
"""What is compared, in the order in which a difference is told."""


def world_digests(standing: Standing) -> dict[str, str]:
    """Return a digest of each thing that the plan depends on. Three statements.

    It is about the plan's accounts and all above them and above whom it names: where they stand,
    who they are for an invoice, what they set on the day and later, and what they subscribe to.
    What runs do as time goes by changes none of it.
    """
    day = standing.wanted.day
    places = ((str(key), str(up)) for key, up in standing.members)
    identities = (
        (str(key), one.status, one.legal_name, one.line1, one.city, one.postal_code, one.country,
         one.vat_id, one.email, str(one.contract_party_id))
        for key, one in standing.accounts.items()
    )  # fmt: skip
    members = [key for key, _up in standing.members]
    settings = SettingInterval.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=day),
        Q(account=None) | Q(account_id__in=one_of(members)),
        tenant_id=standing.actor.tenant_id,
    ).values_list("account_id", "name", "value", "target_id", "seller_id", "valid_from", "valid_to")
    items = Item.objects.filter(
        tenant_id=standing.actor.tenant_id, account_id__in=one_of(standing.scope)
    )
    if standing.subscription is not None:
        items = items.filter(subscription_id=standing.subscription.pk)
    terms = items.values_list(
        "id",
        "price_id",
        "quantity",
        "subscription__end_date",
        "subscription__override_bill_to_id",
        "subscription__po_number",
        "subscription__billing_day",
        "subscription__billing_day_until",
    )
    parts: dict[str, Iterable[Any]] = {
        "places": places,
        "accounts": identities,
        "settings": settings,
        "subscriptions": terms,
    }
    return {name: _digest(parts[name]) for name in PARTS}


def changed_parts(shown: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return which parts differ between two worlds."""
    return [name for name in PARTS if shown.get(name) != now.get(name)]


def _digest(rows: Iterable[Any]) -> str:
    lines = sorted(json.dumps(list(row), default=str) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
