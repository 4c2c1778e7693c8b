"""The vendor, its legal entities and the tax rates they know."""

from typing import ClassVar
from uuid import UUID

from django.db import models

from accounts.ids import public_id, uuid7
from accounts.tenancy import TenantForeignKey, TenantModel


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


class Seller(TenantModel):
    """A legal entity of the tenant that issues invoices under its own number series."""

    name = models.CharField(max_length=200)
    line1 = models.CharField(max_length=200, blank=True)
    line2 = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2)
    vat_id = models.CharField(max_length=20, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    register_entry = models.CharField(max_length=200, blank=True)
    directors = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    iban = models.CharField(max_length=34, blank=True)
    bic = models.CharField(max_length=11, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    number_format = models.CharField(max_length=60, default="RE-{year}-{number:06d}")
    is_placeholder = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(name="seller_tenant", fields=["tenant", "created_at"])]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("sel", self.id)


class BankAccount(TenantModel):
    """A seller's bank account for money in another currency than its own.

    The account for the seller's own currency stands with the seller.
    """

    seller = TenantForeignKey(Seller)
    currency = models.CharField(max_length=3)
    iban = models.CharField(max_length=34)
    bic = models.CharField(max_length=11, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="bank_account_once", fields=["tenant", "seller", "currency"]
            ),
            models.CheckConstraint(name="bank_account_iban", condition=~models.Q(iban="")),
        ]

    def __str__(self) -> str:
        """Return the currency and the number."""
        return f"{self.currency} {self.iban}"


class TaxRate(TenantModel):
    """One rate of one country for one class of services, between two dates."""

    seller = TenantForeignKey(Seller)
    tax_class = models.CharField(max_length=20)
    category = models.CharField(max_length=2)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="tax_rate_once",
                fields=["tenant", "seller", "tax_class", "valid_from"],
            ),
            models.CheckConstraint(
                name="tax_rate_dates",
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gt=models.F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        """Return the class and its percentage."""
        return f"{self.tax_class} {self.percent}"
