"""The ledger: double entry, append-only, each entry summing to zero."""

from typing import ClassVar

from django.db import models

from accounts.models import Account
from invoicing.models.invoices import Invoice
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel


class LedgerEntry(TenantModel):
    """One booking, with its postings.

    ``source_id`` is what caused it: the document that was issued, the payment that came in. It is
    booked once for each kind, so nothing that is repeated is booked twice.
    """

    class Kind(models.TextChoices):
        """What was booked."""

        INVOICE_ISSUED = "invoice_issued"
        CREDIT_NOTE_ISSUED = "credit_note_issued"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    source_id = models.UUIDField()
    booked_on = models.DateField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # The source first, so that no reference to an entry is looked up here.
            models.UniqueConstraint(
                name="ledger_source_once", fields=["source_id", "tenant", "kind"]
            )
        ]

    def __str__(self) -> str:
        """Return what was booked when."""
        return f"{self.kind} {self.booked_on}"


class LedgerPosting(TenantPartModel):
    """One side of an entry: debit positive, credit negative, in minor units.

    It names the document that it is about and the account whose it is, as far as there are any:
    what is receivable is open on a document and owed by an account; a credit is an account's.
    """

    class Ledger(models.TextChoices):
        """The ledger's accounts."""

        RECEIVABLE = "receivable"
        REVENUE = "revenue"
        DEFERRED = "deferred"
        TAX = "tax"
        BANK = "bank"
        CLEARING = "clearing"
        CUSTOMER_CREDIT = "customer_credit"
        FEES = "fees"
        WRITE_OFF = "write_off"
        ROUNDING = "rounding"

    entry = TenantForeignKey(LedgerEntry)
    ledger = models.CharField(max_length=20, choices=Ledger.choices)
    account = TenantForeignKey(Account, null=True, db_index=False)
    invoice = TenantForeignKey(Invoice, null=True, db_index=False)
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="ledger_posting_whose",
                condition=~models.Q(ledger__in=["receivable", "customer_credit"])
                | models.Q(ledger="receivable", account__isnull=False, invoice__isnull=False)
                | models.Q(ledger="customer_credit", account__isnull=False),
            )
        ]
        indexes: ClassVar = [
            models.Index(
                name="ledger_receivable_of",
                fields=["tenant", "invoice"],
                condition=models.Q(ledger="receivable"),
            ),
            models.Index(
                name="ledger_credit_of",
                fields=["tenant", "account"],
                condition=models.Q(ledger="customer_credit"),
            ),
        ]

    def __str__(self) -> str:
        """Return ledger and amount."""
        return f"{self.ledger} {self.amount_minor}"
