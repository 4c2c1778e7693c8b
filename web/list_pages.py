"""What all lists have around their table: chips, and the file that holds what is shown."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.middleware import ActorRequest
from tenancy.errors import Invalid
from tenancy.formats import date_text, reader
from web.tables import State, Table, Totals
from web.tables.exports import About, export


class UnknownFilter(Invalid):
    """A filter that means nothing: leaving it out would show or save more than was asked for."""

    code = "unknown_filter"
    message = gettext_lazy("“%(value)s” is nothing to filter by. Nothing was listed or saved.")


class UnknownAccount(UnknownFilter):
    """A list of an account that is not there."""

    code = "unknown_account"
    message = gettext_lazy(
        "There is no account with the external ID “%(value)s”. Nothing was listed or saved."
    )


def one_of(query: QueryDict, name: str, known: Container[str]) -> str:
    """Return a filter's value, empty where it is left out.

    Raises:
        UnknownFilter: the value is none of the known ones.
    """
    value = query.get(name, "")
    if value and value not in known:
        raise UnknownFilter(value=value[:100])
    return value


def day_of(query: QueryDict, name: str) -> date | None:
    """Return the date that a filter names, None where it is left out.

    Raises:
        UnknownFilter: it is no date written YYYY-MM-DD.
    """
    if not (value := query.get(name, "")):
        return None
    try:
        return date.fromisoformat(value if len(value) == len("2026-12-01") else "")
    except ValueError as error:
        raise UnknownFilter(value=value[:100]) from error


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, and the address without it."""

    label: str
    url: str


def save(
    request: ActorRequest,
    wanted: str,
    table: Table[Any],
    state: State,
    batches: Iterable[Sequence[Any]],
    totals: Totals,
    filters: Iterable[str],
    *,
    owner: str = "",
    rows: str = "",
    day: date | None = None,
) -> HttpResponseBase:
    """Return a list as a file: its columns and its order, and what it holds on a second sheet.

    Args:
        request: who asks.
        wanted: ``csv`` or ``xlsx``.
        table: the table.
        state: its order and columns.
        batches: all rows, some at a time.
        totals: their sums.
        filters: what they were filtered by, in words.
        owner: whose the rows are, where not the whole company's.
        rows: what the rows are, where the list has several kinds.
        day: of which day it is, where not of today.
    """
    day = day or request.actor.today
    made = reader().time(timezone.localtime())
    facts = [
        (_("Company"), request.tenant.name),
        (_("Filters"), ", ".join(filters) or _("none")),
        *([(_("Rows"), rows)] if rows else []),
        (_("As of"), date_text(day)),
        (_("Exported at"), f"{made} ({request.tenant.time_zone})"),
        (_("Exported by"), request.actor.label),
    ]
    about = About(owner or request.tenant.slug, rows or str(table.title), day, facts)
    return export(wanted, table.chosen(state), batches, totals, about)
