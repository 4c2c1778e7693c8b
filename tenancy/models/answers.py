"""Answers of the API, kept for callers who ask the same once more."""

from typing import ClassVar

from django.db import models

from tenancy.database import TenantModel


class KeptAnswer(TenantModel):
    """What one caller was answered under one ``Idempotency-Key``.

    It is written in the transaction that did what was asked, so neither is there without the
    other. ``digest`` tells whether the same is asked again. ``created_at`` is of the real clock,
    also in a sandbox.
    """

    caller_id = models.UUIDField()
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="answer_once", fields=["tenant", "caller_id", "key"])
        ]
        indexes: ClassVar = [models.Index(name="answer_age", fields=["tenant", "created_at"])]

    def __str__(self) -> str:
        """Return the key."""
        return self.key
