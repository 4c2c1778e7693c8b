"""The columns of a tree table, and how its cells are written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.declarations import SETTINGS, SettingName
from accounts.models import Account
from accounts.queries.responsibilities import Responsibility
from accounts.queries.setting_history import FamilySettings
from accounts.queries.trees import TreeRow
from invoicing.queries.balances import Balance
from subscriptions.queries.mrr import Mrr
from web.accounts import account_url, kind_name
from web.naming import linked
from web.setting_words import value_text
from web.tables import Amounts, Column, Kind, Label, Link, Table
from web.templatetags.figures import day, quantity

STATUSES: Final[dict[str, Promise]] = {
    Account.Status.ACTIVE: gettext_lazy("Active"),
    Account.Status.ARCHIVED: gettext_lazy("Archived"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One account of a tree with all that is known of it.

    ``owed`` is None on another day than today: what was open then is not kept. ``main`` is
    the currency that the heads name.
    """

    place: TreeRow
    level: int
    path: str
    responsible: Responsibility
    settings: FamilySettings
    mrr: Mrr
    owed: Balance | None
    main: str


def _setting(name: str) -> Callable[[Entry], str | None]:
    return lambda entry: value_text(name, entry.settings.value(entry.place.id, name)) or None


def _money(read: Callable[[Balance], Mapping[str, int]], tone: str = "") -> Callable[[Entry], Any]:
    def value(entry: Entry) -> Amounts | None:
        return None if entry.owed is None else Amounts(read(entry.owed), entry.main, tone)

    return value


def _invoiced(entry: Entry) -> Label:
    responsible, place = entry.responsible, entry.place
    if responsible.bill_to_id == place.id:
        return Label(_("Own invoice"), "info")
    tip = _("On invoice of %(name)s") % {"name": responsible.bill_to_name}
    return Label(responsible.bill_to_name, "ok", tip, account_url(responsible.bill_to_id))


def _paid(entry: Entry) -> Label:
    if entry.responsible.payer_id == entry.place.id:
        return Label(_("Pays itself"), "info")
    name = entry.responsible.payer_name
    url = account_url(entry.responsible.payer_id)
    return Label(name, "plum", _("Paid by %(name)s") % {"name": name}, url)


def payer_note(entry: Entry) -> SafeString:
    """Return who pays, for screens on which that column is out of sight."""
    label = _paid(entry)
    return _note(label.tip, label.text, label.url) if label.url else escape(label.text)


# Of thousands of rows most name the same few accounts: what depends on them alone is written once.
@lru_cache(maxsize=1000)
def _note(text: str, name: str, url: str) -> SafeString:
    return linked(text, {name: url})


def _status(entry: Entry) -> Label:
    is_active = entry.place.status == Account.Status.ACTIVE
    return Label(
        str(STATUSES.get(entry.place.status, entry.place.status)), "ok" if is_active else "plain"
    )


