"""Usage of several subscriptions that is charged together, through one scheme of tiers."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from django.db import models

from accounts.models import Account
from subscriptions.models.catalogue import Price
from subscriptions.models.subscriptions import Item, Period
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel
from tenancy.ids import public_id


class UsagePool(TenantModel):
    """What an account and all below it use of one meter is charged together, by one price.

    It holds from ``starts`` up to, but not including, ``ends``; None while it is open, and
    ``starts`` where it was taken back. Its periods are as long as those of the price, and the first
    one begins with it. In it is what is charged by the meter of the price, in its currency and at
    its interval, on the days on which it is, and on which its account stands there.

    ``price`` is the version that holds in the end, from ``price_since`` on; None is since ever.
    ``earlier``, as whoever read the pool has filled it, are those before it, the first one first.
    """

    earlier: "Sequence[EarlierPoolPrice]" = ()

    account = TenantForeignKey(Account)
    price = TenantForeignKey(Price)
    price_since = models.DateField(null=True, blank=True)
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="usage_pool_ends",
                condition=models.Q(ends__isnull=True) | models.Q(ends__gte=models.F("starts")),
            ),
        ]

    def __str__(self) -> str:
        """Return what it is charged by."""
        return str(self.price)

    def price_on(self, day: date) -> Price:
        """Return the version by which it charges what is used on a day."""
        price: Price = next((one.price for one in self.earlier if day < one.until), self.price)
        return price

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("pol", self.id)


class EarlierPoolPrice(TenantPartModel):
    """A version of its price by which a pool charged up to, but not including, a day."""

    pool = TenantForeignKey(UsagePool, db_index=False)
    price = TenantForeignKey(Price)
    until = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="earlier_pool_price_once", fields=["tenant", "pool", "until"]
            ),
        ]

    def __str__(self) -> str:
        """Return which version."""
        return str(self.price_id)


class PoolShare(TenantPartModel):
    """A period of an item of which something was charged with a pool: in which of its periods.

    What is used late by one of a pool changes what all of them are charged; so they are found.
    """

    pool = TenantForeignKey(UsagePool, db_index=False)
    starts = models.DateField()
    ends = models.DateField()
    item = TenantForeignKey(Item, db_index=False)
    period = TenantForeignKey(Period, db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="pool_share_once", fields=["tenant", "pool", "starts", "item", "period"]
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="pool_share_of_item", fields=["tenant", "item", "period"])
        ]

    def __str__(self) -> str:
        """Return which period."""
        return f"{self.period_id}"
