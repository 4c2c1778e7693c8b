"""Every billing setting, declared once: what it may be, where it is read, who may change it.

Adding one is a name and a declaration here; a test row is in
tests/integration/accounts/test_declared_settings.py.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.declarations.values import (
    CURRENCY,
    LANGUAGES,
    TIME_ZONE,
    AccountReference,
    Choice,
    Emails,
    SellerReference,
    Text,
    ValueKind,
    Whole,
    YesNo,
)


class SettingName(models.TextChoices):
    """What can be set on an account and is inherited by those below."""

    SELLER = "seller"
    BILL_TO = "bill_to"
    PAYER = "payer"
    CONSOLIDATION = "consolidation"
    BILLING_DAY = "billing_day"
    BILLING_MONTH = "billing_month"
    PAYMENT_TERMS_DAYS = "payment_terms_days"
    CURRENCY = "currency"
    LANGUAGE = "language"
    TIME_ZONE = "time_zone"
    COLLECTION = "collection"
    PAYMENT_METHOD = "payment_method"
    PO_NUMBER = "po_number"
    SPLIT_BY_PO = "split_by_po"
    COST_CENTRE = "cost_centre"
    BUYER_REFERENCE = "buyer_reference"
    TAX_TREATMENT = "tax_treatment"
    DELIVERY = "delivery"
    INVOICE_RECIPIENTS = "invoice_recipients"
    PARTIAL_RECIPIENTS = "partial_recipients"
    DUNNING_POLICY = "dunning_policy"
    PRORATION_CUTOFF_DAYS = "proration_cutoff_days"


class ReadAt(StrEnum):
    """On which account of a charge a setting is read (R9)."""

    SERVICE_OWNER = "service_owner"
    BILL_TO = "bill_to"
    PAYER = "payer"


class ChangedBy(StrEnum):
    """Who may change a setting, beside the right to change settings."""

    VENDOR = "vendor"
    """Only who may do so on every account of the tenant."""
    CUSTOMER = "customer"
    """Also the customer's people and keys, on what they reach."""


class SettingGroup(StrEnum):
    """Settings that belong together on a page."""

    WHO = "who"
    TIMING = "timing"
    MONEY = "money"
    DOCUMENT = "document"
    TAX = "tax"
    REMINDERS = "reminders"


GROUP_TITLES: Final[dict[SettingGroup, Promise]] = {
    SettingGroup.WHO: _("Who"),
    SettingGroup.TIMING: _("Timing"),
    SettingGroup.MONEY: _("Money"),
    SettingGroup.DOCUMENT: _("Document"),
    SettingGroup.TAX: _("Tax"),
    SettingGroup.REMINDERS: _("Reminders"),
}


