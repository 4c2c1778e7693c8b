"""Shapes of charges, and of how a line or a charge came about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField, IdField, WithinParameters
from invoicing.models import Charge
from invoicing.queries.charges import Explanation
from invoicing.serializers.invoices import PeriodOut
from subscriptions.serializers.subscriptions import SubscriptionOut


class ChargeParameters(WithinParameters):
    """Which charges."""

    status = serializers.ChoiceField(Charge.Status.choices, required=False)


class StepOut(serializers.Serializer[Any]):
    """One rule that was applied."""

    rule = serializers.ChoiceField(
        [
            "price",
            "discount",
            "anchor",
            "proration",
            "credit",
            "rounding",
            "taken_over",
            "bill_to",
            "payer",
            "invoice_on",
            "consolidation",
            "tax",
        ]
    )
    inputs = serializers.DictField()
    result = serializers.DictField()


class ExplanationOut(serializers.Serializer[Any]):
    """How a line came about."""

    steps = StepOut(many=True)
    sentence = serializers.CharField()


@dataclass(frozen=True, slots=True)
class ChargeShown:
    """A charge with where it stands and how it came about."""

    charge: Charge
    invoice_id: UUID | None
    line_id: UUID | None
    explanation: Explanation


class ChargeOut(serializers.Serializer[ChargeShown]):
    """Something owed for a period, with why it is where it is and how its amount came about."""

    id = serializers.CharField(source="charge.public_id")
    account = AccountReferenceOut(source="charge.account")
    subscription = IdField("sub", source="charge.subscription_id", allow_null=True)
    description = serializers.CharField(
        source="charge.calculation.price.name", help_text="What invoices call it."
    )
    po_number = serializers.CharField(
        source="charge.po_number", help_text="Its own; empty where subscription or account say it."
    )
    external_id = serializers.CharField(source="charge.external_id", allow_null=True)
    kind = serializers.ChoiceField(Charge.Kind.choices, source="charge.kind")
    status = serializers.ChoiceField(Charge.Status.choices, source="charge.status")
    period = PeriodOut(source="charge")
    due_date = DayField(source="charge.due_date")
    invoice_on = DayField(source="charge.invoice_on")
    currency = serializers.CharField(source="charge.currency")
    net_minor = serializers.IntegerField(source="charge.net_minor")
    held = serializers.BooleanField(
        source="charge.is_held", help_text="It was held back and stays off every document."
    )
    held_until = DayField(
        source="charge.held_until", allow_null=True, help_text="A run for this day takes it again."
    )
    invoice = IdField("inv", source="invoice_id", allow_null=True)
    line = IdField("lin", source="line_id", allow_null=True)
    reason = serializers.CharField(source="explanation.sentence", help_text="Why it is here.")
    calculation = StepOut(many=True, source="explanation.steps")


class EndedSubscriptionOut(SubscriptionOut):
    """A subscription whose end was set or taken back, and what that makes good."""

    charges = ChargeOut(
        many=True,
        help_text="Credits and charges for days from the end on; not stored in a dry run.",
    )


class SubscriptionChangeOut(serializers.Serializer[Any]):
    """What a change of a subscription comes to."""

    effective_date = DayField(help_text="Since when the new terms hold.")
    charges = ChargeOut(
        many=True,
        help_text="Credits and charges that make good what was charged for days since, in order;"
        " not stored in a dry run.",
    )
    subscription = SubscriptionOut()
