"""Shapes of pools, and of what they come to."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField, DecimalTextField, IdField, InstantField
from invoicing.queries.pooled import PoolEffect, PoolMember, PoolOthers
from subscriptions.models import EarlierPoolPrice, UsagePool
from tenancy.ids import public_id

_REFERENCE = 250


class PoolIn(serializers.Serializer[Any]):
    """A pool to begin."""

    price = serializers.CharField(
        max_length=_REFERENCE, help_text="A metered price, whose tiers hold for all together."
    )
    starts = DayField(help_text="The first day; its periods are as long as those of the price.")
    ends = DayField(
        required=False, allow_null=True, help_text="The first day without it; a period ends then."
    )


class PoolEndIn(serializers.Serializer[Any]):
    """When a pool ends."""

    ends = DayField(
        required=False,
        allow_null=True,
        help_text="The first day without it, on which one of its periods ends. Left out or null:"
        " the end of the running one; one that has not begun is taken back.",
    )


class EarlierPriceOut(serializers.Serializer[EarlierPoolPrice]):
    """A version by which a pool charges up to a day."""

    price = serializers.CharField(source="price.public_id")
    until = DayField(help_text="The first day on which it does no longer.")


class PoolOut(serializers.Serializer[UsagePool]):
    """A pool: what an account and all below it use of a meter is charged together."""

    id = IdField("pol")
    account = AccountReferenceOut()
    price = serializers.CharField(
        source="price.public_id", help_text="The version of its price that holds in the end."
    )
    earlier_prices = EarlierPriceOut(many=True, source="earlier")
    meter = serializers.CharField(source="price.meter.public_id")
    starts = DayField()
    ends = DayField(allow_null=True, help_text="The first day without it; `starts`: taken back.")
    created_at = InstantField()


class PoolPeriodOut(serializers.Serializer[Any]):
    """Some days."""

    start = DayField()
    end = DayField()


class PoolMemberOut(serializers.Serializer[PoolMember]):
    """What one has used, and what that costs alone and together with the others."""

    account = AccountReferenceOut()
    subscription = serializers.SerializerMethodField()
    days = PoolPeriodOut(
        help_text="A subscription whose own period ends within those of the pool is there twice."
    )
    quantity = DecimalTextField()
    alone_minor = serializers.IntegerField()
    share_minor = serializers.IntegerField()

    def get_subscription(self, member: PoolMember) -> str:
        """Return the subscription's id."""
        return public_id("sub", member.subscription_id)


class PoolOthersOut(serializers.Serializer[PoolOthers]):
    """What those used and pay together who are out of reach."""

    count = serializers.IntegerField()
    quantity = DecimalTextField()
    share_minor = serializers.IntegerField()


class PoolEffectOut(serializers.Serializer[PoolEffect]):
    """What a pool comes to in its running period; before it begins, in as many days up to now."""

    period = PoolPeriodOut()
    quantity = DecimalTextField()
    currency = serializers.CharField(source="pool.price.currency")
    net_minor = serializers.IntegerField()
    alone_minor = serializers.IntegerField(help_text="If each were charged alone.")
    members = serializers.SerializerMethodField(
        help_text="The first 200 of them, as far as they are in reach."
    )
    member_count = serializers.SerializerMethodField()
    others = PoolOthersOut(
        allow_null=True, help_text="Members out of reach: they have moved away. Null without any."
    )
    left_out = serializers.IntegerField(
        help_text="Items charged by the meter in another currency or at another interval."
    )
    is_known = serializers.BooleanField(help_text="Whether what was measured can be priced.")

    def get_members(self, effect: PoolEffect) -> Any:
        """Return the first members."""
        return PoolMemberOut(list(effect.members[:200]), many=True).data  # type: ignore[arg-type]

    def get_member_count(self, effect: PoolEffect) -> int:
        """Return how many there are."""
        return len(effect.members) + (effect.others.count if effect.others else 0)


class PoolBegunOut(serializers.Serializer[Any]):
    """A pool, and what it comes to."""

    pool = PoolOut()
    effect = PoolEffectOut(allow_null=True, help_text="Null for trees of more than 5,000 accounts.")
