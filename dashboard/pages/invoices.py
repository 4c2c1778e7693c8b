"""The list of invoices: status tabs, search, sums over the whole filter, one page of rows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.ids import parse_public_id, public_id
from accounts.middleware import ActorRequest
from accounts.queries import accounts
from billing_rules.money import is_currency
from dashboard.frame import is_staff
from dashboard.pages import badges, keyset
from dashboard.pages.badges import INVOICE_STATUSES, Badge
from dashboard.pages.doors import in_own_frame
from dashboard.templatetags.figures import money, quantity
from invoicing.models import Invoice
from invoicing.queries import invoices as queries
from invoicing.queries.invoices import StatusSum

_ALWAYS: Final = ("open", "due_soon", "overdue", "paid")
_ALWAYS_FOR_STAFF: Final = ("draft", "to_approve", *_ALWAYS)
_DERIVED: Final = ("due_soon", "overdue")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for."""

    within: UUID | None = None
    only: bool = False
    within_name: str = ""
    currency: str | None = None
    text: str = ""
    status: str | None = None

    def as_query(self, *, status: str | None) -> dict[str, Any]:
        """Return the arguments of the query, with ``status`` in the place of its own."""
        return {
            "within": self.within,
            "only": self.only,
            "currency": self.currency,
            "text": self.text or None,
            "status": status,
        }


@dataclass(frozen=True, slots=True)
class Tab:
    """One status to look at, with the number of invoices that have it."""

    label: str
    url: str
    count: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, and the address without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the whole filter in one currency, in minor units."""

    currency: str
    count: int
    gross_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class Tile:
    """What is open, due soon or overdue: a sum per currency, as text."""

    label: str
    values: list[str]
    detail: str
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice of the list. Of a partial view the amounts are those of the shown sections."""

    id: str
    number: str
    recipient: str
    payer: str
    accounts: int | None
    period_start: date
    period_end: date
    due_date: date | None
    currency: str
    net_minor: int
    gross_minor: int
    open_minor: int | None
    badge: Badge