_NAME: Final[Column[Entry]] = Column(
    "name",
    gettext_lazy("Account"),
    Kind.LINK,
    lambda entry: Link(entry.place.name, account_url(entry.place.id)),
)
TABLE: Final[Table[Entry]] = Table(
    name="tree",
    title=gettext_lazy("Tree table"),
    default_sort="name",
    columns=(
        _NAME,
        Column("kind", gettext_lazy("Type"), Kind.TEXT, lambda entry: kind_name(entry.place.kind)),
        Column("status", gettext_lazy("Status"), Kind.LABEL, _status, is_default=False),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda entry: entry.place.external_id,
            is_default=False,
        ),
        Column("invoiced", gettext_lazy("Who is invoiced"), Kind.LABEL, _invoiced),
        Column("paid", gettext_lazy("Who pays"), Kind.LABEL, _paid),
        Column(
            "subscriptions",
            gettext_lazy("Subscriptions of this account"),
            Kind.NUMBER,
            lambda entry: entry.mrr.subscriptions or None,
            is_default=False,
            tip=gettext_lazy("Those that run today"),
        ),
        Column(
            "mrr_own",
            gettext_lazy("MRR of this account"),
            Kind.MONEY,
            lambda entry: Amounts(entry.mrr.own, entry.main),
        ),
        Column(
            "mrr",
            gettext_lazy("MRR with sub-accounts"),
            Kind.MONEY,
            lambda entry: Amounts(entry.mrr.tree, entry.main),
        ),
        Column(
            "open_own",
            gettext_lazy("Open of this account"),
            Kind.MONEY,
            _money(lambda owed: owed.own_open),
            is_default=False,
        ),
        Column(
            "open",
            gettext_lazy("Open with sub-accounts"),
            Kind.MONEY,
            _money(lambda owed: owed.tree_open),
        ),
        Column(
            "overdue_own",
            gettext_lazy("Overdue, this account alone"),
            Kind.MONEY,
            _money(lambda owed: owed.own_overdue, "negative"),
            is_default=False,
        ),
        Column(
            "overdue",
            gettext_lazy("Overdue with sub-accounts"),
            Kind.MONEY,
            _money(lambda owed: owed.tree_overdue, "negative"),
        ),
        Column(
            "next_own",
            gettext_lazy("Next billing of this account"),
            Kind.DATE,
            lambda entry: entry.mrr.own_next_date,
            is_default=False,
        ),
        Column(
            "next",
            gettext_lazy("Next billing with sub-accounts"),
            Kind.DATE,
            lambda entry: entry.mrr.next_date,
            is_default=False,
        ),
        *(
            Column(name, SETTINGS[name].label, Kind.TEXT, _setting(name), is_default=False)
            for name in (
                SettingName.CURRENCY.value,
                SettingName.LANGUAGE.value,
                SettingName.PAYMENT_TERMS_DAYS.value,
                SettingName.COST_CENTRE.value,
            )
        ),
    ),
)
TODAY_ONLY: Final = frozenset({"open_own", "open", "overdue_own", "overdue", "next_own", "next"})
"""What is known of today alone: no past of it is kept."""
FILE_COLUMNS: Final[tuple[Column[Entry], ...]] = (
    Column("level", gettext_lazy("Level"), Kind.NUMBER, lambda entry: entry.level),
    Column("path", gettext_lazy("Path"), Kind.TEXT, lambda entry: entry.path),
)
"""What stands before the name in a file, where no indent shows the tree."""


def cells(columns: Iterable[Column[Entry]], entry: Entry) -> SafeString:
    """Write the cells of a row; here and not by a template, because a tree has thousands."""
    written = (_cell(column.kind, column.value(entry)) for column in columns)
    return SafeString(
        "\n".join(
            f'<td role="gridcell"{attributes}>{conditional_escape(text)}</td>'
            for attributes, text in written
        )
    )


def _cell(kind: Kind, value: Any) -> tuple[SafeString | str, SafeString | str]:
    if value is None:
        return _NUMERIC if kind in {Kind.NUMBER, Kind.MONEY} else "", "–"
    if kind == Kind.MONEY:
        return _NEGATIVE if value.tone and value.minor else _NUMERIC, value.cell
    if kind == Kind.NUMBER:
        return _NUMERIC, quantity(value)
    if kind == Kind.LABEL:
        return "", _badge(value)
    if kind == Kind.DATE:
        return _NOWRAP, _day(value)
    return "", str(value)


_NUMERIC: Final = SafeString(' class="num"')
_NEGATIVE: Final = SafeString(' class="num negative"')
_NOWRAP: Final = SafeString(' class="nowrap"')
_NAMED: Final = '<a href="{}">{}</a>'
_BADGE: Final = '<span class="badge {}" title="{}"><span>{}</span></span>'


@lru_cache(maxsize=1000)
def _badge(label: Label) -> SafeString:
    text = format_html(_NAMED, label.url, label.text) if label.url else label.text
    return format_html(_BADGE, label.tone, label.tip or label.text, text)


def _day(value: date) -> SafeString | str:
    return day(value)


def path_of_each(rows: Sequence[TreeRow], above: Sequence[str]) -> list[str]:
    """Return the path of each row as text, parents first; ``above`` are the names to their top."""
    known: dict[Any, str] = {}
    paths = []
    for row in rows:
        prefix = known.get(row.parent_id) or " / ".join(above)
        known[row.id] = f"{prefix} / {row.name}" if prefix else row.name
        paths.append(known[row.id])
    return paths
