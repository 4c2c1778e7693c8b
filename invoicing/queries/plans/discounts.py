"""Discounts of accounts that something moves away from, or to: what was given stays as it is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import F, Q

from invoicing.queries.plans.standing import Standing
from subscriptions.models import Discount, DiscountedItem, Item
from subscriptions.queries.terms import items_on

_MOST_ITEMS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Staying:
    """What a change of place leaves as it is.

    Attributes:
        kept: items that keep a discount of an account that is above them no more.
        not_taken: items that don't take a discount of an account that comes to be above them.
    """

    kept: list[Item]
    not_taken: list[Item]


def discounts_that_stay(standing: Standing) -> Staying:
    """Return the items that stay with the discounts they have, though their place has others.

    One statement where no account on either way up gives one, else at most four.

    Source: docs/billing-rules.md, Discounts.
    """
    actor, day = standing.actor, standing.wanted.day
    above: set[UUID] = set()
    for key, _parent in standing.moves:
        above |= {*standing.path(key)} ^ {*standing.path_after(key)}
    if not above:
        return Staying([], [])
    given = list(
        Discount.objects.filter(
            Q(ends=None) | Q(ends__gt=day), tenant_id=actor.tenant_id, account_id__in=above
        )
        .select_related("coupon")
        .order_by("pk")
    )
    if not given:
        return Staying([], [])
    left, come = _ways_up(standing)
    rows = Item.objects.filter(
        Q(subscription__end_date=None) | Q(subscription__end_date__gt=day),
        tenant_id=actor.tenant_id,
        account_id__in=standing.scope,
    ).select_related("price", "discount", "subscription")
    items = list(items_on(actor, rows.order_by("pk")[:_MOST_ITEMS], day))
    held = _held(standing, given, day)
    kept, not_taken = [], []
    for item in items:
        has = held.get(item.pk, frozenset())
        if any(one.account_id in left[item.account_id] and one.pk in has for one in given):
            kept.append(item)
        if any(
            one.account_id in come[item.account_id]
            and one.is_taken_on(max(day, item.subscription.start_date))
            and one.pk not in has
            and one.applies_to(item.price)
            for one in given
        ):
            not_taken.append(item)
    return Staying(kept, not_taken)


def _ways_up(
    standing: Standing,
) -> tuple[Mapping[UUID, Collection[UUID]], Mapping[UUID, Collection[UUID]]]:
    """Return which accounts are no more above each account, and which come to be."""
    left, come = {}, {}
    for key in standing.scope:
        before, after = {*standing.path(key)}, {*standing.path_after(key)}
        left[key], come[key] = before - after, after - before
    return left, come


def _held(
    standing: Standing, given: Collection[Discount], day: date
) -> dict[UUID, frozenset[UUID]]:
    """Return which of some discounts items have on a day or later. One statement."""
    rows = DiscountedItem.objects.filter(
        Q(ends=None) | Q(ends__gt=day) & Q(ends__gt=F("starts")),
        tenant_id=standing.actor.tenant_id,
        discount__in=given,
        item__account_id__in=standing.scope,
    ).values_list("item_id", "discount_id")
    found: dict[UUID, frozenset[UUID]] = {}
    for item_id, discount_id in rows:
        found[item_id] = found.get(item_id, frozenset()) | {discount_id}
    return found
