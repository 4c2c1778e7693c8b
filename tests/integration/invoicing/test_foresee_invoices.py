"""What is foreseen with a change, compared with what runs make after it was really written."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import tree
from accounts.models import Placement, SettingName
from accounts.operations.settings import Change, write_changes
from billing_rules.timelines import changed
from invoicing.engine.what_if import (
    AS_STORED,
    ItemChange,
    ItemEnd,
    Move,
    NewItem,
    PriceChange,
    Setting,
    WhatIf,
)
from invoicing.models import Invoice, InvoiceLine
from invoicing.operations.clock import advance_clock
from invoicing.queries import foreseeing
from invoicing.queries.foreseeing import (
    DatesTooFar,
    TreesTooLarge,
    foresee_invoices,
)
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.subscriptions.terms import write_terms
from subscriptions.queries.terms import timelines_of
from tenancy.database import scope
from tenancy.errors import NotFound
from tenancy.ids import uuid7
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

FIRST = TODAY + timedelta(days=1)
LAST = date(2027, 4, 20)
MOST_STATEMENTS = 18


def foresee(vendor, *keys, what_if=AS_STORED, actor=None, first=FIRST, last=LAST, **options):
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        ids = [vendor.id_of(key) for key in keys]
        return foresee_invoices(
            actor or vendor.actor,
            ids,
            first=first,
            last=last,
            what_if=what_if,
            tenant=tenant,
            **options,
        )


def move_clock(vendor, to):
    advance_clock(vendor.actor, to_date=to, now=NOW)


def write(vendor, what_if, day):
    """Write what changes on a day, as whoever carries a plan out would."""
    with scope(vendor.tenant_id):
        for move in what_if.moves:
            if move.day == day:
                tree.move(vendor.tenant_id, move.account_id, move.parent_id)
                placed = Placement.objects.filter(account_id=move.account_id, valid_to=None)
                placed.update(valid_to=day)
                Placement.objects.create(
                    tenant_id=vendor.tenant_id,
                    account_id=move.account_id,
                    parent_id=move.parent_id,
                    valid_from=day,
                )
        changes = [
            Change(one.account_id, one.name, None, one.value)
            for one in what_if.settings
            if one.day == day
        ]
        write_changes(vendor.actor, changes, today=day)


def write_other_terms(vendor, item_id, day, **values):
    """Let an item cost something else from a day on, without making good what was charged."""
    item = Item.objects.select_related("subscription", "price").get(pk=item_id)
    timeline = timelines_of(vendor.actor, [item], item.subscription.start_date)[item_id]
    since = max(day, item.subscription.start_date)
    held = next(one.value for one in timeline if one.holds_on(since))
    write_terms(vendor.actor, item, changed(timeline, since, replace(held, **values)))


def moved(vendor, key, parent, day=FIRST):
    return WhatIf(moves=(Move(vendor.id_of(key), vendor.id_of(parent), day),))


def foreseen(invoices):
    return sorted(
        (
            one.day,
            str(one.bill_to_id),
            str(one.payer_id),
            one.currency,
            one.due_date,
            one.collection,
            (one.net_minor, one.tax_minor, one.gross_minor),
            [
                (str(part.account_id), part.path, part.net_minor, part.tax_minor, part.line_count,
                 [(str(line.subscription_id), line.period_start, line.period_end, line.net_minor)
                  for line in part.lines])
                for part in one.sections
            ],
        )
        for one in invoices
        if not one.waits_for
    )  # fmt: skip


def issued(vendor):
    with vendor.seen():
        return sorted(
            (
                one.issue_date,
                str(one.bill_to_id),
                str(one.payer_id),
                one.currency,
                one.due_date,
                one.collection,
                (one.net_minor, one.tax_minor, one.gross_minor),
                [_section(part) for part in one.sections.order_by("position")],
            )
            for one in Invoice.objects.all()
        )


def _section(part):
    lines = InvoiceLine.objects.filter(section=part).order_by("position")
    plain = [(str(line.subscription_id), line.period_start, line.period_end, line.net_minor)
             for line in lines]  # fmt: skip
    sums = (part.net_minor, part.tax_minor, len(plain))
    return (str(part.account_id), tuple(part.path), *sums, plain)


@scene
def group(vendor):
    """Return a vendor with two groups: A below G pays for B, H stands apart."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("B", "A"))
    vendor.has("accounts", account("H", country="AT", vat_id="ATU13585627"))
    vendor.has("prices", price("ten", "10", tax_rate=19), price("late", "7", timing="arrears"))
    vendor.has(
        "subscriptions",
        subscription("SA", "A", "ten", "2026-12-01"),
        subscription("SB", "B", "late", "2026-12-10"),
        subscription("SH", "H", "ten", "2027-01-15"),
    )
    return vendor


