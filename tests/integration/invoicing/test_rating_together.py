"""What is rated together is computed once for equal items: each comes to what it does alone."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from accounts import tree
from invoicing.engine.rating import rate
from invoicing.engine.reading import coming_items, open_periods
from invoicing.engine.reading_families import read_families
from tenancy.queries.tenants import own_tenant
from tests.world import account, make_vendor, price, subscription

pytestmark = pytest.mark.django_db

PRICES = [
    price("flat", "19.99"),
    price("same", "19.99"),
    price("later", "30", timing="arrears"),
    price("each", "0.335", model="per_unit", interval="quarter"),
    price("tiers", model="graduated", tiers="10:45:0|50:40:0|inf:35:5"),
    price("weekly", "7", interval="week", timing="arrears"),
]
OWNERS = ("A", "A-1", "A-2", "B")


def cells(choose):
    """Return what sets a subscription apart from others: mostly little."""
    start = date(2026, 1, 1) + timedelta(days=choose.choice((0, 0, 0, 14, 31)))
    found = {"quantity": choose.choice(("1", "3", "12.5")), "start_date": start.isoformat()}
    more = {
        "end_date": (start + timedelta(days=choose.choice((40, 75)))).isoformat(),
        "billed_until": (start + timedelta(days=31)).isoformat(),
    }
    return found | {name: value for name, value in more.items() if choose.random() < 0.2}


def otherwise(item, choose):
    """Return an item with a billing day of its own or a trial, if it wasn't billed yet."""
    if item.chain_end is not None or choose.random() < 0.6:
        return item
    own = {
        "billing_day": choose.choice((1, 15)),
        "trial_end": date(2026, 3, choose.choice((7, 20))),
    }
    name = "billing_day" if item.subscription.end_date else choose.choice([*own])
    return replace(item, subscription=replace(item.subscription, **{name: own[name]}))


def said(charges):
    """Return what charges say, but for their own ids."""
    return sorted(
        (
            str(one.item_id), one.kind, one.period_start, one.period_end, one.due_date,
            one.invoice_on, one.net_minor, repr(sorted(one.calculation.items())),
        )
        for one in charges
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_items_come_to_the_same_together_and_alone(seed):
    choose = random.Random(seed)
    vendor = make_vendor()
    vendor.has(
        "accounts",
        account("A", billing_day=10),
        account("A-1", "A", kind="branch"),
        account("A-2", "A", kind="branch", billing_day=1),
        account("B"),
    )
    vendor.has("prices", *PRICES)
    rows = []
    for number in range(60):
        chosen = cells(choose)
        start = chosen.pop("start_date")
        owner, what = choose.choice(OWNERS), choose.choice(PRICES)["external_id"]
        rows.append(subscription(f"S{number}", owner, what, start, **chosen))
    vendor.has("subscriptions", *rows)
    vendor.bills("2026-01-20")

    with vendor.seen():
        actor = vendor.actor
        trees = tree.families(actor.tenant_id, [vendor.id_of("A"), vendor.id_of("B")])
        families = read_families(actor, trees, None, tenant=own_tenant(actor))
        items = [otherwise(one, choose) for one in coming_items(actor, families.accounts)]
        begun, until = open_periods(actor, items), date(2026, 6, 30)
        together = rate(families, items, begun, until=until)
        alone = [rate(families, [item], begun, until=until) for item in items]

    assert len(items) > 30
    assert said(together.charges) == said(one for found in alone for one in found.charges)
    assert together.moved == tuple(pair for found in alone for pair in found.moved)
