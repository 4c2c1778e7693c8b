"""What commands print of invoices and problems."""

from typing import Any

from invoicing.models import Invoice, RunProblem
from invoicing.words import describe_problem
from tenancy.ids import public_id


def invoice_summary(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice as commands list it; amounts in minor units of its currency."""
    return {
        "id": invoice.public_id,
        "number": invoice.number,
        "status": invoice.status,
        "bill_to": invoice.bill_to.public_id,
        "bill_to_external_id": invoice.bill_to.external_id,
        "payer": invoice.payer.public_id,
        "payer_external_id": invoice.payer.external_id,
        "currency": invoice.currency,
        "issue_date": invoice.issue_date.isoformat() if invoice.issue_date else None,
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "net_minor": invoice.net_minor,
        "tax_minor": invoice.tax_minor,
        "gross_minor": invoice.gross_minor,
        "sections": invoice.section_count,
        "lines": invoice.line_count,
    }


def problem_summary(problem: RunProblem) -> dict[str, Any]:
    """Return a problem of a run as commands list it."""
    subscription = problem.subscription
    return {
        "code": problem.code,
        "severity": problem.severity,
        "account": problem.account.public_id,
        "account_external_id": problem.account.external_id,
        "subscription": public_id("sub", subscription.id) if subscription else None,
        "subscription_external_id": subscription.external_id if subscription else None,
        "count": problem.params.get("count", 1),
        "detail": describe_problem(problem),
    }
