"""Shapes of what changes of settings do to the invoices that come."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField
from accounts.serializers.settings import EffectsOut


class ComingInvoiceOut(serializers.Serializer[Any]):
    """What a recipient is invoiced on a day in a currency, all documents together."""

    date = DayField(source="day")
    bill_to = AccountReferenceOut()
    currency = serializers.CharField()
    before_minor = serializers.IntegerField(
        allow_null=True, help_text="As things are; null: nothing is invoiced then."
    )
    after_minor = serializers.IntegerField(
        allow_null=True, help_text="With the changes; null: nothing is invoiced then."
    )
    documents_before = serializers.IntegerField(source="count_before")
    documents_after = serializers.IntegerField(source="count_after")


class RefusedOut(serializers.Serializer[Any]):
    """Why the invoices were not computed."""

    code = serializers.CharField()
    detail = serializers.CharField()


class NextInvoicesOut(serializers.Serializer[Any]):
    """The next invoices that differ in amount, number, due date or payer."""

    until = DayField(allow_null=True, help_text="They are computed up to this day.")
    changes = ComingInvoiceOut(source="invoices", many=True)
    more = serializers.IntegerField(help_text="So many more differ than are listed.")
    not_computed = RefusedOut(source="refused", allow_null=True)


class OutlookOut(EffectsOut):
    """What changes of settings would do: here and below, and to the next invoices."""

    next_invoices = NextInvoicesOut(
        allow_null=True, help_text="Null for whoever may not see the customer's invoices."
    )
