"""The phases of a subscription: tried, running at a price, paused, ended; past and to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from billing_rules.subscription_states import State
from billing_rules.timelines import Stretch
from subscriptions.models import Subscription, Uncharged
from subscriptions.queries.terms import ItemTerms
from tenancy.formats import date_text
from web.charts.phases import Phase, joined_phases, phase_bar
from web.prices import STATES
from web.templatetags.figures import money

_LEAST_AHEAD: Final = timedelta(days=60)
Timelines = Mapping[UUID, Sequence[Stretch[ItemTerms]]]


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """A phase in words; the last one has no end as long as nobody sets one."""

    since: str
    label: str
    tone: str
    is_now: bool


def phases_of(
    found: Subscription, terms: Timelines, today: date, currency: str
) -> dict[str, Any] | None:
    """Return bar and words of the phases of a subscription, None where it has only one.

    Args:
        found: with its items as of a day.
        terms: of those items whose terms change.
        today: is marked.
        currency: of its prices.
    """
    days = _days(found, terms)
    far = max(days[-1], today) + max(_LEAST_AHEAD, (max(days[-1], today) - days[0]) / 4)
    phases = joined_phases(
        _phase(found, terms, (start, end), currency)
        for start, end in zip(days, [*days[1:], far], strict=True)
        if start != found.end_date
    )
    if len(phases) < 2 and found.end_date is None:
        return None
    rows = [
        PhaseRow(date_text(one.start), one.label, one.tone, one.start <= today < one.end)
        for one in phases
    ]
    if found.end_date is not None:
        word, tone = STATES[State.CANCELLED]
        is_over = found.end_date <= today
        rows.append(PhaseRow(date_text(found.end_date), str(word), tone or "quiet", is_over))
    return {"bar": phase_bar(phases, today, _("Phases of the subscription")), "rows": rows}


def _days(found: Subscription, terms: Timelines) -> list[date]:
    """Return the days on which a phase begins, the end included."""
    days = {found.start_date, *(one.start for some in terms.values() for one in some)}
    days |= {day for day in (found.trial_end, found.end_date) if day is not None}
    return sorted(day for day in days if found.end_date is None or day <= found.end_date)


def _phase(found: Subscription, terms: Timelines, days: tuple[date, date], currency: str) -> Phase:
    start, end = days
    if found.trial_end is not None and start < found.trial_end:
        word, tone = STATES[State.TRIALING]
        return Phase(start, end, tone, str(word))
    held = [one.value for timeline in terms.values() for one in timeline if one.holds_on(start)]
    fixed = [item for item in found.agreed if item.pk not in terms]
    reasons = [one.uncharged for one in held] + [item.uncharged for item in fixed]
    if Uncharged.PAUSED in reasons:
        word, tone = STATES[State.PAUSED]
        return Phase(start, end, tone, str(word))
    monthly = sum(one.monthly_minor for one in held) + sum(int(one.monthly_minor) for one in fixed)
    label = _("%(amount)s in a month") % {"amount": money(monthly, currency)}
    return Phase(start, end, "ok", label)
