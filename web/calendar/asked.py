"""What the address of a calendar asks for: which view, which days, of whom and of what."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.http import QueryDict

from accounts.queries.accounts import get_account, resolve_reference
from billing_rules.money import exponent
from billing_rules.searching import amount_in
from reports.declarations import Kind
from reports.queries.calendar import MOST_DAYS
from tenancy.actor import Actor
from tenancy.ids import parse_public_id, public_id
from web.list_pages import UnknownFilter, day_of

VIEWS: Final = ("month", "agenda", "year")
_FIRST_YEAR, _LAST_YEAR = 1900, 9998
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes:
        view: one of ``VIEWS``; ``is_chosen`` where the reader chose it.
        month: the first day of the month that is shown.
        since: the first day of the agenda: today, unless a month was named.
        day: the day that is opened, None for the next on which something falls.
        within, within_name: whose calendar it is; None for all in reach.
        only: of that account alone.
        kinds: only of these; empty for all.
        least, least_minor: only from this amount on, as written and in minor units.
    """

    view: str
    is_chosen: bool
    month: date
    since: date
    day: date | None
    within: UUID | None
    within_name: str
    only: bool
    kinds: tuple[Kind, ...]
    least: str
    least_minor: int | None

    @property
    def within_id(self) -> str:
        """The id of the account, as the address carries it."""
        return public_id("acc", self.within) if self.within else ""

    @property
    def is_narrowed(self) -> bool:
        """Whether something may be left out."""
        return bool(self.within or self.kinds or self.least)

    @property
    def month_end(self) -> date:
        """The last day of the month."""
        return self.month.replace(day=monthrange(self.month.year, self.month.month)[1])

    def days(self) -> tuple[date, date]:
        """Return the first and the last day that the view shows."""
        if self.view == "year":
            return self.month.replace(month=1), self.month.replace(month=12, day=31)
        if self.view == "agenda":
            return self.since, min(self.since + timedelta(days=MOST_DAYS - 1), date.max)
        return self.month, self.month_end

    def grid(self) -> tuple[date, date]:
        """Return the Monday before and the Sunday behind the month."""
        first = self.month - timedelta(days=self.month.weekday())
        return first, self.month_end + timedelta(days=_WEEK - 1 - self.month_end.weekday())


def asked(actor: Actor, query: QueryDict, *, today: date, currency: str) -> Asked:
    """Read what an address asks for. One or two statements where it names an account.

    Raises:
        UnknownFilter: a kind, an amount or a day is none.
        NotFound: the account is out of sight.
    """
    view, day = query.get("view", ""), day_of(query, "day")
    within, name = _within(actor, query.get("in", "").strip())
    least = query.get("least", "").strip()
    month = _month(query, day or today)
    return Asked(
        view=view if view in VIEWS else VIEWS[0],
        is_chosen=view in VIEWS,
        month=month,
        since=month if query.get("month") or query.get("year") else day or today,
        day=day,
        within=within,
        within_name=name,
        only=within is not None and query.get("only") == "1",
        kinds=_kinds(query),
        least=least,
        least_minor=_minor(least, currency) if least else None,
    )


def _within(actor: Actor, text: str) -> tuple[UUID | None, str]:
    if not text:
        return None, ""
    key = parse_public_id("acc", text)
    if key is None:
        key = resolve_reference(actor, f"ext:{text}")
    account = get_account(actor, key)
    return account.pk, account.name


def _month(query: QueryDict, usual: date) -> date:
    """Return the first day of the month or the year that is named, else of ``usual``.

    Raises:
        UnknownFilter: it is written otherwise than ``2026-12`` or ``2026``.
    """
    if text := query.get("month", ""):
        if len(text) != len("2026-12"):
            raise UnknownFilter(value=text[:100])
        return _first(text, f"{text}-01")
    if text := query.get("year", ""):
        return _first(text, f"{text}-01-01")
    return _first(usual.isoformat(), usual.replace(day=1).isoformat())


def _first(text: str, day: str) -> date:
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise UnknownFilter(value=text[:100]) from error
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise UnknownFilter(value=text[:100])
    return found


def _kinds(query: QueryDict) -> tuple[Kind, ...]:
    names = [name for value in query.getlist("kinds") for name in value.split(",") if name]
    for name in names:
        if name not in set(Kind):
            raise UnknownFilter(value=name[:100])
    return tuple(Kind(name) for name in dict.fromkeys(names))


def _minor(text: str, currency: str) -> int:
    """Return an amount as people write it in minor units.

    Raises:
        UnknownFilter: it is none.
    """
    found = amount_in(text)
    if found is None:
        raise UnknownFilter(value=text[:100])
    return int(Decimal(found).scaleb(exponent(currency)))
