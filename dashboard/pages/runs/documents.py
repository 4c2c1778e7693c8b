"""The documents of a run as a table; drafts can be selected by those who may approve."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext_lazy, ngettext

from accounts.middleware import ActorRequest
from invoicing.models import BillingRun, Invoice
from invoicing.queries.invoices import invoices
from invoicing.queries.run_figures import RunSum
from tenancy.queries import paging
from web.invoices.table import TABLE as INVOICES
from web.invoices.table import InvoiceRow, rows_of
from web.tables import Amounts, Mark, State, Table
from web.templatetags.figures import quantity

PAGE_SIZE: Final = 25
_COLUMNS: Final = {"number", "recipient", "accounts", "net", "gross", "status"}


def _draft(row: InvoiceRow) -> Mark | None:
    return INVOICES.mark(row) if INVOICES.mark and row.invoice.status in Invoice.UNISSUED else None


TABLE: Final[Table[InvoiceRow]] = replace(
    INVOICES,
    name="documents",
    title=gettext_lazy("Documents"),
    columns=tuple(column for column in INVOICES.columns if column.key in _COLUMNS),
    mark=_draft,
)


def documents_of(
    request: ActorRequest, run: BillingRun, sums: Iterable[RunSum], *, may_approve: bool
) -> dict[str, Any]:
    """Return what the template needs for one page of documents. One statement.

    Args:
        request: who looks, and at which page.
        run: the run.
        sums: what its documents add up to.
        may_approve: whether drafts can be selected.
    """
    found, state = invoices(request.actor, run=run.pk, today=request.actor.today), _state(request)
    page = paging.page_of(
        found, TABLE.order(state), after=state.after, before=state.before, size=PAGE_SIZE
    )
    main = request.tenant.currency
    rows = rows_of(page.rows, today=request.actor.today, main=main, namespace="invoices")
    known = [*sums]
    totals = {
        "net": Amounts({one.currency: one.net_minor for one in known}, main),
        "gross": Amounts({one.currency: one.gross_minor for one in known}, main),
    }
    count = sum(one.count for one in known)
    title = ngettext("Sum of %(count)s document", "Sum of all %(count)s documents", count)
    shown = TABLE.shown(
        rows, state, totals, title % {"count": quantity(count)}, with_marks=may_approve
    )
    return {"page": page, "table": shown}


def _state(request: ActorRequest) -> State:
    query = request.GET.copy()
    for name in ("done", "since"):  # what the progress asks with
        query.pop(name, None)
    return TABLE.state(query, request.COOKIES)
