"""Who moves takes part in a pool with the days on which it stood there, also when told late."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from accounts.operations.account_settings import WantedSettings, change_settings
from billing_rules.allocation import largest_remainder
from invoicing.models import ChangePlan
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.runs import working
from invoicing.queries.foreseeing import foresee_invoices
from invoicing.queries.plans.wanted import Wanted, world_of
from subscriptions.models import Item, LateUsage
from tenancy.models import Tenant
from tests.integration.invoicing.test_pools import pooled, standing, tiers_minor, used, vendor
from tests.world import NOW

__all__ = ["vendor"]
pytestmark = pytest.mark.django_db(transaction=True)

D = date.fromisoformat


def planned(vendor, of, below, day, today):
    """Plan a move, and agree to it."""
    wanted = Wanted("move", vendor.id_of(of), D(day), target_id=vendor.id_of(below))
    plan = create_plan(vendor.actor, wanted, today=D(today), now=NOW)
    submit_plan(vendor.actor, plan.pk, today=D(today), now=NOW)
    with vendor.seen():
        plan.refresh_from_db()
    if plan.status == ChangePlan.Status.WAITING_ACCEPTANCE:
        answer_plan(vendor.actor, plan.pk, accepts=True, reason="So", today=D(today), now=NOW)
    return plan


def moved(vendor, of, below, day, today):
    """Carry a move out; the plan waits no longer."""
    plan = planned(vendor, of, below, day, today)
    carry_out_due_plans(vendor.actor, day=max(D(day), D(today)), now=NOW)
    with vendor.seen():
        plan.refresh_from_db()
    assert plan.status == ChangePlan.Status.APPLIED, plan.failure


def foreseen(vendor, of, below, day, run):
    """Return what the run of a day would bill to all, without a move of an earlier day and with it.

    Of an earlier day no run issues anything any more.
    """
    what_if = world_of(
        Wanted("move", vendor.id_of(of), D(day), target_id=vendor.id_of(below)),
        ((vendor.id_of(of), vendor.id_of(below)),),
    )
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        found = foresee_invoices(
            vendor.actor, [vendor.id_of("G"), vendor.id_of("X")], first=D(run), last=D(run),
            what_if=what_if, tenant=tenant,
        )  # fmt: skip
    return [
        sorted((one.bill_to_id, one.net_minor) for one in side if not one.waits_for)
        for side in (found.stored, found.changed)
    ]


def billed(vendor, day):
    return sorted((vendor.id_of(one["bill_to"]), one["net_minor"]) for one in vendor.bills(day))


@pytest.fixture
def one_by_one(monkeypatch):
    """Each tree is billed by itself."""
    monkeypatch.setattr(working, "FAMILIES_PER_BATCH", 1)


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("below", ["X", "B"])
def test_a_move_that_is_told_when_the_pool_was_charged_corrects_all(vendor, below):
    """The pool is B's: A comes into it, or goes past it to a tree of its own."""
    node = "B" if below == "B" else "G"
    pooled(vendor, node=node)
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SA", 40, "2026-01-25")
    used(vendor, "SB", 60, "2026-01-10")
    vendor.run("2026-02-01")

    before, after = foreseen(vendor, "A", below, "2026-01-20", "2026-02-01")
    moved(vendor, "A", below, "2026-01-20", "2026-01-15")
    with vendor.seen():
        assert LateUsage.objects.count() == 3
    made = billed(vendor, "2026-02-01")

    if below == "X":
        # Up to the 20th 120 together are 11.00; from then on A pays its 40 alone.
        assert standing(vendor) == {
            ("SA", "2026-01-01", "2026-01-20"): 550,
            ("SA", "2026-01-20", "2026-02-01"): 400,
            ("SB", "2026-01-01", "2026-02-01"): 550,
        }
    else:
        # 60 alone; then 40 and 60 are 100 together.
        assert standing(vendor) == {
            ("SA", "2026-01-01", "2026-01-20"): 600,
            ("SA", "2026-01-20", "2026-02-01"): 400,
            ("SB", "2026-01-01", "2026-02-01"): 600,
        }
    assert before == []
    assert after == made
    assert vendor.bills("2026-02-02") == []
    assert vendor.violations() == []


