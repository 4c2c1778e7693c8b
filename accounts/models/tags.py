"""Tags: words that a vendor gives accounts to find them by."""

from typing import ClassVar

from django.db import models

from accounts.models.nodes import Account
from tenancy.database import TenantForeignKey, TenantPartModel


class AccountTag(TenantPartModel):
    """One word on one account; ``key`` is the word as it is compared, without capitals."""

    account = TenantForeignKey(Account, db_index=False)
    name = models.CharField(max_length=40)
    key = models.CharField(max_length=120)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="account_tag_once", fields=["tenant", "account", "key"]),
            models.CheckConstraint(name="account_tag_has_name", condition=~models.Q(name="")),
        ]
        indexes: ClassVar = [
            models.Index(name="account_by_tag", fields=["tenant", "key", "account"])
        ]

    def __str__(self) -> str:
        """Return the word."""
        return self.name
