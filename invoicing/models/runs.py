"""Billing runs: one for a tenant and a date, worked through family by family."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from subscriptions.models import Subscription
from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import public_id


class BillingRun(TenantModel):
    """Everything that was billed for one date; runs for the same date join into one (R25).

    ``requested_by`` names everybody who asked for it, each as a ``Requester`` is stored, with
    ``at`` and ``issue``; ``taken_by`` is the later run that took up drafts of this one (R27). A
    rejected run has the reason and who gave it. At ``compared_at`` the timetable had compared each
    draft with what would be drafted, and drafted again what had changed.
    """

    class Status(models.TextChoices):
        """Where the run stands."""

        DRAFTING = "drafting", _("Drafting")
        TO_APPROVE = "to_approve", _("To Approve")
        ISSUING = "issuing", _("Issuing")
        DONE = "done", _("Done")
        PARKED = "parked", _("Parked")

    date = models.DateField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFTING)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_by = models.CharField(max_length=200)
    requested_by = models.JSONField(default=list, db_default=[])
    taken_by = TenantForeignKey("invoicing.BillingRun", null=True, db_index=False)
    rejected_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    compared_at = models.DateTimeField(null=True, blank=True)
    rejected_reason = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="run_once_per_date", fields=["tenant", "date"])
        ]

    def __str__(self) -> str:
        """Return the date."""
        return f"{self.date}"

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("run", self.id)


class RunFamily(TenantModel):
    """One tree's place in the queue of a run; workers claim rows with ``SKIP LOCKED``.

    ``within`` limits it to the subtree of an account; ``issues`` says whether drafts are issued
    at once. Where it ``approves``, nothing is rated: the approved drafts are issued as they are.
    ``requested_by`` is who asked for this turn, as a ``Requester`` is stored. ``done_at`` is when
    it last came out of the queue, by the database's clock: while that happens somebody works.
    """

    class Status(models.TextChoices):
        """Whether its turn has come."""

        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    run = TenantForeignKey(BillingRun, db_index=False)
    root = TenantForeignKey(Account, db_index=False)
    within = TenantForeignKey(Account, null=True, db_index=False)
    issues = models.BooleanField(default=False)
    approves = models.BooleanField(default=False, db_default=False)
    requested_by = models.JSONField(default=dict, db_default={})
    position = models.CharField(max_length=400)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="run_family_once",
                fields=["tenant", "run", "root", "within"],
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar = [
            models.Index(
                name="run_family_waiting",
                fields=["tenant", "run", "position", "id"],
                condition=models.Q(status="waiting"),
            ),
            models.Index(name="run_family_done", fields=["tenant", "run", "done_at"]),
        ]

    def __str__(self) -> str:
        """Return the account at its root."""
        return str(self.root_id)


class RunProblem(TenantModel):
    """Why an account or a subscription was left out of a run, or what to look at (R25)."""

    class Severity(models.TextChoices):
        """A problem keeps something from being billed; a warning does not."""

        PROBLEM = "problem", _("Problem")
        WARNING = "warning", _("Warning")

    run = TenantForeignKey(BillingRun)
    severity = models.CharField(max_length=7, choices=Severity.choices)
    code = models.CharField(max_length=60)
    family = TenantForeignKey(Account, db_index=False)
    account = TenantForeignKey(Account, db_index=False)
    subscription = TenantForeignKey(Subscription, null=True, db_index=False)
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Return the code."""
        return self.code
