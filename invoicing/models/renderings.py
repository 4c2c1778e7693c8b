"""Which invoices lack files, who is making them, and what came of earlier tries."""

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
