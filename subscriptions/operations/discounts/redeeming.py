"""Redeeming coupons: what is refused, and counting them so that the last one is redeemed once."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from billing_rules.discounts import Duration
from subscriptions.models import Coupon, Discount, Subscription
from subscriptions.operations.discounts.checking import (
    InvalidDiscount,
    WantedDiscount,
    code_key,
    require_discount,
)
from tenancy.actor import Actor
from tenancy.errors import Conflict, FieldError, Invalid
from tenancy.ids import parse_public_id, uuid7


class UnknownCoupon(Invalid):
    """Nothing is called so."""

    code = "unknown_coupon"
    message = gettext_lazy("There is no such coupon.")


class CouponArchived(Conflict):
    """Nobody redeems it any more."""

    code = "coupon_archived"
    message = gettext_lazy("The coupon “%(code)s” is archived.")


class CouponTooEarly(Conflict):
    """Its time has not come."""

    code = "coupon_too_early"
    message = gettext_lazy("The coupon “%(code)s” can be redeemed from %(day)s on.")


class CouponExpired(Conflict):
    """Its time is over."""

    code = "coupon_expired"
    message = gettext_lazy("The coupon “%(code)s” could be redeemed until %(day)s.")


class CouponUsedUp(Conflict):
    """It was redeemed as often as it may be."""

    code = "coupon_used_up"
    message = gettext_lazy("The coupon “%(code)s” is used up (limit: %(count)s).")


class CouponUsedUpHere(Conflict):
    """It was redeemed in this customer's tree as often as it may be in one."""

    code = "coupon_used_up_here"
    message = gettext_lazy(
        "This customer has used up the coupon “%(code)s” (limit per customer: %(count)s)."
    )


class DiscountForNothing(Conflict):
    """Nothing that is had costs less with it."""

    code = "discount_for_nothing"
    message = gettext_lazy(
        "Nothing here gets cheaper by it: it is for other products or another currency, or another"
        " discount goes before it."
    )


class DiscountHeld(Conflict):
    """One discount at a time: discounts are not added up."""

    code = "discount_held"
    message = gettext_lazy(
        "“%(name)s” holds here then already, from %(day)s on; one discount holds at a time. End it"
        " before."
    )


class Coupons:
    """Coupons that somebody redeems, held until the transaction ends, each as often as it may be.

    Whoever redeems one of them too waits, and counts what is redeemed here. Up to three
    statements, however many there are.
    """

    def __init__(
        self, actor: Actor, codes: Iterable[str], root_ids: Collection[UUID], *, today: date
    ) -> None:
        """Hold the coupons of some codes, or ids, for the trees with these roots."""
        self._today = today
        self._roots = root_ids
        keys = {code_key(code) for code in codes if "\x00" not in code}
        ids = {one for key in keys if (one := parse_public_id("cpn", key)) is not None}
        mine = Coupon.objects.filter(tenant_id=actor.tenant_id)
        named = mine.filter(Q(pk__in=ids) | Q(code_key__in=keys)).order_by("pk")
        self._held = list(named.select_for_update(of=("self",))) if keys else []
        self._redeemed = Discount.objects.filter(tenant_id=actor.tenant_id).order_by()

    @cached_property
    def _in_all(self) -> Counter[UUID]:
        limited = [one.pk for one in self._held if one.max_redemptions is not None]
        rows = self._redeemed.filter(coupon_id__in=limited).values_list("coupon_id")
        return Counter(dict(rows.annotate(Count("pk"))))

    @cached_property
    def _here(self) -> Counter[tuple[UUID, UUID]]:
        limited = [one.pk for one in self._held if one.max_per_root is not None]
        found = self._redeemed.filter(coupon_id__in=limited, root_id__in=self._roots)
        rows = found.values_list("coupon_id", "root_id").annotate(count=Count("pk"))
        return Counter({(coupon, root): count for coupon, root, count in rows})

    def redeem(self, code: str, root_id: UUID) -> Coupon:
        """Return a coupon that is redeemed once more in a tree.

        Raises:
            UnknownCoupon, CouponArchived, CouponTooEarly, CouponExpired, CouponUsedUp,
            CouponUsedUpHere: see their texts.
        """
        coupon = self._named(code)
        if coupon is None:
            raise UnknownCoupon
        if coupon.archived_at is not None:
            raise CouponArchived(code=coupon.code)
        if coupon.redeem_from is not None and self._today < coupon.redeem_from:
            raise CouponTooEarly(code=coupon.code, day=coupon.redeem_from)
        if coupon.redeem_until is not None and self._today > coupon.redeem_until:
            raise CouponExpired(code=coupon.code, day=coupon.redeem_until)
        most, here = coupon.max_redemptions, coupon.max_per_root
        if most is not None and self._in_all[coupon.pk] >= most:
            raise CouponUsedUp(code=coupon.code, count=most)
        if here is not None and self._here[coupon.pk, root_id] >= here:
            raise CouponUsedUpHere(code=coupon.code, count=here)
        if most is not None:
            self._in_all[coupon.pk] += 1
        if here is not None:
            self._here[coupon.pk, root_id] += 1
        return coupon

    def _named(self, code: str) -> Coupon | None:
        key = parse_public_id("cpn", code.strip())
        for one in self._held:
            if one.pk == key or (key is None and one.code_key == code_key(code)):
                return one
        return None


