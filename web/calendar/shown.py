"""A calendar as its template draws it: weeks, an agenda, and a year in squares."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from reports.declarations import KINDS, Kind
from reports.queries.calendar import DaySum
from tenancy.formats import reader
from web.calendar.entries import EntryRow
from web.templatetags.figures import money, quantity

_SHOWN_PER_DAY: Final = 3
_STEPS: Final = 4
_DAYS: Final = 31
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a day: a kind with how many there are, or the one entry that there is."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day of the month's grid; ``more`` is how many kinds are not shown."""

    day: date
    url: str
    label: str
    is_outside: bool
    is_today: bool
    is_open: bool
    marks: tuple[Mark, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A day of the year: ``step`` is how much falls on it, 0 for nothing and at most 4."""

    url: str
    label: str
    text: str
    step: int
    is_today: bool


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A month of the year; the cells behind its last day are None."""

    label: str
    url: str
    cells: tuple[HeatCell | None, ...]


@dataclass(frozen=True, slots=True)
class KindSum:
    """What the entries of one kind come to, in each currency."""

    label: str
    tone: str
    icon: str
    count: str
    amounts: tuple[str, ...] = ()


@dataclass(slots=True)
class AgendaDay:
    """A day with what falls on it."""

    day: date
    label: str
    is_today: bool
    rows: list[EntryRow] = field(default_factory=list)


def weeks_of(
    grid: tuple[date, date],
    month: date,
    sums: Iterable[DaySum],
    entries: Iterable[EntryRow],
    *,
    today: date,
    opened: date | None,
    url_of: Callable[[date], str],
) -> list[list[DayCell]]:
    """Return the weeks of a month, from Monday to Sunday.

    Args:
        grid: the first and the last day that are drawn.
        month: its first day.
        sums: what falls on its days.
        entries: all entries of the month where there are few, else none: then kinds are counted.
        today: the tenant's day.
        opened: the day beside the grid.
        url_of: the address that opens a day.
    """
    by_day, of_day = _by_day(sums), defaultdict(list)
    for entry in entries:
        of_day[entry.date].append(entry)
    first, last = grid
    cells = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        marks = _marks(by_day.get(day, ()), of_day.get(day, ()))
        hidden = len(marks) - _SHOWN_PER_DAY
        cells.append(
            DayCell(
                day=day,
                url=url_of(day),
                label=_said(day, by_day.get(day, ())),
                is_outside=day.month != month.month,
                is_today=day == today,
                is_open=day == opened,
                marks=tuple(marks[:_SHOWN_PER_DAY]),
                more=quantity(hidden) if hidden > 0 else "",
            )
        )
    return [cells[start : start + _WEEK] for start in range(0, len(cells), _WEEK)]


def year_of(
    year: int,
    sums: Iterable[DaySum],
    *,
    today: date,
    currency: str,
    by_amount: bool,
    url_of: Callable[[date], str],
    month_url_of: Callable[[date], str],
) -> list[HeatRow]:
    """Return the months of a year, each day as a square.

    Args:
        year: which.
        sums: what falls on its days.
        today: the tenant's day.
        currency: that of which amounts are told.
        by_amount: whether a square says what is invoiced on the day, not how much falls on it.
        url_of: the address that opens a day.
        month_url_of: the address of a month.
    """
    by_day = _by_day(sums)
    values = {day: _value(some, currency, by_amount=by_amount) for day, some in by_day.items()}
    most = max(values.values(), default=0)
    rows = []
    for month, name in enumerate(reader().months(), start=1):
        first = date(year, month, 1)
        cells: list[HeatCell | None] = []
        for number in range(_DAYS):
            day = first + timedelta(days=number)
            if day.month != month:
                cells.append(None)
                continue
            value = values.get(day, 0)
            said = _said(day, by_day.get(day, ()))
            cells.append(
                HeatCell(
                    url=url_of(day),
                    label=f"{said}: {money(value, currency)}" if by_amount and value else said,
                    text="" if by_amount or not value else quantity(value),
                    step=-(-value * _STEPS // most) if most and value > 0 else 0,
                    is_today=day == today,
                )
            )
        rows.append(HeatRow(name, month_url_of(first), tuple(cells)))
    return rows


def agenda_of(rows: Iterable[EntryRow], today: date) -> list[AgendaDay]:
    """Return entries by their days, in the order in which they come."""
    found: list[AgendaDay] = []
    for row in rows:
        if not found or found[-1].day != row.date:
            found.append(AgendaDay(row.date, reader().long_day(row.date), row.date == today))
        found[-1].rows.append(row)
    return found


def kind_sums(sums: Iterable[DaySum]) -> list[KindSum]:
    """Return what each kind comes to, in each currency by itself: they are never added up."""
    counts: dict[Kind, int] = defaultdict(int)
    amounts: dict[Kind, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in sums:
        counts[one.kind] += one.count
        if one.currency:
            amounts[one.kind][one.currency] += one.amount_minor
    return [
        KindSum(
            str(KINDS[kind].plural),
            KINDS[kind].tone,
            KINDS[kind].icon,
            quantity(counts[kind]),
            tuple(money(minor, code) for code, minor in sorted(amounts[kind].items())),
        )
        for kind in KINDS
        if kind in counts
    ]


def count_of(sums: Iterable[DaySum]) -> int:
    """Return how many entries there are."""
    return sum(one.count for one in sums)


def _marks(sums: Sequence[DaySum], entries: Sequence[EntryRow]) -> list[Mark]:
    """Return the lines of a day: its entries if it has few, else its kinds with their number."""
    if entries and len(entries) <= _SHOWN_PER_DAY:
        return [Mark(f"{row.label} · {row.account_name}", row.tone, row.icon) for row in entries]
    counts: dict[Kind, int] = defaultdict(int)
    for one in sums:
        counts[one.kind] += one.count
    names = {row.kind: row.account_name for row in entries}
    marks = []
    for kind in KINDS:
        if kind not in counts:
            continue
        declared = KINDS[kind]
        is_one = counts[kind] == 1
        second = names.get(kind, quantity(1)) if is_one else quantity(counts[kind])
        label = declared.label if is_one else declared.plural
        marks.append(Mark(f"{label} · {second}", declared.tone, declared.icon))
    return marks


def _said(day: date, sums: Sequence[DaySum]) -> str:
    """Return a day and what falls on it, as it is read aloud."""
    counts: dict[Kind, int] = defaultdict(int)
    for one in sums:
        counts[one.kind] += one.count
    told = [
        f"{KINDS[kind].label if count == 1 else KINDS[kind].plural} {quantity(count)}"
        for kind, count in counts.items()
    ]
    return "; ".join([reader().long_day(day), *told])


def _value(sums: Sequence[DaySum], currency: str, *, by_amount: bool) -> int:
    if not by_amount:
        return count_of(sums)
    return sum(
        one.amount_minor for one in sums if one.kind is Kind.INVOICE and one.currency == currency
    )


def _by_day(sums: Iterable[DaySum]) -> Mapping[date, list[DaySum]]:
    found: dict[date, list[DaySum]] = defaultdict(list)
    for one in sums:
        found[one.date].append(one)
    return found
