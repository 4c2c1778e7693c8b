"""The rows that billing reads and writes by the ten thousand, as plain data.

They bear the names of the models' columns, so that ``insert_rows`` writes them as they are. Making
and reading them takes a fraction of what model instances take, which was half of a run's time.
Nobody changes them but charges, on their way to a document. They are not ``frozen`` all the same:
making one takes three times as long then, and a run makes five for each item.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from billing_rules.periods import Period
from billing_rules.timelines import Stretch
from invoicing.models import Charge
from subscriptions.models import Discount, Price
from subscriptions.queries.terms import freed, with_free

_SETUP: Final = Charge.Kind.SETUP.value
OFFSET: Final = Charge.Status.OFFSET.value


@dataclass(slots=True, unsafe_hash=True)
class SubscriptionRow:
    """What billing needs of a subscription."""

    id: UUID
    external_id: str | None
    start_date: date
    end_date: date | None
    billed_until: date | None
    billing_day: int | None
    override_bill_to_id: UUID | None
    po_number: str
    override_since: date | None = None
    trial_end: date | None = None
    billing_day_until: date | None = None
    added_on: date | None = None
    earlier: tuple[tuple[date, UUID | None], ...] = ()
    is_held: bool = False
    """Whether a job is about to change it: no run bills it until then."""

    @property
    def times(self) -> tuple[object, ...]:
        """All that decides about days: subscriptions with the same have the same periods."""
        return _TIMES(self)

    @property
    def anchor_date(self) -> date:
        """The day whose anniversaries begin its periods, where nothing sets a billing day."""
        return self.trial_end or self.start_date

    @property
    def first_charged_day(self) -> date:
        """The first day that is charged: after a trial, and after what was billed elsewhere."""
        return max(self.anchor_date, self.billed_until or self.start_date)

    @property
    def begins_here(self) -> bool:
        """Whether nothing of it was billed elsewhere before (R24): it began with a setup fee."""
        began = max(filter(None, (self.anchor_date, self.added_on)))
        return self.billed_until is None or self.billed_until <= began

    def own_billing_day(self, day: date) -> int | None:
        """Return the day that it sets itself for a period that begins then, None for none."""
        is_over = self.billing_day_until is not None and day >= self.billing_day_until
        return None if is_over else self.billing_day

    def override_on(self, day: date) -> UUID | None:
        """Return whom it is invoiced to itself on a day, None for whoever its account says.

        ``earlier`` are those before with the day until which each held, the first one first.
        """
        if self.override_since is None or day >= self.override_since:
            return self.override_bill_to_id
        return next((one for until, one in self.earlier if day < until), None)

    def while_had(self, begins: date | None, ends: date | None) -> "SubscriptionRow":
        """Return it as it is for an item that was added later, or is removed earlier.

        Such an item has no periods before and after, as if the whole began late (R24) or ended
        (R20). None is as long as the subscription.
        """
        if begins is None and ends is None:
            return self
        first = max(filter(None, (self.billed_until, begins)), default=None)
        last = min(filter(None, (self.end_date, ends)), default=None)
        return replace(self, billed_until=first, end_date=last, added_on=begins)

    def readdressed(self, bill_to_id: UUID | None, day: date) -> "SubscriptionRow":
        """Return it as it would be if another were invoiced from a day on."""
        before = tuple(pair for pair in self.earlier if pair[0] < day)
        return replace(
            self,
            override_bill_to_id=bill_to_id,
            override_since=day,
            earlier=(*before, (day, self.override_on(day - timedelta(days=1)))),
        )


_TIMES: Final[Callable[[SubscriptionRow], tuple[object, ...]]] = attrgetter(
    "start_date", "end_date", "billed_until", "trial_end", "added_on", "billing_day",
    "billing_day_until", "override_bill_to_id", "override_since", "earlier",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What an item has from a day on; ``uncharged`` is why it is free, ``discount`` what is off."""

    day: date
    quantity: Decimal
    price: Price
    uncharged: str = ""
    discount: Discount | None = None


