"""What was used, event by event, and what that comes to day by day."""

from typing import ClassVar

from django.db import models

from subscriptions.models.catalogue import Meter
from subscriptions.models.subscriptions import Item, Period, Subscription
from tenancy.database import TenantForeignKey, TenantPartModel


class UsageEvent(TenantPartModel):
    """Something used at an instant; each ``event_id`` counts once, and is never changed.

    ``day`` is the day on which it fell where the account was, as its time zone was when the event
    came in. ``unique_key`` is whom or what a unique count counts; empty for other meters.
    The meter is that of the row of its day, which is written with it and refers to it: the
    database looks for it once a day, not once an event.
    """

    event_id = models.CharField(max_length=200)
    subscription = TenantForeignKey(Subscription, db_index=False)
    meter_id = models.UUIDField()
    at = models.DateTimeField()
    day = models.DateField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unique_key = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="usage_event_once", fields=["tenant", "event_id"]),
            models.CheckConstraint(
                name="usage_event_not_negative", condition=models.Q(quantity__gte=0)
            ),
        ]

    def __str__(self) -> str:
        """Return what it is called."""
        return self.event_id


class UsageDay(TenantPartModel):
    """What the events of one subscription, meter and day come to, written with the events.

    Rating and pages read these rows, never the events. ``last_quantity`` is that of the latest
    event, of two at the same instant that with the greater id.
    """

    subscription = TenantForeignKey(Subscription, db_index=False)
    meter = TenantForeignKey(Meter, db_index=False)
    day = models.DateField()
    events = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=40, decimal_places=6)
    highest = models.DecimalField(max_digits=18, decimal_places=6)
    last_at = models.DateTimeField()
    last_event = models.CharField(max_length=200)
    last_quantity = models.DecimalField(max_digits=18, decimal_places=6)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="usage_day_once", fields=["tenant", "subscription", "meter", "day"]
            ),
            models.CheckConstraint(name="usage_day_events", condition=models.Q(events__gte=1)),
        ]
        indexes: ClassVar = [models.Index(name="usage_by_day", fields=["tenant", "day", "id"])]

    def __str__(self) -> str:
        """Return its day."""
        return f"{self.day}"


class UsageKey(TenantPartModel):
    """A key that a unique count has met on a day: once, however often it came."""

    subscription = TenantForeignKey(Subscription, db_index=False)
    meter = TenantForeignKey(Meter, db_index=False)
    day = models.DateField()
    unique_key = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="usage_key_once",
                fields=["tenant", "subscription", "meter", "day", "unique_key"],
            ),
        ]

    def __str__(self) -> str:
        """Return the key."""
        return self.unique_key


class LateUsage(TenantPartModel):
    """A period that was charged before all of its usage was there: the next run makes it good."""

    item = TenantForeignKey(Item, db_index=False)
    period = TenantForeignKey(Period, db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="late_usage_once", fields=["tenant", "item", "period"]),
        ]

    def __str__(self) -> str:
        """Return which period."""
        return f"{self.period_id}"
