"""What each reader of events still has to do."""

from typing import ClassVar

from django.db import models

from tenancy.database import TenantForeignKey, TenantPartModel
from tenancy.models.log import Event


class OutboxEntry(TenantPartModel):
    """One event that one kind of reader has to take note of; written together with the event.

    ``claim`` names who works on it last, ``next_at`` when it may be taken (again): None is at
    once. Both are of the real clock, also in a sandbox.
    """

    class Status(models.TextChoices):
        """Whether it is through."""

        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    reader = models.CharField(max_length=20)
    event = TenantForeignKey(Event, db_index=False)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True)
    next_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "tenancy_outboxentry"
        constraints: ClassVar = [
            models.UniqueConstraint(name="outbox_event_once", fields=["tenant", "event", "reader"])
        ]
        indexes: ClassVar = [
            models.Index(
                name="outbox_waiting",
                fields=["tenant", "reader", "id"],
                condition=models.Q(status="waiting"),
            )
        ]

    def __str__(self) -> str:
        """Return who has to read it."""
        return self.reader
