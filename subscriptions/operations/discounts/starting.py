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
from subscriptions.queries.discounts import taken_from_above
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
    above = list(taken_from_above(actor, path, first).order_by("pk"))
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
    _give(actor, begun, calendar, subscription, items, plain, offered, path)
    if begun.own is not None and not _is_held(begun.given, begun.own):
        raise DiscountForNothing
    return begun


def begin_many(
    actor: Actor,
    begins: Sequence[tuple[Subscription, Item]],
    plain: Mapping[UUID, Sequence[Stretch[ItemTerms]]],
) -> Begun:
    """Return the discounts of many subscriptions that are about to begin, each with one item.

    As of ``begin_with``: those of accounts above. One statement where the tenant gives none to
    accounts, else five, and one more for each coupon that holds for some periods and each item.

    Source: docs/billing-rules.md, Discounts.
    """
    begun = Begun()
    givers = Discount.objects.filter(tenant_id=actor.tenant_id, account__isnull=False)
    if not begins or not givers.exists():
        return begun
    owners = {subscription.account_id for subscription, _item in begins}
    paths = tree.paths(actor.tenant_id, owners)
    above = {key for path in paths.values() for key in path}
    first = min(subscription.first_charged_day for subscription, _item in begins)
    known = list(
        givers.filter(Q(ends=None) | Q(ends__gt=first), account_id__in=list(above))
        .select_related("coupon")
        .order_by("pk")
    )
    if not known:
        return begun
    calendar = Calendar(actor, owners)
    for subscription, item in begins:
        path = paths[subscription.account_id]
        day = subscription.first_charged_day
        offered = [one for one in known if one.account_id in path and one.is_taken_on(day)]
        if offered:
            _give(actor, begun, calendar, subscription, [item], plain, offered, path)
    return begun


def _give(
    actor: Actor,
    begun: Begun,
    calendar: Calendar,
    subscription: Subscription,
    items: Sequence[Item],
    plain: Mapping[UUID, Sequence[Stretch[ItemTerms]]],
    offered: Sequence[Discount],
    path: Sequence[UUID],
) -> None:
    """Note what items are given of what is offered, and let them show it."""
    for item in items:
        spans = [calendar.given(one, subscription, item, plain[item.pk]) for one in offered]
        given = [one for one in spans if one is not None]
        if given:
            begun.given[item.pk] = given
            ordered = in_order(actor, subscription.account_id, given, path)
            timeline = resolved(plain[item.pk], ordered)
            begun.timelines[item.pk] = timeline
            _show(item, timeline, subscription.first_charged_day)


def store_begun(actor: Actor, items: Sequence[Item], begun: Begun) -> None:
    """Store what a new subscription begins with; it, its items and its own discount are stored."""
    if begun.given:
        store_given(actor, begun.given)
        by_id = {item.pk: item for item in items}
        # Items go on showing what they begin with.
        write_all_terms(actor, [(copy(by_id[key]), line) for key, line in begun.timelines.items()])


def _is_held(given: Mapping[UUID, Sequence[Given[Discount]]], discount: Discount) -> bool:
    return any(one.discount == discount for some in given.values() for one in some)


def _show(item: Item, timeline: Sequence[Stretch[ItemTerms]], day: date) -> None:
    """Let an item that is not stored yet have the terms of its first charged day."""
    terms = next(one.value for one in timeline if one.holds_on(day))
    item.discount, item.monthly_minor = terms.discount, terms.monthly_minor
