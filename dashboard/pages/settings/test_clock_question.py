"""What a move of the test clock would bring, asked before it is made."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.middleware import ActorRequest
from dashboard.pages.runs.preview import accounts_text, lines_text, sums_text
from invoicing.models import ChangePlan
from invoicing.operations.clock_preview import ClockPreview, preview_clock_move
from invoicing.queries.clock_events import PlansDue
from reports.declarations import KINDS, Kind
from reports.operations.forecasts import refresh_calendar
from reports.queries.calendar import calendar_entries, day_sums
from tenancy.formats import date_text
from web.templatetags.figures import quantity

_ALSO: Final = (
    Kind.RENEWAL, Kind.TERM, Kind.TRIAL_END, Kind.END, Kind.PAUSE, Kind.PRICE_CHANGE,
)  # fmt: skip
FAR_DAYS: Final = 62
"""Further ahead more than the next periods fall due, and the figures are an estimate."""


@dataclass(frozen=True, slots=True)
class Question:
    """A move that somebody has to confirm: the day, and what is known of it beforehand."""

    to: str
    title: str
    sentences: tuple[str, ...]


def question_of(request: ActorRequest, start: date, to: date) -> Question:
    """Return what moving the clock from a day to another would bring.

    The figures are those of one run on the last day, as the page of a new run shows them; of many
    customers those that could be counted in two seconds. What else falls on the days the billing
    calendar says, where it is up to date. Nothing of the move is locked or stored.
    """
    days = (to - start).days
    title = ngettext(
        "Move the clock by %(days)s day, to %(date)s?",
        "Move the clock by %(days)s days, to %(date)s?",
        days,
    ) % {"days": quantity(days), "date": date_text(to)}
    move = preview_clock_move(request.actor, to_date=to, tenant=request.tenant, now=timezone.now())
    also = _also(request, start, to)
    return Question(to.isoformat(), title, (*_sentences(move), *([also] if also else [])))


def _also(request: ActorRequest, start: date, to: date) -> str:
    """Return what else the calendar has on the days: renewals, ends, other prices.

    Empty where nothing falls on them, the calendar is being made, or does not go so far.
    """
    actor = request.actor
    fresh = refresh_calendar(
        actor, None, tenant=request.tenant, today=actor.today, now=timezone.now()
    )
    until = fresh.complete_until
    if fresh.is_being_made or until is None or to > until:
        return ""
    first = start + timedelta(days=1)
    found = calendar_entries(actor, first=first, last=to, kinds=_ALSO)
    counts = Counter[Kind]()
    for one in day_sums(found):
        counts[one.kind] += one.count
    said = [f"{KINDS[kind].plural}: {quantity(counts[kind])}" for kind in _ALSO if counts[kind]]
    return _("The calendar also has: %(list)s.") % {"list": " · ".join(said)} if said else ""


def _sentences(move: ClockPreview) -> Iterator[str]:
    found, dates = move.found, move.run_dates
    if move.plans.count:
        yield _plans(move.plans)
    if dates:
        yield ngettext(
            "%(count)s billing run is made, on %(first)s.",
            "%(count)s billing runs are made, the first on %(first)s, the last on %(last)s: one on"
            " each day with something due.",
            len(dates),
        ) % {
            "count": quantity(len(dates)),
            "first": date_text(dates[0]),
            "last": date_text(dates[-1]),
        }
    elif found.is_whole and not found.too_large:
        yield _("Nothing falls due until then: no run is made and no invoice issued.")
        return
    if found.documents:
        yield ngettext(
            "%(lines)s for %(accounts)s are issued on at least %(count)s invoice, %(sums)s net.",
            "%(lines)s for %(accounts)s are issued on at least %(count)s invoices, %(sums)s net.",
            found.documents,
        ) % {
            "lines": lines_text(found.lines),
            "accounts": accounts_text(found.accounts),
            "count": quantity(found.documents),
            "sums": sums_text(found.net_minor),
        }
    if found.held:
        yield ngettext(
            "%(count)s line waits; the run says for what.",
            "%(count)s lines wait; the run says for what.",
            found.held,
        ) % {"count": quantity(found.held)}
    if not found.is_whole:
        yield _("Counted so far: %(done)s of %(total)s customers.") % {
            "done": quantity(found.done),
            "total": quantity(found.trees),
        }
    if found.too_large:
        yield _("Customers that are too large to be counted while you wait are left out.")
    if move.days > FAR_DAYS:
        yield _("So far ahead this is an estimate: settings and prices of later days may differ.")


def _plans(plans: PlansDue) -> str:
    """Return which change plans are carried out on the way."""
    return ngettext(
        "%(count)s change plan is carried out: on %(first)s, %(kind)s of %(account)s.",
        "%(count)s change plans are carried out, the first on %(first)s: %(kind)s of %(account)s.",
        plans.count,
    ) % {
        "count": quantity(plans.count),
        "first": date_text(plans.first[0].effective_date),
        "kind": ChangePlan.Kind(plans.first[0].kind).label,
        "account": plans.first[0].account.name,
    }
