"""What is sold, and for how much."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from django.db import models

from accounts.models import Account
from billing_rules.discounts import Off
from billing_rules.metering import Aggregation
from billing_rules.mrr import monthly_minor
from billing_rules.periods import Interval, Unit
from billing_rules.pricing import Model, PriceTerms, Tier
from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import public_id


class Product(TenantModel):
    """Something the tenant sells; since ``archived_at``, if it is set, to nobody new."""

    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    name = models.CharField(max_length=200)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="product_name", fields=["tenant", "name"]),
            models.UniqueConstraint(name="product_external_id", fields=["tenant", "external_id"]),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("prd", self.id)


class Meter(TenantModel):
    """Something that is measured as it is used; how its events become the quantity of a period.

    ``external_id`` is what events call it. Since ``archived_at``, if it is set, no new price names
    it; what runs goes on, and is reported as before.
    """

    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, blank=True, default="")
    aggregation = models.CharField(
        max_length=12, choices=[(one.value, one.value) for one in Aggregation]
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="meter_external_id", fields=["tenant", "external_id"]),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("mtr", self.id)


class Price(TenantModel):
    """A product's price in one currency for one interval; never changed once somebody has it.

    ``unit_amount`` and the tiers' amounts are in major units. The tax class names which of the
    seller's rates applies; its percentage is looked up for the last day of service (R14).
    ``setup_fee``, in major units, is charged once when an item at this price begins.
    ``minimum_amount``, in major units, is what a full period costs at least, in any quantity; what
    is metered has it charged beside its usage.
    ``unit`` is what a quantity counts, as invoices print it. With a ``meter`` the quantity is what
    that meter measured in the period, which falls due at its end. Since ``archived_at``, if it is
    set, nothing new is sold at it; what runs goes on.

    What is sold at ``first`` costs what this one says from ``valid_from`` on: everywhere, or at
    ``account`` and below it (a negotiated price). It does until the next one of the same kind, or
    up to ``ends_on``: from then on the one before, or the one above, holds again. ``number``
    counts the versions of each kind; a price without ``first`` is the first version itself.
    """

    class Timing(models.TextChoices):
        """When a period falls due: at its start or at its end."""

        ADVANCE = "advance"
        ARREARS = "arrears"

    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    product = TenantForeignKey(Product)
    name = models.CharField(max_length=200)
    model = models.CharField(max_length=10, choices=[(m.value, m.value) for m in Model])
    currency = models.CharField(max_length=3)
    unit = models.CharField(max_length=20, blank=True, default="")
    unit_amount = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    tiers = models.JSONField(default=list, blank=True)
    package_size = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    setup_fee = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    minimum_amount = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    interval = models.CharField(max_length=9, choices=[(u.value, u.value) for u in Unit])
    interval_count = models.PositiveSmallIntegerField(default=1)
    timing = models.CharField(max_length=7, choices=Timing.choices)
    meter = TenantForeignKey(Meter, null=True, blank=True)
    tax_class = models.CharField(max_length=20)
    tax_category = models.CharField(max_length=2)
    first = TenantForeignKey("self", null=True, related_name="versions")
    account = TenantForeignKey(Account, null=True)
    number = models.PositiveIntegerField(default=1, db_default=1)
    valid_from = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="price_external_id", fields=["tenant", "external_id"]),
            models.UniqueConstraint(
                name="price_version_once",
                fields=["tenant", "first", "account", "number"],
                nulls_distinct=False,
                condition=models.Q(first__isnull=False),
            ),
            models.CheckConstraint(
                name="price_version_dated",
                condition=models.Q(
                    first__isnull=True,
                    account__isnull=True,
                    number=1,
                    valid_from__isnull=True,
                    ends_on__isnull=True,
                )
                | models.Q(first__isnull=False, valid_from__isnull=False),
            ),
            models.CheckConstraint(
                name="price_version_ends",
                condition=models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gte=models.F("valid_from")),
            ),
            models.CheckConstraint(
                name="price_not_negative",
                condition=models.Q(unit_amount__isnull=True) | models.Q(unit_amount__gte=0),
            ),
            models.CheckConstraint(
                name="price_setup_fee",
                condition=models.Q(setup_fee__isnull=True) | models.Q(setup_fee__gt=0),
            ),
            models.CheckConstraint(
                name="price_minimum_of_quantity",
                condition=models.Q(minimum_amount__isnull=True)
                | (models.Q(minimum_amount__gt=0) & ~models.Q(model="flat")),
            ),
            models.CheckConstraint(
                name="price_interval_count", condition=models.Q(interval_count__gte=1)
            ),
            models.CheckConstraint(
                name="price_metered_in_arrears",
                condition=models.Q(meter__isnull=True)
                | (models.Q(timing="arrears") & ~models.Q(model="flat")),
            ),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("prc", self.id)

    @property
    def is_metered(self) -> bool:
        """Whether its quantity is what a meter measures."""
        return self.meter_id is not None

    @property
    def terms(self) -> PriceTerms:
        """The price as the rules take it."""
        return PriceTerms(
            model=Model(self.model),
            unit_amount=self.unit_amount,
            tiers=tuple(
                Tier(
                    up_to=None if tier["up_to"] is None else Decimal(tier["up_to"]),
                    unit_amount=Decimal(tier["unit_amount"]),
                    flat_amount=Decimal(tier["flat_amount"]),
                )
                for tier in self.tiers
            ),
            package_size=self.package_size,
            # Of what is metered, all stretches of a period have it together: that is charged apart.
            minimum=None if self.is_metered else self.minimum_amount,
        )

    @property
    def family_id(self) -> UUID:
        """The key of the first version, by which whoever sells at any of them names all."""
        return self.first_id or self.pk

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back as a whole: it holds on no day."""
        return self.ends_on is not None and self.ends_on == self.valid_from

    @property
    def cycle(self) -> Interval:
        """The length of a full period."""
        return Interval(Unit(self.interval), self.interval_count)

    def monthly_minor(self, quantity: Decimal, off: Off | None = None) -> int:
        """Return what it brings in a month in a quantity, less a discount, in minor units.

        What is metered brings in nothing that recurs.
        """
        if self.is_metered:
            return 0
        return monthly_minor(self.terms, quantity, self.cycle, self.currency, off)
