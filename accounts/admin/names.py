"""What operators read for models and columns, in their language.

Names are given here and not on the models: they are words of this one face, and the tables need no
migration for a better word.
"""

from typing import Any, Final

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COLUMNS: Final[dict[str, Promise]] = {
    "account": _("Account"),
    "action": _("Action"),
    "actor_id": _("ID of who did it"),
    "actor_kind": _("Kind of who did it"),
    "actor_label": _("Who did it"),
    "after": _("Afterwards"),
    "approval_required": _("Drafts need approval"),
    "at": _("When"),
    "bank_name": _("Bank"),
    "beat_at": _("Last sign of life"),
    "before": _("Before"),
    "bic": _("BIC"),
    "bill_to": _("Recipient"),
    "billed_until": _("Billed until"),
    "billing_day": _("Billing day"),
    "city": _("City"),
    "code": _("Code"),
    "collection": _("Payment"),
    "contract_party": _("Contract with"),
    "country": _("Country"),
    "created_at": _("Created"),
    "created_by": _("ID of who created it"),
    "created_by_label": _("Created by"),
    "currency": _("Currency"),
    "date": _("Date"),
    "directors": _("Directors"),
    "done": _("Done"),
    "due_date": _("Due"),
    "email": _("E-mail"),
    "end_date": _("Ends"),
    "external_id": _("External ID"),
    "family": _("Family"),
    "finished_at": _("Finished"),
    "gross_minor": _("Gross, in minor units"),
    "iban": _("IBAN"),
    "id": _("ID"),
    "is_placeholder": _("Details are placeholders"),
    "is_sandbox": _("Test environment"),
    "issue_date": _("Issued"),
    "issued_at": _("Issued at"),
    "kind": _("Type"),
    "language": _("Language"),
    "legal_name": _("Legal name"),
    "line1": _("Street"),
    "line2": _("Further line"),
    "line_count": _("Number of lines"),
    "metadata": _("Own data"),
    "name": _("Name"),
    "net_minor": _("Net, in minor units"),
    "number": _("Number"),
    "number_format": _("Format of numbers"),
    "object_id": _("ID of the object"),
    "object_type": _("Type of the object"),
    "origin": _("Came from"),
    "override_bill_to": _("Invoiced to another account"),
    "paid_minor": _("Paid, in minor units"),
    "params": _("Parameters"),
    "payer": _("Payer"),
    "payment_terms_days": _("Payment terms in days"),
    "period_end": _("End of the period"),
    "period_start": _("Start of the period"),
    "po_number": _("Purchase order"),
    "postal_code": _("Postal code"),
    "problems": _("Problems"),
    "regime": _("Tax treatment"),
    "region": _("Region"),
    "register_entry": _("Register entry"),
    "request_id": _("ID of the request"),
    "result": _("Result"),
    "run": _("Billing run"),
    "scheduled_until": _("Billed by the timetable until"),
    "section_count": _("Number of sections"),
    "seller": _("Seller"),
    "series_number": _("Number in the series"),
    "series_year": _("Year of the series"),
    "service_owner": _("Account served"),
    "severity": _("Severity"),
    "slug": _("Short name"),
    "snapshot": _("Frozen details"),
    "sort_key": _("Sort key"),
    "splits_by_po": _("One invoice per purchase order"),
    "start_date": _("Starts"),
    "started_at": _("Started"),
    "started_by": _("Started by"),
    "requested_by": _("Requested by"),
    "status": _("Status"),
    "subscription": _("Subscription"),
    "tax_minor": _("Tax, in minor units"),
    "tax_number": _("Tax number"),
    "tenant": _("Tenant"),
    "test_clock_at": _("Test clock"),
    "time_zone": _("Time zone"),
    "total": _("In total"),
    "vat_id": _("VAT ID"),
    "version": _("Version"),
}


def name_columns(model: type[Model], one: Promise, many: Promise) -> None:
    """Give a model and its columns the names that operators read."""
    # Django takes lazy texts here, which its stubs tell from promises.
    options: Any = model._meta
    options.verbose_name, options.verbose_name_plural = one, many
    for field in options.concrete_fields:
        if field.name in COLUMNS:
            field.verbose_name = COLUMNS[field.name]
