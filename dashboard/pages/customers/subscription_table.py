"""The subscriptions of an account as a table: what is had, until when, and who answers for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.queries.answering import Answering, answering
from billing_rules.subscription_states import State
from dashboard.pages.customers.parties import Party, invoiced_to, paid_by
from dashboard.pages.subscriptions import columns
from subscriptions.models import Item, Subscription
from subscriptions.queries.recipients import recipients_on
from subscriptions.queries.renewals import Renewal, renewals
from subscriptions.queries.subscriptions import state_of
from tenancy.actor import Actor
from web.prices import price_amount, price_rhythm
from web.tables import Column, Kind, Link, Table


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription as it was, is or will be on a day."""

    subscription: Subscription
    renewal: Renewal
    bill_to: Party
    payer: Party
    on: date
    main: str

    @property
    def items(self) -> list[Item]:
        """What is subscribed to, the first made first."""
        return columns.items_of(self.subscription)

    @property
    def state(self) -> State:
        """Where in its life it was, is or will be on the day."""
        return state_of(self.subscription, self.on)

    @property
    def next_period(self) -> date | None:
        """The day on which its next period begins, None where there is none."""
        one, period = self.subscription, self.renewal.period
        if period is None:
            return one.start_date if self.on < one.start_date else None
        return None if one.end_date is not None and period.end >= one.end_date else period.end


def rows_of(
    actor: Actor, found: Sequence[Subscription], on: date, main: str, *, stood_then: bool
) -> list[SubscriptionRow]:
    """Return subscriptions with all that a row says. Five statements.

    Args:
        actor: who asks.
        found: the subscriptions, with items and prices.
        on: the day.
        main: the currency that the head names.
        stood_then: whether the tree of that day is meant, not that of now.
    """
    if not found:
        return []
    overrides = recipients_on(actor, found, on)
    accounts = {one.account_id for one in found}
    named = [key for key in overrides.values() if key is not None]
    answers = answering(actor, accounts, on, beside=named, stood_then=stood_then)
    coming = renewals(actor, found, on, settings=answers.settings)
    return [_row(one, coming[one.pk], overrides[one.pk], answers, on, main) for one in found]


def _row(
    one: Subscription,
    renewal: Renewal,
    override: UUID | None,
    answers: Answering,
    on: date,
    main: str,
) -> SubscriptionRow:
    bill_to_id = answers.bill_to(one.account_id, override)
    return SubscriptionRow(
        subscription=one,
        renewal=renewal,
        bill_to=invoiced_to(one.account_id, override, answers),
        payer=paid_by(bill_to_id, answers),
        on=on,
        main=main,
    )


def _price(row: SubscriptionRow) -> Link | None:
    item = columns.only_item(row.subscription)
    if item is None:
        return None
    price = item.price
    text = _("%(amount)s %(rhythm)s") % {
        "amount": price_amount(price),
        "rhythm": price_rhythm(price),
    }
    return Link(text, reverse("catalogue:price", args=[price.public_id]))


def _party(party: Party) -> Link:
    return Link(party.name, party.url, party.note)


TABLE: Final[Table[SubscriptionRow]] = Table(
    name="account-subscriptions",
    title=gettext_lazy("Subscriptions"),
    default_sort="-start",
    columns=(
        columns.NAME,
        Column(
            "product", gettext_lazy("Product"), Kind.TEXT, columns.products_of, is_default=False
        ),
        columns.EXTERNAL_ID,
        columns.ACCOUNT,
        replace(columns.STATUS, is_default=False),
        columns.QUANTITY,
        Column("price", gettext_lazy("Price"), Kind.ANSWER, _price),
        columns.MRR,
        columns.START,
        columns.END,
        Column(
            "next",
            gettext_lazy("Next period"),
            Kind.DATE,
            lambda row: row.next_period,
            tip=gettext_lazy("The day on which it begins"),
        ),
        Column(
            "po_number",
            gettext_lazy("PO number"),
            Kind.TEXT,
            lambda row: row.subscription.po_number or None,
            is_default=False,
        ),
        Column(
            "bill_to", gettext_lazy("Invoiced to"), Kind.ANSWER, lambda row: _party(row.bill_to)
        ),
        Column(
            "bill_to_origin",
            gettext_lazy("Recipient comes from"),
            Kind.ANSWER,
            lambda row: Link(row.bill_to.because, row.bill_to.origin_url),
            is_default=False,
        ),
        Column("payer", gettext_lazy("Paid by"), Kind.ANSWER, lambda row: _party(row.payer)),
        Column(
            "payer_origin",
            gettext_lazy("Payer comes from"),
            Kind.ANSWER,
            lambda row: Link(row.payer.because, row.payer.origin_url),
            is_default=False,
        ),
    ),
)
