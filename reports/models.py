"""What is kept of reports that would take too long to compute while somebody waits."""

from typing import ClassVar

from django.db import models

from accounts.models import Account
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel
from tenancy.ids import public_id


class Forecast(TenantModel):
    """The calendar of one tree as it was when it was made, and what that depended on.

    ``root`` is the account at the top. ``today`` is the tenant's day then, ``members`` the number
    of accounts, ``settled`` the last event that nothing could come before any more, ``seen`` how
    many later ones were known. If one of them differs, the calendar is stale. It is complete up to
    ``complete_until``. ``problem`` is the code of why there are no invoices to come in it.
    ``wanted_at`` is when somebody asked for a newer one that is made in the background.
    """

    root = TenantForeignKey(Account, db_index=False)
    today = models.DateField(null=True)
    complete_until = models.DateField(null=True)
    members = models.PositiveIntegerField(default=0)
    settled = models.UUIDField(null=True)
    seen = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=60, blank=True, default="")
    made_at = models.DateTimeField(null=True)
    took_seconds = models.PositiveIntegerField(default=0)
    wanted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="forecast_once", fields=["tenant", "root"])
        ]
        indexes: ClassVar = [
            models.Index(
                name="forecast_wanted",
                fields=["tenant", "root"],
                condition=models.Q(wanted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Return up to when it is complete."""
        return f"until {self.complete_until}"


class CalendarEntry(TenantPartModel):
    """Something that falls on a day of the billing calendar of a tree.

    ``kind`` is one of ``reports.declarations.Kind``, ``account`` whom it is about. An invoice has
    ``bill_to_id`` and ``payer_id``; where it ``is_part`` it is the part of ``account`` in an
    invoice to another (R23). ``key`` stays the same for the same thing whenever the calendar is
    made again.
    ``amount_minor`` is in minor units of ``currency``; what has no amount has none.
    ``subject_type`` and ``subject_id`` name what is stored of it, ``details`` what its title says.
    """

    forecast = TenantForeignKey(Forecast)
    date = models.DateField()
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=250)
    account = TenantForeignKey(Account)
    bill_to_id = models.UUIDField(null=True)
    payer_id = models.UUIDField(null=True)
    is_part = models.BooleanField(default=False)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    subject_type = models.CharField(max_length=20, blank=True)
    subject_id = models.UUIDField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="calendar_entry_once", fields=["tenant", "forecast", "key"]
            ),
            models.CheckConstraint(
                name="calendar_amount_has_currency",
                condition=models.Q(amount_minor__isnull=True) | ~models.Q(currency=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="calendar_in_order", fields=["tenant", "date", "kind", "key"]),
        ]

    def __str__(self) -> str:
        """Return what falls on which day."""
        return f"{self.kind} on {self.date}"

    @property
    def subject(self) -> str:
        """The public id of what is stored of it, empty where nothing is yet."""
        prefix = {"invoice": "inv", "subscription": "sub", "plan": "chp", "move": "mov"}
        if self.subject_id is None:
            return ""
        return public_id(prefix[self.subject_type], self.subject_id)
