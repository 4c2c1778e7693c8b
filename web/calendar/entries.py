"""What pages show of an entry: its words, its colour, where it leads; and the file of them all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from reports.declarations import KINDS, Kind
from reports.models import CalendarEntry
from reports.words import title_of
from web.accounts import account_url
from web.tables import Amounts, Column, Label, Link, Table
from web.tables import Kind as Cells


def shown_kinds(*, staff: bool) -> list[Kind]:
    """Return the kinds that somebody may choose from: runs and plans are the tenant's own."""
    return [kind for kind in KINDS if staff or kind not in (Kind.RUN, Kind.PLAN)]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as a page or a file has it; without ``amount_minor`` where it has none."""

    date: date
    kind: Kind
    title: str
    url: str
    account_name: str
    account_url: str
    amount_minor: int | None
    currency: str
    is_net: bool

    @property
    def label(self) -> str:
        """What kind of thing it is."""
        return str(KINDS[self.kind].label)

    @property
    def tone(self) -> str:
        """The colour of its kind."""
        return KINDS[self.kind].tone

    @property
    def icon(self) -> str:
        """The icon of its kind."""
        return KINDS[self.kind].icon


def rows_of(found: Iterable[CalendarEntry], *, staff: bool) -> list[EntryRow]:
    """Return entries as pages have them. No statement.

    Args:
        found: with their accounts.
        staff: whether the reader has pages of accounts, subscriptions and plans.
    """
    return [_row(entry, staff=staff) for entry in found]


def _row(entry: CalendarEntry, *, staff: bool) -> EntryRow:
    has_account = not KINDS[Kind(entry.kind)].is_tenants
    return EntryRow(
        date=entry.date,
        kind=Kind(entry.kind),
        title=title_of(entry),
        url=_url(entry, staff=staff),
        account_name=entry.account.name if has_account else "",
        account_url=account_url(entry.account.pk) if staff and has_account else "",
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        is_net=Kind(entry.kind) is Kind.RENEWAL,
    )


_PAGES: Final[dict[str, Callable[[CalendarEntry], str]]] = {
    "run": lambda entry: reverse("runs:page", args=[entry.subject]),
    "subscription": lambda entry: reverse("subscriptions:page", args=[entry.subject]),
    "plan": lambda entry: reverse("plans:page", args=[entry.subject]),
    "alignment": lambda entry: reverse("plans:page", args=[entry.subject]),
    "move": lambda entry: reverse("plans:page", args=[entry.subject]),
}


def _url(entry: CalendarEntry, *, staff: bool) -> str:
    """Return where an entry leads: customers have pages of invoices alone."""
    if entry.subject_type == "invoice":
        namespace = "invoices" if staff else "portal-invoices"
        return reverse(f"{namespace}:page", args=[entry.subject])
    if staff and entry.subject_type in _PAGES:
        return _PAGES[entry.subject_type](entry)
    if entry.kind == Kind.RUN:
        return reverse("runs:list")
    return account_url(entry.account.pk, "upcoming") if staff else ""


TABLE: Final[Table[EntryRow]] = Table(
    name="calendar",
    title=_("Billing calendar"),
    default_sort="date",
    columns=(
        Column("title", _("What"), Cells.LINK, lambda row: Link(row.title, row.url)),
        Column("date", _("Date"), Cells.DATE, lambda row: row.date, sort="date kind key"),
        Column("kind", _("Type"), Cells.LABEL, lambda row: Label(row.label, row.tone)),
        Column(
            "account",
            _("Account"),
            Cells.LINK,
            lambda row: Link(row.account_name, row.account_url),
        ),
        Column(
            "amount",
            _("Amount"),
            Cells.MONEY,
            lambda row: Amounts(
                {} if row.amount_minor is None else {row.currency: row.amount_minor},
                row.currency,
                is_mixed=True,
            ),
        ),
    ),
)
"""What a file of the calendar holds."""
