"""The vendor: who runs the product for their own customers."""

from typing import ClassVar
from uuid import UUID

from django.db import models

from tenancy.ids import public_id, uuid7


class Tenant(models.Model):
    """A vendor: everything else belongs to exactly one.

    With ``four_eyes``, who asked for a billing run does not issue what it made.
    ``scheduled_until`` is the last day that the scheduler has billed.
    ``test_clock_at`` is set in sandbox tenants alone: their clock stands still until it is moved.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    language = models.CharField(max_length=5, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    is_sandbox = models.BooleanField(default=False)
    test_clock_at = models.DateTimeField(null=True, blank=True)
    approval_required = models.BooleanField(default=True)
    four_eyes = models.BooleanField(default=False, db_default=False)
    scheduled_until = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # The table was made by another app.
        db_table = "accounts_tenant"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="tenant_test_clock_in_sandbox",
                condition=models.Q(is_sandbox=True, test_clock_at__isnull=False)
                | models.Q(is_sandbox=False, test_clock_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def tenant_id(self) -> UUID:
        """Its own id, so that a tenant can be asked like everything it owns."""
        return self.id

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("ten", self.id)
