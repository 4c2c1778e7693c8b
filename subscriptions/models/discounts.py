"""What is taken off prices: coupons, and the discounts that accounts and subscriptions have."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Account
from billing_rules.discounts import Duration, Off
from subscriptions.models.catalogue import Price
from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import public_id

_PERCENT = models.Q(percent__gt=0, percent__lte=100, amount__isnull=True, currency="")
_AMOUNT = models.Q(percent__isnull=True, amount__gt=0) & ~models.Q(currency="")


class _Terms(TenantModel):
    """A share, or an amount of one currency, off the price of a full period of each item.

    ``products`` are the keys of those that it is for; empty for all. ``periods`` goes with the
    duration ``periods`` alone.
    """

    name = models.CharField(max_length=200)
    percent = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    duration = models.CharField(max_length=7, choices=[(d.value, d.value) for d in Duration])
    periods = models.PositiveSmallIntegerField(null=True, blank=True)
    products = ArrayField(models.UUIDField(), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def off(self) -> Off:
        """What it takes off, as the rules take it."""
        return Off(percent=self.percent, amount=self.amount)

    def applies_to(self, price: Price) -> bool:
        """Return whether it is for what is had at a price."""
        in_currency = self.currency in ("", price.currency)
        return in_currency and (not self.products or price.product_id in self.products)


class Coupon(_Terms):
    """A code for a discount; ``code_key`` is the code as it is compared, in lower case.

    It is redeemed from ``redeem_from`` on up to and including ``redeem_until``, at most
    ``max_redemptions`` times, and ``max_per_root`` times in one customer's tree; None for no
    limit. Since ``archived_at``, if it is set, nobody redeems it; what was redeemed goes on.
    """

    code = models.CharField(max_length=50)
    code_key = models.CharField(max_length=50)
    redeem_from = models.DateField(null=True, blank=True)
    redeem_until = models.DateField(null=True, blank=True)
    max_redemptions = models.PositiveIntegerField(null=True, blank=True)
    max_per_root = models.PositiveIntegerField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="coupon_code", fields=["tenant", "code_key"]),
            models.CheckConstraint(name="coupon_takes_off", condition=_PERCENT | _AMOUNT),
            models.CheckConstraint(
                name="coupon_periods",
                condition=models.Q(duration=Duration.PERIODS.value, periods__gte=1)
                | (~models.Q(duration=Duration.PERIODS.value) & models.Q(periods__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        """Return the code."""
        return self.code

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("cpn", self.id)


class Discount(_Terms):
    """What a subscription, or a node with all below it, is given off its prices.

    It is either the redemption of a ``coupon``, whose terms it keeps as they were, or given
    without one, for a ``reason``. It holds from ``starts`` on; ``ends`` is the first day on which
    it does not, None while nobody has said so. How long an item has it says ``DiscountedItem``.
    ``root`` is whose tree it counts for.
    """

    coupon = TenantForeignKey(Coupon, null=True, blank=True)
    subscription = TenantForeignKey("subscriptions.Subscription", null=True, blank=True)
    account = TenantForeignKey(Account, null=True, blank=True)
    root = TenantForeignKey(Account, db_index=False)
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    given_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="discount_takes_off", condition=_PERCENT | _AMOUNT),
            models.CheckConstraint(
                name="discount_of_one",
                condition=models.Q(subscription__isnull=True, account__isnull=False)
                | models.Q(subscription__isnull=False, account__isnull=True),
            ),
            models.CheckConstraint(
                name="discount_dates",
                condition=models.Q(ends__isnull=True) | models.Q(ends__gte=models.F("starts")),
            ),
        ]

    def __str__(self) -> str:
        """Return its name, as documents say it."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("dsc", self.id)

    def is_taken_on(self, day: date) -> bool:
        """Return whether what begins on a day below its account takes it; reads its coupon."""
        until = None if self.coupon is None else self.coupon.redeem_until
        is_offered = until is None or day <= until
        return is_offered and (self.ends is None or day < self.ends)


class DiscountedItem(TenantModel):
    """From when to when an item has a discount, unless another goes before it.

    The days are resolved once, when it is given. ``ends`` is the first day no longer; None for
    ever.
    """

    discount = TenantForeignKey(Discount, db_index=False)
    item = TenantForeignKey("subscriptions.Item")
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="discounted_item_once", fields=["tenant", "discount", "item"]
            ),
            models.CheckConstraint(
                name="discounted_item_dates",
                condition=models.Q(ends__isnull=True) | models.Q(ends__gte=models.F("starts")),
            ),
        ]

    def __str__(self) -> str:
        """Return since when."""
        return f"since {self.starts}"


def plain(number: Decimal | None) -> str | None:
    """Return a share or an amount as it is told, without zeros at its end."""
    return None if number is None else f"{number.normalize():f}"
