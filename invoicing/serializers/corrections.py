"""Shapes of corrections: what is to be taken back, and the credit note that does."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField, IdField, StrictBooleanField
from billing_rules.corrections import LONGEST_REASON
from invoicing.models import Invoice
from invoicing.serializers.invoices import InvoiceTaxOut

_SCOPES = ("all", "section", "lines")


class CorrectionIn(serializers.Serializer[Any]):
    """What of an invoice is to be taken back: exactly one of `all`, `section` and `lines`."""

    all = StrictBooleanField(default=False, help_text="The whole invoice.")
    section = serializers.CharField(
        required=False, max_length=250, help_text="The account whose part of the invoice it is."
    )
    lines = serializers.ListField(
        child=serializers.CharField(max_length=250),
        required=False,
        allow_empty=False,
        max_length=10_000,
        help_text="Ids of lines of the invoice.",
    )
    amount_minor = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**63 - 1,
        help_text="The net amount to take back of that together, shared over what is left of each"
        " line; without it all that is left.",
    )
    reason = serializers.CharField(
        max_length=LONGEST_REASON, help_text="Stands on the credit note, for the customer to read."
    )

    def validate(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Refuse a body that says not exactly once what it is about."""
        said = [name for name in _SCOPES if values.get(name)]
        if len(said) == 1:
            return values
        wrong = said[1] if said else "all"
        detail = "Exactly one of all, section and lines is needed."
        raise serializers.ValidationError({wrong: [detail]}, "one_scope")


class CorrectedSectionOut(serializers.Serializer[Any]):
    """What is taken back of the part of one account; amounts are below 0."""

    account = AccountReferenceOut()
    path = serializers.ListField(child=serializers.CharField())
    net_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    gross_minor = serializers.IntegerField()


class CorrectedInvoiceOut(serializers.Serializer[Any]):
    """How it stands with the invoice once it is corrected."""

    id = serializers.CharField(source="public_id")
    number = serializers.CharField()
    status = serializers.ChoiceField(Invoice.Status.choices)
    open_minor = serializers.IntegerField()
    credited_minor = serializers.IntegerField()
    corrected_minor = serializers.IntegerField()


class CorrectionOut(serializers.Serializer[Any]):
    """A credit note, issued or as it would be, and what it does to its invoice."""

    credit_note = IdField("inv", allow_null=True, help_text="Null in a dry run.")
    number = serializers.CharField(allow_null=True, help_text="Null in a dry run.")
    issue_date = DayField(allow_null=True, help_text="Null in a dry run.")
    reason = serializers.CharField()
    currency = serializers.CharField()
    net_minor = serializers.IntegerField(help_text="Below 0, as all amounts of a credit note.")
    tax_minor = serializers.IntegerField()
    gross_minor = serializers.IntegerField()
    tax = InvoiceTaxOut(many=True)
    sections = CorrectedSectionOut(many=True)
    credited_minor = serializers.IntegerField(
        help_text="How much lowers what is open of the invoice; 0 or more."
    )
    balance_minor = serializers.IntegerField(
        help_text="How much is credit of the account that paid; 0 or more."
    )
    invoice = CorrectedInvoiceOut()


class CreditOut(serializers.Serializer[Any]):
    """What an account has as credit in one currency."""

    currency = serializers.CharField()
    amount_minor = serializers.IntegerField(help_text="Above 0.")
