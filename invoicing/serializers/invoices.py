"""Shapes of invoices, their sections, lines and tax."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DayField,
    DecimalTextField,
    IdField,
    InstantField,
    StrictBooleanField,
    WithinParameters,
)
from billing_rules.invoice_states import AGREED, ASKED_FOR
from billing_rules.money import is_currency
from invoicing.models import DocumentKind, Invoice, InvoiceTax


class CurrencyField(serializers.CharField):
    """An ISO 4217 code."""

    def __init__(self, **kwargs: Any) -> None:
        """Three letters that are a currency."""
        super().__init__(min_length=3, max_length=3, validators=[_known_currency], **kwargs)


def _known_currency(code: str) -> None:
    if not is_currency(code):
        raise serializers.ValidationError("There is no such currency.", "unknown_currency")


class InvoiceParameters(WithinParameters):
    """Which invoices."""

    bill_to = serializers.CharField(required=False, max_length=250, help_text="Addressed to it.")
    payer = serializers.CharField(required=False, max_length=250, help_text="Collected from it.")
    status = serializers.ChoiceField(
        [*(state.value for state in ASKED_FOR), *AGREED],
        required=False,
        help_text="`overdue` and `due_soon` are derived. Finds whole documents alone.",
    )
    kind = serializers.ChoiceField(DocumentKind.choices, required=False)
    corrects = serializers.CharField(
        required=False, max_length=250, help_text="Credit notes that take back of this invoice."
    )
    run = serializers.CharField(required=False, max_length=250, help_text="Made by this run.")
    currency = CurrencyField(required=False)
    q = serializers.CharField(
        required=False, max_length=200, help_text="Part of the number or the recipient's name."
    )


class InvoiceDetailParameters(serializers.Serializer[Any]):
    """How much of an invoice."""

    expand = serializers.CharField(
        required=False,
        max_length=100,
        help_text="`sections`, `lines` (within their sections), or both with a comma between.",
    )


class PeriodOut(serializers.Serializer[Any]):
    """A period; the end is not part of it."""

    start = DayField(source="period_start")
    end = DayField(source="period_end")


class InvoiceTaxOut(serializers.Serializer[Any]):
    """One tax group."""

    category = serializers.CharField()
    rate = DecimalTextField()
    base_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()


class InvoiceLineOut(serializers.Serializer[Any]):
    """One line."""

    id = IdField("lin")
    description = serializers.CharField()
    quantity = DecimalTextField()
    unit_amount = DecimalTextField(allow_null=True)
    period = PeriodOut(source="*")
    net_minor = serializers.IntegerField()
    tax_category = serializers.CharField()
    tax_rate = DecimalTextField()
    subscription = IdField("sub", source="subscription_id")
    charge = IdField("chg", source="charge_id", allow_null=True, help_text="Null on a credit note.")
    corrects = IdField(
        "lin",
        source="corrects_id",
        allow_null=True,
        help_text="The line that a line of a credit note takes back of.",
    )


class InvoiceSectionOut(serializers.Serializer[Any]):
    """The part of an invoice that belongs to one account."""

    account = AccountReferenceOut()
    path = serializers.ListField(
        child=serializers.CharField(), help_text="Names down to the account, as on the document."
    )
    cost_centre = serializers.CharField()
    po_number = serializers.CharField()
    net_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    gross_minor = serializers.IntegerField()


class ExpandedSectionOut(InvoiceSectionOut):
    """A section as it goes out: with its lines if they were asked for."""

    lines = InvoiceLineOut(many=True, required=False)


@dataclass(frozen=True, slots=True)
class InvoiceShown:
    """An invoice as far as it may be shown; None stands for what an extract leaves out (R31)."""

    invoice: Invoice
    net_minor: int
    tax_minor: int
    gross_minor: int
    status: str | None = None
    partial: bool = False
    payer: Account | None = None
    paid_minor: int | None = None
    credited_minor: int | None = None
    corrected_minor: int | None = None
    open_minor: int | None = None
    tax: Sequence[InvoiceTax] = ()


class InvoiceOut(serializers.Serializer[InvoiceShown]):
    """An invoice. An extract (`partial`) has the sums of the sections in reach and nothing else."""

    id = serializers.CharField(source="invoice.public_id")
    number = serializers.CharField(source="invoice.number", allow_null=True)
    kind = serializers.ChoiceField(
        DocumentKind.choices,
        source="invoice.kind",
        help_text="All amounts of a credit note are below 0.",
    )
    corrects = IdField(
        "inv",
        source="invoice.corrects_id",
        allow_null=True,
        help_text="The invoice that a credit note takes back of.",
    )
    reason = serializers.CharField(
        source="invoice.reason", help_text="Of a credit note. Empty in an extract."
    )
    status = serializers.ChoiceField(
        Invoice.Status.choices, allow_null=True, help_text="Null in an extract."
    )
    partial = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Only some sections are in the key's reach."
    )
    bill_to = AccountReferenceOut(
        source="invoice.bill_to", help_text="As it is called now; in an extract as on the document."
    )
    recipient_name = serializers.CharField(
        source="invoice.recipient_name", help_text="The bill-to's name as it is on the document."
    )
    payer = AccountReferenceOut(allow_null=True, help_text="Null in an extract.")
    seller = IdField("sel", source="invoice.seller_id")
    run = IdField("run", source="invoice.run_id", allow_null=True, help_text="Null in an extract.")
    currency = serializers.CharField(source="invoice.currency")
    issue_date = DayField(source="invoice.issue_date", allow_null=True)
    due_date = DayField(source="invoice.due_date", allow_null=True, help_text="Null in an extract.")
    period = PeriodOut(source="invoice")
    net_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    gross_minor = serializers.IntegerField()
    paid_minor = serializers.IntegerField(allow_null=True, help_text="Null in an extract.")
    credited_minor = serializers.IntegerField(
        allow_null=True,
        help_text="What credit notes took off what was open. Null in an extract.",
    )
    corrected_minor = serializers.IntegerField(
        allow_null=True,
        help_text="What credit notes took back in all, also of what was paid. Null in an extract.",
    )
    open_minor = serializers.IntegerField(allow_null=True, help_text="Null in an extract.")
    po_number = serializers.CharField(source="invoice.po_number", help_text="Empty in an extract.")
    created_at = InstantField(source="invoice.created_at")
    issued_at = InstantField(source="invoice.issued_at", allow_null=True)


class InvoiceDetailOut(InvoiceOut):
    """An invoice with its tax groups and, if asked for, its sections and lines."""

    tax = InvoiceTaxOut(many=True, help_text="Empty in an extract.")
    content_hash = serializers.SerializerMethodField(
        help_text="Digest of what the document says, to issue exactly that. Null in an extract."
    )

    def get_content_hash(self, shown: InvoiceShown) -> str | None:
        """Return the digest where the whole document is in sight."""
        return None if shown.partial else shown.invoice.content_hash


class IssuanceIn(serializers.Serializer[Any]):
    """A draft to issue."""

    content_hash = serializers.CharField(
        required=False,
        max_length=64,
        help_text="As it was shown; another content is refused with `drafts_changed`.",
    )


class WithdrawalIn(serializers.Serializer[Any]):
    """A draft to take back."""

    reason = serializers.CharField(max_length=500, help_text="Stays with the charges.")
    hold = StrictBooleanField(
        default=False,
        help_text="Keep the charges off every document until they are released; otherwise the next"
        " run bills them.",
    )
    until = DayField(
        required=False,
        allow_null=True,
        help_text="With `hold`: a run for this day or a later one bills them by itself.",
    )


class WithdrawalOut(serializers.Serializer[Any]):
    """What went back to the pool."""

    charges = serializers.IntegerField()


class ExpandedInvoiceOut(InvoiceDetailOut):
    """An invoice as it goes out: with sections if they were asked for."""

    sections = ExpandedSectionOut(many=True, required=False)


class PdfParameters(serializers.Serializer[Any]):
    """Which file is wanted: the invoice, or the copy for an account that pays for another."""

    copy = serializers.ChoiceField(["pdf", "payer"], required=False)


class BeingMadeOut(serializers.Serializer[Any]):
    """A file that is not there yet."""

    status = serializers.ChoiceField(["being_made"])