def test_says_what_the_runs_of_the_clock_make(group):
    said = foresee(group, "G", "H", with_lines=True)

    move_clock(group, LAST)

    assert foreseen(said.stored) == issued(group)
    assert len(said.stored) > 5
    assert said.changed == said.stored
    assert said.until == LAST


def test_a_move_bills_somebody_else_from_its_day_on(group):
    day = date(2027, 2, 1)
    what_if = moved(group, "A", "H", day)
    said = foresee(group, "G", what_if=what_if, with_lines=True)

    move_clock(group, day - timedelta(days=1))
    write(group, what_if, day)
    move_clock(group, LAST)

    assert foreseen(said.changed) == issued(group)
    names = {(one.day, said.accounts[one.bill_to_id].name) for one in said.changed}
    assert (date(2027, 1, 1), "G") in names
    assert {name for when, name in names if when >= day} == {"H"}
    assert {said.accounts[one.bill_to_id].name for one in said.stored} == {"G", "H"}


@pytest.mark.parametrize(
    ("key", "name", "first", "value", "later"),
    [
        ("A", "billing_day", 12, 5, 20),
        ("A", "billing_day", 12, None, 9),
        ("A", "bill_to", "G", "A", None),
        ("G", "payer", "B", "H", "G"),
    ],
)
def test_a_setting_holds_up_to_the_change_that_is_planned_after_it(
    group, key, name, first, value, later
):
    day, then, whose = date(2027, 2, 1), date(2027, 3, 1), group.id_of(key)
    first, value, later = (
        group.id_of(one) if isinstance(one, str) else one for one in (first, value, later)
    )
    with scope(group.tenant_id):
        for since, planned in ((date(2027, 1, 1), first), (then, later)):
            write_changes(group.actor, [Change(whose, name, None, planned)], today=since)
    what_if = WhatIf(settings=(Setting(whose, SettingName(name), value, day),))
    said = foresee(group, "G", "H", what_if=what_if, with_lines=True)

    move_clock(group, day - timedelta(days=1))
    write(group, what_if, day)
    move_clock(group, LAST)

    assert foreseen(said.changed) == issued(group)
    assert foreseen(said.stored) != issued(group)
    since = [one[:3] for one in foreseen(said.stored) if one[0] > date(2027, 3, 20)]
    assert since == [one[:3] for one in foreseen(said.changed) if one[0] > date(2027, 3, 20)]


def test_items_and_prices_change_from_their_day_on(group):
    day = date(2027, 2, 1)
    group.has("prices", price("twelve", "12", tax_rate=19), price("four", "4"))
    with group.seen():
        item = {one.subscription.external_id: one.id
                for one in Item.objects.select_related("subscription")}  # fmt: skip
        prices = {one.external_id: one for one in Price.objects.all()}
    what_if = WhatIf(
        new_items=(NewItem(group.id_of("H"), prices["four"], Decimal(3), day),),
        item_changes=(ItemChange(item["SB"], day, quantity=Decimal(5)),),
        ends=(ItemEnd(item["SH"], date(2027, 3, 20)),),
        prices=(PriceChange(prices["ten"].id, prices["twelve"], day),),
    )
    said = foresee(group, "G", what_if=what_if, with_lines=True)

    with scope(group.tenant_id):
        for one in Item.objects.filter(price=prices["ten"]):
            write_other_terms(group, one.pk, day, price=prices["twelve"])
        write_other_terms(group, item["SB"], day, quantity=Decimal(5))
    move_clock(group, day - timedelta(days=1))
    with scope(group.tenant_id):
        Subscription.objects.filter(external_id="SH").update(end_date=date(2027, 3, 20))
    group.has("subscriptions", subscription("N", "H", "four", "2027-02-01", 3))
    move_clock(group, LAST)

    amounts = [(one[0], one[1], one[6]) for one in issued(group)]
    assert [(one[0], one[1], one[6]) for one in foreseen(said.changed)] == amounts
    assert [(one[0], one[1], one[6]) for one in foreseen(said.stored)] != amounts
    with pytest.raises(NotFound):
        foresee(group, "G", what_if=WhatIf(ends=(ItemEnd(uuid7(), day),)))


def test_what_stands_on_drafts_is_placed_again(group):
    group.run("2026-12-10", issue=False)
    a = group.id_of("A")
    what_if = WhatIf(settings=(Setting(a, SettingName.BILL_TO, a, date(2026, 11, 1)),))

    said = foresee(group, "G", what_if=what_if, first=date(2026, 12, 10), last=date(2026, 12, 10))

    assert [(one.bill_to_id, one.net_minor) for one in said.stored] == [(group.id_of("G"), 1000)]
    assert [(one.bill_to_id, one.net_minor) for one in said.changed] == [(a, 1000)]


