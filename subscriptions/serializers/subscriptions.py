"""Shapes of subscriptions."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DayField,
    DecimalIn,
    DecimalTextField,
    IdField,
    InstantField,
    WithinParameters,
)
from billing_rules.periods import Unit
from subscriptions.models import ContractSource, Discount, Item, Subscription
from subscriptions.models.limits import MAX_NOTICE_DAYS, MAX_NOTICE_MONTHS, MAX_TERM_MONTHS
from subscriptions.queries.contracts import ContractStanding, standing_of
from subscriptions.queries.renewals import Renewal
from subscriptions.queries.subscriptions import state_of
from tenancy.ids import public_id

_REFERENCE = 250
STATES = ("draft", "future", "trialing", "active", "paused", "non_renewing", "cancelled")
"""What the contract names; some are set by nothing yet and find nothing."""


class SubscriptionParameters(WithinParameters):
    """Which subscriptions."""

    account = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="Only those of this account itself."
    )
    status = serializers.ChoiceField(STATES, required=False)


class ItemIn(serializers.Serializer[Any]):
    """A price and how much of it."""

    price = serializers.CharField(
        max_length=_REFERENCE,
        help_text="Any version stands for the one that the account has when it begins.",
    )
    quantity = DecimalIn(required=False, help_text="1 if left out.")
    exact = serializers.BooleanField(
        required=False, help_text="Take the version that is named, whatever holds."
    )


class ContractIn(serializers.Serializer[Any]):
    """How long a subscription is bound, and how notice is given; what is left out is none."""

    minimum_term_months = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_TERM_MONTHS,
        help_text="The length of the first term; null: it may end on any day.",
    )
    renewal_months = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_TERM_MONTHS,
        help_text="By how much it goes on after each term; null: it ends with its first.",
    )
    notice_months = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_NOTICE_MONTHS,
        help_text="Notice is given so many months before the end of a term; 0 if left out.",
    )
    notice_days = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_NOTICE_DAYS,
        help_text="So many days, beside the months if both are set; 0 if left out.",
    )
    term_start = DayField(
        required=False,
        allow_null=True,
        help_text="The first day of the term; null: the start, or the first day after the trial.",
    )


class ContractChangeIn(ContractIn):
    """All contract terms that a subscription is to have."""

    bill_now = serializers.BooleanField(
        required=False,
        help_text="Credit or charge today, instead of with the next billing day, what another end"
        " makes good.",
    )


class SubscriptionIn(serializers.Serializer[Any]):
    """A subscription to begin."""

    external_id = serializers.CharField(required=False, max_length=200, allow_null=True)
    account = serializers.CharField(max_length=_REFERENCE)
    items = ItemIn(
        many=True,
        required=False,
        help_text="Needed without a plan; with one: other quantities, and add-ons that are taken.",
    )
    plan = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="Its items; trial and contract terms are those of the plan where none are said.",
    )
    currency = serializers.CharField(
        required=False, max_length=3, help_text="Of the variant of the plan."
    )
    interval = serializers.ChoiceField(
        [one.value for one in Unit], required=False, help_text="Of the variant of the plan."
    )
    interval_count = serializers.IntegerField(required=False, min_value=1, max_value=1_000)
    start_date = DayField()
    end_date = DayField(
        required=False, allow_null=True, help_text="The first day no longer served."
    )
    billed_until = DayField(
        required=False, allow_null=True, help_text="Nothing before it is charged."
    )
    trial_days = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=3_650,
        help_text="That many days from the start on are not charged; periods begin after them.",
    )
    billing_day = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=31
    )
    bill_to = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="For this subscription alone: its account or one above.",
    )
    po_number = serializers.CharField(required=False, max_length=100, allow_blank=True)
    coupon = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="The code of a coupon that it redeems, from its first charged day on.",
    )
    contract = ContractIn(
        required=False,
        allow_null=True,
        help_text="Left out or null: what the plan says, else, without an `end_date`, the defaults"
        " of the account on the first day (its settings `minimum_term_months` and others). An empty"
        " object: none.",
    )


class ItemChangeIn(serializers.Serializer[Any]):
    """An item at another price or in another quantity, one that goes, or one that comes in."""

    id = serializers.CharField(
        required=False,
        max_length=_REFERENCE,
        help_text="Which item; may be left out where the subscription has one, or names the price.",
    )
    price = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="As it is if left out."
    )
    quantity = DecimalIn(
        required=False, help_text="As it is if left out; 1 of an item that comes in."
    )
    removed = serializers.BooleanField(
        required=False, help_text="The item is no part of the subscription from then on."
    )
    added = serializers.BooleanField(
        required=False, help_text="An item at this price comes in; no `id` is named then."
    )
    exact = serializers.BooleanField(
        required=False, help_text="Take the version that is named, whatever holds then."
    )


class ChangeIn(serializers.Serializer[Any]):
    """What a subscription costs from a day on."""

    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`period_end` (if left out), `now`, or the first day, past days too.",
    )
    items = ItemChangeIn(many=True, help_text="Items that are not named stay as they are.")
    bill_now = serializers.BooleanField(
        required=False, help_text="Invoice it today instead of with the next billing day."
    )


class CancellationIn(serializers.Serializer[Any]):
    """When a subscription ends."""

    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`term_end`: the earliest day on which its contract terms let it end (if left out"
        " and it has some), `period_end` (else), `now`, or the first day no longer served.",
    )
    notice_date = DayField(
        required=False,
        allow_null=True,
        help_text="The day on which notice was given; today if left out.",
    )
    override_reason = serializers.CharField(
        required=False,
        max_length=500,
        allow_blank=True,
        help_text="Why it ends earlier than its contract terms allow; who may change all"
        " subscriptions may. It is kept.",
    )
    bill_now = serializers.BooleanField(
        required=False, help_text="Credit it today instead of with the next billing day."
    )


class PauseIn(serializers.Serializer[Any]):
    """When a subscription is paused."""

    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`period_end` (if left out), `now`, or the first day that is not charged.",
    )
    until = DayField(
        required=False,
        allow_null=True,
        help_text="The day on which it goes on; left out if nobody knows yet.",
    )
    bill_now = serializers.BooleanField(
        required=False, help_text="Credit it today instead of with the next billing day."
    )


class ResumptionIn(serializers.Serializer[Any]):
    """When a paused subscription goes on."""

    effective = serializers.CharField(
        required=False,
        max_length=10,
        help_text="`now` (if left out), or the first day that is charged again.",
    )
    bill_now = serializers.BooleanField(
        required=False, help_text="Invoice it today instead of with the next billing day."
    )


class ServicePeriodOut(serializers.Serializer[Any]):
    """A period; its end is the first day after it."""

    start = DayField()
    end = DayField()


class ItemDiscountOut(serializers.Serializer[Discount]):
    """What is taken off the price of a full period of an item."""

    id = IdField("dsc")
    name = serializers.CharField()
    percent = DecimalTextField(allow_null=True)
    amount = DecimalTextField(allow_null=True)


class ItemOut(serializers.Serializer[Item]):
    """A price in a quantity."""

    id = IdField("itm")
    price = IdField("prc", source="price_id")
    name = serializers.CharField(source="price.name")
    quantity = DecimalTextField()
    discount = ItemDiscountOut(allow_null=True, help_text="The one that holds now; null: none.")


@dataclass(frozen=True, slots=True)
class SubscriptionShown:
    """A subscription with what comes next, as it is on a day."""

    subscription: Subscription
    renewal: Renewal
    on: date


class ContractOut(serializers.Serializer[ContractStanding]):
    """How long it is bound, and how it can end."""

    minimum_term_months = serializers.IntegerField(source="terms.minimum_months", allow_null=True)
    renewal_months = serializers.IntegerField(source="terms.renewal_months", allow_null=True)
    notice_months = serializers.IntegerField(source="terms.notice_months")
    notice_days = serializers.IntegerField(source="terms.notice_days")
    term_start = DayField(source="terms.start")
    current_term = ServicePeriodOut(source="term", allow_null=True)
    renews_on = DayField(allow_null=True, help_text="The first day of the next term.")
    earliest_end = DayField(
        allow_null=True, help_text="The first day on which it may end, if notice is given today."
    )
    notice_deadline = DayField(
        allow_null=True, help_text="The last day on which notice to that end is in time."
    )
    origin = serializers.ChoiceField(
        ContractSource.values,
        source="source",
        allow_blank=True,
        help_text="Where its terms come from: agreed for it (`own`), its plan's (`plan`), or the"
        " defaults of its account when it began (`default`); empty: from before this was kept.",
    )


class SubscriptionOut(serializers.Serializer[SubscriptionShown]):
    """What an account subscribes to."""

    id = serializers.CharField(source="subscription.public_id")
    external_id = serializers.CharField(source="subscription.external_id", allow_null=True)
    account = AccountReferenceOut(source="subscription.account")
    status = serializers.SerializerMethodField()
    items = serializers.SerializerMethodField()
    start_date = DayField(source="subscription.start_date")
    end_date = DayField(source="subscription.end_date", allow_null=True)
    billed_until = DayField(source="subscription.billed_until", allow_null=True)
    trial_end = DayField(
        source="subscription.trial_end",
        allow_null=True,
        help_text="The first day after the trial, which is not charged.",
    )
    billing_day = serializers.SerializerMethodField(
        help_text="The day that it sets itself for periods that begin now; an alignment ends it."
    )
    bill_to = AccountReferenceOut(
        source="subscription.override_bill_to",
        allow_null=True,
        help_text="Set for this subscription alone; null: as its account is invoiced.",
    )
    po_number = serializers.CharField(source="subscription.po_number")
    contract = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField(help_text="The plan that it has; null: none.")
    current_period = ServicePeriodOut(source="renewal.period", allow_null=True)
    next_invoice_date = DayField(source="renewal.next_invoice_date", allow_null=True)
    currency = serializers.CharField(source="renewal.currency")
    mrr_minor = serializers.IntegerField(source="renewal.mrr_minor")
    created_at = InstantField(source="subscription.created_at")

    def get_billing_day(self, shown: SubscriptionShown) -> int | None:
        """Return its own billing day, while it has one."""
        return shown.subscription.own_billing_day(shown.on)

    @extend_schema_field(ContractOut(allow_null=True))
    def get_contract(self, shown: SubscriptionShown) -> dict[str, Any] | None:
        """Return its contract terms, if it has some."""
        standing = standing_of(shown.subscription, shown.on)
        return None if standing is None else dict(ContractOut(standing).data)

    def get_plan(self, shown: SubscriptionShown) -> str | None:
        """Return the id of the plan that it has."""
        plan_id = shown.subscription.plan_id_on(shown.on)
        return None if plan_id is None else public_id("pln", plan_id)

    def get_status(self, shown: SubscriptionShown) -> str:
        """Return where in its life it is."""
        return state_of(shown.subscription, shown.on).value

    def get_items(self, shown: SubscriptionShown) -> list[dict[str, Any]]:
        """Return the items, the first made first."""
        items = sorted(shown.subscription.items.all(), key=lambda item: item.pk)
        return [dict(ItemOut(item).data) for item in items]
