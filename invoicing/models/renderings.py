"""Which invoices lack files, what came of earlier tries, and how far stored ones are checked."""

from typing import ClassVar

from django.db import models

from invoicing.models.invoices import Invoice
from tenancy.database import TenantForeignKey, TenantModel


class DocumentToMake(TenantModel):
    """An issued invoice whose files are not stored yet: the queue of documents."""

    invoice = TenantForeignKey(Invoice, db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="document_to_make_once", fields=["tenant", "invoice"])
        ]

    def __str__(self) -> str:
        """Return the id of the invoice."""
        return str(self.invoice_id)


class Rendering(TenantModel):
    """The tries to make the files of one issued invoice; gone once they are stored.

    ``blocked_until`` is when the next try may begin: until then a worker has it, or the last try
    failed a moment ago. A worker that died leaves it behind, and another takes over. ``token``
    names the claim. ``given_up_at`` is set after the last try, with the reason.
    """

    invoice = TenantForeignKey(Invoice, db_index=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    blocked_until = models.DateTimeField()
    token = models.UUIDField()
    given_up_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="rendering_once", fields=["tenant", "invoice"])
        ]

    def __str__(self) -> str:
        """Return how often it was tried."""
        return f"{self.attempts} tries"


class FileCheck(TenantModel):
    """How far the nightly check of a tenant's stored files has come on its round.

    ``invoice_id`` and ``kind`` name the last file that was looked at; both are empty at the start
    of a round.
    """

    invoice_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="file_check_once", fields=["tenant"]),
            models.CheckConstraint(
                name="file_check_place",
                condition=models.Q(invoice_id__isnull=True, kind="")
                | models.Q(models.Q(invoice_id__isnull=False), ~models.Q(kind="")),
            ),
        ]

    def __str__(self) -> str:
        """Return the file it is at."""
        return f"{self.invoice_id or '-'} {self.kind}"
