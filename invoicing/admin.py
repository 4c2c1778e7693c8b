"""What operators of the platform see of runs and invoices; all read-only."""

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin
from invoicing.models import BillingRun, ChangePlan, Invoice, RunProblem


class InvoiceAdmin(ReadOnlyAdmin):
    """Documents; amounts in minor units."""

    names = (_("Invoice"), _("Invoices"))
    list_display = (
        "number",
        "kind",
        "status",
        "bill_to",
        "currency",
        "net_minor",
        "gross_minor",
        "paid_minor",
        "issue_date",
        "due_date",
    )
    list_select_related = ("bill_to",)
    list_filter = ("kind", "status")
    search_fields = ("number", "bill_to__name")
    ordering = ("-issue_date", "-id")


class BillingRunAdmin(ReadOnlyAdmin):
    """Runs by date."""

    names = (_("Billing run"), _("Billing runs"))
    list_display = ("date", "status", "started_by", "started_at", "finished_at")
    list_filter = ("status",)
    ordering = ("-date",)


class RunProblemAdmin(ReadOnlyAdmin):
    """What runs have left out, and why."""

    names = (_("Problem of a run"), _("Problems of runs"))
    list_display = ("code", "severity", "account", "run", "created_at")
    list_select_related = ("account", "run")
    list_filter = ("severity",)
    ordering = ("-created_at", "-id")


class ChangePlanAdmin(ReadOnlyAdmin):
    """What is planned, and what became of it."""

    names = (_("Change plan"), _("Change plans"))
    list_display = ("kind", "account", "effective_date", "status", "created_at")
    list_select_related = ("account",)
    list_filter = ("kind", "status")
    ordering = ("-created_at", "-id")


ADMINS: dict[type[Model], type[ReadOnlyAdmin]] = {
    Invoice: InvoiceAdmin,
    BillingRun: BillingRunAdmin,
    ChangePlan: ChangePlanAdmin,
    RunProblem: RunProblemAdmin,
}
