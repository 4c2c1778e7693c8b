"""Billing settings of accounts and tenants, as dated intervals; what there is, is declared."""

from typing import ClassVar

from django.db import models

from accounts.models.nodes import BEGINNING, Account
from tenancy.database import TenantForeignKey, TenantModel


class SettingInterval(TenantModel):
    """A setting's own value on one account, or the tenant's default, between two dates.

    ``value`` is JSON for plain settings; bill-to and payer are references (``target``), the
    seller is one too (``seller``). No row means "inherit". ``is_locked`` keeps the accounts below
    from setting their own value while this one holds.
    """

    account = TenantForeignKey(Account, null=True)
    name = models.CharField(max_length=40)
    value = models.JSONField(null=True, blank=True)
    target = TenantForeignKey(Account, null=True)
    seller = TenantForeignKey("accounts.Seller", null=True, db_index=False)
    valid_from = models.DateField(default=BEGINNING)
    valid_to = models.DateField(null=True, blank=True)
    is_locked = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="setting_once",
                fields=["tenant", "account", "name", "valid_from"],
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                name="setting_now",
                fields=["tenant", "account", "name"],
                condition=models.Q(valid_to__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="setting_dates",
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gt=models.F("valid_from")),
            ),
            models.CheckConstraint(
                name="setting_has_value",
                condition=models.Q(name__in=["bill_to", "payer"], target__isnull=False)
                | models.Q(name="seller", seller__isnull=False)
                | (
                    ~models.Q(name__in=["bill_to", "payer", "seller"])
                    & models.Q(value__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        """Return the setting's name and since when it holds."""
        return f"{self.name} since {self.valid_from}"
