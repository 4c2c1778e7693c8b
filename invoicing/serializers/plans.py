"""Shapes of change plans: how they are asked for, answered and listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DayField,
    InstantField,
    StrictBooleanField,
    WithinParameters,
)
from invoicing.models import ChangePlan, PlanComment
from invoicing.serializers.plan_previews import PlanPreviewOut, ShownAccountOut
from tenancy.models import Job

_REFERENCE = 250


class PlanParameters(WithinParameters):
    """Which plans."""

    status = serializers.ChoiceField(ChangePlan.Status.choices, required=False)
    kind = serializers.ChoiceField(ChangePlan.Kind.choices, required=False)


class PlanStartParameters(serializers.Serializer[Any]):
    """Whether to store it at all."""

    dry_run = serializers.ChoiceField(
        ("true", "false"),
        default="false",
        help_text="`true`: answer (200) what would come of it, and store nothing.",
    )


class _ChangeIn(serializers.Serializer[Any]):
    """What every change may say."""

    effective_date = DayField(
        required=False, help_text="From this day on; today if left out, and then at once."
    )
    settings = serializers.DictField(
        required=False,
        help_text="Answers to `to_answer` of the preview, and other changes: `bill_to`, `payer` and"
        " `consolidation` of the account itself; or by account (`acc_…`, `ext:…`) or subscription"
        " (`sub_…`) an object of these. null inherits.",
    )
    draft = StrictBooleanField(
        default=False, help_text="Store it as a draft, which does nothing before it is submitted."
    )


class MoveIn(_ChangeIn):
    """A move of an account with all below it."""

    parent = serializers.CharField(  # type: ignore[assignment]
        allow_null=True,
        max_length=_REFERENCE,
        help_text="Below which account it is to stand; null: a customer of its own.",
    )
    open_drafts = serializers.ChoiceField(
        ("keep", "reroute"),
        default="keep",
        help_text="`keep`: drafts stay with whom they are addressed to. `reroute`: they are taken"
        " back, and what is the moved accounts' is invoiced by the new place.",
    )
    prepaid = serializers.ChoiceField(
        ("stay", "credit"),
        default="stay",
        help_text="`stay`: what is paid in advance stays with who paid it until its period ends."
        " `credit`: the unused part is credited to whom it was charged and charged to the new"
        " recipient; of a `move`, `bill_to`, `payer`, `promotion` and `subscription`.",
    )


class MergeIn(_ChangeIn):
    """A duplicate that goes up in another account."""

    into = serializers.CharField(
        max_length=_REFERENCE, help_text="The account to keep; not one that stands below it."
    )
    open_drafts = serializers.ChoiceField(
        ("keep", "reroute"),
        default="keep",
        help_text="`keep`: what is charged for earlier days stays on the duplicate's drafts."
        " `reroute`: they are taken back, and what is on them is invoiced for the kept account.",
    )


class AlignmentIn(serializers.Serializer[Any]):
    """One date on which the periods of an account are to begin."""

    account = serializers.CharField(max_length=_REFERENCE)
    billing_day = serializers.IntegerField(
        min_value=1, max_value=31, help_text="The day of the month; clamped where it is shorter."
    )
    billing_month = serializers.IntegerField(
        min_value=1,
        max_value=12,
        required=False,
        allow_null=True,
        help_text="The month through which intervals longer than one run; null: none.",
    )
    effective_date = DayField(
        required=False, help_text="From this day on; today if left out, and then at once."
    )
    method = serializers.ChoiceField(
        ("short", "long", "free", "rebill"),
        default="short",
        help_text="What becomes of the days between the period that runs and the date. `short`:"
        " charged when they begin. `long`: charged with the first full period. `free`: not"
        " charged. `rebill`: what is charged beyond the date is credited, and charged anew from it"
        " on; where the period that runs ends before the date, as `short`.",
    )
    scope = serializers.ChoiceField(
        ("tree", "payer"),
        default="tree",
        help_text="`tree`: the account and those below it. `payer`: all accounts whose invoices the"
        " account pays, in other branches and trees too.",
    )
    include_subtree = StrictBooleanField(
        default=True, help_text="Whether the accounts below follow; of a `tree`."
    )
    excluded = serializers.ListField(
        child=serializers.CharField(max_length=_REFERENCE),
        required=False,
        max_length=500,
        help_text="Accounts that stay as they are, with all below them.",
    )
    draft = StrictBooleanField(
        default=False, help_text="Store it as a draft, which does nothing before it is submitted."
    )

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; one is called by a word that Python keeps for itself."""
        fields: dict[str, Any] = super().get_fields()
        fields["except"] = fields.pop("excluded")
        return fields


