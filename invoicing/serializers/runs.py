"""Shapes of billing runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rest_framework import serializers

from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import (
    DayField,
    IdField,
    InstantField,
    PageParameters,
    StrictBooleanField,
    WithinAsIn,
)
from invoicing.models import BillingRun, Invoice, RunProblem
from invoicing.operations.runs.changed import NOTHING_COMPARED, Compared
from invoicing.queries.invoice_sums import StatusSum
from invoicing.queries.previewed_run import RunPreview
from invoicing.queries.run_comparison import Comparison
from invoicing.queries.runs import Progress
from tenancy.ids import public_id
from tenancy.models import AuditEntry


class RunParameters(PageParameters):
    """Which runs."""


class RunIn(WithinAsIn):
    """A run to start."""

    date = DayField(help_text="Everything due up to this day is billed; it becomes the issue date.")
    within = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=250,
        help_text="Only this account and what lies below it.",
    )
    issue = StrictBooleanField(
        default=False, help_text="Issue at once, whatever the tenant says about approval."
    )


class RunStartParameters(serializers.Serializer[Any]):
    """Whether to start it at all."""

    dry_run = serializers.ChoiceField(
        ("true", "false"),
        default="false",
        help_text="`true`: answer (200) what the run would make, and store nothing.",
    )
    cursor = serializers.CharField(
        required=False,
        max_length=20_000,
        help_text="With `dry_run`: `next_cursor` of the answer before, where it was not whole.",
    )


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
    count = serializers.SerializerMethodField(help_text="How often this cause was met.")

    def get_count(self, shown: ProblemShown) -> int:
        """Return how many charges or documents it is about."""
        return int(shown.problem.params.get("count", 1))


class RunChangeOut(serializers.Serializer[Any]):
    """A recipient that is new, gone or more than 20 % different from its previous document."""

    account = AccountReferenceOut(source="*")
    currency = serializers.CharField()
    before_minor = serializers.IntegerField(allow_null=True, help_text="Net; null where new.")
    after_minor = serializers.IntegerField(allow_null=True, help_text="Net; null where gone.")
    before_on = DayField(allow_null=True, help_text="The run of the previous document.")


class RunComparisonOut(serializers.Serializer[Any]):
    """Each recipient beside its own previous document of the same seller and currency."""

    new = serializers.IntegerField()
    gone = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="More than 20 % different.")
    top = RunChangeOut(many=True, help_text="The largest differences.")


class RunEntryOut(serializers.Serializer[AuditEntry]):
    """One thing that somebody did to a run: asked for it, joined it, approved drafts."""

    at = InstantField()
    action = serializers.CharField(help_text="As `run.requested` or `run.joined`.")
    by = serializers.CharField(source="actor_label")
    kind = serializers.CharField(source="actor_kind", help_text="`person`, `key` or `system`.")
    origin = serializers.CharField(
        help_text="`dashboard`, `portal`, `api`, `command` or `task` (the timetable)."
    )


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run with what is read beside it."""

    run: BillingRun
    progress: Progress | None = None
    documents: Sequence[StatusSum] = ()
    problems: Sequence[ProblemShown] = ()
    history: Sequence[AuditEntry] = ()
    drafts_digest: str = ""
    compared: Compared = NOTHING_COMPARED
    comparison: Comparison | None = None


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


class RunSumOut(serializers.Serializer[Any]):
    """What would be invoiced in a currency."""

    currency = serializers.CharField()
    net_minor = serializers.IntegerField()


class OpenDraftsOut(serializers.Serializer[Any]):
    """Drafts of this or an earlier run that it would take along."""

    run_date = DayField()
    currency = serializers.CharField()
    count = serializers.IntegerField()
    net_minor = serializers.IntegerField()


@dataclass(frozen=True, slots=True)
class RunPreviewShown:
    """What a run would make, and where the next part goes on."""

    run_date: date
    preview: RunPreview
    next_cursor: str | None

    @property
    def sums(self) -> list[dict[str, Any]]:
        """Return the net sums by currency."""
        found = sorted(self.preview.net_minor.items())
        return [{"currency": code, "net_minor": net} for code, net in found]

    @property
    def progress(self) -> Progress:
        """Return how many trees are in the figures."""
        return Progress(self.preview.done, self.preview.trees)


class RunPreviewOut(serializers.Serializer[RunPreviewShown]):
    """What a run would make. Of many customer trees a part: ask again with `next_cursor`."""

    dry_run = serializers.SerializerMethodField()
    date = DayField(source="run_date")
    progress = ProgressOut()
    documents = serializers.IntegerField(source="preview.documents")
    lines = serializers.IntegerField(source="preview.lines")
    accounts = serializers.IntegerField(
        source="preview.accounts", help_text="Whose lines these are."
    )
    held = serializers.IntegerField(
        source="preview.held", help_text="Lines that wait for something and are on no document."
    )
    too_large = serializers.IntegerField(
        source="preview.too_large", help_text="Trees too large to be computed here, left out."
    )
    sums = RunSumOut(many=True)
    open_drafts = OpenDraftsOut(many=True, source="preview.open_drafts")
    next_cursor = serializers.CharField(
        allow_null=True, help_text="Null where every tree is in the figures."
    )

    def get_dry_run(self, shown: RunPreviewShown) -> bool:
        """Return that nothing was stored."""
        return True


class RunApprovalIn(serializers.Serializer[Any]):
    """The drafts of a run to approve."""

    drafts_digest = serializers.CharField(
        max_length=64, help_text="As the run showed it; other drafts are refused."
    )


class RunRejectionIn(serializers.Serializer[Any]):
    """A run to reject."""

    reason = serializers.CharField(max_length=500, help_text="Stays on the run and the charges.")
    drafts_digest = serializers.CharField(
        max_length=64, help_text="As the run showed it; other drafts are refused."
    )


class RunDetailOut(RunAcceptedOut):
    """A billing run, what it made and what it left out."""

    requested_by = serializers.SerializerMethodField(help_text="Everybody who asked for it.")
    taken_by = IdField(
        "run",
        source="run.taken_by_id",
        allow_null=True,
        help_text="The later run that took up drafts of this one.",
    )
    rejected_reason = serializers.CharField(source="run.rejected_reason")
    drafts_digest = serializers.CharField(
        help_text="Names the drafts and what they say, to approve exactly these; empty without."
    )

    changed_drafts = serializers.SerializerMethodField(
        help_text="Of the drafts compared just now those whose sources have changed since."
    )
    drafts_compared = serializers.IntegerField(
        source="compared.looked",
        help_text="How many drafts were compared just now: of the first 50 those of trees of at"
        " most 500 accounts.",
    )
    compared_at = InstantField(
        source="run.compared_at",
        allow_null=True,
        help_text="When all drafts were last compared, and drafted again where they had changed.",
    )

    def get_changed_drafts(self, shown: RunShown) -> list[str]:
        """Return their ids."""
        return [public_id("inv", key) for key in shown.compared.changed]

    def get_requested_by(self, shown: RunShown) -> list[str]:
        """Return their names."""
        return [one["label"] for one in shown.run.requested_by]

    documents = RunDocumentsOut(many=True)
    problems = RunProblemOut(many=True)
    comparison = RunComparisonOut(
        allow_null=True, help_text="Null while it is worked on, and for a first run."
    )
    history = RunEntryOut(many=True, help_text="Who did what, the latest first.")
