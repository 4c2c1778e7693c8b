"""What happened: events for those who listen, audit entries for those who ask."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from tenancy.database import TenantForeignKey, TenantModel, TransactionField


class Event(TenantModel):
    """Something that happened to one object, as ``tenancy.events`` declares it. Append-only.

    ``path`` are the accounts from the root down to ``account``, as the tree was then; it is empty
    for what concerns the tenant as a whole.
    """

    transaction = TransactionField()
    kind = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField(default=1, db_default=1)
    account = TenantForeignKey("accounts.Account", null=True, db_index=False)
    path = ArrayField(models.UUIDField(), default=list, db_default=[])
    subject_type = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, default="", db_default="")
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        db_table = "accounts_event"
        indexes: ClassVar = [
            models.Index(name="event_in_order", fields=["tenant", "transaction", "id"])
        ]

    def __str__(self) -> str:
        """Return the kind."""
        return self.kind


PEOPLE_TYPES = ("contact", "grant")
"""What is about the people of an account, who may be gone: it is found by the account."""


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
            models.Index(
                name="audit_of_people",
                fields=["tenant", "account", "at"],
                condition=models.Q(object_type__in=PEOPLE_TYPES),
            ),
        ]

    def __str__(self) -> str:
        """Return the action."""
        return self.action
