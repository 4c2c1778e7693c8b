"""The columns of the list of customers, of today and of another day."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.declarations import SETTINGS, SettingName
from accounts.models import Account
from accounts.queries.setting_history import FamilySettings
from invoicing.queries.balances import Balance
from subscriptions.queries.mrr import Mrr
from web.accounts import account_url, kind_name
from web.naming import linked
from web.setting_words import value_text
from web.tables import Amounts, Column, Kind, Link, Mark, Table


@dataclass(frozen=True, slots=True)
class Customer:
    """One row: an account and its figures.

    Attributes:
        account: as the list's query returns it.
        accounts: how many accounts its tree has, itself included.
        mrr: what it brings in.
        balance: what it owes; None on another day than today, of which nothing is kept.
        settings: what holds on it; None where no column shows any.
        main: the currency that the heads name.
    """

    account: Account
    accounts: int
    mrr: Mrr
    balance: Balance | None
    settings: FamilySettings | None
    main: str

    @property
    def parent(self) -> str:
        """The name of the account above it, empty at the top of a tree."""
        return self.account.above or ""  # type: ignore[attr-defined]


def _name(row: Customer) -> Link:
    above: str | SafeString = row.parent
    if above:
        above = linked(above, {above: account_url(row.account.above_id)})  # type: ignore[attr-defined]
    return Link(row.account.name, account_url(row.account.pk), above)


def _mark(row: Customer) -> Mark:
    return Mark(row.account.public_id, row.account.name)


def _setting(name: str) -> Callable[[Customer], str | None]:
    def value(row: Customer) -> str | None:
        held = row.settings and row.settings.value(row.account.pk, name)
        return value_text(name, held) or None

    return value


SETTINGS_SHOWN: Final = (
    SettingName.CURRENCY.value,
    SettingName.LANGUAGE.value,
    SettingName.PAYMENT_TERMS_DAYS.value,
    SettingName.COST_CENTRE.value,
)
TABLE: Final[Table[Customer]] = Table(
    name="customers",
    mark=_mark,
    title=gettext_lazy("Customers"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Account"), Kind.LINK, _name, sort="sort_key"),
        Column(
            "kind",
            gettext_lazy("Type"),
            Kind.TEXT,
            lambda row: kind_name(row.account.kind),
            sort="kind",
        ),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda row: row.account.external_id,
            is_default=False,
        ),
        Column(
            "vat_id",
            gettext_lazy("VAT ID"),
            Kind.TEXT,
            lambda row: row.account.vat_id or None,
            is_default=False,
        ),
        Column(
            "country",
            gettext_lazy("Country"),
            Kind.TEXT,
            lambda row: row.account.country or None,
            sort="country",
            is_default=False,
        ),
        Column(
            "accounts",
            gettext_lazy("Accounts"),
            Kind.NUMBER,
            lambda row: row.accounts,
            sort="below",
            tip=gettext_lazy("How many accounts the tree has, this one included"),
        ),
        Column(
            "mrr_own",
            gettext_lazy("MRR of this account"),
            Kind.MONEY,
            lambda row: Amounts(row.mrr.own, row.main),
            is_default=False,
        ),
        Column(
            "mrr",
            gettext_lazy("MRR with sub-accounts"),
            Kind.MONEY,
            lambda row: Amounts(row.mrr.tree, row.main),
            is_summed=True,
            tip=gettext_lazy("Monthly recurring revenue of the account and all below it"),
        ),
        Column(
            "open",
            gettext_lazy("Open with sub-accounts"),
            Kind.MONEY,
            lambda row: row.balance and Amounts(row.balance.tree_open, row.main),
            is_summed=True,
        ),
        Column(
            "overdue",
            gettext_lazy("Overdue with sub-accounts"),
            Kind.MONEY,
            lambda row: row.balance and Amounts(row.balance.tree_overdue, row.main, "negative"),
            is_summed=True,
        ),
        Column(
            "next",
            gettext_lazy("Next billing with sub-accounts"),
            Kind.DATE,
            lambda row: row.mrr.next_date,
        ),
        *(
            Column(name, SETTINGS[name].label, Kind.TEXT, _setting(name), is_default=False)
            for name in SETTINGS_SHOWN
        ),
    ),
)
_TODAY_ONLY: Final = frozenset({"open", "overdue", "next"})
"""What is known of today alone: no past of it is kept."""
_COUNTED: Final = "accounts"


def table_of(*, is_today: bool, is_moved: bool) -> Table[Customer]:
    """Return the table of a day; where trees stood otherwise it is not sorted by their size."""
    if is_today:
        return TABLE
    return replace(
        TABLE,
        mark=None,
        columns=tuple(
            replace(one, sort="") if is_moved and one.key == _COUNTED else one
            for one in TABLE.columns
            if one.key not in _TODAY_ONLY
        ),
    )
