"""Documents: an invoice, its sections, lines and tax, its number and its stored files."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Seller
from billing_rules import invoice_states
from billing_rules.invoice_states import State
from invoicing.models.charges import Charge
from invoicing.models.runs import BillingRun
from subscriptions.models import Subscription
from tenancy.database import TenantForeignKey, TenantModel, TenantPartModel
from tenancy.ids import public_id

_SETTLED = models.F("paid_minor") + models.F("credited_minor")
_SOMETHING_OPEN = models.Q(kind="invoice", gross_minor__gt=_SETTLED)
_NOTHING_OPEN = models.Q(kind="invoice", gross_minor=_SETTLED)


class DocumentKind(models.TextChoices):
    """What a document is: what it asks for, or what it takes back of an issued one."""

    INVOICE = "invoice", _("Invoice")
    CREDIT_NOTE = "credit_note", _("Credit note")


class NumberSeries(TenantModel):
    """The next number of one seller, kind of document and year.

    Gapless, because it is taken last and locked. Invoices and credit notes are numbered apart.
    """

    seller = TenantForeignKey(Seller)
    kind = models.CharField(
        max_length=11, choices=DocumentKind.choices, default=DocumentKind.INVOICE
    )
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)
    last_issue_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="series_once", fields=["tenant", "seller", "kind", "year"])
        ]

    def __str__(self) -> str:
        """Return the year and how far it has come."""
        return f"{self.year}: {self.last_number}"


class Invoice(TenantModel):
    """A document to one bill-to, collected from one payer, in one currency and tax regime.

    Until it is issued it is a draft and may be made anew; from then on a trigger refuses every
    change but to what follows from payments and credits. ``snapshot`` holds the names, addresses
    and bank details used. Of an issued one ``status``, ``paid_minor``, ``credited_minor`` and
    ``corrected_minor`` alone change later.

    A credit note (``kind``) takes back of the invoice that it ``corrects``, for a ``reason``. All
    its amounts are below 0, so that documents of both kinds simply add up. What it takes back
    first lowers what is open of its invoice (``credited_minor`` there); ``corrected_minor``
    is what all its credit notes took back together, also of what was paid (R17).

    ``content_hash`` is a digest of everything that issuing freezes, so that what was seen can be
    told from what is there now. ``approved_hash`` is the content that somebody approved, and
    ``approved_by`` who.

    ``recipient_key`` orders by the recipient's name; ``search_names`` and ``search_facts`` are what
    a search looks into: number and recipient, and what an extract withholds.
    """

    class Status(models.TextChoices):
        """Where the invoice stands; overdue and due soon are derived."""

        TO_APPROVE = State.TO_APPROVE.value, _("To approve")
        OPEN = State.OPEN.value, _("Open")
        PARTLY_PAID = State.PARTLY_PAID.value, _("Partly paid")
        PAID = State.PAID.value, _("Paid")
        CORRECTED = State.CORRECTED.value, _("Corrected")
        ISSUED = State.ISSUED.value, _("Issued")

    UNISSUED: ClassVar = invoice_states.UNISSUED

    kind = models.CharField(
        max_length=11,
        choices=DocumentKind.choices,
        default=DocumentKind.INVOICE,
        db_default=DocumentKind.INVOICE,
    )
    corrects = TenantForeignKey("self", null=True, db_index=False)
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    run = TenantForeignKey(BillingRun, null=True)
    seller = TenantForeignKey(Seller, db_index=False)
    bill_to = TenantForeignKey(Account)
    payer = TenantForeignKey(Account)
    service_owner = TenantForeignKey(Account, null=True, db_index=False)
    status = models.CharField(max_length=11, choices=Status.choices)
    series_year = models.PositiveSmallIntegerField(null=True)
    series_number = models.PositiveIntegerField(null=True)
    number = models.CharField(max_length=60, null=True)  # noqa: DJ001
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    period_start = models.DateField()
    period_end = models.DateField()
    currency = models.CharField(max_length=3)
    payment_terms_days = models.PositiveSmallIntegerField()
    collection = models.CharField(max_length=10)
    language = models.CharField(max_length=5)
    po_number = models.CharField(max_length=100, blank=True)
    splits_by_po = models.BooleanField(default=False)
    regime = models.CharField(max_length=20)
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    gross_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0, db_default=0)
    corrected_minor = models.BigIntegerField(default=0, db_default=0)
    section_count = models.PositiveIntegerField()
    line_count = models.PositiveIntegerField()
    snapshot = models.JSONField()
    content_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    approved_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    approved_by = models.JSONField(null=True)
    recipient_key = models.CharField(max_length=400, blank=True, default="", db_default="")
    search_names = models.TextField(blank=True, default="", db_default="")
    search_facts = models.TextField(blank=True, default="", db_default="")
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            # Of those that have a number alone: no reference to an invoice is looked up here.
            models.UniqueConstraint(
                name="invoice_number_once",
                fields=["tenant", "seller", "kind", "series_year", "series_number"],
                condition=models.Q(series_number__isnull=False),
            ),
            models.UniqueConstraint(
                name="invoice_number_text_once",
                fields=["tenant", "seller", "number"],
                condition=models.Q(number__isnull=False),
            ),
            models.CheckConstraint(
                name="invoice_number_when_issued",
                condition=models.Q(
                    status="to_approve",
                    number__isnull=True,
                    series_number__isnull=True,
                    issue_date__isnull=True,
                    issued_at__isnull=True,
                )
                | (
                    ~models.Q(status="to_approve")
                    & models.Q(
                        number__isnull=False,
                        series_number__isnull=False,
                        issue_date__isnull=False,
                        issued_at__isnull=False,
                    )
                    & (
                        models.Q(kind="invoice", due_date__isnull=False)
                        | models.Q(kind="credit_note", due_date__isnull=True)
                    )
                ),
            ),
            models.CheckConstraint(
                name="invoice_gross",
                condition=models.Q(gross_minor=models.F("net_minor") + models.F("tax_minor")),
            ),
            models.CheckConstraint(
                name="invoice_sign_of_kind",
                condition=models.Q(
                    kind="invoice", corrects__isnull=True, reason="", gross_minor__gte=0
                )
                | models.Q(
                    kind="credit_note",
                    corrects__isnull=False,
                    gross_minor__lt=0,
                    paid_minor=0,
                    credited_minor=0,
                    corrected_minor=0,
                ),
            ),
            models.CheckConstraint(
                name="invoice_settled_within_gross",
                condition=models.Q(kind="credit_note")
                | models.Q(
                    paid_minor__gte=0,
                    credited_minor__gte=0,
                    credited_minor__lte=models.F("corrected_minor"),
                    corrected_minor__lte=models.F("gross_minor"),
                    gross_minor__gte=_SETTLED,
                ),
            ),
            models.CheckConstraint(
                name="invoice_status_follows_payment",
                condition=models.Q(status="to_approve", paid_minor=0, corrected_minor=0)
                | models.Q(status="issued", kind="credit_note")
                | models.Q(_SOMETHING_OPEN, status="open", paid_minor=0)
                | models.Q(_SOMETHING_OPEN, status="partly_paid", paid_minor__gt=0)
                | models.Q(
                    _NOTHING_OPEN,
                    models.Q(gross_minor=0) | models.Q(corrected_minor__lt=models.F("gross_minor")),
                    status="paid",
                )
                | models.Q(
                    _NOTHING_OPEN,
                    status="corrected",
                    gross_minor__gt=0,
                    corrected_minor=models.F("gross_minor"),
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="invoice_by_date", fields=["tenant", "-issue_date", "-id"]),
            models.Index(name="invoice_by_status", fields=["tenant", "status"]),
            models.Index(
                name="invoice_unissued",
                fields=["tenant", "run"],
                condition=models.Q(status="to_approve"),
            ),
            models.Index(
                name="invoice_corrections",
                fields=["tenant", "corrects"],
                condition=models.Q(corrects__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Return the number, or that it has none."""
        return self.number or "draft"

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("inv", self.id)

    @property
    def open_minor(self) -> int:
        """What is still owed, in minor units."""
        return invoice_states.owed_minor(
            self.status, self.gross_minor, self.paid_minor, self.credited_minor
        )