def new_discount(
    actor: Actor,
    wanted: WantedDiscount,
    *,
    root_id: UUID,
    subscription: Subscription | None = None,
    account_id: UUID | None = None,
    day: date,
    coupons: Coupons | None = None,
    today: date,
    now: datetime,
) -> Discount:
    """Return a discount that is to be stored by whoever asks, who has locked the tree.

    The coupon is locked, so that whoever redeems it too waits, and counts this one then. At most
    three statements.

    Args:
        actor: who gives it.
        wanted: what is given.
        root_id: the root of the tree, whose redemptions are counted.
        subscription: which one has it; None where an account has it.
        account_id: which account has it, for all below it.
        day: since when.
        coupons: those that many redeem together; None holds the one that is wanted.
        today: the tenant's day, on which a coupon has to be redeemable.
        now: the instant.

    Raises:
        Forbidden: without a coupon it is given by those alone who may change all subscriptions.
        UnknownCoupon, CouponArchived, CouponTooEarly, CouponExpired, CouponUsedUp,
        CouponUsedUpHere: see their texts.
        InvalidDiscount: what is to be taken off can't be, or is in the past for a customer.

    Source: docs/billing-rules.md, Discounts.
    """
    if day < today and not access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION):
        detail = _("From today on, or later.")
        raise InvalidDiscount(errors=[FieldError("out_of_range", detail, "/effective")])
    common = {
        "id": wanted.key or uuid7(),
        "tenant_id": actor.tenant_id,
        "subscription": subscription,
        "account_id": account_id,
        "root_id": root_id,
        "starts": day,
        "reason": wanted.reason.strip(),
        "given_by": actor.label,
        "created_at": now,
    }
    if not wanted.coupon.strip():
        # Whoever has a code may redeem it; what is given without one is the vendor's to give.
        access.require_everywhere(actor, Action.EDIT_SUBSCRIPTION)
        require_discount(wanted, day, today=today)
        return Discount(
            name=wanted.name.strip(),
            percent=wanted.percent,
            amount=wanted.amount,
            currency=wanted.currency,
            duration=Duration.FOREVER.value,
            ends=wanted.until,
            **common,
        )
    if coupons is None:
        coupons = Coupons(actor, [wanted.coupon], [root_id], today=today)
    coupon = coupons.redeem(wanted.coupon, root_id)
    return Discount(
        coupon=coupon,
        name=coupon.name,
        percent=coupon.percent,
        amount=coupon.amount,
        currency=coupon.currency,
        duration=coupon.duration,
        periods=coupon.periods,
        products=coupon.products,
        **common,
    )
