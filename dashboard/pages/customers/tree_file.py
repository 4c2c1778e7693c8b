"""A tree as a file: all of it, each row with its level and its path."""

from collections.abc import Iterator, Sequence

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.middleware import ActorRequest
from dashboard.pages.customers.tree_reading import Tree, entries
from dashboard.pages.customers.tree_table import FILE_COLUMNS, Entry
from tenancy.formats import date_text, reader
from web.tables import Amounts, Column, Kind
from web.tables.exports import About, export


def save_tree(
    request: ActorRequest, wanted: str, tree: Tree, columns: Sequence[Column[Entry]]
) -> HttpResponseBase:
    """Return a tree as a file, whatever of it is open on the page.

    Args:
        request: who asks.
        wanted: ``csv`` or ``xlsx``.
        tree: the tree.
        columns: those that are shown.
    """
    main = request.tenant.currency
    found = entries(tree, tree.whole().rows, main)
    money = [column for column in columns if column.kind == Kind.MONEY]
    totals = {column.key: Amounts(_currencies(column, found), main) for column in money}
    made = reader().time(timezone.localtime())
    facts = [
        (_("Company"), request.tenant.name),
        (_("Account"), tree.path[-1].name),
        (_("Closed accounts"), _("included") if tree.closed else _("left out")),
        (_("As of"), date_text(tree.day)),
        (_("Exported at"), f"{made} ({request.tenant.time_zone})"),
        (_("Exported by"), request.actor.label),
    ]
    about = About(tree.path[-1].name, _("Accounts"), tree.day, facts)
    return export(wanted, [*FILE_COLUMNS, *columns], _batches(found), totals, about)


def _batches(found: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    yield found


def _currencies(column: Column[Entry], found: Sequence[Entry]) -> dict[str, int]:
    """Return every currency of a column; a file has a column for each of them."""
    codes = {code for entry in found if (value := column.value(entry)) for code in value.minor}
    return dict.fromkeys(sorted(codes), 0)
