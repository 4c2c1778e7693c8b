"""What happened: events for those who listen, audit entries for those who ask."""

from typing import ClassVar

from django.db import models

from tenancy.database import TenantForeignKey, TenantModel


class Event(TenantModel):
    """Something that happened to one object; readers claim it later. Append-only."""

    kind = models.CharField(max_length=60)
    account = TenantForeignKey("accounts.Account", null=True, db_index=False)
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        db_table = "accounts_event"
        indexes: ClassVar = [models.Index(name="event_by_time", fields=["tenant", "at"])]

    def __str__(self) -> str:
        """Return the kind."""
        return self.kind


class AuditEntry(TenantModel):
    """Who changed what, when, from where, before and after. Append-only."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=200)
    origin = models.CharField(max_length=20)
    request_id = models.CharField(max_length=40, blank=True)
    action = models.CharField(max_length=60)
    account = TenantForeignKey("accounts.Account", null=True, db_index=False)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        db_table = "accounts_auditentry"
        indexes: ClassVar = [
            models.Index(name="audit_by_object", fields=["tenant", "object_id", "at"]),
            models.Index(name="audit_by_time", fields=["tenant", "at"]),
        ]

    def __str__(self) -> str:
        """Return the action."""
        return self.action
