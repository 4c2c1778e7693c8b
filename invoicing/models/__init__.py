"""Tables of the app, by what they describe."""

from invoicing.models.charges import Charge
from invoicing.models.checks import BooksCheck
from invoicing.models.invoices import (
    DocumentKind,
    Invoice,
    InvoiceLine,
    InvoiceSection,
    InvoiceTax,
    NumberSeries,
    StoredDocument,
)
from invoicing.models.ledger import LedgerEntry, LedgerPosting
from invoicing.models.plans import ChangePlan, PlanComment
from invoicing.models.renderings import DocumentToMake, FileCheck, Rendering
from invoicing.models.runs import BillingRun, RunFamily, RunProblem

__all__ = [
    "BillingRun",
    "BooksCheck",
    "ChangePlan",
    "Charge",
    "DocumentKind",
    "DocumentToMake",
    "FileCheck",
    "Invoice",
    "InvoiceLine",
    "InvoiceSection",
    "InvoiceTax",
    "LedgerEntry",
    "LedgerPosting",
    "NumberSeries",
    "PlanComment",
    "Rendering",
    "RunFamily",
    "RunProblem",
    "StoredDocument",
]