@dataclass(slots=True, unsafe_hash=True)
class ItemRow:
    """A due item with its subscription and price; ``later`` are other terms, in order of days.

    The part of a period that begins on ``waits_from`` is charged with the period after it. One that
    follows another, whose price had another interval, does not ``owe_setup``.
    """

    id: UUID
    account_id: UUID
    quantity: Decimal
    chain_end: date | None
    next_action_date: date
    subscription: SubscriptionRow
    price: Price
    later: tuple[Terms, ...] = ()
    uncharged: str = ""
    waits_from: date | None = None
    owes_setup: bool = True
    discount: Discount | None = None

    @property
    def is_uniform(self) -> bool:
        """Whether it is charged alike on all days."""
        return not self.later and not self.uncharged

    @property
    def is_metered(self) -> bool:
        """Whether what is charged is what a meter measures, for some of its days at least."""
        if not self.later:
            return self.price.meter_id is not None
        return self.price.is_metered or any(terms.price.is_metered for terms in self.later)

    @property
    def has_minimum(self) -> bool:
        """Whether what is used costs something at least, on some of its days."""
        prices = (self.price, *(terms.price for terms in self.later))
        return any(price.is_metered and price.minimum_amount is not None for price in prices)

    def price_on(self, day: date) -> Price:
        """Return the price on a day."""
        return self.terms_on(day).price

    def quantity_on(self, day: date) -> Decimal:
        """Return the quantity on a day."""
        return self.terms_on(day).quantity

    def terms_on(self, day: date) -> Terms:
        """Return the terms on a day, with the day since which they hold."""
        found = [terms for terms in self.later if terms.day <= day]
        first = Terms(
            self.subscription.start_date, self.quantity, self.price, self.uncharged, self.discount
        )
        return found[-1] if found else first

    def terms_between(self, start: date, end: date) -> Iterator[tuple[date, date, Terms]]:
        """Yield the stretches of a period in which the terms are the same.

        Terms of another interval hold from the next period on: this one has its full period.
        """
        if end <= start:
            return
        held = self.terms_on(start)
        later = [
            one
            for one in self.later
            if start < one.day < end and one.price.cycle == held.price.cycle
        ]
        days = [start, *(one.day for one in later), end]
        for (first, last), terms in zip(pairwise(days), [held, *later], strict=True):
            yield first, last, terms

    def freed(self, begins: date, period: Period | None) -> "ItemRow":
        """Return it as it is if these days are free from a day on, and no others."""
        terms = [self.terms_on(date.min), *self.later]
        ends = [*(one.day for one in self.later), None]
        timeline = [
            Stretch(one.day, end, (one.quantity, one.price, one.uncharged, one.discount))
            for one, end in zip(terms, ends, strict=True)
        ]
        first, *later = freed(
            timeline,
            begins,
            period,
            lambda one: (*one[:2], with_free(one[2], is_free=False), one[3]),
            lambda one: (*one[:2], with_free(one[2], is_free=True), one[3]),
        )
        quantity, price, uncharged, discount = first.value
        return replace(
            self,
            quantity=quantity,
            price=price,
            uncharged=uncharged,
            discount=discount,
            later=tuple(Terms(one.start, *one.value) for one in later),
        )


@dataclass(slots=True, unsafe_hash=True)
class PeriodRow:
    """A period of an item that has begun."""

    id: UUID
    item_id: UUID
    starts: date
    ends: date
    prev_ends: date | None
    full_start: date
    full_end: date
    quantity: Decimal

    @property
    def days(self) -> tuple[date, date, date, date]:
        """Its own days and those of its full period."""
        return self.starts, self.ends, self.full_start, self.full_end


@dataclass(slots=True)
class ChargeRow:
    """A charge on its way to a document; ``status`` and ``reason`` say how far it came.

    ``tax_class`` is what its price says now: what decides tax is read when drafting (R21). Before
    ``held_until`` no run takes it. ``credited_id`` is the charge that a credit takes back of;
    ``bill_to_id`` and ``payer_id`` say whose a credit is, whoever is invoiced by then. What is
    charged once may have no item, period or subscription. ``po_number`` is its own.
    """

    id: UUID
    item_id: UUID | None
    period_id: UUID | None
    subscription: SubscriptionRow | None
    account_id: UUID
    period_start: date
    period_end: date
    due_date: date
    invoice_on: date
    currency: str
    net_minor: int
    calculation: Mapping[str, Any]
    kind: str = Charge.Kind.RECURRING.value
    revision: int = 0
    status: str = Charge.Status.PENDING.value
    reason: Mapping[str, Any] = field(default_factory=dict)
    held_until: date | None = None
    tax_class: str = ""
    credited_id: UUID | None = None
    po_number: str = ""
    external_id: str | None = None
    bill_to_id: UUID | None = None
    payer_id: UUID | None = None

    @property
    def subscription_id(self) -> UUID | None:
        """The subscription that it is for, None where it is for none."""
        return None if self.subscription is None else self.subscription.id

    @property
    def is_offset(self) -> bool:
        """Whether placing left it out: it and what takes it back come to nothing."""
        return self.reason.get("code") == OFFSET

    @property
    def order_number(self) -> str:
        """The purchase order that it names itself or by its subscription, empty for none."""
        if self.po_number or self.subscription is None:
            return self.po_number
        return self.subscription.po_number

    @property
    def place_in_section(self) -> tuple[bool, str, int, date, bool]:
        """Sort lines of a section: subscription by subscription, then what is for none.

        A setup fee stands before what the period costs that begins with it.
        """
        if self.subscription is None:
            return True, "", 0, self.period_start, True
        one, is_setup = self.subscription, self.kind == _SETUP
        return False, one.external_id or "", one.id.int, self.period_start, not is_setup

    def override_on(self, day: date) -> UUID | None:
        """Return whom its subscription names as recipient on a day, None for nobody."""
        return None if self.subscription is None else self.subscription.override_on(day)


@dataclass(slots=True, unsafe_hash=True)
class LineRow:
    """A line of a draft."""

    id: UUID
    invoice_id: UUID
    section_id: UUID
    position: int
    charge_id: UUID
    subscription_id: UUID | None
    description: str
    quantity: Decimal
    unit_amount: Decimal | None
    period_start: date
    period_end: date
    net_minor: int
    tax_category: str
    tax_rate: Decimal


@dataclass(slots=True, unsafe_hash=True)
class SectionRow:
    """A section of a draft; its path and lineage are lists, as they are stored."""

    id: UUID
    invoice_id: UUID
    position: int
    account_id: UUID
    path: list[str] = field(hash=False)
    lineage: list[dict[str, str | None]] = field(hash=False)
    cost_centre: str
    po_number: str
    net_minor: int
    tax_minor: int
    gross_minor: int