class RecipientIn(serializers.Serializer[Any]):
    """To whom a subscription is invoiced."""

    bill_to = serializers.CharField(
        allow_null=True,
        max_length=_REFERENCE,
        help_text="The account of the subscription or one above it; null: as its account is.",
    )
    effective_date = DayField(
        required=False, help_text="From this day on; today if left out, and then at once."
    )
    prepaid = serializers.ChoiceField(
        ("stay", "credit"),
        default="stay",
        help_text="`stay`: what is paid in advance stays with who paid it until its period ends."
        " `credit`: the unused part is credited to whom it was charged and charged to the new"
        " recipient.",
    )


class PlanIn(MoveIn):
    """A change of any kind; each kind has a member of its own."""

    kind = serializers.ChoiceField(
        [pair for pair in ChangePlan.Kind.choices if pair[0] != ChangePlan.Kind.ALIGNMENT]
    )
    account = serializers.CharField(max_length=_REFERENCE, help_text="The account it is about.")
    parent = serializers.CharField(
        required=False, allow_null=True, max_length=_REFERENCE, help_text="Of a `move`."
    )
    payer = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="Of a `payer`: who pays; null inherits.",
    )
    bill_to = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="Of a `bill_to` and of a `subscription`: the account itself or one above it;"
        " null inherits.",
    )
    consolidation = serializers.ChoiceField(
        ("one_invoice", "per_account"),
        required=False,
        allow_null=True,
        help_text="Of a `consolidation`; null inherits.",
    )
    children_to = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=_REFERENCE,
        help_text="Of a `closing`: below which account those below it are to stand.",
    )
    into = serializers.CharField(
        required=False, max_length=_REFERENCE, help_text="Of a `merge`: the account to keep."
    )
    subscription = serializers.CharField(
        required=False,
        max_length=_REFERENCE,
        help_text="Of a `subscription`: the one of the account that is to be invoiced elsewhere.",
    )


class AnswerIn(serializers.Serializer[Any]):
    """An answer for the account that a plan hands something over to."""

    decision = serializers.ChoiceField(("accept", "decline"))
    reason = serializers.CharField(
        required=False,
        max_length=500,
        help_text="Needed of the vendor's own, who answer in place of the customer.",
    )


class PlanWithdrawalIn(serializers.Serializer[Any]):
    """A plan to take back."""

    reason = serializers.CharField(required=False, max_length=2_000, help_text="Becomes a comment.")


class ReversalIn(serializers.Serializer[Any]):
    """A plan to reverse."""

    effective_date = DayField(required=False, help_text="From this day on; today if left out.")


class CommentIn(serializers.Serializer[Any]):
    """Something to say about a plan."""

    text = serializers.CharField(max_length=2_000)


class CommentOut(serializers.Serializer[PlanComment]):
    """What somebody said about a plan."""

    text = serializers.CharField()
    by = serializers.CharField(source="author.label")
    at = InstantField()


@dataclass(frozen=True, slots=True)
class PlanShown:
    """A plan with what is read beside it."""

    plan: ChangePlan
    title: str
    detail: str = ""
    preview: Mapping[str, Any] = field(default_factory=dict)
    comments: Sequence[PlanComment] = ()
    job: Job | None = None


