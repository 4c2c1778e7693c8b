"""What is owed for a period, whether or not it stands on a document yet."""

from typing import ClassVar

from django.db import models

from accounts.models import Account
from subscriptions.models import Item, Period, Subscription
from tenancy.database import TenantForeignKey, TenantPartModel
from tenancy.ids import public_id


class Charge(TenantPartModel):
    """Something owed by an account for a period.

    Unique on (item, kind, period start, revision), so that billing twice is impossible (R13).
    What a change takes back of an earlier charge (``credited``) is a credit of its own, which is
    not above 0; credits and charges of the same change share the next revision.
    ``invoice_on`` is the first billing day of the bill-to on or after the due date (R5).
    ``calculation`` holds how the amount came about, ``reason`` why it waits or stands where it
    is: codes and values, put into words in the reader's language. A charge that ``is_held`` stands
    on no document until somebody releases it.
    """

    class Kind(models.TextChoices):
        """What kind of thing is owed."""

        RECURRING = "recurring"
        CREDIT = "credit"

    class Status(models.TextChoices):
        """Whether it stands on a document."""

        PENDING = "pending"
        INVOICED = "invoiced"

    item = TenantForeignKey(Item, db_index=False)
    period = TenantForeignKey(Period, db_index=False)
    subscription = TenantForeignKey(Subscription)
    account = TenantForeignKey(Account)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.RECURRING)
    credited = TenantForeignKey("self", null=True, db_index=False)
    period_start = models.DateField()
    period_end = models.DateField()
    revision = models.PositiveSmallIntegerField(default=0)
    due_date = models.DateField()
    invoice_on = models.DateField()
    currency = models.CharField(max_length=3)
    net_minor = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    is_held = models.BooleanField(default=False, db_default=False)
    held_until = models.DateField(null=True)
    calculation = models.JSONField()
    reason = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="charge_once",
                fields=["tenant", "item", "kind", "period_start", "revision"],
            ),
            models.CheckConstraint(
                name="charge_period",
                condition=models.Q(period_end__gt=models.F("period_start")),
            ),
            models.CheckConstraint(
                name="charge_credit",
                condition=models.Q(kind="credit", credited__isnull=False, net_minor__lte=0)
                | (~models.Q(kind="credit") & models.Q(credited__isnull=True)),
            ),
            models.CheckConstraint(
                name="charge_held_until",
                condition=models.Q(is_held=True) | models.Q(held_until__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="charge_pending",
                fields=["tenant", "invoice_on"],
                condition=models.Q(status="pending"),
            ),
            models.Index(
                name="charge_held",
                fields=["tenant", "held_until"],
                condition=models.Q(is_held=True),
            ),
        ]

    def __str__(self) -> str:
        """Return its amount and period."""
        return f"{self.net_minor} {self.currency} {self.period_start}"

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("chg", self.id)
