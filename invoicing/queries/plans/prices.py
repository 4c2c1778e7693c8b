"""What accounts pay that move away from negotiated prices, or to some: what was agreed stays."""

from typing import Final
from uuid import UUID

from django.db.models import F, Q

from invoicing.queries.plans.standing import Standing
from subscriptions.models import Item, Price
from subscriptions.queries.price_lists import PriceLists, grouped
from subscriptions.queries.terms import items_on

MOST_ITEMS: Final = 20_000


def prices_that_stay(standing: Standing) -> list[Item]:
    """Return the items that keep a price though their new place has another, in order.

    One statement where nothing is negotiated on either way up, else three, and one more where
    terms have changed.

    Source: docs/billing-rules.md, Negotiated prices.
    """
    before = {key: standing.path(key) for key, _parent in standing.moves}
    after = {key: standing.path_after(key) for key, _parent in standing.moves}
    above = {
        account_id
        for key in before
        if before[key] != after[key]
        for account_id in {*before[key][:-1]} ^ {*after[key][:-1]}
    }
    if not above:
        return []
    actor, day = standing.actor, standing.wanted.day
    concerned = Price.objects.filter(
        Q(ends_on=None) | Q(ends_on__gt=day) & Q(ends_on__gt=F("valid_from")),
        tenant_id=actor.tenant_id,
        account_id__in=above,
    )
    families = set(concerned.order_by().values_list("first_id", flat=True))
    if not families:
        return []
    places = [*standing.parents]
    rows = Price.objects.filter(
        Q(pk__in=families) | Q(first_id__in=families),
        Q(account=None) | Q(account_id__in=places),
        tenant_id=actor.tenant_id,
    )
    prices = list(rows.order_by("number", "id"))
    versions = {
        family: grouped(one for one in prices if one.family_id == family) for family in families
    }
    scope = standing.scope
    was = PriceLists({key: standing.path(key) for key in scope}, versions)
    comes = PriceLists({key: standing.path_after(key) for key in scope}, versions)
    items = Item.objects.filter(
        Q(subscription__end_date=None) | Q(subscription__end_date__gt=day),
        tenant_id=actor.tenant_id,
        account_id__in=scope,
    ).select_related("price", "discount", "subscription")[:MOST_ITEMS]
    return [item for item in items_on(actor, items, day) if _stays(item, was, comes, standing)]


def _stays(item: Item, was: PriceLists, comes: PriceLists, standing: Standing) -> bool:
    family: UUID = item.price.family_id
    if family not in was.versions:
        return False
    day = max(standing.wanted.day, item.subscription.start_date)
    new = comes.on(item.account_id, family, day)
    return new != was.on(item.account_id, family, day) and new != item.price
