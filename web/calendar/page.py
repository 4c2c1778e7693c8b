"""The page of the billing calendar: a month, an agenda or a year of what falls on which day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from reports.declarations import KINDS, Kind
from reports.operations.forecasts import Freshness, refresh_calendar
from reports.queries.calendar import (
    IN_ORDER,
    DaySum,
    calendar_entries,
    day_sums,
    nearest_day,
)
from tenancy.formats import date_text, reader
from tenancy.queries import paging
from tenancy.queries.paging import PAGE_SIZE
from web.calendar.asked import Asked, asked
from web.calendar.entries import TABLE, EntryRow, rows_of, shown_kinds
from web.calendar.shown import (
    agenda_of,
    count_of,
    kind_sums,
    weeks_of,
    year_of,
)
from web.frame import is_staff
from web.list_pages import Chip, save
from web.page_heads import Tab
from web.requests import namespace_of
from web.session_checks import in_own_frame
from web.tables import Amounts
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500
_NAMED: Final = 200
"""So many entries of a month are read to be named in its grid; of more only kinds are counted."""
_FILTERS: Final = ("in", "only", "kinds", "least")


@dataclass(frozen=True, slots=True)
class Address:
    """The addresses of the same calendar with something else in them."""

    query: QueryDict

    def url(self, **changes: str | None) -> str:
        """Return the address with something changed, from its first page."""
        wanted = self.query.copy()
        for name, value in {"after": None, "before": None, "format": None, **changes}.items():
            if value is None:
                wanted.pop(name, None)
            else:
                wanted[name] = value
        return f"?{wanted.urlencode()}"

    def without_kind(self, kind: Kind) -> str:
        """Return the address that asks for one kind less."""
        left = [
            name
            for value in self.query.getlist("kinds")
            for name in value.split(",")
            if name and name != kind
        ]
        kept = [(n, v) for n, vs in self.query.lists() for v in vs if n not in _GONE]
        return f"?{urlencode([*kept, *(('kinds', name) for name in left)])}"

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """Return what a form has to carry along."""
        return [
            (name, value)
            for name, values in self.query.lists()
            if name not in {*without, "after", "before", "format"}
            for value in values
        ]


_GONE: Final = ("kinds", "after", "before", "format")


@require_safe
@in_own_frame
def calendar_page(request: ActorRequest) -> HttpResponseBase:
    """Show what falls on which day, or save it. Ten statements beside those of the frame.

    More where something has happened since it was looked at last, and the trees are small.
    """
    actor, today, main = request.actor, request.actor.today, request.tenant.currency
    wanted = asked(actor, request.GET, today=today, currency=main)
    freshness = refresh_calendar(
        actor, wanted.within, tenant=request.tenant, today=today, now=timezone.now()
    )
    first, last = wanted.days()
    found = _found(request, wanted, first, last)
    sums = day_sums(found)
    as_file = request.GET.get("format", "")
    if as_file in FORMATS and count_of(sums) <= MOST_ROWS:
        words = [
            reader().month(wanted.month),
            *(chip.label for chip in _chips(wanted, request.GET)),
        ]
        return save(
            request,
            as_file,
            TABLE,
            TABLE.state(QueryDict()),
            _batches(request, found),
            # Kinds are not added up: what is invoiced is due as well.
            {"amount": Amounts({one.currency: 0 for one in sums if one.currency}, main)},
            words,
            owner=wanted.within_name,
            rows=_("Billing calendar"),
        )
    address = Address(request.GET)
    context = {
        **_frame(request, wanted, address, freshness),
        **_view(request, wanted, address, sums, found),
        "sums": kind_sums(sums),
        "count": count_of(sums),
        "too_many": quantity(MOST_ROWS) if as_file in FORMATS else "",
    }
    if not sums:
        options: dict[str, Any] = {"only": wanted.only, "kinds": wanted.kinds, "today": today}
        context |= _nothing(address, wanted, nearest_day(actor, within=wanted.within, **options))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if as_file in FORMATS else HTTPStatus.OK
    return render(request, "calendar/page.html", context, status=status)


def _found(request: ActorRequest, wanted: Asked, first: date, last: date) -> Any:
    return calendar_entries(
        request.actor,
        within=wanted.within,
        only=wanted.only,
        first=first,
        last=last,
        kinds=wanted.kinds,
        least_minor=wanted.least_minor,
    )


def _batches(request: ActorRequest, found: Any) -> Iterator[Sequence[EntryRow]]:
    for some in paging.batches(found, IN_ORDER, size=_BATCH):
        yield rows_of(some, staff=is_staff(request.actor))


def _frame(
    request: ActorRequest, wanted: Asked, address: Address, freshness: Freshness
) -> dict[str, Any]:
    """Return what all views have around them."""
    views = {"month": _("Month"), "agenda": _("Agenda"), "year": _("Year")}
    before, after = _steps_from(wanted)
    staff = is_staff(request.actor)
    return {
        "view": wanted.view,
        "is_usual": not wanted.is_chosen,
        "heading": _heading(wanted),
        "views": [
            Tab(label, address.url(view=name, day=None), name == wanted.view)
            for name, label in views.items()
        ],
        "previous_url": address.url(**before),
        "next_url": address.url(**after),
        "today_url": address.url(month=None, year=None, day=None),
        "kinds": [
            (kind.value, KINDS[kind].plural, kind in wanted.kinds)
            for kind in shown_kinds(staff=staff)
        ],
        "feeds_url": _feeds_url(request, wanted),
        "wanted": wanted,
        "chips": _chips(wanted, request.GET),
        "kept_by_filters": address.kept(*_FILTERS),
        "scope_name": wanted.within_name,
        "staff": staff,
        "csv_url": address.url(format="csv"),
        "xlsx_url": address.url(format="xlsx"),
        "freshness": freshness,
        "as_of": _as_of(request, freshness),
        "ready_until": date_text(freshness.ready_until) if freshness.ready_until else "",
        "is_unknown": freshness.is_being_made and freshness.as_of is None,
        "main": request.tenant.currency,
        "clear_url": address.url(**dict.fromkeys(_FILTERS)),
    }


def _feeds_url(request: ActorRequest, wanted: Asked) -> str:
    """Return where the calendar that is shown can be subscribed to."""
    url = reverse(f"{namespace_of(request)}:feeds")
    return f"{url}?in={wanted.within_id}" if wanted.within else url


def _view(
    request: ActorRequest, wanted: Asked, address: Address, sums: list[DaySum], found: Any
) -> dict[str, Any]:
    """Return what the view itself shows. At most two statements."""
    today, staff = request.actor.today, is_staff(request.actor)

    def day_url(day: date) -> str:
        return address.url(day=day.isoformat(), month=f"{day:%Y-%m}", year=None, view=None)

    if wanted.view == "year":
        by_amount = request.GET.get("by") == "amount"
        rows = year_of(
            wanted.month.year,
            sums,
            today=today,
            currency=request.tenant.currency,
            by_amount=by_amount,
            url_of=day_url,
            month_url_of=lambda first: address.url(
                month=f"{first:%Y-%m}", year=None, day=None, view=None
            ),
        )
        measures = [
            Tab(_("Entries"), address.url(by=None), not by_amount),
            Tab(
                _("Invoiced, %(currency)s") % {"currency": request.tenant.currency},
                address.url(by="amount"),
                by_amount,
            ),
        ]
        return {"months": rows, "days": range(1, 32), "measures": measures}
    if wanted.view == "agenda":
        page = _page(request, found)
        return {"agenda": agenda_of(rows_of(page.rows, staff=staff), today), "page": page}
    named = rows_of(found, staff=staff) if count_of(sums) <= _NAMED else []
    opened = _opened(wanted, sums, today)
    weeks = weeks_of(
        wanted.grid(), wanted.month, sums, named, today=today, opened=opened, url_of=day_url
    )
    listed = named or rows_of(found[:PAGE_SIZE], staff=staff)
    return {
        "weeks": weeks,
        "weekdays": reader().weekdays(),
        # Narrow screens have no room for a grid: they get the month as an agenda.
        "agenda": agenda_of(listed, today),
        "has_more_days": len(listed) < count_of(sums),
        "agenda_url": address.url(view="agenda", day=None),
        **_opened_day(request, wanted, sums, opened, found),
    }


def _opened(wanted: Asked, sums: Sequence[DaySum], today: date) -> date | None:
    """Return the day beside the grid: the one that was chosen, else the next with an entry."""
    if wanted.day is not None:
        return wanted.day
    days = sorted({one.date for one in sums})
    return next((day for day in days if day >= today), days[0] if days else None)


def _opened_day(
    request: ActorRequest, wanted: Asked, sums: Sequence[DaySum], opened: date | None, found: Any
) -> dict[str, Any]:
    """Return what falls on the day beside the grid, a page of it. One statement.

    A few more where that day is of another month.
    """
    if opened is None:
        return {"opened": None}
    first, last = wanted.days()
    of_month = first <= opened <= last
    of_it = found.filter(date=opened) if of_month else _found(request, wanted, opened, opened)
    page = _page(request, of_it)
    of_day = [one for one in sums if one.date == opened]
    return {
        "opened": opened,
        "opened_name": reader().long_day(opened),
        "opened_rows": rows_of(page.rows, staff=is_staff(request.actor)),
        "opened_sums": kind_sums(of_day),
        "page": page,
    }


def _page(request: ActorRequest, found: Any) -> paging.Page[Any]:
    """Return the page of entries that the address names. One statement."""
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    return paging.page_of(found, IN_ORDER, after=after, before=before)


def _heading(wanted: Asked) -> str:
    if wanted.view == "year":
        return str(wanted.month.year)
    if wanted.view == "agenda":
        return _("from %(day)s") % {"day": date_text(wanted.since)}
    return reader().month(wanted.month)


def _steps_from(wanted: Asked) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return what addresses of the time before and the time after say."""
    if wanted.view == "year":
        years = (wanted.month.year - 1, wanted.month.year + 1)
        one, two = ({"year": str(year), "month": None, "day": None} for year in years)
        return one, two
    months = (wanted.month - timedelta(days=1), wanted.month_end + timedelta(days=1))
    one, two = ({"month": f"{day:%Y-%m}", "year": None, "day": None} for day in months)
    return one, two


