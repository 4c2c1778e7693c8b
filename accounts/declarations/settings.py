"""Every billing setting, declared once: what it may be, where it is read, who may change it.

Adding one is a name and a declaration here; a test row is in
tests/integration/accounts/test_declared_settings.py.
"""

from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.declarations.setting_terms import ChangedBy, OfTenant, ReadAt, Setting, SettingGroup
from accounts.declarations.values import (
    CURRENCY,
    LANGUAGES,
    TIME_ZONE,
    AccountReference,
    Choice,
    Emails,
    SellerReference,
    Text,
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
    USAGE_GRACE_DAYS = "usage_grace_days"
    MINIMUM_TERM_MONTHS = "minimum_term_months"
    RENEWAL_MONTHS = "renewal_months"
    NOTICE_MONTHS = "notice_months"
    NOTICE_DAYS = "notice_days"


def _of_contract(
    name: SettingName,
    label: Promise,
    does: Promise,
    *,
    most: int,
    example: str,
    is_example_below: bool = False,
) -> Setting:
    """Return a term of contracts, in months or days, that what begins there has; 0 is none."""
    return Setting(
        name=name,
        label=label,
        does=does,
        kind=Whole(0, most),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.CONTRACT,
        default=0,
        example=example,
        is_example_below=is_example_below,
    )


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
        kind=Whole(1, 31, has_none=True),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        example="1",
    ),
    Setting(
        name=SettingName.BILLING_MONTH,
        label=_("Billing month"),
        does=_("Yearly periods begin in it."),
        kind=Whole(1, 12, has_none=True),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        example="1",
    ),
    Setting(
        name=SettingName.PRORATION_CUTOFF_DAYS,
        label=_("Shortest period of its own"),
        does=_(
            "A part of a period of so many days or fewer is invoiced together with the next period."
        ),
        kind=Whole(0, 31),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        default=0,
        example="3",
    ),
    Setting(
        name=SettingName.USAGE_GRACE_DAYS,
        label=_("Late usage"),
        does=_(
            "For so many days after a period its usage still comes in and is made good on the next"
            " invoice."
        ),
        kind=Whole(0, 365),
        read_at=ReadAt.SERVICE_OWNER,
        group=SettingGroup.TIMING,
        default=30,
        example="5",
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
    _of_contract(
        SettingName.MINIMUM_TERM_MONTHS,
        _("Minimum term"),
        _(
            "So many months what begins without terms of its own or of its plan is bound; 0: it may"
            " end on any day."
        ),
        most=240,
        example="12",
    ),
    _of_contract(
        SettingName.RENEWAL_MONTHS,
        _("Renewal"),
        _("By so many months it goes on after each term; 0: it ends with its minimum term."),
        most=240,
        example="12",
    ),
    _of_contract(
        SettingName.NOTICE_MONTHS,
        _("Notice period in months"),
        _("So many months before the end of a term notice has to be given."),
        most=36,
        example="3",
    ),
    _of_contract(
        SettingName.NOTICE_DAYS,
        _("Notice period in days"),
        _("So many days before the end of a term, beside the months if both are set."),
        most=1_000,
        example="14",
        is_example_below=True,
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
