"""What an alignment makes of subscriptions, as a page shows it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.urls import reverse
from django.utils.dates import MONTHS_3
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenancy.formats import date_text
from tenancy.ids import key_of
from web.accounts import account_url
from web.templatetags.figures import money, quantity

METHODS: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "short": (
        gettext_lazy("Short first period"),
        gettext_lazy("The days up to the date are charged for themselves when they begin."),
    ),
    "long": (
        gettext_lazy("Long first period"),
        gettext_lazy("The days up to the date are charged together with the first full period."),
    ),
    "free": (
        gettext_lazy("Free until then"),
        gettext_lazy("The days up to the date are not charged."),
    ),
    "rebill": (
        gettext_lazy("Credit and charge anew"),
        gettext_lazy(
            "What runs beyond the date ends on it: the rest that is charged already is credited,"
            " and a full period is charged from the date on. What ends before the date is charged"
            " for the days up to it."
        ),
    ),
}
_MOST_MONTHS: Final = 24


@dataclass(frozen=True, slots=True)
class AlignedRow:
    """A subscription whose periods come to begin on other days."""

    name: str
    url: str
    account: str
    account_url: str
    old: str
    new: str
    days: str
    amount: str


@dataclass(frozen=True, slots=True)
class LeftRow:
    """A subscription that stays as it is, and why."""

    name: str
    url: str
    account: str
    why: str


@dataclass(frozen=True, slots=True)
class Month:
    """How many renew next in a month, before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AlignedShown:
    """Everything that a page says of an alignment."""

    sentence: str
    method: str
    totals_title: str
    rows: Sequence[AlignedRow]
    more_rows: int
    left: Sequence[LeftRow]
    more_left: int
    totals: Sequence[tuple[str, str, str]]
    months: Sequence[Month]
    already: str


def aligned_of(preview: Mapping[str, Any]) -> AlignedShown | None:
    """Return what a page says of the alignment in a preview, None where there is none."""
    found = preview.get("alignment")
    if not found:
        return None
    count = found["subscriptions"]
    text = ngettext(
        "%(count)s subscription gets another renewal date.",
        "%(count)s subscriptions get another renewal date.",
        count,
    )
    already = found["aligned_already"]
    same = ngettext("%(count)s renews on it already.", "%(count)s renew on it already.", already)
    return AlignedShown(
        sentence=text % {"count": quantity(count)},
        method=str(METHODS[found["method"]][1]),
        totals_title=_("Charged for the days up to the date, less what is credited")
        if found["method"] == "rebill"
        else _("Charged for the days up to the date"),
        rows=[_row(row) for row in found["rows"]],
        more_rows=found["more_rows"],
        left=[_left(row) for row in found["left"]],
        more_left=found["more_left"],
        totals=[_total(row) for row in found["totals"]],
        months=[*months_of(found["before"], found["after"])],
        already=same % {"count": quantity(already)} if already else "",
    )


def _row(row: Mapping[str, Any]) -> AlignedRow:
    days = _("%(days)s of %(full)s")
    return AlignedRow(
        name=row["name"],
        url=reverse("subscriptions:page", args=[row["subscription"]]),
        account=row["account"]["name"],
        account_url=account_url(key_of("acc", row["account"]["id"])),
        old=_day(row["old_date"]),
        new=_day(row["new_date"]),
        days=days % {"days": quantity(row["days"]), "full": row["full_days"]}
        if row["days"]
        else "–",
        amount=money(row["amount_minor"], row["currency"]) if row["amount_minor"] else "–",
    )


_WHY: Final[Mapping[str, Promise]] = {
    "own_interval": gettext_lazy("It is charged by days or weeks and keeps its own periods."),
    "ends": gettext_lazy("It ends on %(day)s, before the first full period begins."),
    "own_recipient": gettext_lazy(
        "It has a recipient of its own whose invoices are paid here, but those of its account are"
        " not: it keeps the date of its account."
    ),
    "too_many_periods": gettext_lazy("Too many of its periods are not charged yet."),
    "outside_calendar": gettext_lazy("Its periods lie beyond the calendar."),
}


def _left(row: Mapping[str, Any]) -> LeftRow:
    day = _day(row["day"]) if row["day"] else ""
    return LeftRow(
        name=row["name"],
        url=reverse("subscriptions:page", args=[row["subscription"]]),
        account=row["account"]["name"],
        why=str(_WHY[row["code"]]) % {"day": day},
    )


def _total(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return who pays, how many subscriptions that is about, and how much it is."""
    count = row["subscriptions"]
    text = ngettext("%(count)s subscription", "%(count)s subscriptions", count)
    return (
        row["payer"]["name"],
        text % {"count": quantity(count)},
        money(row["amount_minor"], row["currency"]),
    )


def months_of(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Month]:
    """Yield the months from the first renewal to the last, at most two years."""
    known = sorted({*before, *after})
    if not known:
        return
    first, last = (_number(one) for one in (known[0], known[-1]))
    shown: Callable[[int | None], str] = lambda count: quantity(count) if count else "·"  # noqa: E731
    for number in range(first, min(last, first + _MOST_MONTHS - 1) + 1):
        year, month = divmod(number, 12)
        key = f"{year:04}-{month + 1:02}"
        label = _("%(month)s %(year)s") % {"month": MONTHS_3[month + 1], "year": year % 100}
        yield Month(str(label), shown(before.get(key)), shown(after.get(key)))


def _number(text: str) -> int:
    year, _dash, month = text.partition("-")
    return int(year) * 12 + int(month) - 1


def _day(text: str) -> str:
    return date_text(date.fromisoformat(text))
