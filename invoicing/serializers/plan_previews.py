"""Shapes of what a change plan would do: to whom invoices go, credits, rights, warnings."""

from typing import Any

from rest_framework import serializers


class ShownAccountOut(serializers.Serializer[Any]):
    """An account as it was called when the plan was previewed."""

    id = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class BillingSideOut(serializers.Serializer[Any]):
    """The next invoices of a recipient, those of one day together."""

    date = serializers.CharField()
    due_date = serializers.CharField()
    payer = ShownAccountOut()
    net_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    gross_minor = serializers.IntegerField()
    documents = serializers.IntegerField()
    tax = serializers.CharField(help_text="What decided the tax.")


class BillingSectionOut(serializers.Serializer[Any]):
    """One account on these invoices, with tax."""

    account = ShownAccountOut()
    before_minor = serializers.IntegerField()
    after_minor = serializers.IntegerField()


class BillingOut(serializers.Serializer[Any]):
    """What a recipient is billed next from the day of the change on, with tax."""

    bill_to = ShownAccountOut()
    currency = serializers.CharField()
    before_minor = serializers.IntegerField()
    after_minor = serializers.IntegerField()
    before = BillingSideOut(allow_null=True)
    after = BillingSideOut(allow_null=True)
    sections = BillingSectionOut(many=True)
    more_sections = serializers.IntegerField()


class _CreditedOut(serializers.Serializer[Any]):
    """Who was charged for days, and who is now; what is credited is charged, before tax."""

    to = ShownAccountOut(help_text="Who was invoiced, and gets the credit.")
    to_payer = ShownAccountOut(help_text="Who paid for that.")
    charged_to = ShownAccountOut(help_text="Who is invoiced now, and is charged as much.")
    charged_payer = ShownAccountOut()
    currency = serializers.CharField()
    amount_minor = serializers.IntegerField(help_text="What is credited, before tax.")


class CreditedDocumentOut(serializers.Serializer[Any]):
    """The invoice on which the days were charged."""

    id = serializers.CharField()
    number = serializers.CharField()


class PlanCreditOut(_CreditedOut):
    """Days of a charge that are credited to one and charged to another."""

    account = ShownAccountOut(help_text="Whose subscription it is.")
    subscription = serializers.CharField()
    name = serializers.CharField(help_text="What it is for.")
    document = CreditedDocumentOut(
        allow_null=True, help_text="null: it is on no issued invoice yet."
    )
    period_start = serializers.CharField()
    period_end = serializers.CharField()
    days = serializers.IntegerField()
    invoice_on = serializers.CharField(help_text="From which day on a run takes the credit.")
    charge_invoice_on = serializers.CharField(help_text="The same of the charge.")


class PlanCreditSumOut(_CreditedOut):
    """All credits of the same parties and currency."""

    credits = serializers.IntegerField(help_text="How many they are.")


class PlanPreviewOut(serializers.Serializer[Any]):
    """What comes of a plan, as it was when it was made."""

    accounts = serializers.IntegerField(help_text="How many accounts it is about.")
    billing = BillingOut(many=True)
    bill_to = serializers.JSONField(required=False, help_text="Who is invoiced: before, after.")
    payer = serializers.JSONField(required=False, help_text="Who pays: before, after.")
    credits = PlanCreditOut(
        many=True, required=False, help_text="The first hundred credits of unused time."
    )
    more_credits = serializers.IntegerField(required=False, help_text="How many more there are.")
    credit_sums = PlanCreditSumOut(many=True, required=False)
    settings = serializers.JSONField(
        required=False, help_text="Settings that change by inheritance: old, new, accounts."
    )
    to_answer = serializers.JSONField(
        required=False, help_text="Settings that would point outside of the path."
    )
    access = serializers.JSONField(required=False, help_text="Who gains or loses which roles.")
    recipients = serializers.JSONField(
        required=False, help_text="Addresses whose mail stops, and that begin to get it."
    )
    unpaid = serializers.JSONField(
        required=False, help_text="Unpaid invoices; they stay with whom they are addressed to."
    )
    drafts = serializers.IntegerField(required=False, help_text="Drafts with these accounts.")
    acceptance = ShownAccountOut(
        required=False, allow_null=True, help_text="Who has to agree; null: nobody."
    )
    merge = serializers.JSONField(
        required=False,
        help_text="Of a `merge`: what comes to the kept account, and what does not; else null.",
    )
    alignment = serializers.JSONField(
        required=False,
        help_text="Of an alignment: the first rows, what is left as it is and why, and sums by"
        " payer and currency; else null.",
    )
    warnings = serializers.JSONField(required=False, help_text="What to look at: code, detail.")
