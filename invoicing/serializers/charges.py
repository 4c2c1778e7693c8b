"""Shapes of charges, and of how a line or a charge came about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DayField,
    DecimalIn,
    IdField,
    StrictBooleanField,
    WithinParameters,
)
from billing_rules.tax_rates import TaxClass
from invoicing.models import Charge
from invoicing.queries.charge_outlook import ChargeOutlook
from invoicing.queries.charges import Explanation
from invoicing.serializers.invoices import PeriodOut
from invoicing.words.charges import named_as
from subscriptions.serializers.subscriptions import SubscriptionOut


class ChargeParameters(WithinParameters):
    """Which charges."""

    status = serializers.ChoiceField(Charge.Status.choices, required=False)
    kind = serializers.ChoiceField(Charge.Kind.choices, required=False)


class StepOut(serializers.Serializer[Any]):
    """One rule that was applied."""

    rule = serializers.ChoiceField(
        [
            "usage",
            "pool",
            "price",
            "minimum",
            "discount",
            "anchor",
            "commitment",
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
    foreseen: ChargeOutlook | None = None


class ChargeOut(serializers.Serializer[ChargeShown]):
    """Something owed for a period, with why it is where it is and how its amount came about."""

    id = serializers.CharField(source="charge.public_id")
    account = AccountReferenceOut(source="charge.account")
    subscription = IdField("sub", source="charge.subscription_id", allow_null=True)
    description = serializers.SerializerMethodField(help_text="What invoices call it.")
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

    def get_description(self, shown: ChargeShown) -> str:
        """Return its name, in the reader's language."""
        return named_as(shown.charge.kind, shown.charge.calculation)


class ChargeIn(serializers.Serializer[Any]):
    """Something that an account is charged once."""

    account = serializers.CharField(max_length=250, help_text="Whose it is.")
    price = serializers.CharField(
        required=False,
        max_length=250,
        help_text="A flat price or one per unit, which says amount, currency and tax.",
    )
    description = serializers.CharField(
        required=False, allow_blank=True, help_text="As invoices call it; needed without a price."
    )
    quantity = DecimalIn(required=False, help_text="More than 0; 1 if left out.")
    unit = serializers.CharField(required=False, allow_blank=True)
    unit_amount = DecimalIn(
        required=False, help_text="Of one, net, in major units; needed without a price."
    )
    currency = serializers.CharField(
        required=False, max_length=3, help_text="Needed without a price."
    )
    tax_class = serializers.ChoiceField(
        [one.value for one in TaxClass],
        required=False,
        help_text="`standard` if left out; the seller's rate on the last day applies.",
    )
    first_day = DayField(help_text="The day of the service, or its first one.")
    last_day = DayField(
        required=False, allow_null=True, help_text="Its last day; it is charged whole all the same."
    )
    subscription = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=250,
        help_text="A subscription of the account, as which it is then invoiced.",
    )
    po_number = serializers.CharField(required=False, allow_blank=True)
    external_id = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Sent again with the same content, it is charged once (200).",
    )
    bill_now = StrictBooleanField(
        required=False, help_text="Invoice it when it is due, not on the next billing day."
    )


class ForeseenChargeOut(serializers.Serializer[Any]):
    """The document on which a charge comes if nothing else changes."""

    invoice_date = DayField(source="day")
    bill_to = AccountReferenceOut(allow_null=True)
    payer = AccountReferenceOut(allow_null=True)
    tax_minor = serializers.IntegerField(help_text="On the charge itself.")
    document_gross_minor = serializers.IntegerField()
    line_count = serializers.IntegerField()
    waits_for = serializers.CharField(
        allow_blank=True, help_text="The code of what keeps it from being invoiced then."
    )


class AddedChargeOut(ChargeOut):
    """A charge that was just added, or would be."""

    foreseen = ForeseenChargeOut(
        allow_null=True,
        help_text="In a dry run: where it comes; null where the tree is too large to be computed.",
    )


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