class InvoiceSection(TenantPartModel):
    """The part of an invoice that belongs to one account, in tree order.

    ``path`` are the names from below the bill-to down to the account; ``lineage`` are the ids and
    customer numbers of the same accounts, because names are shared.
    """

    invoice = TenantForeignKey(Invoice, db_index=False, related_name="sections")
    position = models.PositiveIntegerField()
    account = TenantForeignKey(Account)
    path = models.JSONField()
    lineage = models.JSONField(default=list)
    cost_centre = models.CharField(max_length=100, blank=True)
    po_number = models.CharField(max_length=100, blank=True)
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    gross_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="section_position", fields=["tenant", "invoice", "position"]
            ),
            models.CheckConstraint(
                name="section_gross",
                condition=models.Q(gross_minor=models.F("net_minor") + models.F("tax_minor")),
            ),
        ]

    def __str__(self) -> str:
        """Return its place."""
        return f"section {self.position}"


class InvoiceLine(TenantPartModel):
    """One charge on one document; a charge stands on at most one.

    A line of a credit note has no charge: it takes back of the line that it ``corrects``.
    ``tax_minor`` is its share of the tax, kept there alone, so that what is left of each line can
    be told to the cent. Quantities have the sign of the amounts, prices never are below 0.
    """

    invoice = TenantForeignKey(Invoice, db_index=False, related_name="lines")
    section = TenantForeignKey(InvoiceSection, db_index=False)
    position = models.PositiveIntegerField()
    charge = TenantForeignKey(Charge, null=True, db_index=False)
    corrects = TenantForeignKey("self", null=True, db_index=False)
    subscription = TenantForeignKey(Subscription, null=True, db_index=False)
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit_amount = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    period_start = models.DateField()
    period_end = models.DateField()
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(null=True)
    tax_category = models.CharField(max_length=2)
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="line_charge_once", fields=["tenant", "charge"]),
            models.UniqueConstraint(name="line_position", fields=["tenant", "invoice", "position"]),
            models.CheckConstraint(
                name="line_of_charge_or_line",
                condition=models.Q(
                    charge__isnull=False, corrects__isnull=True, tax_minor__isnull=True
                )
                | models.Q(charge__isnull=True, corrects__isnull=False, tax_minor__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="line_corrections",
                fields=["tenant", "corrects"],
                condition=models.Q(corrects__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Return what it is for."""
        return self.description

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("lin", self.id)


class InvoiceTax(TenantPartModel):
    """One tax group of a document: its category, rate, base and amount."""

    invoice = TenantForeignKey(Invoice, db_index=False, related_name="taxes")
    category = models.CharField(max_length=2)
    rate = models.DecimalField(max_digits=6, decimal_places=3)
    base_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="invoice_tax_once",
                fields=["tenant", "invoice", "category", "rate"],
            )
        ]

    def __str__(self) -> str:
        """Return category and rate."""
        return f"{self.category} {self.rate}"


class StoredDocument(TenantModel):
    """The bytes of an issued document's file, kept for ever and never made again."""

    invoice = TenantForeignKey(Invoice, db_index=False)
    kind = models.CharField(max_length=10)
    file_name = models.CharField(max_length=255)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="stored_document_once", fields=["tenant", "invoice", "kind"]
            )
        ]

    def __str__(self) -> str:
        """Return the file's name."""
        return self.file_name
