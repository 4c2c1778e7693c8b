"""What a discount comes to."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.parts import DayField
from invoicing.serializers.charges import ChargeOut, SubscriptionChangeOut
from subscriptions.serializers.discounts import DiscountOut
from subscriptions.serializers.subscriptions import SubscriptionOut


class SubscriptionDiscountOut(SubscriptionChangeOut):
    """What a discount of a subscription, or its end, comes to."""

    until = DayField(allow_null=True, help_text="The first day on which no item has it.")
    discount = DiscountOut()


class MadeGoodOut(serializers.Serializer[Any]):
    """What is credited and charged anew of one subscription."""

    subscription = serializers.CharField()
    account = serializers.CharField()
    currency = serializers.CharField()
    credited_minor = serializers.IntegerField()
    charged_minor = serializers.IntegerField()


class AccountDiscountOut(serializers.Serializer[Any]):
    """What a discount of an account, or its end, comes to on its first day."""

    effective_date = DayField(help_text="Since when.")
    discount = DiscountOut()
    items = serializers.IntegerField(help_text="How many items cost something else.")
    mrr_before_minor = serializers.DictField(
        child=serializers.IntegerField(), help_text="What all below brings in a month, by currency."
    )
    mrr_after_minor = serializers.DictField(child=serializers.IntegerField())
    credited_minor = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="What is credited in all, by currency; in a dry run.",
    )
    charged_minor = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="What is charged anew in all, by currency; in a dry run.",
    )
    made_good = MadeGoodOut(
        many=True, required=False, help_text="The first 200 subscriptions of these; in a dry run."
    )
    is_complete = serializers.BooleanField(
        required=False, help_text="Whether all are named, and are in the sums; in a dry run."
    )
    job = serializers.CharField(
        allow_null=True, help_text="Carries it out for what is subscribed to; null in a dry run."
    )


class DiscountEndedOut(serializers.Serializer[Any]):
    """What the end of a discount comes to: of a subscription with charges, else with a job."""

    effective_date = DayField(help_text="Since when.")
    discount = DiscountOut()
    until = DayField(required=False, allow_null=True)
    charges = ChargeOut(many=True, required=False)
    subscription = SubscriptionOut(required=False)
    items = serializers.IntegerField(required=False)
    mrr_before_minor = serializers.DictField(child=serializers.IntegerField(), required=False)
    mrr_after_minor = serializers.DictField(child=serializers.IntegerField(), required=False)
    credited_minor = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="What is credited in all, by currency; in a dry run.",
    )
    charged_minor = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="What is charged anew in all, by currency; in a dry run.",
    )
    made_good = MadeGoodOut(
        many=True, required=False, help_text="The first 200 subscriptions of these; in a dry run."
    )
    is_complete = serializers.BooleanField(
        required=False, help_text="Whether all are named, and are in the sums; in a dry run."
    )
    job = serializers.CharField(required=False, allow_null=True)
