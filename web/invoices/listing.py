"""The list of invoices: status tabs, filters, sums over the whole filter, one page of rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from billing_rules.invoice_states import ASKED_FOR, DERIVED, UNPAID, State
from invoicing.queries import invoices as queries
from invoicing.queries.invoice_sums import InvoiceSum, invoice_sums
from tenancy.queries import paging
from web.badges import state_word
from web.frame import is_staff
from web.invoices.filters import DUE_WINDOWS, Filters, chips_of, filters_of, in_words
from web.invoices.table import TABLE, InvoiceRow, rows_of, totals_of
from web.list_pages import UnknownAccount, save
from web.page_heads import Tab
from web.requests import namespace_of
from web.session_checks import in_own_frame
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import money, quantity

_BATCH: Final = 500
_ALWAYS: Final = (State.OPEN, State.DUE_SOON, State.OVERDUE, State.PAID)
_ALWAYS_FOR_STAFF: Final = (State.TO_APPROVE, *_ALWAYS)


@require_safe
@in_own_frame
def invoice_list(request: ActorRequest) -> HttpResponseBase:
    """Show invoices, or save them. At most four statements beside those of the frame."""
    actor, today, main = request.actor, request.actor.today, request.tenant.currency
    filters, state = filters_of(actor, request.GET), TABLE.state(request.GET, request.COOKIES)
    wanted, as_file = filters.as_query(today=today), request.GET.get("format", "")
    if filters.unknown_account and as_file:
        raise UnknownAccount(value=filters.unknown_account)
    everything = queries.invoices(actor, **wanted)
    sums = [] if filters.unknown_account else invoice_sums(actor, everything, today=today)
    shown_sums = [*_of_status(sums, filters.status)]
    totals, count = totals_of(shown_sums, main), sum(one.count for one in shown_sums)
    found = queries.invoices(actor, **wanted, status=filters.status)
    if filters.unknown_account:
        found = found.none()
    if as_file in FORMATS and count <= MOST_ROWS:
        batches = batches_of(request, found, state)
        words, owner = in_words(filters), filters.within_name
        return save(request, as_file, TABLE, state, batches, totals, words, owner=owner)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    rows = rows_of(page.rows, today=today, main=main, namespace=namespace_of(request))
    chips = chips_of(filters, state)
    context = {
        "table": TABLE.shown(rows, state, totals, _foot_title(count), with_marks=True),
        "page": page,
        "page_rows": rows,
        "tabs": _tabs(sums, filters, state, staff=is_staff(actor)),
        "chips": chips,
        "filters": filters,
        "currencies": sorted({main, *(one.currency for one in sums), filters.currency or main}),
        "due_windows": DUE_WINDOWS.items(),
        "summary": _summary(count),
        "count": count,
        "nothing": _nothing(len(chips) + bool(filters.status)),
        "is_empty": not sums and not filters.is_narrowed,
        "staff": is_staff(actor),
        "status_label": state_word(filters.status) if filters.status else "",
        "too_many": quantity(MOST_ROWS) if as_file in FORMATS else "",
        "kept": state.kept("q"),
        "kept_by_filters": state.kept("in", "only", "currency", "due", "from", "to"),
        "kept_by_bulk": state.kept("ids", "do", "everything"),
    }
    is_refused = bool(as_file in FORMATS or filters.unknown_account)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "invoices/list.html", context, status=status)


def batches_of(
    request: ActorRequest, found: Any, state: TableState
) -> Iterator[Sequence[InvoiceRow]]:
    """Yield all rows in the order of the list, some at a time. One statement each."""
    for some in paging.batches(found, TABLE.order(state), size=_BATCH):
        yield rows_of(
            some,
            today=request.actor.today,
            main=request.tenant.currency,
            namespace=namespace_of(request),
        )


def _of_status(sums: Iterable[InvoiceSum], status: str | None) -> Iterator[InvoiceSum]:
    return (one for one in sums if status in {None, one.status, one.urgency or None})


def _tabs(
    sums: Sequence[InvoiceSum], filters: Filters, state: TableState, *, staff: bool
) -> list[Tab]:
    always = _ALWAYS_FOR_STAFF if staff else _ALWAYS
    tabs = [_tab(_("All"), sums, filters, state, None)]
    if sums and not filters.status and not any(one.whole_count for one in sums):
        # A reader of extracts has nothing to pay, and is not told what others owe.
        return tabs
    for status in ASKED_FOR:
        of_status = [*_of_status(sums, status)]
        if status in always or of_status or status == filters.status:
            tabs.append(_tab(state_word(status), of_status, filters, state, status))
    return tabs


def _tab(
    label: str, sums: Iterable[InvoiceSum], filters: Filters, state: TableState, status: str | None
) -> Tab:
    """Return a tab with what is owed, or where nothing can be owed what was billed."""
    is_owed = status in {*DERIVED, *UNPAID}
    amounts: dict[str, int] = defaultdict(int)
    count = 0
    for one in sums:
        count += one.count
        amounts[one.currency] += one.open_minor if is_owed else one.gross_minor
    url, is_current = state.url(status=status), filters.status == status
    return Tab(label, url, is_current, quantity(count), _sum_text(amounts))


def _sum_text(amounts: dict[str, int]) -> str:
    """Return the largest sum, and how many other currencies there are."""
    ordered = sorted(amounts.items(), key=lambda pair: (-pair[1], pair[0]))
    if not ordered:
        return "–"
    (currency, minor), *others = ordered
    return money(minor, currency) + (f" +{len(others)}" if others else "")


def _summary(count: int) -> str:
    return ngettext("%(count)s invoice", "%(count)s invoices", count) % {"count": quantity(count)}


def _nothing(filters: int) -> str:
    text = ngettext(
        "No invoices match %(count)s filter", "No invoices match %(count)s filters", filters
    )
    return text % {"count": filters}


def _foot_title(count: int) -> str:
    text = ngettext("Sum of %(count)s invoice", "Sum of all %(count)s invoices", count)
    return text % {"count": quantity(count)}
