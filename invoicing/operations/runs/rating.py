"""Rating: from items that are due to periods and charges."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.actor import Actor
from accounts.ids import uuid7
from accounts.models import SettingName
from accounts.tenancy.inserting import insert_rows
from billing_rules.periods import (
    Anchor,
    Interval,
    OutsideCalendar,
    Unit,
    anchor_of,
    first_billing_day,
)
from billing_rules.periods import Period as Days
from billing_rules.pricing import Priced, PriceTerms, price_of
from billing_rules.proration import prorate
from billing_rules.schedule import Chain, Followed, TooManyPeriods, follow
from invoicing.models import Charge
from invoicing.operations.runs.families import Families, Problem
from subscriptions.models import Item, Period, Price, Subscription

MAX_AMOUNT_MINOR = 10**15


@dataclass(frozen=True, slots=True)
class Rated:
    """What rating made in memory: new charges, waiting to be placed and stored."""

    charges: tuple[Charge, ...]


def rate_due_items(families: Families, *, run_date: date, now: datetime) -> Rated:
    """Follow the chain of every due item, store its new periods, and make its charges.

    The charges are not stored yet: where they stand is decided first. An item that can't be
    followed or priced is noted as a problem and left as it is.

    Args:
        families: the families of this batch, under their locks.
        run_date: everything due up to it.
        now: when the charges were made.

    Source: docs/billing-rules.md, R3, R4, R5, R13, R18 to R20.
    """
    actor = families.actor
    items = _due_items(families, run_date)
    open_periods = _open_periods(actor, items)
    rater = _Rater(families, run_date, now)
    for item in items:
        rater.rate(item, open_periods.get(item.id))
    insert_rows(rater.periods)
    _store_chains(actor, rater.moved)
    return Rated(tuple(rater.charges))


def _due_items(families: Families, run_date: date) -> list[Item]:
    """Lock and return the due items with their subscriptions and prices. Three statements.

    Each looks up one table by key: a join would hang on statistics that may be old.
    """
    tenant_id = families.actor.tenant_id
    items = list(
        Item.objects.select_for_update()
        .filter(
            tenant_id=tenant_id, account_id__in=families.in_scope, next_action_date__lte=run_date
        )
        .order_by("id")
    )
    subscriptions = Subscription.objects.filter(
        tenant_id=tenant_id, pk__in={item.subscription_id for item in items}
    ).in_bulk()
    prices = Price.objects.filter(
        tenant_id=tenant_id, pk__in={item.price_id for item in items}
    ).in_bulk()
    for item in items:
        item.subscription = subscriptions[item.subscription_id]
        item.price = prices[item.price_id]
    return items


def _open_periods(actor: Actor, items: Iterable[Item]) -> dict[UUID, Period]:
    """Return the last stored period of each item that is billed in arrears."""
    ends = {
        item.id: item.chain_end
        for item in items
        if item.price.timing == Price.Timing.ARREARS and item.chain_end is not None
    }
    periods = Period.objects.filter(
        tenant_id=actor.tenant_id, item_id__in=ends, ends__in=set(ends.values())
    )
    return {period.item_id: period for period in periods if ends[period.item_id] == period.ends}


def _store_chains(actor: Actor, moved: list[tuple[UUID, Followed]]) -> None:
    """Write how far each chain has come, in one statement."""
    if not moved:
        return
    sql = """
        UPDATE subscriptions_item AS item
        SET chain_end = new.chain_end, next_action_date = new.next_action
        FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS new (id, chain_end, next_action)
        WHERE item.tenant_id = %s AND item.id = new.id
    """
    columns: list[list[Any]] = [
        [str(item_id) for item_id, _followed in moved],
        [followed.chain_end for _item, followed in moved],
        [followed.next_action for _item, followed in moved],
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*columns, actor.tenant_id])


class _Rater:
    """Rates one item after another and keeps what came of it."""

    def __init__(self, families: Families, run_date: date, now: datetime) -> None:
        self._families = families
        self._run_date = run_date
        self._now = now
        self._priced: dict[tuple[UUID, Decimal], _PriceOfQuantity] = {}
        self._terms: dict[UUID, PriceTerms] = {}
        self.periods: list[Period] = []
        self.charges: list[Charge] = []
        self.moved: list[tuple[UUID, Followed]] = []

    def rate(self, item: Item, open_period: Period | None) -> None:
        """Follow one item's chain and charge what falls due."""
        subscription = item.subscription
        chain = Chain(
            first_start=max(
                subscription.start_date, subscription.billed_until or subscription.start_date
            ),
            end_date=subscription.end_date,
            chain_end=item.chain_end,
            next_action=item.next_action_date,
            is_in_arrears=item.price.timing == Price.Timing.ARREARS,
        )
        try:
            followed = follow(chain, self._run_date, lambda day: self._anchor(item, day))
        except TooManyPeriods:
            self._note(item, "too_many_periods")
            return
        except OutsideCalendar:
            self._note(item, "outside_calendar")
            return
        begun = self._begin(item, followed)
        by_end = {period.ends: period for period in begun}
        if open_period is not None:
            by_end[open_period.ends] = open_period
        charges = [self._charge(item, by_end[due.period_end], due.due_date) for due in followed.due]
        if any(abs(charge.net_minor) > MAX_AMOUNT_MINOR for charge in charges):
            self._note(item, "amount_out_of_range")
            return
        self.periods += begun
        self.charges += charges
        self.moved.append((item.id, followed))

    def _note(self, item: Item, code: str) -> None:
        self._families.problems.append(
            Problem(code, item.subscription.account_id, item.subscription_id)
        )

    def _settings(self, item: Item, day: date) -> tuple[int | None, int | None]:
        if item.subscription.billing_day is not None:
            return item.subscription.billing_day, None
        settings, owner = self._families.on(day), item.subscription.account_id
        return (
            settings.value(owner, SettingName.BILLING_DAY),
            settings.value(owner, SettingName.BILLING_MONTH),
        )

    def _anchor(self, item: Item, day: date) -> Anchor:
        price, (billing_day, billing_month) = item.price, self._settings(item, day)
        return _anchor(
            item.subscription.start_date,
            price.interval,
            price.interval_count,
            billing_day,
            billing_month,
        )

    def _begin(self, item: Item, followed: Followed) -> list[Period]:
        periods, previous = [], item.chain_end
        for stretch in followed.begun:
            periods.append(
                Period(
                    tenant_id=item.tenant_id,
                    item_id=item.id,
                    starts=stretch.period.start,
                    ends=stretch.period.end,
                    prev_ends=previous,
                    full_start=stretch.full.start,
                    full_end=stretch.full.end,
                    quantity=item.quantity,
                )
            )
            previous = stretch.period.end
        return periods

    def _price(self, price: Price, quantity: Decimal) -> "_PriceOfQuantity":
        key = (price.id, quantity)
        if key not in self._priced:
            if price.id not in self._terms:
                self._terms[price.id] = price.terms
            self._priced[key] = _PriceOfQuantity(
                price, quantity, price_of(self._terms[price.id], quantity)
            )
        return self._priced[key]

    def _charge(self, item: Item, period: Period, due_date: date) -> Charge:
        subscription, price = item.subscription, item.price
        priced = self._price(price, period.quantity)
        part = Days(period.starts, period.ends)
        full = Days(period.full_start, period.full_end)
        net_minor = prorate(priced.priced.amount, part, full, price.currency)
        bill_to_id, _by = self._families.bill_to(
            subscription.account_id, subscription.override_bill_to_id, due_date
        )
        billing_day = self._families.on(due_date).value(bill_to_id, SettingName.BILLING_DAY)
        return Charge(
            id=uuid7(),
            tenant_id=item.tenant_id,
            item_id=item.id,
            period_id=period.id,
            subscription=subscription,
            account_id=subscription.account_id,
            period_start=period.starts,
            period_end=period.ends,
            due_date=due_date,
            invoice_on=first_billing_day(due_date, billing_day),
            currency=price.currency,
            net_minor=net_minor,
            calculation=self._calculation(item, period, priced, net_minor),
            reason={},
            created_at=self._now,
        )

    def _calculation(
        self, item: Item, period: Period, priced: "_PriceOfQuantity", net_minor: int
    ) -> dict[str, Any]:
        """Return how the amount came about, as it is stored for good."""
        price = item.price
        billing_day, billing_month = self._settings(item, period.starts)
        is_calendar = Interval(Unit(price.interval)).months is not None
        rule = "interval" if not is_calendar else "billing_day" if billing_day else "anniversary"
        decided_by = None
        if rule == "billing_day" and item.subscription.billing_day is None:
            owner = item.subscription.account_id
            decided_by = self._families.reference(
                self._families.on(period.starts).resolved[owner].origin(SettingName.BILLING_DAY)
            )
        return {
            **priced.explanation,
            "period": {"start": period.starts.isoformat(), "end": period.ends.isoformat()},
            "full_period": {
                "start": period.full_start.isoformat(),
                "end": period.full_end.isoformat(),
            },
            "days": (period.ends - period.starts).days,
            "full_days": (period.full_end - period.full_start).days,
            "anchor": {
                "rule": rule,
                "day": billing_day if rule == "billing_day" else None,
                "month": billing_month if rule == "billing_day" else None,
                "decided_by": decided_by,
            },
            "net_minor": net_minor,
        }


