"""Trees of another day: what is read a piece at a time is what is read as a whole."""

import contextlib
import random
from datetime import timedelta

import pytest

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account, Placement
from accounts.models.nodes import BEGINNING
from accounts.operations.moving import place_account
from accounts.queries import past_trees
from accounts.queries.past_trees import PastTree, path_then
from accounts.queries.placements import lies_below
from accounts.queries.subtrees import subtree
from subscriptions.queries.mrr import mrr_then
from tests.world import TODAY, account, make_vendor, price, subscription

pytestmark = pytest.mark.django_db

SIZE = 40
MOVED = TODAY - timedelta(days=3)
DAY = MOVED - timedelta(days=1)


def parents_by_chance(dice):
    """Two trees, so that accounts move from one to the other as well."""
    above = {f"a{n}": f"a{dice.randrange(n)}" for n in range(2, SIZE)}
    return {"a0": "", "a1": "", **above}


@pytest.fixture(params=range(2))
def then(request):
    """A tree of which a third stood elsewhere until lately; some are archived, some are new."""
    dice = random.Random(request.param)
    now, before = parents_by_chance(dice), parents_by_chance(dice)
    vendor = make_vendor("acme")
    vendor.has("accounts", *(account(key, above, name=f"Name {key}") for key, above in now.items()))
    vendor.has("prices", price("desk", "9.00"))
    subscribed = dice.sample(sorted(now), SIZE // 2)
    vendor.has("subscriptions", *(
        subscription(f"s{key}", key, "desk", "2026-01-01", dice.randint(1, 9))
        for key in subscribed
    ))  # fmt: skip
    new = set(dice.sample(sorted(now), 3)) - set(before.values()) - {"a0"}
    archived = dice.sample(sorted(now), SIZE // 3)
    with vendor.seen():
        ids = {key: vendor.id_of(key) for key in now}
        for key in now:
            placed = Placement.objects.filter(account_id=ids[key])
            if key in new:
                placed.update(valid_from=MOVED)
            elif before[key] != now[key]:
                placed.update(valid_from=MOVED)
                Placement.objects.create(
                    tenant_id=vendor.tenant_id,
                    account_id=ids[key],
                    parent_id=ids.get(before[key]),
                    valid_from=BEGINNING,
                    valid_to=MOVED,
                )
        Account.objects.filter(pk__in=[ids[key] for key in archived]).update(status="archived")
        yield vendor, ids["a0"]


def tree_below(vendor, key, closed):
    account = path_then(vendor.actor, key, DAY)[-1]
    return PastTree(vendor.actor, account, DAY, closed)


def told(rows):
    return [(row.id, row.parent_id, row.level, row.below, row.name, row.status,
             row.position, row.siblings) for row in rows]  # fmt: skip


def in_pieces(monkeypatch):
    monkeypatch.setattr(past_trees, "WHOLE_TREE", 0)


def placed_on(vendor, day):
    """Return the parent of each account on a day, read from history row by row."""
    return {
        one.account_id: one.parent_id
        for one in Placement.objects.filter(tenant_id=vendor.tenant_id)
        if one.valid_from <= day and (one.valid_to is None or day < one.valid_to)
    }


@pytest.mark.parametrize("day", [DAY, MOVED, TODAY])
def test_what_lay_below_is_what_each_placement_says(then, day):
    vendor, _top_id = then
    parents = placed_on(vendor, day)
    expected = {key: set() for key in parents}
    for key in parents:
        step = key
        while step is not None:
            expected[step].add(key)
            step = parents[step]

    for key in Account.objects.filter(tenant_id=vendor.tenant_id).values_list("pk", flat=True):
        found = Account.objects.filter(lies_below(vendor.actor, key, day))
        assert set(found.values_list("pk", flat=True)) == expected.get(key, set())
    under = past_trees.under_each(vendor.actor, parents, day)
    assert {key: under[key].count + 1 for key in parents} == {
        key: len(below) for key, below in expected.items()
    }


def test_of_what_lay_below_only_what_is_in_reach_is_counted(then):
    vendor, _top_id = then
    viewer = vendor.customer("Vera", "viewer", "a1")
    seen = {*access.reach(viewer, Action.VIEW_ACCOUNT).values_list("pk", flat=True)}
    parents = placed_on(vendor, DAY)
    expected = dict.fromkeys(seen & parents.keys(), 0)
    for key in seen & parents.keys():
        step = parents[key]
        while step is not None:
            if step in expected:
                expected[step] += 1
            step = parents[step]

    under = past_trees.under_each(viewer, parents, DAY)

    assert {key: under[key].count for key in expected} == expected
    assert 0 < len(expected) < len(parents)
    assert under.keys() <= expected.keys()


@pytest.mark.parametrize("closed", [True, False])
def test_children_are_the_same_in_pieces(then, closed, monkeypatch):
    vendor, top_id = then
    whole = tree_below(vendor, top_id, closed)
    parents = [row.id for row in whole.rows if row.below]
    assert len(parents) > 3
    expected = {
        key: told(past_trees.first_children_then(whole, [key], level=1, start=0, count=99))
        for key in parents
    }
    levels = {row.id: row.level for row in whole.rows}

    in_pieces(monkeypatch)
    for key in parents:
        below = tree_below(vendor, key, closed)
        shown = past_trees.children_then(below).rows
        level = levels[key]
        assert [(row[0], row[1], level + row[2], *row[3:]) for row in told(shown)] == expected[key]
        fresh = tree_below(vendor, top_id, closed)
        found = past_trees.first_children_then(fresh, [key], level=level + 1, start=0, count=99)
        assert told(found) == expected[key]


@pytest.mark.parametrize("huge", [10_000, 0])
@pytest.mark.parametrize("closed", [True, False])
def test_searching_finds_the_same_with_all_above(then, closed, huge, monkeypatch):
    monkeypatch.setattr(past_trees, "HUGE_TREE", huge)
    vendor, top_id = then
    monkeypatch.setattr(past_trees, "FOUND_AT_ONCE", SIZE)
    whole = {row.id: row for row in tree_below(vendor, top_id, closed).rows}
    is_used = {row.id for row in whole.values() if closed or row.status == "active"}
    wanted = {row.id for row in whole.values() if "a1" in row.name} & is_used
    above = set(wanted) | {top_id}
    for key in wanted:
        while key != top_id:
            above.add(key := whole[key].parent_id)

    branch = past_trees.matching_then(tree_below(vendor, top_id, closed), "a1")

    assert branch.hits == wanted
    assert branch.found == len(wanted) > 3
    assert {row.id: (row.parent_id, row.level, row.below) for row in branch.rows} == {
        key: (whole[key].parent_id, whole[key].level, whole[key].below) for key in above
    }


def test_what_is_brought_in_rolls_up_as_the_tree_stood(then):
    vendor, top_id = then
    parents = {row.id: row.parent_id for row in tree_below(vendor, top_id, closed=True).rows}
    each = mrr_then(vendor.actor, parents, DAY)
    summed = dict.fromkeys(parents, 0)
    for key in parents:
        step = key
        while step is not None:
            summed[step] += each[key].own.get("EUR", 0)
            step = parents[step]

    assert {key: mrr.tree.get("EUR", 0) for key, mrr in each.items()} == summed
    assert summed[top_id] > 0
    some = list(parents)[1::3]
    assert {key: mrr.tree for key, mrr in mrr_then(vendor.actor, some, DAY).items()} == {
        key: each[key].tree for key in some
    }


@pytest.mark.parametrize("seed", range(3))
def test_each_month_end_of_a_year_of_moves_stays_as_it_was(vendor, seed):
    """Accounts are moved on random days; what stood where is written down at each month's end."""
    dice = random.Random(seed)
    parents = {key: up or None for key, up in parents_by_chance(dice).items()}
    vendor.has("accounts", *(account(key, up or "") for key, up in parents.items()))
    day, recorded = TODAY, {}
    with vendor.seen():
        names = {vendor.id_of(key): key for key in parents}
        for _month in range(12):
            for _move in range(5):
                day += timedelta(days=dice.randrange(1, 6))
                key, up = dice.choice(sorted(parents)), dice.choice([None, *sorted(parents)])
                up_id = vendor.id_of(up) if up else None
                with contextlib.suppress(tree.TreeCycle):
                    place_account(vendor.actor, vendor.id_of(key), up_id, day=day)
                    parents[key] = up
            recorded[day] = dict(parents)
            # The months that are over are looked at again after every one that follows.
            for end, expected in recorded.items():
                found = {}
                for top in (key for key, up in expected.items() if up is None):
                    rows = subtree(vendor.actor, vendor.id_of(top), as_of=end)
                    found |= {names[row.id]: names.get(row.parent_id) for row in rows}
                assert found == expected, end
    assert vendor.faults() == []
