"""Change plans: who is to stand elsewhere, to be invoiced or to pay, and from when on."""

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from subscriptions.models import Subscription
from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import parse_public_id, public_id


class ChangePlan(TenantModel):
    """One change of structure or money, previewed before it is made.

    ``parameters`` say what is wanted, as integrators write it; ``preview`` what was shown for it,
    and ``world`` digests what that depended on: if any of it differs on the day, nothing is done.
    ``author`` and ``approver`` are stored as a ``Requester`` is. ``receiver`` is the account that
    has to agree, until ``acceptance_until``; ``acceptance`` says who did, or who forced it and why.
    While it is ``applying`` the job ``job_id`` goes from one subscription to the next.
    ``failure`` holds the code and the values of the sentence that says why nothing was done.
    """

    class Kind(models.TextChoices):
        """What is to change."""

        MOVE = "move"
        PAYER = "payer"
        BILL_TO = "bill_to"
        CONSOLIDATION = "consolidation"
        CLOSING = "closing"
        PROMOTION = "promotion"
        SUBSCRIPTION = "subscription"
        MERGE = "merge"
        ALIGNMENT = "alignment"

    class Status(models.TextChoices):
        """How far it has come."""

        DRAFT = "draft", _("Draft")
        WAITING_APPROVAL = "waiting_approval", _("Waiting for approval")
        WAITING_ACCEPTANCE = "waiting_acceptance", _("Waiting for acceptance")
        SCHEDULED = "scheduled", _("Scheduled")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        FAILED = "failed", _("Failed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    _PREFIXES: ClassVar[dict[str, str]] = {Kind.MOVE: "mov", Kind.ALIGNMENT: "aln"}
    _AHEAD: ClassVar = (Status.WAITING_APPROVAL, Status.WAITING_ACCEPTANCE, Status.SCHEDULED)
    OPEN: ClassVar = (*_AHEAD, Status.APPLYING)
    """It will be carried out if nobody stops it."""
    CHANGEABLE: ClassVar = (Status.DRAFT, *_AHEAD)
    """It can be withdrawn."""

    kind = models.CharField(max_length=13, choices=Kind.choices)
    account = TenantForeignKey(Account)
    subscription = TenantForeignKey(Subscription, null=True)
    parameters = models.JSONField(default=dict)
    effective_date = models.DateField()
    status = models.CharField(max_length=18, choices=Status.choices, default=Status.DRAFT)
    world = models.JSONField(default=dict)
    preview = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    job_id = models.UUIDField(null=True, blank=True)
    failure = models.JSONField(default=dict)
    author = models.JSONField(default=dict)
    approver = models.JSONField(default=dict)
    receiver = TenantForeignKey(Account, null=True)
    acceptance_until = models.DateField(null=True, blank=True)
    acceptance = models.JSONField(default=dict)
    reverse_of = TenantForeignKey("invoicing.ChangePlan", null=True)
    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            # Of two that are asked for at once the database takes one.
            models.UniqueConstraint(
                name="plan_open_once",
                fields=["tenant", "account"],
                condition=models.Q(
                    status__in=["waiting_approval", "waiting_acceptance", "scheduled", "applying"],
                    subscription__isnull=True,
                ),
            ),
            models.UniqueConstraint(
                name="plan_open_once_of_subscription",
                fields=["tenant", "subscription"],
                condition=models.Q(
                    status__in=["waiting_approval", "waiting_acceptance", "scheduled"]
                ),
            ),
            models.CheckConstraint(
                name="plan_names_its_subscription",
                condition=models.Q(kind="subscription", subscription__isnull=False)
                | (~models.Q(kind="subscription") & models.Q(subscription__isnull=True)),
            ),
            models.UniqueConstraint(
                name="plan_reversed_once",
                fields=["tenant", "reverse_of"],
                condition=models.Q(reverse_of__isnull=False)
                & ~models.Q(status__in=["failed", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="plan_applied_at",
                condition=models.Q(status="applied", applied_at__isnull=False)
                | (~models.Q(status="applied") & models.Q(applied_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="plan_failure_says_why",
                condition=models.Q(status="failed", failure__has_key="code")
                | (~models.Q(status="failed") & models.Q(failure={})),
            ),
            models.CheckConstraint(
                name="plan_waits_for_somebody",
                condition=~models.Q(status="waiting_acceptance")
                | models.Q(receiver__isnull=False, acceptance_until__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="plan_due",
                fields=["tenant", "effective_date"],
                condition=models.Q(status__in=["scheduled", "waiting_acceptance"]),
            ),
            models.Index(name="plan_latest", fields=["tenant", "-created_at", "-id"]),
        ]

    def __str__(self) -> str:
        """Return what changes and when."""
        return f"{self.kind} on {self.effective_date}"

    @property
    def public_id(self) -> str:
        """The id that integrators see; moves and alignments have prefixes of their own."""
        return public_id(self._PREFIXES.get(self.kind, "chp"), self.id)

    @staticmethod
    def key_of(text: str) -> UUID | None:
        """Return the key that a public id of a plan says, None for what is none."""
        found = (parse_public_id(one, text) for one in ("mov", "aln", "chp"))
        return next((key for key in found if key is not None), None)

    @property
    def is_open(self) -> bool:
        """Whether it will be carried out if nobody stops it."""
        return self.status in self.OPEN


class PlanComment(TenantModel):
    """What somebody said about a plan; ``author`` is stored as a ``Requester`` is."""

    plan = TenantForeignKey(ChangePlan)
    text = models.TextField()
    author = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="plan_comment_says_something", condition=~models.Q(text="")
            ),
        ]

    def __str__(self) -> str:
        """Return what was said."""
        return self.text
