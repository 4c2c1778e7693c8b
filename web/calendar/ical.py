"""A feed as calendar programs read it: RFC 5545, one all-day event for each real date.

No repetitions: a rule for the 31st would skip the short months, in most programs silently. The end
of an all-day event is the day behind it. What is gone is told as cancelled, with a higher sequence.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import override
from icalendar import Calendar, Event

from reports.declarations import KINDS, Kind
from reports.models import CalendarFeed, ToldEvent
from reports.operations.feeds import Fed
from tenancy.formats import reader

_EVERY: Final = "PT6H"


def calendar_file(fed: Fed, *, name: str, url_of: Callable[[ToldEvent], str]) -> bytes:
    """Return what a calendar program is sent.

    Args:
        fed: what is told.
        name: what programs call the calendar.
        url_of: the address of the page behind an event.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Billing hierarchy//Billing calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-published-ttl", _EVERY)
    calendar.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    with override(fed.feed.language):
        for told in fed.events:
            calendar.add_component(_event(fed.feed, told, url_of(told)))
    written: bytes = calendar.to_ical()
    return written


def _event(feed: CalendarFeed, told: ToldEvent, url: str) -> Event:
    kind = KINDS[Kind(told.content["kind"])]
    title, amount = told.content["title"], told.content["amount_minor"]
    if amount is not None:
        written = reader().money(amount, told.content["currency"])
        title = _("%(title)s, %(amount)s") % {"title": title, "amount": written}
    event = Event()
    event.add("uid", _uid(feed, told))
    event.add("dtstamp", told.changed_at.astimezone(UTC))
    event.add("last-modified", told.changed_at.astimezone(UTC))
    event.add("sequence", told.sequence)
    event.add("dtstart", told.date)
    event.add("dtend", told.date + timedelta(days=1))
    event.add("summary", title)
    event.add("categories", [str(kind.label)])
    event.add("url", url)
    event.add("transp", "TRANSPARENT")
    event.add("status", "CANCELLED" if told.is_cancelled else "CONFIRMED")
    return event


def _uid(feed: CalendarFeed, told: ToldEvent) -> str:
    """Return what an event is called for ever, also under another secret address."""
    return hashlib.sha256(f"{feed.pk}:{told.key}".encode()).hexdigest()[:40] + "@billing-calendar"
