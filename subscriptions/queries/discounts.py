"""Coupons, and the discounts that accounts and subscriptions have."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from subscriptions.models import Coupon, Discount, DiscountedItem, Subscription
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import key_of

_SHOWN: Final = ("name", "redeem_from", "redeem_until", "max_redemptions", "max_per_root")


def coupons(actor: Actor, *, text: str = "") -> QuerySet[Coupon]:
    """Return all coupons by code. One statement.

    Args:
        actor: who asks.
        text: only those whose code or name contains it, in any case.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere; the catalogue is the vendor's.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Coupon.objects.filter(tenant_id=actor.tenant_id)
    if text:
        found = found.filter(Q(code__icontains=text) | Q(name__icontains=text))
    return found.order_by("code_key", "id")


def get_coupon(actor: Actor, reference: str) -> Coupon:
    """Return the coupon that ``cpn_…`` names. One statement.

    Raises:
        Forbidden: as of ``coupons``.
        NotFound: nothing is named so.
    """
    found = coupons(actor).filter(pk=key_of("cpn", reference)).first()
    if found is None:
        raise NotFound
    return found


def coupon_shown(coupon: Coupon) -> dict[str, object]:
    """Return all that a form shows of a coupon that can be changed."""
    return {name: getattr(coupon, name) for name in _SHOWN}


def redemptions(actor: Actor, coupon: Coupon) -> QuerySet[Discount]:
    """Return what came of a coupon, the latest first. One statement.

    Raises:
        Forbidden: as of ``coupons``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = Discount.objects.filter(tenant_id=actor.tenant_id, coupon=coupon)
    return found.select_related("account", "subscription__account").order_by("-id")


def redeemed_counts(actor: Actor, coupon_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how often coupons were redeemed; those that were not are left out. One statement.

    Raises:
        Forbidden: as of ``coupons``.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    rows = (
        Discount.objects.filter(tenant_id=actor.tenant_id, coupon_id__in=coupon_ids)
        .order_by()
        .values_list("coupon_id")
        .annotate(count=Count("pk"))
    )
    return {key: count for key, count in rows if key is not None}


@dataclass(frozen=True, slots=True)
class Reach:
    """On how many items a discount is, and from when to when; ``ends`` None is for ever."""

    items: int
    starts: date
    ends: date | None


def reaches(actor: Actor, discount_ids: Collection[UUID]) -> Mapping[UUID, Reach]:
    """Return how far discounts reach; those that no item has are left out. One statement.

    Of the items of others the actor learns nothing: only those of accounts in reach count.
    """
    found = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, discount_id__in=discount_ids)
    if not access.allows_everywhere(actor, Action.VIEW_SUBSCRIPTION):
        seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
        found = found.filter(item__account__in=seen)
    rows = (
        found.order_by()
        .values_list("discount_id")
        .annotate(
            items=Count("pk"),
            first=Min("starts"),
            last=Max("ends"),
            endless=Count("pk", filter=Q(ends=None)),
        )
    )
    return {
        key: Reach(items, first, None if endless else last)
        for key, items, first, last, endless in rows
    }


def discounts_of(actor: Actor, subscription: Subscription) -> Sequence[Discount]:
    """Return the discounts of a subscription, and those of accounts that it has; newest first.

    One statement.

    Raises:
        NotFound: the subscription is out of the actor's sight.
    """
    access.require(actor, Action.VIEW_SUBSCRIPTION, subscription.account)
    held = DiscountedItem.objects.filter(
        tenant_id=actor.tenant_id, item__subscription=subscription
    ).order_by()
    found = Discount.objects.filter(
        Q(subscription=subscription) | Q(pk__in=held.values("discount_id")),
        tenant_id=actor.tenant_id,
    )
    return list(found.select_related("account", "coupon").order_by("-id")[:_MOST])


_MOST: Final = 100


def discounts_above(actor: Actor, account: Account) -> Sequence[Discount]:
    """Return the discounts of an account and of those above it; its own first. Two statements.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    access.require(actor, Action.VIEW_SUBSCRIPTION, account)
    path = tree.path_ids(actor.tenant_id, account.pk)
    found = Discount.objects.filter(tenant_id=actor.tenant_id, account_id__in=path)
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    rows = list(
        found.filter(account__in=seen).select_related("account", "coupon").order_by("-id")[:_MOST]
    )
    depth = {key: place for place, key in enumerate(path)}
    return sorted(rows, key=lambda one: -depth[one.account_id])  # type: ignore[index]


def taken_from_above(actor: Actor, account_ids: Collection[UUID], day: date) -> QuerySet[Discount]:
    """Return the discounts of accounts that what begins below them on a day takes. One statement.

    A step: whoever asks has asked for the right.

    Source: docs/billing-rules.md, Discounts.
    """
    return Discount.objects.filter(
        Q(ends=None) | Q(ends__gt=day),
        Q(coupon=None) | Q(coupon__redeem_until=None) | Q(coupon__redeem_until__gte=day),
        tenant_id=actor.tenant_id,
        account_id__in=list(account_ids),
    )


def get_discount(actor: Actor, reference: str) -> Discount:
    """Return the discount that ``dsc_…`` names, with whose it is. One statement.

    Raises:
        NotFound: nothing in the actor's sight is named so.
    """
    seen = access.reach(actor, Action.VIEW_SUBSCRIPTION).order_by().values("pk")
    found = Discount.objects.filter(
        Q(account__in=seen) | Q(subscription__account__in=seen),
        tenant_id=actor.tenant_id,
        pk=key_of("dsc", reference),
    )
    one = found.select_related("account", "subscription__account", "coupon").first()
    if one is None:
        raise NotFound
    return one