class _PriceOfQuantity:
    """A price applied to a quantity, and its part of the explanation, computed once."""

    def __init__(self, price: Price, quantity: Decimal, priced: Priced) -> None:
        self.priced = priced
        self.explanation: dict[str, Any] = {
            "price": {
                "id": price.public_id,
                "name": price.name,
                "model": price.model,
                "currency": price.currency,
                "unit_amount": plain(price.unit_amount),
                "interval": price.interval,
                "interval_count": price.interval_count,
                "timing": price.timing,
                "tax_class": price.tax_class,
            },
            "quantity": plain(quantity),
            "steps": [
                {
                    "up_to": plain(step.tier.up_to) if step.tier else None,
                    "quantity": plain(step.quantity),
                    "unit_amount": plain(step.unit_amount),
                    "flat_amount": plain(step.flat_amount),
                    "amount": _exact(step.amount),
                }
                for step in priced.steps
            ],
            "full_amount": _exact(priced.amount),
        }


@lru_cache(maxsize=4_096)
def _anchor(
    start: date, unit: str, count: int, billing_day: int | None, billing_month: int | None
) -> Anchor:
    return anchor_of(
        start,
        Interval(Unit(unit), count),
        billing_day=billing_day,
        billing_month=billing_month,
    )


def plain(number: Decimal | None) -> str | None:
    """Return a decimal as short text without exponent: ``9.00000000`` as ``9``."""
    if number is None:
        return None
    return f"{number.normalize():f}"


def _exact(amount: Fraction) -> str:
    """Return a sum of products of decimals as text: it always ends."""
    decimals = 0
    while (amount * 10**decimals).denominator != 1:
        decimals += 1
    digits = str(int(amount * 10**decimals)).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
