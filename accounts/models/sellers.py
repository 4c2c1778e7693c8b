"""The vendor's legal entities, and the tax rates they know."""

from typing import ClassVar

from django.db import models

from tenancy.database import TenantForeignKey, TenantModel
from tenancy.ids import public_id


class Seller(TenantModel):
    """A legal entity of the tenant that issues invoices under its own number series.

    Its credit notes are numbered in a series of their own.
    """

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
    credit_note_format = models.CharField(max_length=60, default="RK-{year}-{number:06d}")
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
