"""Shapes of the test clock."""

from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField, IdField, InstantField
from invoicing.models import BillingRun, ChangePlan
from invoicing.serializers.runs import RunSumOut
from tenancy.models import Job

STEPS = ("day", "week", "month", "month_end", "next_event")


class ClockIn(serializers.Serializer[Any]):
    """Where the clock is to be moved: to a day, or by a step."""

    now = DayField(required=False, help_text="The day that it shows afterwards, at noon.")
    step = serializers.ChoiceField(
        STEPS,
        required=False,
        help_text="Instead of `now`: one day, one week, one month, to the end of the month, or to"
        " the next day on which a billing run or a change plan is due.",
    )


class ClockRunOut(serializers.Serializer[BillingRun]):
    """A billing run that a move made."""

    id = serializers.CharField(source="public_id")
    date = DayField()


class MoveProgressOut(serializers.Serializer[Any]):
    """How many of its days a move has done."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class ClockProblemOut(serializers.Serializer[Any]):
    """Why a move ended early."""

    code = serializers.CharField()
    detail = serializers.CharField()


class ClockMoveOut(serializers.Serializer[Job]):
    """A move of the clock, and what it has brought so far."""

    id = IdField("job", source="pk")
    status = serializers.CharField()
    from_date = DayField()
    to_date = DayField()
    progress = MoveProgressOut()
    runs = serializers.IntegerField(help_text="How many billing runs were made.")
    invoices = serializers.IntegerField(help_text="How many invoices were issued.")
    change_plans = serializers.IntegerField(help_text="How many change plans were due.")
    billing_runs = ClockRunOut(many=True, help_text="The first hundred of the runs.")
    problems = ClockProblemOut(many=True)
    created_at = InstantField()


class ClockOut(serializers.Serializer[Any]):
    """Where the clock of a sandbox stands, what comes next, and how it was moved."""

    now = DayField(help_text="The day that it shows.")
    next_event = DayField(
        allow_null=True,
        help_text="The next day on which a billing run or a change plan is due; null: none.",
    )
    move = ClockMoveOut(allow_null=True, help_text="The move under way; null: it stands.")
    moves = ClockMoveOut(many=True, help_text="The last ten that ended, the latest first.")


class PlanDueOut(serializers.Serializer[ChangePlan]):
    """A change plan that would be carried out."""

    id = serializers.CharField(source="public_id")
    kind = serializers.CharField()
    effective_date = DayField()
    account = AccountReferenceOut()


class ClockPreviewOut(serializers.Serializer[Any]):
    """What a move would bring; nothing is stored."""

    dry_run = serializers.BooleanField()
    from_date = DayField()
    to_date = DayField()
    days = serializers.IntegerField()
    run_dates = serializers.ListField(
        child=DayField(), help_text="The days on which a billing run would be made."
    )
    documents = serializers.IntegerField(
        help_text="At least so many invoices: those of one run on the last day."
    )
    lines = serializers.IntegerField()
    held = serializers.IntegerField(help_text="Lines that wait for something.")
    sums = RunSumOut(many=True, help_text="Net sums of the lines, by currency.")
    too_large = serializers.IntegerField(help_text="Trees too large to be counted, left out.")
    is_whole = serializers.BooleanField(
        help_text="Whether all trees are counted; else only those that two seconds sufficed for."
    )
    change_plans = serializers.IntegerField()
    first_change_plans = PlanDueOut(many=True, help_text="The first twenty of them.")
