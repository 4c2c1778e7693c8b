"""Three years of one customer at random, against a naive look at each day.

The same acts are done to three vendors. One bills every few days, so that most acts find what was
charged already; one only drafts then, and issues at the end; the last bills once, at the end. All
come to what each day costs, and no draft holds what was taken back of it as a whole.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from invoicing.models import Charge, InvoiceLine
from invoicing.operations.plans.renewals import align_renewals
from invoicing.operations.runs.changed import refresh_drafts
from invoicing.operations.subscriptions.changing import NothingChanges, change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription, reactivate_subscription
from invoicing.operations.subscriptions.opening import ChangeAfterEnd, InvalidChange
from invoicing.operations.subscriptions.pausing import (
    AlreadyPaused,
    NotPaused,
    pause_subscription,
    resume_subscription,
)
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from invoicing.queries.plans.checking import NothingToChange
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import Item, Period, Price, Subscription
from tests.world import NOW, account, make_vendor, price, subscription

FIRST, LAST = date(2026, 11, 1), date(2029, 11, 1)
AFTER = date(2030, 1, 1)
"""The last period reaches beyond the last day, never as far as this."""
REFUSALS = (
    NothingChanges, InvalidChange, ChangeAfterEnd, AlreadyPaused, NotPaused, NothingToChange,
)  # fmt: skip
UNIT_MINOR = {"base": 30000, "seat": 1000}


def days(start: date, end: date) -> Iterator[date]:
    for number in range((end - start).days):
        yield start + timedelta(days=number)


def clamped(year: int, month: int, day: int) -> date:
    """Return a day of a month, its last where the month is shorter (R18)."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day - 1), following - timedelta(days=1))


def month_around(day: date, billing_day: int) -> tuple[date, date]:
    """Return the month from billing day to billing day that contains a day."""
    start = clamped(day.year, day.month, billing_day)
    if start > day:
        return clamped(day.year, day.month - 1, billing_day), start
    return start, clamped(day.year, day.month + 1, billing_day)


@dataclass
class Grid:
    """Since when periods begin on which day of the month, for an item that begins on a day."""

    changes: list[tuple[date, int]] = field(default_factory=lambda: [(FIRST, 1)])

    def billing_day_on(self, day: date) -> int:
        return [billing_day for since, billing_day in self.changes if since <= day][-1]

    def fractions(self, begins: date) -> dict[date, int]:
        """Return for each day of an item how many days the full period has that contains it."""
        found: dict[date, int] = {}
        start = begins
        while start < AFTER:
            # A period that runs ends as it was; the next follows what holds on its first day.
            full_start, full_end = month_around(start, self.billing_day_on(start))
            for day in days(start, min(full_end, AFTER)):
                found[day] = (full_end - full_start).days
            start = full_end
        return found


@dataclass
class Expected:
    """What somebody with a calendar would have written down."""

    quantities: dict[str, dict[date, int]] = field(default_factory=dict)
    begins: dict[str, date] = field(default_factory=dict)
    paused: set[date] = field(default_factory=set)
    grid: Grid = field(default_factory=Grid)
    end: date = AFTER

    def exact(self, name: str, until: date) -> Fraction:
        """Return what an item costs up to a day, in minor units, rounded nowhere."""
        unit = UNIT_MINOR["base" if name == "base" else "seat"]
        full = self.grid.fractions(self.begins[name])
        return sum(
            (
                Fraction(unit * quantity, full[day])
                for day, quantity in self.quantities[name].items()
                if day < min(self.end, until) and day not in self.paused
            ),
            Fraction(0),
        )


class Customer:
    """One vendor's customer, to whom things are done."""

    def __init__(self, slug: str) -> None:
        self.vendor = make_vendor(slug)
        self.vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
        seats = (price(f"seat-{n}", "10", model="per_unit", tax_rate=19) for n in range(40))
        self.vendor.has("prices", price("base", "300", tax_rate=19), *seats)
        self.vendor.has("subscriptions", subscription("S", "A", "base", str(FIRST)))
        with self.vendor.seen():
            self.key = Subscription.objects.get().pk
            self.prices = dict(Price.objects.values_list("external_id", "pk"))

    def item(self, name: str):
        with self.vendor.seen():
            return Item.objects.filter(price__external_id=name).latest("id").pk

    def change(self, day: date, wanted: ItemChange | ItemAddition, today: date) -> None:
        change_subscription(self.vendor.actor, self.key, [wanted], day=day, today=today, now=NOW)

    def align(self, billing_day: int, method: str, today: date) -> None:
        alignment = Alignment(billing_day=billing_day, method=method)
        wanted = Wanted("alignment", self.vendor.id_of("G"), today, alignment=alignment)
        align_renewals(self.vendor.actor, wanted, today=today, now=NOW)

    def sums(self) -> dict[str | None, int]:
        found: dict[str | None, int] = defaultdict(int)
        with self.vendor.seen():
            rows = Charge.objects.values_list("item__price__external_id", "net_minor")
            for name, net_minor in rows:
                found[name] += net_minor
        return dict(found)

    def taken_back_on_drafts(self) -> list[tuple[object, ...]]:
        """Return what stands on a draft though nothing of it is left there."""
        days: dict[tuple[object, ...], int] = defaultdict(int)
        with self.vendor.seen():
            lines = InvoiceLine.objects.filter(invoice__status="to_approve")
            for line in lines.select_related("charge"):
                charge = line.charge
                sign = -1 if charge.credited_id else 1
                root = (line.invoice_id, charge.credited_id or charge.pk)
                days[root] += sign * (charge.period_end - charge.period_start).days
        return [root for root, left in days.items() if left == 0]

    def on_documents(self) -> int:
        """Return what stands on documents, or waits for one."""
        with self.vendor.seen():
            rows = Charge.objects.exclude(status=Charge.Status.OFFSET)
            return sum(rows.values_list("net_minor", flat=True))

    def periods(self) -> dict[str | None, list[tuple[date, date]]]:
        found: dict[str | None, list[tuple[date, date]]] = defaultdict(list)
        with self.vendor.seen():
            rows = Period.objects.order_by("starts")
            for name, *bounds in rows.values_list("item__price__external_id", "starts", "ends"):
                found[name].append(tuple(bounds))
        return dict(found)

    def charges(self) -> dict[str | None, int]:
        found: dict[str | None, int] = defaultdict(int)
        with self.vendor.seen():
            for name in Charge.objects.values_list("item__price__external_id", flat=True):
                found[name] += 1
        return dict(found)


