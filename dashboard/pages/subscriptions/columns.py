"""Columns that every table of subscriptions has: what is had, by whom, how much and since when."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_rules.subscription_states import State
from subscriptions.models import Item, Subscription
from subscriptions.queries.renewals import Renewal
from web.accounts import account_url
from web.prices import subscription_badge
from web.tables import Amounts, Column, Kind, Label, Link


class Shown(Protocol):
    """A row of such a table; ``main`` is the currency that the head names."""

    @property
    def subscription(self) -> Subscription:
        """The subscription, with its items, their prices and its account."""

    @property
    def renewal(self) -> Renewal:
        """What comes next, and what it brings in a month."""

    @property
    def main(self) -> str:
        """The currency that the head names."""

    @property
    def state(self) -> State:
        """Where in its life it is."""


def items_of(subscription: Subscription) -> list[Item]:
    """Return what is subscribed to, the first made first."""
    return sorted(subscription.items.all(), key=lambda item: item.pk)


def only_item(subscription: Subscription) -> Item | None:
    """Return the item of a subscription, None where it has several."""
    items = items_of(subscription)
    return items[0] if len(items) == 1 else None


def subscription_url(subscription: Subscription) -> str:
    """Return the address of the page of a subscription."""
    return reverse("subscriptions:page", args=[subscription.public_id])


def title_of(items: Iterable[Item]) -> str:
    """Return what a subscription is called: its first price, and how many more there are."""
    first, *others = [str(item.price.name) for item in items] or [_("Without items")]
    if not others:
        return first
    return ngettext("%(name)s and %(n)s more", "%(name)s and %(n)s more", len(others)) % {
        "name": first,
        "n": len(others),
    }


def products_of(row: Shown) -> str:
    """Return the products that are had, each once."""
    return ", ".join(dict.fromkeys(item.price.product.name for item in items_of(row.subscription)))


def _name(row: Shown) -> Link:
    one = row.subscription
    return Link(title_of(items_of(one)), subscription_url(one), products_of(row))


def _account(row: Shown) -> Link:
    account = row.subscription.account
    return Link(account.name, account_url(account.pk))


def _status(row: Shown) -> Label:
    badge = subscription_badge(row.state)
    return Label(badge.label, badge.tone)


def _quantity(row: Shown) -> Any:
    item = only_item(row.subscription)
    return None if item is None else item.quantity


def _monthly(row: Shown) -> Amounts:
    amount = row.renewal.mrr_minor
    return Amounts({row.renewal.currency: amount} if amount else {}, row.main)


NAME: Final[Column[Any]] = Column("name", gettext_lazy("Subscription"), Kind.LINK, _name)
EXTERNAL_ID: Final[Column[Any]] = Column(
    "external_id",
    gettext_lazy("External ID"),
    Kind.TEXT,
    lambda row: row.subscription.external_id,
    sort="external_id",
    is_default=False,
)
ACCOUNT: Final[Column[Any]] = Column(
    "account", gettext_lazy("Used by"), Kind.LINK, _account, sort="account__sort_key"
)
STATUS: Final[Column[Any]] = Column("status", gettext_lazy("Status"), Kind.LABEL, _status)
QUANTITY: Final[Column[Any]] = Column("quantity", gettext_lazy("Quantity"), Kind.NUMBER, _quantity)
MRR: Final[Column[Any]] = Column(
    "mrr",
    gettext_lazy("MRR"),
    Kind.MONEY,
    _monthly,
    is_summed=True,
    tip=gettext_lazy("Monthly recurring revenue"),
)
START: Final[Column[Any]] = Column(
    "start",
    gettext_lazy("Since"),
    Kind.DATE,
    lambda row: row.subscription.start_date,
    sort="start_date",
)
END: Final[Column[Any]] = Column(
    "end",
    gettext_lazy("Until"),
    Kind.DATE,
    lambda row: row.subscription.end_date,
    sort="end_date",
    tip=gettext_lazy("First day no longer served"),
)
