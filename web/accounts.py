"""Words for what an account is, and where its pages are."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.declarations.particulars import KINDS
from accounts.models import Account
from tenancy.ids import public_id
from web.page_heads import Crumb, Tab, folded

_ANY: Final = "acc_any"
TONES: Final[dict[str, str]] = {
    Account.Kind.GROUP: "plum",
    Account.Kind.COMPANY: "info",
    Account.Kind.SUBSIDIARY: "info",
}


def kind_name(kind: str) -> str:
    """Return the word for a kind of account."""
    return str(KINDS.get(kind, kind))


def account_url(account_id: UUID, page: str = "page") -> str:
    """Return the address of a page of an account, such as ``page``, ``tree`` or ``settings``."""
    return _pattern(page).replace(_ANY, public_id("acc", account_id))


@cache
def _pattern(page: str) -> str:
    """Return an address to put accounts into: a tree asks for hundreds."""
    return reverse(f"customers:{page}", args=[_ANY])


def invoices_url(account_id: UUID) -> str:
    """Return the address of the invoices of an account and of those below it."""
    return f"{reverse('invoices:list')}?in={public_id('acc', account_id)}"


def calendar_url(account_id: UUID) -> str:
    """Return the address of the calendar of an account and of those below it."""
    return f"{reverse('calendar:calendar')}?in={public_id('acc', account_id)}"


def invoices_pattern() -> str:
    """Return the address of the invoices of an account, with ``acc_any`` for the account."""
    return f"{reverse('invoices:list')}?in={_ANY}"


def steps_to(path: Sequence[Account], *, page: str = "page") -> list[Crumb]:
    """Return the breadcrumb down to the end of a path."""
    steps = [Crumb(str(_("Customers")), reverse("customers:list"))]
    steps += [Crumb(account.name, account_url(account.pk, page)) for account in path[:-1]]
    return folded([*steps, Crumb(path[-1].name)])


def tabs_of(account_id: UUID, current: str) -> list[Tab]:
    """Return the pages of an account; ``current`` is the name of the one that is open."""
    pages = (
        ("page", _("Overview")),
        ("tree", _("Structure")),
        ("settings", _("Billing settings")),
        ("responsibilities", _("Responsibilities")),
        ("subscriptions", _("Subscriptions")),
        ("charges", _("Charges")),
        ("prices", _("Prices")),
        ("people", _("Contacts & access")),
        ("history", _("History")),
    )
    tabs = [
        Tab(str(label), account_url(account_id, name), name == current) for name, label in pages
    ]
    invoices = Tab(gettext("Invoices"), invoices_url(account_id), is_current=False)
    calendar = Tab(gettext("Calendar"), calendar_url(account_id), is_current=False)
    return [*tabs[:7], invoices, calendar, *tabs[7:]]


def views_of(account_id: UUID, current: str, passed_on: Mapping[str, str]) -> list[Tab]:
    """Return the pictures of a tree: ``current`` is open, ``passed_on`` goes to the others too."""
    query = f"?{urlencode(passed_on)}" if passed_on else ""
    return [
        Tab(str(label), f"{account_url(account_id, name)}{query}", name == current)
        for name, label in (
            ("tree", _("Tree table")),
            ("chart", _("Org chart")),
            ("flow", _("Money flow")),
        )
    ]