@require_safe
@in_own_frame
def invoice_list(request: ActorRequest) -> HttpResponse:
    """Show invoices. At most five statements beside those of the frame."""
    actor, today = request.actor, request.actor.today
    filters = _filters(actor, request.GET)
    found = queries.invoices(actor, **filters.as_query(status=filters.status), today=today)
    page = keyset.page_of(
        found, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    sums = {
        status: queries.status_sums(actor, **filters.as_query(status=status), today=today)
        for status in (None, *_DERIVED)
    }
    totals = _totals(_of_status(sums, filters.status))
    context = {
        "tabs": _tabs(sums, filters, request.GET, staff=is_staff(actor)),
        "tiles": _tiles(sums, request.GET) if filters.status is None else [],
        "chips": _chips(filters, request.GET),
        "rows": [_row(invoice, today) for invoice in page.rows],
        "page": page,
        "totals": totals,
        "summary": _summary(sum(total.count for total in totals)),
        "filters": filters,
        "within_id": public_id("acc", filters.within) if filters.within else "",
        "is_empty": not sums[None] and not _is_narrowed(filters),
        "staff": is_staff(actor),
        "status_label": INVOICE_STATUSES[filters.status][0] if filters.status else "",
    }
    return render(request, "invoices/list.html", context)


def _filters(actor: Actor, query: QueryDict) -> Filters:
    """Read the filters; an account out of sight is not found, other nonsense is left out."""
    status, currency = query.get("status", ""), query.get("currency", "").upper()
    filters = Filters(
        only=query.get("only") == "1",
        currency=currency if is_currency(currency) else None,
        text=query.get("q", "").strip()[:200],
        status=status if status in INVOICE_STATUSES else None,
    )
    if not (named := query.get("in", "")):
        return filters
    account_id = parse_public_id("acc", named)
    if account_id is None:
        raise NotFound
    account = accounts.get_account(actor, account_id)
    return replace(filters, within=account.pk, within_name=account.name)


def _is_narrowed(filters: Filters) -> bool:
    return bool(filters.within or filters.currency or filters.text)


def _of_status(sums: dict[str | None, list[StatusSum]], status: str | None) -> Iterable[StatusSum]:
    if status is None or status in _DERIVED:
        return sums[status]
    return [one for one in sums[None] if one.status == status]


def _totals(sums: Iterable[StatusSum]) -> list[Total]:
    """Add up what the statuses have in each currency; currencies are never added."""
    totals: dict[str, Total] = {}
    for one in sums:
        before = totals.get(one.currency, Total(one.currency, 0, 0, 0))
        totals[one.currency] = Total(
            one.currency,
            before.count + one.count,
            before.gross_minor + one.gross_minor,
            before.open_minor + one.open_minor,
        )
    return sorted(totals.values(), key=lambda total: (-total.count, total.currency))


def _tabs(
    sums: dict[str | None, list[StatusSum]], filters: Filters, query: QueryDict, *, staff: bool
) -> list[Tab]:
    counts: dict[str, int] = defaultdict(int)
    for one in sums[None]:
        counts[one.status] += one.count
    for status in _DERIVED:
        counts[status] = sum(one.count for one in sums[status])
    always = _ALWAYS_FOR_STAFF if staff else _ALWAYS
    total = sum(one.count for one in sums[None])
    tabs = [Tab(_("All"), _url(query, status=None), quantity(total), filters.status is None)]
    for status, (label, _tone) in INVOICE_STATUSES.items():
        if status in always or counts[status] or status == filters.status:
            count, url = quantity(counts[status]), _url(query, status=status)
            tabs.append(Tab(str(label), url, count, status == filters.status))
    return tabs


def _tiles(sums: dict[str | None, list[StatusSum]], query: QueryDict) -> list[Tile]:
    """Return what is owed, by urgency. What is open includes what is due soon and overdue."""
    owed = [one for one in sums[None] if one.status in queries.UNPAID]
    parts = (
        (_("Open in total"), "open", owed, ""),
        (_("Due within seven days"), "due_soon", sums["due_soon"], ""),
        (_("Overdue"), "overdue", sums["overdue"], "negative"),
    )
    return [
        _tile(label, rows, _url(query, status=status), tone) for label, status, rows, tone in parts
    ]


def _tile(label: str, sums: Iterable[StatusSum], url: str, tone: str) -> Tile:
    totals = [total for total in _totals(sums) if total.open_minor]
    return Tile(
        label=label,
        values=[money(total.open_minor, total.currency) for total in totals],
        detail=_summary(sum(total.count for total in totals)),
        url=url,
        tone=tone if totals else "",
    )


def _summary(count: int) -> str:
    return ngettext("%(count)s invoice", "%(count)s invoices", count) % {"count": quantity(count)}


def _chips(filters: Filters, query: QueryDict) -> list[Chip]:
    chips = []
    if filters.within_name:
        sentence = (
            _("Account: %(name)s alone") if filters.only else _("Account: %(name)s and below")
        )
        chips.append(
            Chip(
                sentence % {"name": filters.within_name}, _url(query, **{"in": None, "only": None})
            )
        )
    if filters.currency:
        label = _("Currency: %(currency)s") % {"currency": filters.currency}
        chips.append(Chip(label, _url(query, currency=None)))
    if filters.text:
        label = _("Search: %(text)s") % {"text": filters.text}
        chips.append(Chip(label, _url(query, q=None)))
    return chips


def _url(query: QueryDict, **changes: str | None) -> str:
    """Return the address of the same list with some filters changed, from its first page."""
    wanted = query.copy()
    for name, value in {**changes, "after": None, "before": None}.items():
        if value is None:
            wanted.pop(name, None)
        else:
            wanted[name] = value
    return f"?{wanted.urlencode()}"


def _row(invoice: Any, today: date) -> Row:
    return Row(
        id=invoice.public_id,
        number=invoice.number or "",
        recipient=_snapshot_name(invoice, "bill_to"),
        payer=_snapshot_name(invoice, "payer") if invoice.payer_id != invoice.bill_to_id else "",
        accounts=invoice.section_count if invoice.whole else None,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
        due_date=invoice.due_date,
        currency=invoice.currency,
        net_minor=invoice.shown_net_minor,
        gross_minor=invoice.shown_gross_minor,
        open_minor=invoice.open_minor if invoice.whole else None,
        badge=badges.invoice_badge(invoice, today),
    )


def _snapshot_name(invoice: Invoice, part: str) -> str:
    """Return the name as it was when the document was made, else as it is now."""
    frozen = invoice.snapshot.get(part)
    name = frozen.get("name") if isinstance(frozen, dict) else None
    return str(name or getattr(invoice, part).name)
