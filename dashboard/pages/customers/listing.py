"""The list of customers: what each brings in a month, owes, and when it is billed next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from typing import Final

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.declarations.particulars import KINDS
from accounts.middleware import ActorRequest
from accounts.queries.tags import tags_in_use
from dashboard.pages.customers.list_reading import Listed, customers_on
from dashboard.pages.customers.list_table import TABLE, Customer, table_of
from tenancy.formats import date_text
from tenancy.queries import paging
from web.accounts import kind_name
from web.list_pages import Chip, day_of, one_of, save
from web.page_heads import Tab
from web.session_checks import staff_only
from web.tables import State, Table, Totals
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; ``day`` is None for today."""

    flat: bool = False
    kind: str | None = None
    text: str = ""
    tag: str = ""
    day: date | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether something may be left out that is there."""
        return bool(self.kind or self.text or self.tag)


@require_safe
@staff_only
def customer_list(request: ActorRequest) -> HttpResponseBase:
    """Show customers of today or another day, or save them.

    At most nine statements beside those of the frame.
    """
    actor, filters = request.actor, filters_of(request.GET)
    listed = _listed(request, filters)
    table = table_of(is_today=listed.is_today, is_moved=listed.is_moved)
    state, whole = (one.state(request.GET, request.COOKIES) for one in (table, TABLE))
    page = paging.page_of(listed.found, table.order(state), after=state.after, before=state.before)
    count = page.rows[0].found if page.rows else listed.found.count()  # type: ignore[attr-defined]
    totals = listed.totals(is_narrowed=filters.is_narrowed)
    wanted = request.GET.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        return _save(request, wanted, listed, table, state, totals, filters)
    may_edit = access.allows_everywhere(actor, Action.EDIT_ACCOUNT)
    shown = table.shown(
        listed.rows(page.rows, state), state, totals, _foot_title(count), with_marks=may_edit
    )
    context = {
        # Who chooses columns chooses them for today as well.
        "table": replace(shown, choices=TABLE.shown([], whole, totals, "").choices),
        "page": page,
        "filters": filters,
        "day": "" if listed.is_today else date_text(listed.day),
        "shown_day": listed.day,
        "today_url": state.url(as_of=None),
        "kinds": KINDS.items(),
        "tags": tags_in_use(actor),
        "kept_by_filters": state.kept("tag", "kind"),
        "chips": _chips(filters, state),
        "tabs": _tabs(filters, state),
        "summary": _summary(count),
        "is_empty": not (count or filters.is_narrowed or filters.day),
        "everywhere_url": state.url(all="1"),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
        "kept": state.kept("q", "as_of"),
        "may_create": may_edit,
        "may_change": may_edit and listed.is_today,
        "count": count,
        "kept_by_bulk": state.kept("ids", "everything"),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "customers/list.html", context, status=status)


def _listed(request: ActorRequest, filters: Filters) -> Listed:
    return customers_on(
        request.actor,
        filters.day or request.actor.today,
        request.tenant.currency,
        flat=filters.flat,
        kind=filters.kind,
        text=filters.text or None,
        tag=filters.tag or None,
    )


def filters_of(query: QueryDict) -> Filters:
    """Return what an address asks for."""
    return Filters(
        flat=one_of(query, "all", {"1"}) == "1",
        kind=one_of(query, "kind", KINDS) or None,
        text=query.get("q", "").strip()[:200],
        tag=query.get("tag", "").strip()[:40],
        day=day_of(query, "as_of"),
    )


def _save(
    request: ActorRequest,
    wanted: str,
    listed: Listed,
    table: Table[Customer],
    state: State,
    totals: Totals,
    filters: Filters,
) -> HttpResponseBase:
    batches: Iterator[list[Customer]] = (
        listed.rows(rows, state)
        for rows in paging.batches(listed.found, table.order(state), size=_BATCH)
    )
    kind = _("All accounts") if filters.flat else _("Customers")
    chips = [chip.label for chip in _chips(filters, state)]
    return save(request, wanted, table, state, batches, totals, chips, rows=kind, day=listed.day)


def _chips(filters: Filters, state: State) -> list[Chip]:
    chips = []
    if filters.kind:
        label = _("Type: %(kind)s") % {"kind": kind_name(filters.kind)}
        chips.append(Chip(label, state.url(kind=None)))
    if filters.tag:
        label = _("Tag: %(tag)s") % {"tag": filters.tag}
        chips.append(Chip(label, state.url(tag=None)))
    if filters.text:
        label = _("Search: %(text)s") % {"text": filters.text}
        chips.append(Chip(label, state.url(q=None)))
    return chips


def _tabs(filters: Filters, state: State) -> list[Tab]:
    return [
        Tab(_("Customers"), state.url(all=None), not filters.flat),
        Tab(_("All accounts"), state.url(all="1"), filters.flat),
    ]


def _summary(count: int) -> str:
    return ngettext("%(count)s account", "%(count)s accounts", count) % {"count": quantity(count)}


def _foot_title(count: int) -> str:
    text = ngettext("Sum of %(count)s account", "Sum of all %(count)s accounts", count)
    return text % {"count": quantity(count)}