def test_what_no_run_can_make_is_told_once_with_its_reason(vendor):
    vendor.has("accounts", account("G", city=""), account("A", "G"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("S", "A", "ten", "2026-12-01"))
    what_if = WhatIf(
        settings=(
            Setting(vendor.id_of("A"), SettingName.BILL_TO, vendor.id_of("A"), date(2027, 2, 1)),
        )
    )

    said = foresee(vendor, "A", what_if=what_if)

    assert [(one.day, one.waits_for, one.net_minor) for one in said.stored] == [
        (date(2026, 12, 1), "bill_to_incomplete", 5000)
    ]
    assert [(one.day, one.waits_for, one.net_minor) for one in said.changed] == [
        (date(2027, 2, 1), "", 1000),
        (date(2027, 3, 1), "", 1000),
        (date(2027, 4, 1), "", 1000),
        (date(2026, 12, 1), "bill_to_incomplete", 2000),
    ]


def test_stores_nothing_and_asks_as_often_for_many(group):
    group.run("2026-12-10", issue=False)
    what_if = moved(group, "A", "H", date(2027, 2, 1))
    keys = [f"X{number}" for number in range(30)]
    group.has("accounts", *(account(key, "G") for key in keys))
    group.has("subscriptions", *(subscription(key, key, "late", "2026-12-03") for key in keys))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        said = foresee(group, "G", what_if=what_if)

    statements = [one["sql"] for one in asked if one["sql"].lstrip().startswith(("SELECT", "WITH"))]
    assert len(statements) <= MOST_STATEMENTS
    assert not [one for one in asked if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert not [sql for sql in statements if "FOR UPDATE" in sql]
    assert len(said.changed) > 5


def test_refuses_what_nobody_waits_for(group, monkeypatch):
    with pytest.raises(DatesTooFar):
        foresee(group, "G", first=FIRST, last=TODAY)
    with pytest.raises(DatesTooFar):
        foresee(group, "G", last=date(2036, 1, 1))
    with pytest.raises(tree.TreeCycle):
        foresee(group, "G", what_if=moved(group, "A", "B"))
    monkeypatch.setattr(foreseeing, "MOST_LINES", 1)
    said = foresee(group, "G")
    assert said.until < LAST
    assert all(one.day <= said.until for one in said.stored)
    monkeypatch.setattr(foreseeing, "MOST_ACCOUNTS", 2)
    with pytest.raises(TreesTooLarge):
        foresee(group, "G")


def test_is_for_those_who_may_see_the_whole_tree(group, other_vendor):
    top, below = group.customer("Ann", "finance", "G"), group.customer("Ben", "finance", "A")

    assert foresee(group, "A", actor=top).stored
    with pytest.raises(NotFound):
        foresee(group, "A", actor=below)
    with pytest.raises(NotFound):
        foresee(group, "A", actor=top, what_if=moved(group, "A", "H"))
    pays = Setting(group.id_of("A"), SettingName.PAYER, group.id_of("H"), FIRST)
    with pytest.raises(NotFound):
        foresee(group, "A", actor=top, what_if=WhatIf(settings=(pays,)))
    with pytest.raises(NotFound), other_vendor.seen():
        foresee_invoices(other_vendor.actor, [group.id_of("G")], first=FIRST, last=LAST,
                         tenant=Tenant.objects.get(pk=other_vendor.tenant_id))  # fmt: skip


# -- any world ---------------------------------------------------------------------------------


class AnyWorld:
    """Two random trees with subscriptions, and a change of them."""

    def __init__(self, vendor, seed):
        self.random, self.vendor = Random(seed), vendor
        self.parents = {}
        self._fill()

    def path(self, key: str) -> Sequence[str]:
        """Return an account and those above it."""
        found = [key]
        while self.parents[found[-1]]:
            found.append(self.parents[found[-1]])
        return found

    def _fill(self):
        chance, rows = self.random, []
        for number in range(chance.randint(5, 9)):
            key = f"N{number}"
            earlier = [*self.parents]
            self.parents[key] = "" if number < 2 else chance.choice(earlier)
            rows.append(account(key, self.parents[key], **self._cells(key)))
        self.vendor.has("accounts", *rows)
        self.vendor.has(
            "prices",
            price("ten", "9.99", tax_rate=19),
            price("late", "7.45", timing="arrears", tax_rate=7),
            price("year", "365.01", interval="year"),
            price("chf", "10.10", currency="CHF"),
            price("week", "3.33", interval="week"),
            price("seats", model="graduated", tiers="10:9.15:0|inf:7.5:0"),
        )
        self.vendor.has("subscriptions", *(self._subscription(n) for n in range(14)))
        self._plan_ahead()
        with self.vendor.seen():
            for key in chance.sample([*self.parents], 2):
                one = Subscription.objects.filter(account__external_id=key).first()
                if one is not None:
                    one.override_bill_to_id = self.vendor.id_of(chance.choice(self.path(key)))
                    one.billing_day = chance.choice([None, 5, 31])
                    one.save()

    def _plan_ahead(self):
        """Plan that some settings change later, and perhaps change back."""
        chance, ids = self.random, self.vendor.id_of
        with scope(self.vendor.tenant_id):
            for key in chance.choices([*self.parents], k=5):
                name, value = chance.choice(
                    [
                        ("billing_day", chance.choice([None, 3, 28])),
                        ("bill_to", chance.choice([None, ids(key)])),
                        ("payer", ids(chance.choice(self.path(key)))),
                        ("consolidation", chance.choice(["per_account", "one_invoice"])),
                        ("payment_terms_days", 60),
                    ]
                )
                day = FIRST + timedelta(days=chance.randint(5, 120))
                write_changes(self.vendor.actor, [Change(ids(key), name, None, value)], today=day)

    def _cells(self, key):
        chance = self.random
        cells = {
            "billing_day": chance.choice([1, 10, 31]),
            "bill_to": chance.choice(self.path(key)),
            "payer": chance.choice(self.path(key)),
            "consolidation": "per_account",
            "payment_terms_days": chance.choice([7, 30]),
            "city": "",
            "country": "AT",
            "split_by_po": "true",
            "po_number": chance.choice(["P1", "P2"]),
        }
        odds = {"city": 0.08, "country": 0.1, "consolidation": 0.15}
        return {name: value for name, value in cells.items()
                if chance.random() < odds.get(name, 0.3)}  # fmt: skip

    def _subscription(self, number):
        chance = self.random
        start = TODAY + timedelta(days=chance.randint(-40, 80))
        extra = {
            "end_date": start + timedelta(days=chance.randint(20, 150)),
            "po_number": "P3",
        }
        return subscription(
            f"S{number}",
            chance.choice([*self.parents]),
            chance.choice(["ten", "late", "year", "chf", "week", "seats"]),
            start.isoformat(),
            chance.randint(1, 15),
            **{name: value for name, value in extra.items() if chance.random() < 0.3},
        )

    def change(self, day: date) -> WhatIf:
        """Return a change: some settings, and perhaps an account that moves."""
        chance, ids = self.random, self.vendor.id_of
        moves = []
        if chance.random() < 0.7:
            moving = chance.choice([key for key in self.parents if self.parents[key]])
            places = [key for key in self.parents if moving not in self.path(key)]
            self.parents[moving] = chance.choice(["", *places])
            parent = self.parents[moving]
            moves.append(Move(ids(moving), ids(parent) if parent else None, day))
        settings = {}
        for key in self.parents:
            # What points out of the new path has to be answered; here it is inherited again.
            settings |= {(key, name): None for name in ("bill_to", "payer")} if moves else {}
        for key in chance.sample([*self.parents], 3):
            name, value = chance.choice(
                [
                    ("bill_to", ids(chance.choice(self.path(key)))),
                    ("payer", ids(chance.choice(self.path(key)))),
                    ("billing_day", chance.randint(1, 31)),
                    ("consolidation", "per_account"),
                    ("payment_terms_days", 21),
                    ("split_by_po", None),
                ]
            )
            settings[key, name] = value
        return WhatIf(
            moves=tuple(moves),
            settings=tuple(
                Setting(ids(key), SettingName(name), value, day)
                for (key, name), value in settings.items()
            ),
            item_changes=self._more_or_less(day),
        )

    def _more_or_less(self, day):
        with self.vendor.seen():
            ids = sorted(Item.objects.values_list("id", flat=True))
        return tuple(
            ItemChange(key, day, quantity=Decimal(self.random.randint(0, 20)))
            for key in self.random.sample(ids, 2)
        )


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 60))]
)
def test_any_change_is_foreseen_to_the_cent(vendor, seed):
    world = AnyWorld(vendor, seed)
    day = FIRST + timedelta(days=world.random.randint(10, 90))
    keys = [key for key, parent in world.parents.items() if not parent]
    what_if = world.change(day)
    said = foresee(vendor, *keys, what_if=what_if, with_lines=True)

    with vendor.seen():
        # What is agreed for a later day is known from now on.
        for change in what_if.item_changes:
            write_other_terms(vendor, change.item_id, change.day, quantity=change.quantity)
    move_clock(vendor, day - timedelta(days=1))
    before = issued(vendor)
    write(vendor, what_if, day)
    move_clock(vendor, LAST)

    assert [one for one in foreseen(said.changed) if one[0] < day] == before
    assert foreseen(said.changed) == issued(vendor)
    assert len(said.changed) > 3
