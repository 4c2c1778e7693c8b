"""What all lists have around their table: chips, and the file that holds what is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.middleware import ActorRequest
from dashboard.tables import State, Table, Totals
from dashboard.tables.exports import About, export
from dashboard.templatetags.figures import date_text


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
    """
    made = timezone.localtime().strftime("%H:%M")
    facts = [
        (_("Company"), request.tenant.name),
        (_("Filters"), ", ".join(filters) or _("none")),
        *([(_("Rows"), rows)] if rows else []),
        (_("As of"), date_text(request.actor.today)),
        (_("Exported at"), f"{made} ({request.tenant.time_zone})"),
        (_("Exported by"), request.actor.label),
    ]
    about = About(
        owner or request.tenant.slug, rows or str(table.title), request.actor.today, facts
    )
    return export(wanted, table.chosen(state), batches, totals, about)
