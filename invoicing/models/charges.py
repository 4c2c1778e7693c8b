"""What is owed for a period or once, whether or not it stands on a document yet."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from subscriptions.models import Item, Period, Subscription
from tenancy.database import TenantForeignKey, TenantPartModel
from tenancy.ids import public_id

_HAS_ITEM = models.Q(item__isnull=False, subscription__isnull=False)
_HAS_PERIOD = models.Q(period__isnull=False)
_OF_WHAT = (
    models.Q(_HAS_ITEM, _HAS_PERIOD, kind="recurring")
    | models.Q(_HAS_ITEM, kind="credit")
    | models.Q(item__isnull=True, period__isnull=True, kind__in=["credit", "one_off"])
    | models.Q(_HAS_ITEM, ~_HAS_PERIOD, kind__in=["setup", "usage", "commitment"])
)
"""Which kind of charge needs an item and a period of it; all that has an item is a subscription's.

What a credit needs is what the charge has that it takes back of: ``verify_books`` compares them.
"""


class Charge(TenantPartModel):
    """Something owed by an account, for the days from ``period_start`` to before ``period_end``.

    Unique on (item, kind, period start, revision), so that billing twice is impossible (R13); a
    setup fee is there once for an item. What is charged once (``one_off``) belongs to no item: it
    has its own id, and may have an ``external_id``. Only what recurs, and what is taken back of it,
    has a stored ``period``. A ``po_number`` of its own goes before that of its subscription.
    What a change takes back of an earlier charge (``credited``) is a credit of its own, which is
    not above 0; credits and charges of the same change share the next revision.
    A credit that names ``bill_to`` and ``payer`` is theirs, whoever is invoiced by then: they were
    charged what it takes back. Everything else goes to whom the settings of its day name (R21).
    ``invoice_on`` is the first billing day of the bill-to on or after the due date (R5).
    ``calculation`` holds how the amount came about, ``reason`` why it waits or stands where it
    is: codes and values, put into words in the reader's language. A charge that ``is_held`` stands
    on no document until somebody releases it.
    """

    class Kind(models.TextChoices):
        """What kind of thing is owed."""

        RECURRING = "recurring", _("Recurring")
        CREDIT = "credit", _("Credit")
        ONE_OFF = "one_off", _("One-off")
        SETUP = "setup", _("Setup fee")
        USAGE = "usage", _("Usage")
        COMMITMENT = "commitment", _("Minimum commitment")

    class Status(models.TextChoices):
        """Whether it stands on a document, or never will.

        What was taken back as a whole before it was invoiced is offset, and so are its credits.
        """

        PENDING = "pending"
        INVOICED = "invoiced"
        OFFSET = "offset"

    item = TenantForeignKey(Item, null=True, db_index=False)
    period = TenantForeignKey(Period, null=True, db_index=False)
    subscription = TenantForeignKey(Subscription, null=True)
    account = TenantForeignKey(Account)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.RECURRING)
    credited = TenantForeignKey("self", null=True, db_index=False)
    bill_to = TenantForeignKey(Account, null=True, db_index=False)
    payer = TenantForeignKey(Account, null=True, db_index=False)
    period_start = models.DateField()
    period_end = models.DateField()
    revision = models.PositiveSmallIntegerField(default=0)
    due_date = models.DateField()
    invoice_on = models.DateField()
    currency = models.CharField(max_length=3)
    net_minor = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    is_held = models.BooleanField(default=False, db_default=False)
    held_until = models.DateField(null=True)
    po_number = models.CharField(max_length=100, blank=True, default="", db_default="")
    external_id = models.CharField(max_length=200, null=True)  # noqa: DJ001
    calculation = models.JSONField()
    reason = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="charge_once",
                fields=["tenant", "item", "kind", "period_start", "revision"],
            ),
            models.UniqueConstraint(
                name="charge_setup_once",
                fields=["tenant", "item"],
                condition=models.Q(kind="setup"),
            ),
            models.UniqueConstraint(
                name="charge_credit_once",
                fields=["tenant", "credited", "revision"],
                condition=models.Q(kind="credit", item__isnull=True),
            ),
            models.UniqueConstraint(
                name="charge_external_id_once",
                fields=["tenant", "external_id"],
                condition=models.Q(external_id__isnull=False),
            ),
            models.CheckConstraint(name="charge_of_what", condition=_OF_WHAT),
            models.CheckConstraint(
                name="charge_period",
                condition=models.Q(period_end__gt=models.F("period_start")),
            ),
            models.CheckConstraint(
                name="charge_credit",
                condition=models.Q(kind="credit", credited__isnull=False, net_minor__lte=0)
                | (~models.Q(kind="credit") & models.Q(credited__isnull=True)),
            ),
            models.CheckConstraint(
                name="charge_parties",
                condition=models.Q(kind="credit", bill_to__isnull=False, payer__isnull=False)
                | models.Q(bill_to__isnull=True, payer__isnull=True),
            ),
            models.CheckConstraint(
                name="charge_held_until",
                condition=models.Q(is_held=True) | models.Q(held_until__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="charge_pending",
                fields=["tenant", "invoice_on"],
                condition=models.Q(status="pending"),
            ),
            models.Index(
                name="charge_correction",
                fields=["tenant", "account"],
                condition=models.Q(status="pending", revision__gt=0),
            ),
            models.Index(
                name="charge_credited_to",
                fields=["tenant", "bill_to"],
                condition=models.Q(status="pending", bill_to__isnull=False),
            ),
            models.Index(
                name="charge_held",
                fields=["tenant", "held_until"],
                condition=models.Q(is_held=True),
            ),
        ]

    def __str__(self) -> str:
        """Return its amount and period."""
        return f"{self.net_minor} {self.currency} {self.period_start}"

    @property
    def public_id(self) -> str:
        """The id that integrators see."""
        return public_id("chg", self.id)
