"""Shapes of the API: what of invoices, charges and runs integrators send and see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.models import Account
from accounts.serializers import (
    AccountReferenceOut,
    DayField,
    DecimalTextField,
    IdField,
    InstantField,
    PageParameters,
    WithinParameters,
)
from billing_rules.money import is_currency
from invoicing.models import BillingRun, Charge, Invoice, InvoiceTax, RunProblem
from invoicing.queries.charges import Explanation
from invoicing.queries.invoice_sums import StatusSum
from invoicing.queries.invoices import STATUSES
from invoicing.queries.runs import Progress

# -- what comes in ---------------------------------------------------------------------------


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
        STATUSES, required=False, help_text="`overdue` and `due_soon` are derived."
    )
    run = serializers.CharField(required=False, max_length=250, help_text="Made by this run.")
    currency = CurrencyField(required=False)
    q = serializers.CharField(
        required=False, max_length=200, help_text="Part of the number or of the bill-to's name."
    )


class InvoiceDetailParameters(serializers.Serializer[Any]):
    """How much of an invoice."""

    expand = serializers.CharField(
        required=False,
        max_length=100,
        help_text="`sections`, `lines` (within their sections), or both with a comma between.",
    )


class ChargeParameters(WithinParameters):
    """Which charges."""

    status = serializers.ChoiceField(Charge.Status.choices, required=False)


class RunParameters(PageParameters):
    """Which runs."""


class RunIn(serializers.Serializer[Any]):
    """A run to start."""

    date = DayField(help_text="Everything due up to this day is billed; it becomes the issue date.")
    # ``in`` is a word of Python, so the field is named anew.
    within = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=250,
        help_text="Only this account and what lies below it.",
    )
    issue = serializers.BooleanField(
        default=False, help_text="Issue at once, whatever the tenant says about approval."
    )

    def get_fields(self) -> dict[str, Any]:
        """Call ``within`` what integrators call it."""
        return {"in" if name == "within" else name: f for name, f in super().get_fields().items()}


# -- what goes out ---------------------------------------------------------------------------


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
    charge = IdField("chg", source="charge_id")


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
    """An invoice as far as it may be shown; None stands for what a partial view leaves out."""

    invoice: Invoice
    net_minor: int
    tax_minor: int
    gross_minor: int
    partial: bool = False
    payer: Account | None = None
    paid_minor: int | None = None
    open_minor: int | None = None
    tax: Sequence[InvoiceTax] = ()


class InvoiceOut(serializers.Serializer[InvoiceShown]):
    """An invoice. A partial view has the sums of the sections in reach and nothing of the rest."""

    id = serializers.CharField(source="invoice.public_id")
    number = serializers.CharField(source="invoice.number", allow_null=True)
    status = serializers.ChoiceField(Invoice.Status.choices, source="invoice.status")
    partial = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Only some sections are in the key's reach."
    )
    bill_to = AccountReferenceOut(source="invoice.bill_to")
    payer = AccountReferenceOut(allow_null=True, help_text="Null in a partial view.")
    seller = IdField("sel", source="invoice.seller_id")
    run = IdField("run", source="invoice.run_id", allow_null=True)
    currency = serializers.CharField(source="invoice.currency")
    issue_date = DayField(source="invoice.issue_date", allow_null=True)
    due_date = DayField(source="invoice.due_date", allow_null=True)
    period = PeriodOut(source="invoice")
    net_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()
    gross_minor = serializers.IntegerField()
    paid_minor = serializers.IntegerField(allow_null=True, help_text="Null in a partial view.")
    open_minor = serializers.IntegerField(allow_null=True, help_text="Null in a partial view.")
    po_number = serializers.CharField(source="invoice.po_number")
    created_at = InstantField(source="invoice.created_at")
    issued_at = InstantField(source="invoice.issued_at", allow_null=True)


class InvoiceDetailOut(InvoiceOut):
    """An invoice with its tax groups and, if asked for, its sections and lines."""

    tax = InvoiceTaxOut(many=True, help_text="Empty in a partial view.")


class ExpandedInvoiceOut(InvoiceDetailOut):
    """An invoice as it goes out: with sections if they were asked for."""

    sections = ExpandedSectionOut(many=True, required=False)


class StepOut(serializers.Serializer[Any]):
    """One rule that was applied."""

    rule = serializers.ChoiceField(
        ["price", "anchor", "proration", "bill_to", "payer", "invoice_on", "consolidation", "tax"]
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
    subscription = IdField("sub", source="charge.subscription_id")
    kind = serializers.ChoiceField(Charge.Kind.choices, source="charge.kind")
    status = serializers.ChoiceField(Charge.Status.choices, source="charge.status")
    period = PeriodOut(source="charge")
    due_date = DayField(source="charge.due_date")
    invoice_on = DayField(source="charge.invoice_on")
    currency = serializers.CharField(source="charge.currency")
    net_minor = serializers.IntegerField(source="charge.net_minor")
    invoice = IdField("inv", source="invoice_id", allow_null=True)
    line = IdField("lin", source="line_id", allow_null=True)
    reason = serializers.CharField(source="explanation.sentence", help_text="Why it is here.")
    calculation = StepOut(many=True, source="explanation.steps")


class ProgressOut(serializers.Serializer[Any]):
    """How many customer trees are through, of how many."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class RunDocumentsOut(serializers.Serializer[Any]):
    """What a run made, by status and currency; the documents are under `/invoices?run=`."""

    status = serializers.ChoiceField(Invoice.Status.choices)
    currency = serializers.CharField()
    count = serializers.IntegerField()
    gross_minor = serializers.IntegerField()


@dataclass(frozen=True, slots=True)
class ProblemShown:
    """A problem of a run and what it says."""

    problem: RunProblem
    detail: str


class RunProblemOut(serializers.Serializer[ProblemShown]):
    """What was left out, or is to be looked at."""

    code = serializers.CharField(source="problem.code")
    severity = serializers.ChoiceField(RunProblem.Severity.choices, source="problem.severity")
    account = AccountReferenceOut(source="problem.account")
    subscription = IdField("sub", source="problem.subscription_id", allow_null=True)
    detail = serializers.CharField()


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run with what is read beside it."""

    run: BillingRun
    progress: Progress | None = None
    documents: Sequence[StatusSum] = ()
    problems: Sequence[ProblemShown] = ()


class RunOut(serializers.Serializer[RunShown]):
    """A billing run."""

    id = serializers.CharField(source="run.public_id")
    date = DayField(source="run.date")
    status = serializers.ChoiceField(BillingRun.Status.choices, source="run.status")
    started_by = serializers.CharField(source="run.started_by")
    started_at = InstantField(source="run.started_at")
    finished_at = InstantField(source="run.finished_at", allow_null=True)


class RunAcceptedOut(RunOut):
    """A billing run that was asked for, and how far it has come."""

    progress = ProgressOut()


class RunDetailOut(RunAcceptedOut):
    """A billing run, what it made and what it left out."""

    documents = RunDocumentsOut(many=True)
    problems = RunProblemOut(many=True)
