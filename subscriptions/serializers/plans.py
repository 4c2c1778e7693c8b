"""Shapes of plans."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.parts import DecimalIn, DecimalTextField, IdField, InstantField
from billing_rules.periods import Unit
from subscriptions.models import Plan, PlanItem
from subscriptions.models.limits import MAX_NOTICE_DAYS, MAX_NOTICE_MONTHS, MAX_TERM_MONTHS
from subscriptions.queries.plans import Variant, variants_of

_NAME = 200
_REFERENCE = 250


class PlanItemIn(serializers.Serializer[Any]):
    """A price of a plan: always part of it, or an add-on."""

    price = serializers.CharField(max_length=_REFERENCE)
    quantity = DecimalIn(required=False, help_text="What it begins with; 1 if left out.")
    addon = serializers.BooleanField(required=False, help_text="It is had only if it is chosen.")
    minimum = DecimalIn(required=False, allow_null=True)
    maximum = DecimalIn(required=False, allow_null=True)


class PlanContractIn(serializers.Serializer[Any]):
    """The contract terms of what begins with a plan; what is left out is none."""

    minimum_term_months = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_TERM_MONTHS
    )
    renewal_months = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_TERM_MONTHS,
        help_text="null: it ends with its first term.",
    )
    notice_months = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_NOTICE_MONTHS
    )
    notice_days = serializers.IntegerField(required=False, min_value=0, max_value=MAX_NOTICE_DAYS)


class CataloguePlanIn(serializers.Serializer[Any]):
    """A plan for the catalogue. Items in one currency and of one interval are a variant."""

    external_id = serializers.CharField(required=False, max_length=200, allow_null=True)
    name = serializers.CharField(max_length=_NAME)
    trial_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=3_650
    )
    contract = PlanContractIn(required=False, allow_null=True)
    items = PlanItemIn(many=True)


class CataloguePlanPatchIn(CataloguePlanIn):
    """What is to be changed of a plan; what is left out stays, items are named all or none."""

    name = serializers.CharField(required=False, max_length=_NAME)
    items = PlanItemIn(many=True, required=False)


class PlanItemOut(serializers.Serializer[PlanItem]):
    """A price of a plan."""

    price = IdField("prc", source="price_id")
    name = serializers.CharField(source="price.name")
    addon = serializers.BooleanField(source="is_addon")
    quantity = DecimalTextField()
    minimum = DecimalTextField(allow_null=True)
    maximum = DecimalTextField(allow_null=True)


class PlanVariantOut(serializers.Serializer[Variant]):
    """A plan in one currency for one interval."""

    currency = serializers.CharField()
    interval = serializers.CharField(source="interval.unit")
    interval_count = serializers.IntegerField(source="interval.count")
    items = PlanItemOut(many=True)


class PlanContractOut(serializers.Serializer[Plan]):
    """The contract terms of what begins with a plan."""

    minimum_term_months = serializers.IntegerField(allow_null=True)
    renewal_months = serializers.IntegerField(allow_null=True)
    notice_months = serializers.IntegerField()
    notice_days = serializers.IntegerField()


class CataloguePlanOut(serializers.Serializer[Any]):
    """What is sold together."""

    id = serializers.CharField(source="public_id")
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    trial_days = serializers.IntegerField(allow_null=True)
    contract = PlanContractOut(source="*")
    variants = serializers.SerializerMethodField()
    archived_at = InstantField(allow_null=True)
    created_at = InstantField()

    def get_variants(self, plan: Plan) -> list[dict[str, Any]]:
        """Return its items by currency and interval."""
        return [dict(PlanVariantOut(one).data) for one in variants_of(plan)]


class CataloguePlanOnPageOut(CataloguePlanOut):
    """A plan, and how many subscriptions have it."""

    subscriptions = serializers.SerializerMethodField()

    def get_subscriptions(self, plan: Plan) -> int:
        """Return how many subscriptions have it, ended ones too."""
        counts: dict[Any, int] = self.context["counts"]
        return counts.get(plan.pk, 0)


class PlanChangeItemIn(serializers.Serializer[Any]):
    """How much of an item of the plan, or an add-on that is taken."""

    price = serializers.CharField(max_length=_REFERENCE)
    quantity = DecimalIn(required=False, help_text="As the plan says if left out.")


class PlanChangeIn(serializers.Serializer[Any]):
    """The plan that a subscription is to have from a day on."""

    plan = serializers.CharField(max_length=_REFERENCE)
    currency = serializers.CharField(required=False, max_length=3)
    interval = serializers.ChoiceField([one.value for one in Unit], required=False)
    interval_count = serializers.IntegerField(required=False, min_value=1, max_value=1_000)
    items = PlanChangeItemIn(many=True, required=False)
    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`period_end` (if left out), `now`, or the first day, past days too.",
    )
    bill_now = serializers.BooleanField(
        required=False, help_text="Invoice it today instead of with the next billing day."
    )