def _chips(wanted: Asked, query: QueryDict) -> list[Chip]:
    address, chips = Address(query), []
    if wanted.within_name:
        # The top bar says which account; a name that leads nowhere would stand here.
        label = _("This account alone") if wanted.only else _("This account and below")
        chips.append(Chip(label, address.url(**{"in": None, "only": None})))
    for kind in wanted.kinds:
        chips.append(Chip(str(KINDS[kind].plural), address.without_kind(kind)))
    if wanted.least:
        label = _("from %(amount)s") % {"amount": wanted.least}
        chips.append(Chip(label, address.url(least=None)))
    return chips


def _as_of(request: ActorRequest, freshness: Freshness) -> str:
    if freshness.as_of is None:
        return ""
    return reader().instant(timezone.localtime(freshness.as_of)) + f" ({request.tenant.time_zone})"


def _nothing(address: Address, wanted: Asked, nearest: date | None) -> dict[str, Any]:
    """Return what stands where nothing falls on the days: the nearest on which something does."""
    if nearest is None:
        return {"nearest_url": "", "nearest_name": ""}
    changes: dict[str, str | None] = {"month": f"{nearest:%Y-%m}", "year": None, "day": None}
    if wanted.view == "year":
        changes = {"year": str(nearest.year), "month": None, "day": None}
    return {"nearest_url": address.url(**changes), "nearest_name": reader().long_day(nearest)}