def act(
    chance: random.Random, step: int, today: date, customers: list[Customer], said: Expected
) -> None:
    """Do one thing at random to all customers, and write down what should come of it."""
    day = max(FIRST, today - timedelta(days=chance.randint(-40, 90)))
    kind = chance.choice(
        ["add", "add", "quantity", "quantity", "remove", "pause", "resume", "align", "end", "back"]
    )
    held = sorted(name for name, kept in said.quantities.items() if name != "base" and day in kept)
    name = chance.choice(held) if held else ""
    if kind == "add":
        name = f"seat-{step}"
        for one in customers:
            one.change(day, ItemAddition(one.prices[name], Decimal(3)), today)
        said.begins[name] = day
        said.quantities[name] = dict.fromkeys(days(day, AFTER), 3)
    elif kind == "quantity" and name:
        kept = said.quantities[name]
        until = next((one for one in days(day, AFTER) if kept.get(one) != kept[day]), AFTER)
        for one in customers:
            one.change(day, ItemChange(one.item(name), quantity=Decimal(step + 4)), today)
        kept.update(dict.fromkeys(days(day, until), step + 4))
    elif kind == "remove" and name:
        for one in customers:
            one.change(day, ItemChange(one.item(name), is_removed=True), today)
        kept = said.quantities[name]
        said.quantities[name] = {one: number for one, number in kept.items() if one < day}
    elif kind == "pause":
        until = day + timedelta(days=chance.randint(1, 60))
        for one in customers:
            pause_subscription(
                one.vendor.actor, one.key, day=day, until=until, today=today, now=NOW
            )
        said.paused |= set(days(day, min(until, AFTER)))
    elif kind == "resume":
        for one in customers:
            resume_subscription(one.vendor.actor, one.key, day=day, today=today, now=NOW)
        said.paused -= set(days(day, AFTER))
    elif kind == "align":
        billing_day, method = chance.choice([1, 7, 15, 29, 31]), chance.choice(["short", "long"])
        for one in customers:
            one.align(billing_day, method, today)
        said.grid.changes.append((today, billing_day))
    elif kind == "end" and said.end == AFTER:
        day = max(day, today + timedelta(days=1))
        for one in customers:
            cancel_subscription(one.vendor.actor, one.key, end_date=day, today=today, now=NOW)
        said.end = day
    elif kind == "back" and today < said.end < AFTER:
        for one in customers:
            reactivate_subscription(one.vendor.actor, one.key, today=today, now=NOW)
        said.end = AFTER


SEEDS = (*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 30)))


@pytest.mark.parametrize("seed", SEEDS)
def test_often_billed_and_billed_once_come_to_what_each_day_costs(db, seed):
    chance = random.Random(seed)
    often, drafts, once = Customer("often"), Customer("drafts"), Customer("once")
    said = Expected(
        quantities={"base": dict.fromkeys(days(FIRST, AFTER), 1)}, begins={"base": FIRST}
    )
    today = date(2026, 11, 23)
    for step in range(24):
        often.vendor.run(today, today=today)
        drafts.vendor.run(today, today=today, issue=False)
        with suppress(*REFUSALS):
            act(chance, step, today, [often, drafts, once], said)
        refresh_drafts(drafts.vendor.actor, now=NOW)
        assert drafts.taken_back_on_drafts() == []
        today += timedelta(days=chance.randint(0, 60))
        if today >= said.end:
            break
    for one in (often, drafts, once):
        one.vendor.run(LAST - timedelta(days=1), today=LAST)
        assert one.vendor.violations() == []

    for one in (often, drafts, once):
        assert one.on_documents() == sum(one.sums().values())
        sums, counts, periods = one.sums(), one.charges(), one.periods()
        for name in said.begins:
            # Each charge is rounded once.
            until = periods[name][-1][1] if name in periods else FIRST
            wrong = abs(sums.get(name, 0) - said.exact(name, until))
            assert wrong <= Fraction(counts.get(name, 0), 2), (one.vendor.slug, name)
        for name, found in periods.items():
            ends = [stop for _start, stop in found]
            assert [start for start, _stop in found][1:] == ends[:-1], name