class _TenantLike(Protocol):
    currency: str
    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class OfTenant:
    """A default that each tenant has itself."""

    column: str

    def of(self, tenant: _TenantLike) -> str:
        """Return what this tenant has."""
        found: str = getattr(tenant, self.column)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    Attributes:
        name: in the database, in files and in the API.
        label: what pages call it.
        does: what it does, in a sentence.
        kind: what it may be.
        read_at: on which account of a charge it is read (R9).
        group: where it stands on pages.
        default: of a new tenant: a value, or one that the tenant has; None for none.
        has_tenant_default: whether a tenant has a default at all; else an account is its own.
        changed_by: who may change it.
        can_be_locked: whether an account may keep those below from changing it.
        can_be_scheduled: whether a change may begin on a later day.
        is_used: whether anything reads it yet; pages and documents say so where nothing does.
        is_in_files: whether a file of accounts has a column for it.
        example: a cell of a file, to show what one looks like.
        is_example_below: the example belongs to an account below the top.
    """

    name: SettingName
    label: Promise
    does: Promise
    kind: ValueKind
    read_at: ReadAt
    group: SettingGroup
    default: Any = None
    has_tenant_default: bool = True
    changed_by: ChangedBy = ChangedBy.VENDOR
    can_be_locked: bool = True
    can_be_scheduled: bool = True
    is_used: bool = True
    is_in_files: bool = True
    example: str = ""
    is_example_below: bool = False

    def default_of(self, tenant: _TenantLike) -> Any:
        """Return the default of a new tenant; None for none."""
        return self.default.of(tenant) if isinstance(self.default, OfTenant) else self.default

    @property
    def is_account(self) -> bool:
        """Whether its value is an account."""
        return isinstance(self.kind, AccountReference)

    @property
    def is_seller(self) -> bool:
        """Whether its value is a seller."""
        return isinstance(self.kind, SellerReference)

    @property
    def empty(self) -> Promise:
        """What an empty cell means, for people."""
        if not self.has_tenant_default:
            return _OWN_AT_TOP
        return _INHERITED_OR_NONE if self.default is None else _INHERITED

    @property
    def help(self) -> str:
        """What it does, and whether anything reads it yet."""
        if self.is_used:
            return str(self.does)
        return str(_("%(does)s Stored, not used yet.")) % {"does": self.does}


_INHERITED: Final = _("Inherited from the account above, else from the settings of the company.")
_INHERITED_OR_NONE: Final = _("Inherited from the account above; at the top of a tree none.")
_OWN_AT_TOP: Final = _("Inherited from the account above; at the top of a tree the account itself.")

_DECLARED: Final = (
    Setting(
        name=SettingName.BILL_TO,
        label=_("Who is invoiced"),
        does=_("The invoice is addressed to it."),
        kind=AccountReference(
            _("The external_id of the account itself or of one above it: who gets the invoice.")
        ),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.WHO,
        has_tenant_default=False,
        example="muster",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.PAYER,
        label=_("Who pays"),
        does=_("What is invoiced is collected from it."),
        kind=AccountReference(
            _("The external_id of the account itself or of one above it: who pays.")
        ),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.WHO,
        has_tenant_default=False,
        example="muster",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.SELLER,
        label=_("Seller"),
        does=_("Issues the invoices, with its own number series."),
        kind=SellerReference(),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.WHO,
        is_in_files=False,
    ),
    Setting(
        name=SettingName.CONSOLIDATION,
        label=_("Consolidation"),
        does=_("How many documents a billing run makes."),
        kind=Choice(
            {
                "one_invoice": _("One invoice for all accounts with the same recipient"),
                "per_account": _("One invoice per account"),
            }
        ),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.WHO,
        default="one_invoice",
        example="one_invoice",
    ),
    Setting(
        name=SettingName.BILLING_DAY,
        label=_("Billing day"),
        does=_("Periods begin on it; invoices are dated to it."),
        kind=Whole(1, 31),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        example="1",
    ),
    Setting(
        name=SettingName.BILLING_MONTH,
        label=_("Billing month"),
        does=_("Yearly periods begin in it."),
        kind=Whole(1, 12),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        example="1",
    ),
    Setting(
        name=SettingName.PRORATION_CUTOFF_DAYS,
        label=_("Shortest period of its own"),
        does=_("A first period of so many days or fewer is merged with the next one."),
        kind=Whole(0, 31),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        default=0,
        is_used=False,
        example="3",
    ),
    Setting(
        name=SettingName.TIME_ZONE,
        label=_("Time zone"),
        does=_("Its dates are days there. Runs start by the company's own day; no date is moved."),
        kind=TIME_ZONE,
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        default=OfTenant("time_zone"),
        changed_by=ChangedBy.CUSTOMER,
        can_be_scheduled=False,
        example="Europe/Berlin",
    ),
    Setting(
        name=SettingName.CURRENCY,
        label=_("Currency"),
        does=_(
            "What is sold to it should be priced in it. An invoice is in the currency of its"
            " prices."
        ),
        kind=CURRENCY,
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.MONEY,
        default=OfTenant("currency"),
        example="EUR",
    ),
    Setting(
        name=SettingName.PAYMENT_TERMS_DAYS,
        label=_("Payment terms"),
        does=_("From the date of the invoice to its due date."),
        kind=Whole(0, 365),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.MONEY,
        default=14,
        example="14",
    ),
    Setting(
        name=SettingName.COLLECTION,
        label=_("Payment"),
        does=_("How the money comes in."),
        kind=Choice({"send": _("Bank transfer"), "charge": _("Collected automatically")}),
        read_at=ReadAt.PAYER,
        group=SettingGroup.MONEY,
        default="send",
        example="send",
    ),
    Setting(
        name=SettingName.PAYMENT_METHOD,
        label=_("Payment method"),
        does=_("What the payer pays with."),
        kind=Choice(
            {
                "bank_transfer": _("Bank transfer"),
                "direct_debit": _("Direct debit"),
                "card": _("Card"),
                "manual": _("Manual"),
            }
        ),
        read_at=ReadAt.PAYER,
        group=SettingGroup.MONEY,
        changed_by=ChangedBy.CUSTOMER,
        is_used=False,
        example="bank_transfer",
    ),
    Setting(
        name=SettingName.LANGUAGE,
        label=_("Invoice language"),
        does=_("Invoices and e-mails are written in it."),
        kind=Choice(LANGUAGES),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.DOCUMENT,
        default=OfTenant("language"),
        changed_by=ChangedBy.CUSTOMER,
        example="de",
    ),
    Setting(
        name=SettingName.DELIVERY,
        label=_("Form of the invoice"),
        does=_("The kind of document that is sent."),
        kind=Choice(
            {
                "pdf": _("PDF"),
                "zugferd": _("ZUGFeRD (PDF with invoice data)"),
                "xrechnung": _("XRechnung"),
            }
        ),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.DOCUMENT,
        default="pdf",
        changed_by=ChangedBy.CUSTOMER,
        is_used=False,
        example="pdf",
    ),
    Setting(
        name=SettingName.BUYER_REFERENCE,
        label=_("Leitweg-ID or buyer reference"),
        does=_("Public buyers ask for it on their invoices."),
        kind=Text(100),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.DOCUMENT,
        changed_by=ChangedBy.CUSTOMER,
        can_be_locked=False,
        is_used=False,
        example="04011000-1234512345-06",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.PO_NUMBER,
        label=_("Purchase order"),
        does=_("Is printed on the invoice."),
        kind=Text(100),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.DOCUMENT,
        changed_by=ChangedBy.CUSTOMER,
        can_be_locked=False,
        example="PO-2027-001",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.SPLIT_BY_PO,
        label=_("One invoice per purchase order"),
        does=_("Separate invoice per PO."),
        kind=YesNo(_("true or false; also yes, no, 1, 0. True: one document for each PO number.")),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.DOCUMENT,
        default=False,
        changed_by=ChangedBy.CUSTOMER,
        example="true",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.COST_CENTRE,
        label=_("Cost centre"),
        does=_("Stands beside the account's lines."),
        kind=Text(100),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.DOCUMENT,
        changed_by=ChangedBy.CUSTOMER,
        can_be_locked=False,
        example="4711",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.INVOICE_RECIPIENTS,
        label=_("Invoices by e-mail to"),
        does=_("Who gets the invoices, beside the address of the account."),
        kind=Emails(),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.DOCUMENT,
        changed_by=ChangedBy.CUSTOMER,
        can_be_locked=False,
        is_used=False,
        example="einkauf@muster.example|buchhaltung@muster.example",
    ),
    Setting(
        name=SettingName.PARTIAL_RECIPIENTS,
        label=_("Extracts by e-mail to"),
        does=_("Who gets the account's own section of an invoice that goes to another account."),
        kind=Emails(),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.DOCUMENT,
        changed_by=ChangedBy.CUSTOMER,
        can_be_locked=False,
        is_used=False,
        example="bremen@muster.example",
        is_example_below=True,
    ),
    Setting(
        name=SettingName.TAX_TREATMENT,
        label=_("Tax treatment"),
        does=_("By which rule tax is charged; by itself it follows from country and VAT ID."),
        kind=Choice(
            {
                "automatic": _("By country and VAT ID"),
                "domestic": _("Always with domestic tax"),
                "reverse_charge": _("Reverse charge"),
                "exempt": _("Exempt from tax"),
                "export": _("Not taxable here"),
            }
        ),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.TAX,
        default="automatic",
        is_used=False,
        example="automatic",
    ),
    Setting(
        name=SettingName.DUNNING_POLICY,
        label=_("Reminders"),
        does=_("What an unpaid invoice does to the account and those below it."),
        kind=Choice(
            {
                "standard": _("Reminders in levels, for the whole family"),
                "isolate": _("Only accounts with unpaid sections are affected"),
                "notify_only": _("Reminders only, nothing else happens"),
            }
        ),
        read_at=ReadAt.BILL_TO,
        group=SettingGroup.REMINDERS,
        default="standard",
        is_used=False,
        example="standard",
    ),
)

SETTINGS: Final[dict[str, Setting]] = {setting.name.value: setting for setting in _DECLARED}
"""All settings by name, in the order in which pages show them."""
