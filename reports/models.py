"""What is kept of reports that would take too long to compute while somebody waits."""

from typing import ClassVar

from django.db import models

from accounts.models import Account, Person
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel
from tenancy.ids import public_id


class Forecast(TenantModel):
    """The calendar of one tree as it was when it was made, and what that depended on.

    ``root`` is the account at the top. ``today`` is the tenant's day then, ``members`` the number
    of accounts, ``settled`` the last event that nothing could come before any more, ``seen`` how
    many later ones were known. If one of them differs, the calendar is stale. It is complete up to
    ``complete_until``. ``wanted_at`` is when somebody asked for a newer one that is made in the
    background, part by part: whoever makes it has put their ``claim`` on it, which holds until
    ``claimed_until``, and has written it anew up to ``ready_until``.
    """

    root = TenantForeignKey(Account, db_index=False)
    today = models.DateField(null=True)
    complete_until = models.DateField(null=True)
    members = models.PositiveIntegerField(default=0)
    settled = models.UUIDField(null=True)
    seen = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    took_seconds = models.PositiveIntegerField(default=0)
    wanted_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    ready_until = models.DateField(null=True)

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
    invoice to another (R23). A run of the tenant is told by each tree that it bills, of its root.
    ``key`` stays the same for the same thing whenever the calendar is
    made again.
    ``amount_minor`` is in minor units of ``currency``; what has no amount has none.
    ``subject_type`` and ``subject_id`` name what is stored of it, ``details`` what its title says.
    """

    forecast = TenantForeignKey(Forecast, db_index=False)
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
            # Of one invoice to thousands of accounts there are thousands of parts on one day.
            models.Index(
                name="calendar_whole",
                fields=["tenant", "date", "kind", "key"],
                condition=models.Q(is_part=False),
            ),
            models.Index(
                name="calendar_parts",
                fields=["tenant", "forecast", "date"],
                condition=models.Q(is_part=True),
            ),
        ]

    def __str__(self) -> str:
        """Return what falls on which day."""
        return f"{self.kind} on {self.date}"

    @property
    def subject(self) -> str:
        """The public id of what is stored of it, empty where nothing is yet."""
        prefix = {
            "run": "run",
            "invoice": "inv",
            "subscription": "sub",
            "plan": "chp",
            "move": "mov",
            "alignment": "aln",
        }
        if self.subject_id is None:
            return ""
        return public_id(prefix[self.subject_type], self.subject_id)


class CalendarFeed(TenantModel):
    """Somebody's calendar of a scope for the calendar programs they use: a secret address.

    The secret is shown once; its digest is kept (SHA-256, fast is right for a random secret).
    ``account`` is whose calendar it is, None for all that the person reaches whenever it is
    fetched. ``language`` is that of its titles. ``changed_at`` is when its content last did.
    """

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    account = TenantForeignKey(Account, null=True, db_index=False)
    kinds = models.JSONField(default=list)
    shows_amounts = models.BooleanField(default=True)
    language = models.CharField(max_length=5)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="feed_digest_once", fields=["tenant", "digest"]),
        ]

    def __str__(self) -> str:
        """Return in which language it is."""
        return f"feed in {self.language}"

    @property
    def public_id(self) -> str:
        """The id that its owner sees."""
        return public_id("fed", self.id)


class ToldEvent(TenantPartModel):
    """What a feed last told of one entry, so that a change or an end of it can be told as one.

    ``key`` is the entry's. ``sequence`` rises with every change of ``content``; what is told no
    more ``is_cancelled``.
    """

    feed = TenantForeignKey(CalendarFeed, db_index=False)
    key = models.CharField(max_length=250)
    date = models.DateField()
    sequence = models.PositiveIntegerField(default=0)
    content = models.JSONField(default=dict)
    is_cancelled = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="told_event_once", fields=["tenant", "feed", "key"]),
        ]

    def __str__(self) -> str:
        """Return what was told."""
        return f"{self.key}, {self.sequence}"
