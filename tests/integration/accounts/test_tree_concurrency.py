"""Many writers in one tree and across two: nothing breaks, and without the lock it does."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import tree
from accounts.models import AccountNode
from accounts.operations.importing import import_accounts
from accounts.tree import locking
from tests.integration.accounts.forests import Forest
from tests.world import NOW, TODAY, account, csv_of, make_vendor

WRITERS = 6


@pytest.fixture
def grown(committed_vendor):
    """Return two trees of 21 accounts each, committed."""
    forest = Forest(committed_vendor)
    with committed_vendor.seen():
        for top in "PQ":
            forest.load(
                {
                    top: None,
                    **{f"{top}{n}": top for n in range(4)},
                    **{f"{top}{n}.{m}": f"{top}{n}" for n in range(4) for m in range(4)},
                }
            )
    return forest


def at_once(work, arguments):
    """Call ``work`` in as many threads as there are arguments; return what each came back with."""
    barrier = threading.Barrier(len(arguments))

    def run(argument):
        try:
            barrier.wait(timeout=30)
            return work(argument)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(run, arguments))


def inserting(forest, times):
    """Return a writer that inserts accounts below random others of both trees."""

    def work(writer):
        numbers = random.Random(writer)
        parents = sorted(forest.ids)
        for number in range(times):
            with forest.vendor.seen():
                mine = Forest(forest.vendor, dict(forest.ids))
                mine.insert(f"new-{writer}-{number}", numbers.choice(parents))
        return times

    return work


def mixed(forest, times, errors):
    """Return a writer that moves and inserts; the refusals of the tree are noted."""

    def work(writer):
        numbers = random.Random(writer)
        keys = sorted(forest.ids)
        for number in range(times):
            try:
                with forest.vendor.seen():
                    mine = Forest(forest.vendor, dict(forest.ids))
                    if numbers.random() < 0.3:
                        mine.insert(f"new-{writer}-{number}", numbers.choice(keys))
                    else:
                        mine.move(numbers.choice(keys), numbers.choice([None, *keys]))
            except (tree.TreeCycle, tree.TreeTooDeep, tree.TreeBusy) as refusal:
                errors.append(type(refusal))
        return times

    return work


def outcome(forest, results):
    """Return what went wrong: errors that reached a caller, and faults of the trees."""
    return [r for r in results if isinstance(r, Exception)] + forest.vendor.faults()


@pytest.mark.parametrize("times", [5, pytest.param(40, marks=pytest.mark.long)])
def test_keeps_the_trees_whole_while_many_insert(grown, times):
    results = at_once(inserting(grown, times), range(WRITERS))

    assert outcome(grown, results) == []
    with grown.vendor.seen():
        assert AccountNode.objects.count() == 42 + WRITERS * times


@pytest.mark.parametrize("times", [8, pytest.param(60, marks=pytest.mark.long)])
def test_keeps_the_trees_whole_while_many_move_across_them(grown, times):
    refusals = []

    results = at_once(mixed(grown, times, refusals), range(WRITERS))

    assert outcome(grown, results) == []
    assert tree.TreeBusy not in refusals
    with grown.vendor.seen():
        for key, account_id in grown.ids.items():
            oracle = tree.descendants_by_recursion(grown.tenant_id, account_id)
            assert {grown.ids.get(name) for name in grown.below(key)} - {None} == set(oracle) & set(
                grown.ids.values()
            )


def test_breaks_without_the_lock(grown, monkeypatch):
    """Prove that the tests above would notice: the same work, the lock taken out."""
    monkeypatch.setattr(locking, "lock_families", lambda tenant_id, account_ids: None)

    results = at_once(inserting(grown, 8), range(WRITERS))

    assert outcome(grown, results) != []


def test_gives_up_politely_when_the_trees_never_stand_still(grown, monkeypatch):
    trees = iter(range(10**9, 10**9 + 1_000))
    monkeypatch.setattr(locking, "trees_of", lambda tenant_id, account_ids: {next(trees)})

    with grown.vendor.seen(), pytest.raises(tree.TreeBusy):
        tree.lock_families(grown.tenant_id, [grown.ids["P"]])


def test_gives_roots_made_at_once_a_tree_each(committed_vendor):
    other = make_vendor("rival")

    def work(number):
        vendor = (committed_vendor, other)[number % 2]
        with vendor.seen():
            Forest(vendor).insert(f"root-{number}")

    assert at_once(work, range(12)) == [None] * 12

    numbers = []
    for vendor in (committed_vendor, other):
        with vendor.seen():
            numbers += AccountNode.objects.values_list("tree_id", flat=True)
    assert len(numbers) == len(set(numbers)) == 12


def test_imports_at_once_as_if_in_a_row(committed_vendor):
    vendor = committed_vendor
    vendor.has("accounts", account("top"))
    files = [
        csv_of([account("top"), *(account(f"{number}-{n}", "top") for n in range(30))])
        for number in (0, 0, 1)
    ]

    def work(content):
        return import_accounts(vendor.actor, content, is_dry_run=False, today=TODAY, now=NOW)

    reports = at_once(work, files)

    assert sorted((r.created, r.updated, r.unchanged, r.errors) for r in reports) == [
        (0, 0, 31, ()),
        (30, 0, 1, ()),
        (30, 0, 1, ()),
    ]
    assert vendor.faults() == []
    with vendor.seen():
        assert AccountNode.objects.count() == 61
