"""What a list of invoices is filtered by: from the address, as chips, in words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.queries import accounts
from billing_rules.invoice_states import ASKED_FOR, last_overdue_day, last_soon_day
from billing_rules.money import is_currency
from invoicing.queries.runs import get_run
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.formats import date_text
from tenancy.ids import key_of, parse_public_id, public_id
from web.badges import state_word
from web.frame import is_staff
from web.list_pages import Chip, UnknownFilter, day_of, one_of
from web.tables import State

MONTH: Final = timedelta(days=30)
DUE_WINDOWS: Final[dict[str, Promise]] = {
    "week": gettext_lazy("In the next 7 days"),
    "month": gettext_lazy("In the next 30 days"),
    "late": gettext_lazy("Overdue"),
    "very_late": gettext_lazy("Overdue for more than 30 days"),
}
_WITHIN: Final = ("in", "only")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for.

    ``unknown_account`` is what was written for an account where there is none of that name.
    """

    within: UUID | None = None
    only: bool = False
    within_name: str = ""
    unknown_account: str = ""
    currency: str | None = None
    text: str = ""
    status: str | None = None
    run: UUID | None = None
    run_date: date | None = None
    due: str = ""
    due_from: date | None = None
    due_to: date | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether something beside the status may leave out what is there."""
        return bool(
            self.within
            or self.unknown_account
            or self.currency
            or self.text
            or self.run
            or self.due
            or self.due_from
            or self.due_to
        )

    @property
    def within_id(self) -> str:
        """The id of the account as the address carries it."""
        return public_id("acc", self.within) if self.within else ""

    def as_query(self, *, today: date) -> dict[str, Any]:
        """Return the arguments of the query, the status aside."""
        return {
            "within": self.within,
            "only": self.only,
            "currency": self.currency,
            "text": self.text or None,
            "run": self.run,
            "today": today,
            **self._due(today),
        }

    def _due(self, today: date) -> dict[str, Any]:
        starts, ends = [self.due_from], [self.due_to]
        if self.due in {"week", "month"}:
            starts.append(today)
            ends.append(last_soon_day(today) if self.due == "week" else today + MONTH)
        elif self.due:
            late = last_overdue_day(today)
            ends.append(late - MONTH if self.due == "very_late" else late)
        return {
            "due_from": max((day for day in starts if day), default=None),
            "due_to": min((day for day in ends if day), default=None),
            "is_unpaid": bool(self.due),
        }


def filters_of(actor: Actor, query: QueryDict) -> Filters:
    """Read the filters. One statement for an account, one for a run.

    Raises:
        UnknownFilter: a status, currency, date or window that is none.
        NotFound: the account or the run that an id names is out of sight.
    """
    currency = query.get("currency", "").upper()
    if currency and not is_currency(currency):
        raise UnknownFilter(value=currency[:100])
    filters = Filters(
        only=one_of(query, "only", {"1"}) == "1",
        currency=currency or None,
        text=query.get("q", "").strip()[:200],
        status=one_of(query, "status", ASKED_FOR) or None,
        due=one_of(query, "due", DUE_WINDOWS),
        due_from=day_of(query, "from"),
        due_to=day_of(query, "to"),
    )
    return _with_run(actor, _with_account(actor, filters, query.get("in", "")), query)


def _with_account(actor: Actor, filters: Filters, named: str) -> Filters:
    """Add the account; what is no id is the external id that somebody typed."""
    if not named:
        return filters
    key = parse_public_id("acc", named)
    if key is None and named.startswith("acc_"):
        raise NotFound
    try:
        key = key or accounts.resolve_reference(actor, f"ext:{named.removeprefix('ext:')}")
    except NotFound:
        return replace(filters, unknown_account=named[:100])
    account = accounts.get_account(actor, key)
    return replace(filters, within=account.pk, within_name=account.name)


def _with_run(actor: Actor, filters: Filters, query: QueryDict) -> Filters:
    """Add the run, for the staff: customers know of no runs."""
    if not (named := query.get("run", "")) or not is_staff(actor):
        return filters
    run = get_run(actor, key_of("run", named))
    return replace(filters, run=run.pk, run_date=run.date)


def chips_of(filters: Filters, state: State) -> list[Chip]:
    """Return a chip for each filter that is on, the status aside."""
    return [Chip(label, state.url(**dict.fromkeys(names))) for label, *names in _in_words(filters)]


def _in_words(filters: Filters) -> Iterator[tuple[str, ...]]:
    """Yield each filter as a sentence, and what it is called in the address."""
    if filters.within_name:
        name = {"name": filters.within_name}
        alone, below = _("Account: %(name)s alone"), _("Account: %(name)s and below")
        yield (alone if filters.only else below) % name, *_WITHIN
    if filters.run_date:
        yield _("Run: %(date)s") % {"date": date_text(filters.run_date)}, "run"
    if filters.currency:
        yield _("Currency: %(currency)s") % {"currency": filters.currency}, "currency"
    if filters.due:
        yield _("Due: %(when)s") % {"when": DUE_WINDOWS[filters.due]}, "due"
    if filters.due_from:
        yield _("Due from %(date)s") % {"date": date_text(filters.due_from)}, "from"
    if filters.due_to:
        yield _("Due until %(date)s") % {"date": date_text(filters.due_to)}, "to"
    if filters.text:
        yield _("Search: %(text)s") % {"text": filters.text}, "q"


def in_words(filters: Filters) -> list[str]:
    """Return all filters as sentences, the status first."""
    words = [label for label, *_names in _in_words(filters)]
    if filters.status is None:
        return words
    status = _("Status: %(status)s") % {"status": state_word(filters.status)}
    return [status, *words]
