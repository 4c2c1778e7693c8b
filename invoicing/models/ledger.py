"""The ledger: double entry, append-only, each entry summing to zero."""

from typing import ClassVar

from django.db import models

from accounts.models import Account
from invoicing.models.invoices import Invoice
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel


class LedgerEntry(TenantModel):
    """One booking, with its postings."""

    class Kind(models.TextChoices):
        """What was booked."""

        INVOICE_ISSUED = "invoice_issued"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    invoice = TenantForeignKey(Invoice)
    booked_on = models.DateField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="ledger_issue_once", fields=["tenant", "invoice", "kind"])
        ]

    def __str__(self) -> str:
        """Return what was booked when."""
        return f"{self.kind} {self.booked_on}"


class LedgerPosting(TenantPartModel):
    """One side of an entry: debit positive, credit negative, in minor units."""

    class Ledger(models.TextChoices):
        """The ledger's accounts."""

        RECEIVABLE = "receivable"
        REVENUE = "revenue"
        TAX = "tax"

    entry = TenantForeignKey(LedgerEntry)
    ledger = models.CharField(max_length=12, choices=Ledger.choices)
    account = TenantForeignKey(Account, db_index=False)
    amount_minor = models.BigIntegerField()

    def __str__(self) -> str:
        """Return ledger and amount."""
        return f"{self.ledger} {self.amount_minor}"
