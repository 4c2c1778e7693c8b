"""Shapes of coupons and discounts."""

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DayField,
    DecimalIn,
    DecimalTextField,
    IdField,
    InstantField,
)
from billing_rules.discounts import Duration
from subscriptions.models import Coupon, Discount
from subscriptions.queries.discounts import Reach
from tenancy.ids import public_id

_NAME = 200
_REFERENCE = 250
_DURATIONS = [one.value for one in Duration]


class CouponIn(serializers.Serializer[Any]):
    """A coupon to make; either `percent`, or `amount` with `currency`."""

    code = serializers.CharField(max_length=50, help_text="Capitals do not matter.")
    name = serializers.CharField(max_length=_NAME, help_text="As documents say it.")
    percent = DecimalIn(required=False, allow_null=True)
    amount = DecimalIn(
        required=False,
        allow_null=True,
        help_text="In major units, off the price of a full period of each item.",
    )
    currency = serializers.CharField(required=False, max_length=3, min_length=3, allow_null=True)
    duration = serializers.ChoiceField(
        _DURATIONS,
        help_text="`once` is one period of each item, `periods` so many as `periods` says.",
    )
    periods = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=120)
    products = serializers.ListField(
        child=serializers.CharField(max_length=_REFERENCE),
        required=False,
        max_length=100,
        help_text="Which products it is for; all if left out.",
    )
    redeem_from = DayField(required=False, allow_null=True)
    redeem_until = DayField(required=False, allow_null=True, help_text="The last day.")
    max_redemptions = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    max_per_root = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="In one customer's tree."
    )


class CouponPatchIn(serializers.Serializer[Any]):
    """What is to be changed of a coupon; what it takes off never changes."""

    name = serializers.CharField(required=False, max_length=_NAME)
    redeem_from = DayField(required=False, allow_null=True)
    redeem_until = DayField(required=False, allow_null=True)
    max_redemptions = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    max_per_root = serializers.IntegerField(required=False, allow_null=True, min_value=1)


class _OffOut(serializers.Serializer[Any]):
    """What is taken off, and for how long."""

    name = serializers.CharField()
    percent = DecimalTextField(allow_null=True)
    amount = DecimalTextField(allow_null=True)
    currency = serializers.CharField(help_text="Of the amount; empty for a percentage.")
    duration = serializers.ChoiceField(_DURATIONS)
    periods = serializers.IntegerField(allow_null=True)
    products = serializers.SerializerMethodField()

    def get_products(self, shown: Any) -> list[str]:
        """Return which products it is for, empty for all."""
        return [public_id("prd", key) for key in shown.products]


class CouponOut(_OffOut):
    """A code for a discount."""

    id = IdField("cpn")
    code = serializers.CharField()
    redeem_from = DayField(allow_null=True)
    redeem_until = DayField(allow_null=True)
    max_redemptions = serializers.IntegerField(allow_null=True)
    max_per_root = serializers.IntegerField(allow_null=True)
    archived_at = InstantField(allow_null=True, help_text="Since when nobody redeems it.")
    created_at = InstantField()


class CouponOnPageOut(CouponOut):
    """A coupon, and how often it was redeemed."""

    redemptions = serializers.SerializerMethodField()

    def get_redemptions(self, shown: Coupon) -> int:
        """Return how often it was redeemed."""
        counts: dict[Any, int] = self.context["counts"]
        return counts.get(shown.pk, 0)


@dataclass(frozen=True, slots=True)
class DiscountShown:
    """A discount with how far it reaches; ``account`` is who gives it, None out of reach."""

    discount: Discount
    reach: Reach | None
    account: Account | None


class DiscountOut(serializers.Serializer[DiscountShown]):
    """What a subscription, or an account with all below it, is given off its prices."""

    id = IdField("dsc", source="discount.id")
    coupon = IdField("cpn", source="discount.coupon_id", allow_null=True)
    subscription = IdField("sub", source="discount.subscription_id", allow_null=True)
    account = AccountReferenceOut(
        allow_null=True, help_text="For all below it; null for one of a subscription."
    )
    name = serializers.CharField(source="discount.name")
    percent = DecimalTextField(source="discount.percent", allow_null=True)
    amount = DecimalTextField(source="discount.amount", allow_null=True)
    currency = serializers.CharField(source="discount.currency")
    duration = serializers.ChoiceField(_DURATIONS, source="discount.duration")
    periods = serializers.IntegerField(source="discount.periods", allow_null=True)
    starts = DayField(source="discount.starts")
    ends = DayField(
        source="discount.ends",
        allow_null=True,
        help_text="The first day on which it is not given any more; null: not said yet.",
    )
    items = serializers.SerializerMethodField(help_text="How many items have it.")
    items_until = serializers.SerializerMethodField(
        help_text="The first day on which no item has it; null: one has it for ever, or none has."
    )
    reason = serializers.CharField(source="discount.reason")
    created_at = InstantField(source="discount.created_at")

    def get_items(self, shown: DiscountShown) -> int:
        """Return how many items have it."""
        return 0 if shown.reach is None else shown.reach.items

    def get_items_until(self, shown: DiscountShown) -> str | None:
        """Return the first day on which no item has it."""
        ends = None if shown.reach is None else shown.reach.ends
        return None if ends is None else ends.isoformat()


class DiscountIn(serializers.Serializer[Any]):
    """A discount to give: a `coupon`, or what is taken off and why."""

    coupon = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="Its code or its id."
    )
    name = serializers.CharField(
        required=False, max_length=_NAME, help_text="As documents say it; without a coupon."
    )
    percent = DecimalIn(required=False, allow_null=True)
    amount = DecimalIn(required=False, allow_null=True)
    currency = serializers.CharField(required=False, max_length=3, min_length=3, allow_null=True)
    until = DayField(
        required=False, allow_null=True, help_text="The first day without it; without a coupon."
    )
    reason = serializers.CharField(required=False, max_length=500, help_text="Without a coupon.")
    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`period_end` (if left out), `now`, or the first day, past days too.",
    )
    bill_now = serializers.BooleanField(
        required=False, help_text="Invoice it today instead of with the next billing day."
    )


class AccountDiscountIn(serializers.Serializer[Any]):
    """A discount for an account and all below it: a `coupon`, or what is taken off and why."""

    coupon = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="Its code or its id."
    )
    name = serializers.CharField(
        required=False, max_length=_NAME, help_text="As documents say it; without a coupon."
    )
    percent = DecimalIn(required=False, allow_null=True)
    amount = DecimalIn(required=False, allow_null=True)
    currency = serializers.CharField(required=False, max_length=3, min_length=3, allow_null=True)
    until = DayField(
        required=False, allow_null=True, help_text="The first day without it; without a coupon."
    )
    reason = serializers.CharField(required=False, max_length=500, help_text="Without a coupon.")
    effective = DayField(required=False, allow_null=True, help_text="Today if left out.")


class DiscountEndIn(serializers.Serializer[Any]):
    """When a discount ends."""

    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`period_end` (if left out), `now`, or the first day without it.",
    )
    bill_now = serializers.BooleanField(
        required=False, help_text="Invoice it today instead of with the next billing day."
    )
