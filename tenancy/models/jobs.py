"""Work that somebody asked for and that is done in the background: imports, moves of the clock."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel
from tenancy.ids import public_id


class Job(TenantModel):
    """One piece of work, and its place in the queue; workers claim rows with ``SKIP LOCKED``.

    ``beat_at`` is when the worker last said that it lives: a job that has been silent too long is
    taken up again. The file that it works on is kept as ``JobPiece`` until it is used up.
    ``requested_by`` is who asked, as a ``Requester`` is stored: the work is done in their name.
    """

    class Kind(models.TextChoices):
        """What is to be done."""

        IMPORT = "import", _("Import")
        CLOCK = "clock", _("Clock")
        EDIT = "edit", _("Change of accounts")
        PRICES = "prices", _("Change of prices")
        DISCOUNT = "discount", _("Discount")
        ALIGN = "align", _("Alignment")
        CHECK = "check", _("Check of the books")

    class Status(models.TextChoices):
        """Whether its turn has come, and how it went."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    params = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_by_label = models.CharField(max_length=200)
    requested_by = models.JSONField(default=dict, db_default={})
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_job"
        indexes: ClassVar = [
            models.Index(
                name="job_open",
                fields=["tenant", "kind", "id"],
                condition=models.Q(status__in=["waiting", "running"]),
            ),
            models.Index(name="job_by_time", fields=["tenant", "created_at", "id"]),
        ]

    def __str__(self) -> str:
        """Return what is done."""
        return self.kind

    @property
    def public_id(self) -> str:
        """The id that addresses carry."""
        return public_id("job", self.id)

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being worked on."""
        return self.status in (Job.Status.WAITING, Job.Status.RUNNING)


class JobPiece(TenantPartModel):
    """Some of the bytes of a job's file, in the order of their numbers."""

    job = TenantForeignKey(Job, db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="job_piece_once", fields=["tenant", "job", "number"]),
        ]

    def __str__(self) -> str:
        """Return which it is."""
        return str(self.number)
