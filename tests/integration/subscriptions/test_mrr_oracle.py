"""Sums over random trees, against pricing every item and climbing from every account by hand."""

import random
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import tree
from accounts.models import AccountNode
from invoicing.models import Invoice
from invoicing.queries.balances import balance_total, balances
from subscriptions.models import Item
from subscriptions.queries.mrr import mrr_of, mrr_total
from tests.world import TODAY, account, price, subscription

PRICES = (
    price("monthly", "100.00"),
    price("yearly", "999.99", interval="year"),
    price("weekly", "3.33", interval="week", interval_count=2),
    price("francs", "30.07", currency="CHF", model="per_unit"),
    price("yen", "500", currency="JPY", interval="quarter"),
    price("tiered", model="graduated", tiers="10:9:0|inf:7.5:0"),
)


def grow(vendor, chance, *, size):
    """Make a forest with subscriptions that begin and end on many days."""
    names = [f"a{n}" for n in range(size)]
    parents = [
        "",
        *("" if chance.random() < 0.1 else chance.choice(names[:n]) for n in range(1, size)),
    ]
    vendor.has("accounts", *(account(*pair) for pair in zip(names, parents, strict=True)))
    vendor.has("prices", *PRICES)
    rows = []
    for n in range(size * 2):
        start = TODAY + timedelta(days=chance.randint(-90, 30))
        end = start + timedelta(days=chance.randint(1, 120)) if chance.random() < 0.5 else ""
        key = chance.choice(PRICES)["external_id"]
        rows.append(
            subscription(
                f"s{n}",
                chance.choice(names),
                key,
                start.isoformat(),
                quantity=chance.randint(0, 40),
                end_date=end,
            )
        )
    vendor.has("subscriptions", *rows)
    return names


def climbing(parents, account_id):
    """Return an account and all above it, by parents."""
    while account_id is not None:
        yield account_id
        account_id = parents[account_id]


def add(sums, currency, amount):
    if amount:
        sums[currency] = sums.get(currency, 0) + amount


def slowly(ids, day):
    """Return own and tree by account: every item priced anew and carried up by parents."""
    parents = dict(AccountNode.objects.values_list("account_id", "parent_id"))
    found = {key: ({}, {}) for key in ids}
    for item in Item.objects.select_related("subscription", "price"):
        sold = item.subscription
        if sold.start_date > day or (sold.end_date is not None and sold.end_date <= day):
            continue
        amount = item.price.monthly_minor(item.quantity)
        for above in climbing(parents, item.account_id):
            if above in found:
                add(found[above][1], item.price.currency, amount)
        if item.account_id in found:
            add(found[item.account_id][0], item.price.currency, amount)
    return found


def owed_slowly(ids, day):
    """Return open and overdue by account, own and with all below."""
    parents = dict(AccountNode.objects.values_list("account_id", "parent_id"))
    found = {key: ({}, {}, {}, {}) for key in ids}
    for invoice in Invoice.objects.filter(status__in=["open", "partly_paid"]):
        amount = invoice.gross_minor - invoice.paid_minor
        is_overdue = invoice.due_date is not None and invoice.due_date < day
        for above in climbing(parents, invoice.bill_to_id):
            if above in found:
                own, own_late, whole, whole_late = found[above]
                add(whole, invoice.currency, amount)
                add(whole_late, invoice.currency, amount if is_overdue else 0)
                if above == invoice.bill_to_id:
                    add(own, invoice.currency, amount)
                    add(own_late, invoice.currency, amount if is_overdue else 0)
    return found


def total(found, parents, ids):
    """Return the sum over accounts, what lies below two of them counted once."""
    sums = {}
    for key in ids:
        if not set(climbing(parents, parents[key])) & set(ids):
            for currency, amount in found[key][1].items():
                add(sums, currency, amount)
    return sums


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_slow_sum_on_random_trees_and_days(vendor, seed):
    chance = random.Random(seed)
    keys = grow(vendor, chance, size=40)
    vendor.run("2026-11-01", today=TODAY)
    with vendor.seen():
        every = [vendor.id_of(key) for key in keys]
        for _move in range(6):
            try:
                tree.move(vendor.tenant_id, chance.choice(every), chance.choice([None, *every]))
            except (tree.TreeCycle, tree.TreeTooDeep):
                continue
        parents = dict(AccountNode.objects.values_list("account_id", "parent_id"))
        for days in (-60, -1, 0, 1, 45):
            day = TODAY + timedelta(days=days)
            ids = chance.sample(every, chance.randint(1, len(every)))
            mrrs, expected = mrr_of(vendor.actor, ids, day), slowly(every, day)

            assert {key: (one.own, one.tree) for key, one in mrrs.items()} == {
                key: expected[key] for key in ids
            }
            assert mrr_total(vendor.actor, ids, day) == total(expected, parents, ids)
            roots = [key for key in every if parents[key] is None]
            assert mrr_total(vendor.actor, None, day) == total(expected, parents, roots)

            owed, due = balances(vendor.actor, ids, today=day), owed_slowly(every, day)
            assert {
                key: (one.own_open, one.own_overdue, one.tree_open, one.tree_overdue)
                for key, one in owed.items()
            } == {key: due[key] for key in ids}
        assert balance_total(vendor.actor, None, today=day).tree_open
        assert balance_total(vendor.actor, None, today=day) == balance_total(
            vendor.actor, every, today=day
        )


def test_keeps_what_an_item_brings_in_right(vendor):
    grow(vendor, random.Random(1), size=10)
    with vendor.seen():
        for item in Item.objects.select_related("price"):
            assert item.monthly_minor == item.price.monthly_minor(item.quantity)


def test_needs_one_statement_for_all(vendor):
    grow(vendor, random.Random(2), size=10)
    with vendor.seen(), CaptureQueriesContext(connection) as captured:
        mrr_total(vendor.actor, None, date(2026, 12, 1))

    assert len(captured) == 1