class PlanOut(serializers.Serializer[PlanShown]):
    """A change plan."""

    id = serializers.CharField(source="plan.public_id")
    kind = serializers.ChoiceField(ChangePlan.Kind.choices, source="plan.kind")
    status = serializers.ChoiceField(ChangePlan.Status.choices, source="plan.status")
    title = serializers.CharField(help_text="What it does, in a few words.")
    account = AccountReferenceOut(source="plan.account")
    effective_date = DayField(source="plan.effective_date")
    author = serializers.CharField(source="plan.author.label")
    created_at = InstantField(source="plan.created_at")
    applied_at = InstantField(source="plan.applied_at", allow_null=True)
    detail = serializers.CharField(help_text="Why it has failed or was declined; else empty.")


class PlanProgressOut(serializers.Serializer[Job]):
    """How far it is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class PlanJobOut(serializers.Serializer[Job]):
    """The job that carries out a large alignment, subscription by subscription."""

    id = serializers.CharField(source="public_id")
    status = serializers.ChoiceField(Job.Status.choices)
    progress = PlanProgressOut(source="*")


class PlanDetailOut(PlanOut):
    """A change plan with all that is known of it."""

    parameters = serializers.JSONField(source="plan.parameters")
    approver = serializers.CharField(source="plan.approver.label", default=None, allow_null=True)
    receiver = AccountReferenceOut(source="plan.receiver", allow_null=True)
    acceptance_until = DayField(source="plan.acceptance_until", allow_null=True)
    reverse_of = serializers.SerializerMethodField(allow_null=True)
    failure_code = serializers.CharField(source="plan.failure.code", default=None, allow_null=True)
    job = PlanJobOut(
        allow_null=True, help_text="While it is `applying`, and after; null: it was done at once."
    )
    preview = PlanPreviewOut()
    comments = CommentOut(many=True)

    def get_reverse_of(self, shown: PlanShown) -> str | None:
        """Return the plan that this one reverses."""
        plan = shown.plan
        if plan.reverse_of_id is None:
            return None
        return ChangePlan(id=plan.reverse_of_id, kind=plan.kind).public_id


class PlanDryRunOut(serializers.Serializer[Any]):
    """What would come of a change; nothing was stored."""

    dry_run = serializers.SerializerMethodField()
    preview = PlanPreviewOut()

    def get_dry_run(self, shown: Any) -> bool:
        """Return that nothing was stored."""
        return True


class AlignmentStubOut(serializers.Serializer[Any]):
    """Days around the common date: some up to it, or those that a period loses that ends on it."""

    start = serializers.CharField()
    end = serializers.CharField()


class AlignmentRowOut(serializers.Serializer[Any]):
    """A subscription whose periods come to begin on other days."""

    subscription = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField(help_text="What it is for.")
    account = ShownAccountOut()
    old_date = serializers.CharField(help_text="When the period ends that runs on the day.")
    new_date = serializers.CharField(help_text="When the first full period begins after it.")
    stub = AlignmentStubOut(allow_null=True, help_text="The days up to the common date.")
    days = serializers.IntegerField(
        help_text="Of the stub; less than 0: so many days earlier it renews, and is credited."
    )
    credited = AlignmentStubOut(
        allow_null=True, help_text="With `rebill`: the days that the period loses that runs."
    )
    full_days = serializers.IntegerField(help_text="Of the full period that contains it.")
    amount_minor = serializers.IntegerField(
        help_text="What is charged for the stub; less than 0: what is credited."
    )
    currency = serializers.CharField()
    invoice_on = serializers.CharField(allow_null=True, help_text="When that is invoiced.")


class AlignmentOut(PlanDetailOut):
    """An alignment that was planned, with what becomes of every subscription."""

    rows = AlignmentRowOut(many=True)


class AlignmentDryRunOut(PlanDryRunOut):
    """What would come of an alignment; nothing was stored."""

    rows = AlignmentRowOut(many=True)
