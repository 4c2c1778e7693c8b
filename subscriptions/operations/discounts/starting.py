"""The discounts that a new subscription begins with: its coupon's, and those of accounts above."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from accounts import tree
from billing_rules.discounts import Given
from billing_rules.timelines import Stretch
from subscriptions.models import Discount, Item, Subscription
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.operations.discounts.redeeming import DiscountForNothing, new_discount
from subscriptions.operations.discounts.resolving import in_order, resolved, store_given
from subscriptions.operations.discounts.spans import Calendar
from subscriptions.operations.subscriptions.terms import write_all_terms
from subscriptions.queries.terms import ItemTerms
from tenancy.actor import Actor


@dataclass(slots=True)
class Begun:
    """What a new subscription is given, by item, and the terms that follow from it."""

    own: Discount | None = None
    given: dict[UUID, Sequence[Given[Discount]]] = field(default_factory=dict)
    timelines: dict[UUID, Sequence[Stretch[ItemTerms]]] = field(default_factory=dict)


def begin_with(
    actor: Actor,
    subscription: Subscription,
    items: Sequence[Item],
    plain: Mapping[UUID, Sequence[Stretch[ItemTerms]]],
    coupon: str,
    *,
    today: date,
    now: datetime,
) -> Begun:
    """Return the discounts of a subscription that is about to begin; items show its first terms.

    ``plain`` are the terms of each item without any. Nothing is stored. One statement where there
    are none, else at most nine.

    Raises:
        DiscountForNothing: the coupon is for none of its items.
        UnknownCoupon and others: see ``new_discount``.

    Source: docs/billing-rules.md, Discounts.
    """
    path: Sequence[UUID] = tree.path_ids(actor.tenant_id, subscription.account_id)
    first = subscription.first_charged_day
    above = list(_valid_above(actor, path, first))
    begun = Begun()
    if not coupon and not above:
        return begun
    if coupon:
        begun.own = new_discount(
            actor,
            WantedDiscount(coupon=coupon),
            root_id=path[0],
            subscription=subscription,
            day=first,
            today=today,
            now=now,
        )
    calendar = Calendar(actor, [subscription.account_id])
    offered = [*([begun.own] if begun.own else []), *above]
    for item in items:
        spans = [calendar.given(one, subscription, item, plain[item.pk]) for one in offered]
        given = [one for one in spans if one is not None]
        if given:
            begun.given[item.pk] = given
            timeline = resolved(plain[item.pk], in_order(actor, subscription.account_id, given))
            begun.timelines[item.pk] = timeline
            _show(item, timeline, first)
    if begun.own is not None and not _is_held(begun.given, begun.own):
        raise DiscountForNothing
    return begun


def store_begun(actor: Actor, items: Sequence[Item], begun: Begun) -> None:
    """Store what a new subscription begins with; it, its items and its own discount are stored."""
    if begun.given:
        store_given(actor, begun.given)
        by_id = {item.pk: item for item in items}
        # Items go on showing what they begin with.
        write_all_terms(actor, [(copy(by_id[key]), line) for key, line in begun.timelines.items()])


def _valid_above(actor: Actor, path: Sequence[UUID], day: date) -> Sequence[Discount]:
    """Return the discounts of accounts above that a subscription takes that begins on a day."""
    found = Discount.objects.filter(
        Q(ends=None) | Q(ends__gt=day),
        Q(coupon=None) | Q(coupon__redeem_until=None) | Q(coupon__redeem_until__gte=day),
        tenant_id=actor.tenant_id,
        account_id__in=path,
    )
    return list(found.order_by("pk"))


def _is_held(given: Mapping[UUID, Sequence[Given[Discount]]], discount: Discount) -> bool:
    return any(one.discount == discount for some in given.values() for one in some)


def _show(item: Item, timeline: Sequence[Stretch[ItemTerms]], day: date) -> None:
    """Let an item that is not stored yet have the terms of its first charged day."""
    terms = next(one.value for one in timeline if one.holds_on(day))
    item.discount, item.monthly_minor = terms.discount, terms.monthly_minor