@pytest.mark.usefixtures("one_by_one")
def test_who_has_moved_to_another_tree_is_charged_with_the_pool_for_the_days_before(vendor):
    """Neither tree can be billed without the other while days before the move are not charged."""
    pooled(vendor)
    # The periods have begun, so that nothing but their days tells of the pool.
    vendor.run("2026-01-02")
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SB", 60, "2026-01-10")
    used(vendor, "SA", 40, "2026-01-25")
    moved(vendor, "A", "X", "2026-01-20", "2026-01-15")

    vendor.run("2026-02-01")

    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-20"): 550,
        ("SA", "2026-01-20", "2026-02-01"): 400,
        ("SB", "2026-01-01", "2026-02-01"): 550,
    }
    # What comes in late for one is made good for the other, wherever it stands now.
    used(vendor, "SB", 120, "2026-01-11", today=D("2026-02-02"))
    vendor.run("2026-02-02")
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-20"): 425,
        ("SA", "2026-01-20", "2026-02-01"): 400,
        ("SB", "2026-01-01", "2026-02-01"): 1275,
    }
    assert vendor.violations() == []


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("seed", range(4))
def test_moves_come_to_what_counting_day_by_day_comes_to(vendor, seed):
    """The oracle asks of each day where each account stood; half of the moves are told late."""
    random = Random(seed)
    first = D("2026-01-01")
    grace = WantedSettings({"usage_grace_days": 365}, first)
    for root in ("G", "X"):
        change_settings(vendor.actor, vendor.id_of(root), grace, today=first, now=NOW)
    pooled(vendor, ends="2026-04-01")
    owners = {"SA": "A", "SB": "B", "SC": "C", "SX": "X"}
    events, places = [], {"A": [(first, "G")], "B": [(first, "G")]}

    def report(count, today):
        for _turn in range(count):
            key, quantity = random.choice([*owners]), Decimal(random.randrange(1, 240)) / 4
            day = first + timedelta(days=random.randrange(min(90, (today - first).days + 1)))
            used(vendor, key, quantity, f"{day}", today=today)
            events.append((key, day, quantity))

    report(30, D("2026-04-02"))
    charged, day = first, first
    for _turn in range(5):
        day += timedelta(days=random.randrange(1, 22))
        if random.random() < 0.6:
            charged = max(charged, day + timedelta(days=random.randrange(40)))
            vendor.run(charged)
        who = random.choice(["A", "B"])
        below = "X" if places[who][-1][1] == "G" else "G"
        stored, changed = foreseen(vendor, who, below, f"{day}", f"{max(day, charged)}")
        moved(vendor, who, below, f"{day}", f"{day}")
        places[who].append((day, below))
        if charged >= day:
            assert changed == billed(vendor, f"{charged}"), (stored, seed)
            assert vendor.violations() == []
        report(3, max(day, charged))
    vendor.run("2026-05-01")
    vendor.run("2026-05-02")

    assert standing(vendor) == expected_of(vendor, owners, places, events)
    with vendor.seen():
        assert LateUsage.objects.count() == 0
    assert vendor.violations() == []


def stands_in_pool(owner, places, day):
    """Say whether an account stands below G on a day; C stands below B."""
    above = {"C": "B"}.get(owner, owner)
    if above not in places:
        return False
    return next(below for since, below in reversed(places[above]) if since <= day) == "G"


def expected_of(vendor, owners, places, events):
    found = defaultdict(int)
    with vendor.seen():
        order = [one.subscription.external_id
                 for one in Item.objects.select_related("subscription").order_by("id")]  # fmt: skip
    for month in range(1, 5):
        start, end = date(2026, month, 1), date(2026, month + 1, 1)
        together = []
        for key in order:
            for since, until, shares in stretches(owners[key], places, start, end):
                used_then = sum(
                    (q for of, day, q in events if of == key and since <= day < until), Decimal(0)
                )
                if shares:
                    together.append(((key, f"{since}", f"{until}"), used_then))
                elif used_then:
                    alone = used_then * 100 if key == "SC" else tiers_minor(used_then)
                    found[key, f"{since}", f"{until}"] = int(alone)
        total = tiers_minor(sum((one for _key, one in together), Decimal(0)))
        if together and total:
            all_used = sum(Fraction(one) for _key, one in together)
            exact = [total * Fraction(one) / all_used for _key, one in together]
            for (key, _one), share in zip(together, largest_remainder(exact, total), strict=True):
                found[key] = share
    return {key: net for key, net in sorted(found.items()) if net}


def stretches(owner, places, start, end):
    """Yield the days of a month, cut where somebody comes into the pool or leaves it."""
    begun, day = start, start
    while day < end:
        following = day + timedelta(days=1)
        shares = stands_in_pool(owner, places, day) and day < D("2026-04-01")
        later = stands_in_pool(owner, places, following) and following < D("2026-04-01")
        if following == end or later != shares:
            yield begun, following, shares
            begun = following
        day = following


def merged(vendor, of, into, day):
    """Merge a duplicate into another account."""
    wanted = Wanted("merge", vendor.id_of(of), D(day), target_id=vendor.id_of(into))
    plan = create_plan(vendor.actor, wanted, today=D(day), now=NOW)
    submit_plan(vendor.actor, plan.pk, today=D(day), now=NOW)
    carry_out_due_plans(vendor.actor, day=D(day), now=NOW)
    with vendor.seen():
        plan.refresh_from_db()
    assert plan.status == ChangePlan.Status.APPLIED, plan.failure


@pytest.mark.parametrize("is_late", [False, True])
def test_what_is_handed_over_is_in_a_pool_with_the_days_since(vendor, is_late):
    """A has it up to the 20th, outside of the pool of B; from then on it is B's."""
    pooled(vendor, node="B")
    used(vendor, "SA", 60, "2026-01-10")
    used(vendor, "SA", 80, "2026-01-25")
    used(vendor, "SB", 80, "2026-01-10")
    vendor.run("2026-02-01" if is_late else "2026-01-02")

    merged(vendor, "A", "B", "2026-01-20")
    vendor.run("2026-02-01")
    vendor.run("2026-02-02")

    # 60 alone; then 80 and 80 together are 10.00 and 3.00.
    assert standing(vendor) == {
        ("SA", "2026-01-01", "2026-01-20"): 600,
        ("SA", "2026-01-20", "2026-02-01"): 650,
        ("SB", "2026-01-01", "2026-02-01"): 650,
    }
    with vendor.seen():
        assert LateUsage.objects.count() == 0
    assert vendor.violations() == []
