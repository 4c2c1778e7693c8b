"""The account tree: inserting, moving, loading, reading, checking, mending."""

import random
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tree
from accounts.models import Account, AccountNode
from billing_hierarchy.embedded.folders import project_folder
from tenancy.errors import NotFound
from tenancy.ids import uuid7
from tests.integration.accounts.forests import Forest

START = {
    "A": None, "B": "A", "C": "A", "D": "B", "E": "B", "F": "E", "X": None, "Y": "X",
}  # fmt: skip


# -- inserting -----------------------------------------------------------------------------------


def test_inserts_below_a_parent_and_as_a_root(family):
    assert family.parents() == START
    assert family.path("F") == ["A", "B", "E", "F"]
    assert family.below("B") == {"B", "D", "E", "F"}
    assert tree.check(family.tenant_id) == (2, 8, [])


@pytest.mark.parametrize("of_other_tenant", [False, True])
def test_refuses_to_insert_below_an_unknown_parent(strange_root, family, of_other_tenant):
    (new,) = family.new("N")
    before = family.shape()

    with pytest.raises(NotFound):
        tree.insert(family.tenant_id, new, strange_root if of_other_tenant else uuid7())

    assert family.shape() == before


def test_refuses_to_insert_deeper_than_the_limit(forest):
    forest.insert("L0")
    for level in range(1, tree.MAX_DEPTH):
        forest.insert(f"L{level}", f"L{level - 1}")
    before = forest.shape()

    with pytest.raises(tree.TreeTooDeep) as refusal:
        forest.insert("low", f"L{tree.MAX_DEPTH - 1}")

    assert refusal.value.detail == "A tree has at most 100 levels."
    assert forest.shape() == before
    assert len(forest.path(f"L{tree.MAX_DEPTH - 1}")) == tree.MAX_DEPTH


# -- moving --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "parent", "path", "below"),
    [
        pytest.param("D", "C", ["A", "C", "D"], {"D"}, id="a leaf"),
        pytest.param("B", "C", ["A", "C", "B"], {"B", "D", "E", "F"}, id="a subtree"),
        pytest.param("E", "A", ["A", "E"], {"E", "F"}, id="upwards"),
        pytest.param("B", "Y", ["X", "Y", "B"], {"B", "D", "E", "F"}, id="to another tree"),
        pytest.param("B", None, ["B"], {"B", "D", "E", "F"}, id="to a root"),
        pytest.param("X", "F", ["A", "B", "E", "F", "X"], {"X", "Y"}, id="a whole tree"),
        pytest.param("D", "B", ["A", "B", "D"], {"D"}, id="to where it stands"),
        pytest.param("A", None, ["A"], {"A", "B", "C", "D", "E", "F"}, id="a root to a root"),
    ],
)
def test_moves_an_account_with_all_below_it(family, key, parent, path, below):
    family.move(key, parent)

    assert family.parents() == {**START, key: parent}
    assert family.path(key) == path
    assert family.below(key) == below
    assert family.faults() == []


@pytest.mark.parametrize(("key", "parent"), [("A", "A"), ("A", "F"), ("B", "D"), ("E", "E")])
def test_refuses_to_move_below_itself(family, key, parent):
    before = family.shape()

    with pytest.raises(tree.TreeCycle):
        family.move(key, parent)

    assert family.shape() == before


def test_refuses_to_move_what_would_stand_too_deep(forest):
    lowest = tree.MAX_DEPTH - 3
    forest.load({"L0": None, **{f"L{n}": f"L{n - 1}" for n in range(1, lowest + 1)}})
    forest.load({"T": None, "M": "T", "N": "M"})
    before = forest.shape()

    with pytest.raises(tree.TreeTooDeep):
        forest.move("T", f"L{lowest}")
    assert forest.shape() == before
    forest.move("T", f"L{lowest - 1}")

    assert len(forest.path("N")) == tree.MAX_DEPTH
    assert forest.faults() == []


@pytest.mark.parametrize("of_other_tenant", [False, True])
@pytest.mark.parametrize("which", ["account", "parent"])
def test_refuses_to_move_what_it_does_not_know(strange_root, family, which, of_other_tenant):
    before = family.shape()
    stranger = strange_root if of_other_tenant else uuid7()
    known = family.ids["D"]
    account_id, parent_id = (stranger, known) if which == "account" else (known, stranger)

    with pytest.raises(NotFound):
        tree.move(family.tenant_id, account_id, parent_id)

    assert family.shape() == before


@pytest.fixture
def strange_root(other_vendor):
    """The root of another tenant. Ask for it before this tenant's transaction begins."""
    with other_vendor.seen():
        return Forest(other_vendor).insert("R")


# -- loading -------------------------------------------------------------------------------------


def test_loads_trees_whose_children_come_before_their_parents(forest):
    forest.load({"F": "E", "E": "B", "D": "B", "Y": "X", "C": "A", "B": "A", "A": None, "X": None})

    assert forest.parents() == START
    assert forest.below("B") == {"B", "D", "E", "F"}
    assert tree.check(forest.tenant_id) == (2, 8, [])


def test_loads_below_accounts_of_trees_that_exist(family):
    family.load({"N": "F", "O": "N", "P": "Y", "Q": "P", "R": "A", "S": None})

    assert family.path("O") == ["A", "B", "E", "F", "N", "O"]
    assert family.path("Q") == ["X", "Y", "P", "Q"]
    assert family.path("S") == ["S"]
    assert tree.check(family.tenant_id) == (3, 14, [])


def test_loads_nothing_when_there_is_nothing(family):
    before = family.shape()

    tree.bulk_load(family.tenant_id, {})

    assert family.shape() == before


@pytest.mark.parametrize(
    "parents",
    [{"N": "N"}, {"N": "O", "O": "N"}, {"P": "A", "N": "O", "O": "Q", "Q": "N"}],
    ids=["itself", "two", "three"],
)
def test_refuses_to_load_a_circle(family, parents):
    before = family.shape()

    with pytest.raises(tree.TreeCycle):
        family.load(parents)

    assert family.shape() == before


def test_refuses_to_load_below_an_unknown_parent(family):
    before = family.shape()
    (new,) = family.new("N")

    with pytest.raises(NotFound):
        tree.bulk_load(family.tenant_id, {new: uuid7()})

    assert family.shape() == before


def test_refuses_to_load_deeper_than_the_limit(family):
    before = family.shape()

    with pytest.raises(tree.TreeTooDeep):
        family.load({"N0": "F", **{f"N{n}": f"N{n - 1}" for n in range(1, tree.MAX_DEPTH)}})

    assert family.shape() == before


def wide(nodes, levels):
    """Return so many accounts in so many levels, every level but the first as wide as the next."""
    each = (nodes - 1) // (levels - 1)
    parents, above = {"0": None}, ["0"]
    for level in range(1, levels):
        count = each if level < levels - 1 else nodes - len(parents)
        layer = [f"{level}.{number}" for number in range(count)]
        parents |= {key: above[number % len(above)] for number, key in enumerate(layer)}
        above = layer
    return parents


@pytest.mark.parametrize(
    ("nodes", "levels"), [(1_500, 12), pytest.param(50_000, 12, marks=pytest.mark.long)]
)
def test_loads_a_large_tree(forest, nodes, levels):
    parents = wide(nodes, levels)

    forest.load(parents)

    assert tree.check(forest.tenant_id) == (1, nodes, [])
    assert forest.below("0") == parents.keys()
    assert len(forest.path(f"{levels - 1}.0")) == levels


# -- reading -------------------------------------------------------------------------------------


def test_reads_above_and_below_in_one_statement(family):
    ids = [family.ids[key] for key in ("E", "Y")]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        above = set(
            Account.objects.filter(tree.lies_above(family.tenant_id, ids)).values_list(
                "external_id", flat=True
            )
        )
        below = set(
            Account.objects.filter(tree.lies_below(family.tenant_id, ids)).values_list(
                "external_id", flat=True
            )
        )

    assert above == {"A", "B", "E", "X", "Y"}
    assert below == {"E", "F", "Y"}
    assert len(queries) == 2


@pytest.mark.parametrize("key", ["A", "B", "E", "Y"])
def test_an_account_is_below_another_where_it_is_read_below_it(family, key):
    one_by_one = Account.objects.filter(tree.is_below(family.tenant_id, family.ids[key]))
    among = Account.objects.filter(tree.is_among_those_below(family.tenant_id, family.ids[key]))
    together = Account.objects.filter(tree.lies_below(family.tenant_id, [family.ids[key]]))

    assert set(one_by_one) == set(among) == set(together) != set()


def test_reads_families_parents_first_in_sort_order(family):
    found = tree.families(family.tenant_id, [family.ids["A"], family.ids["X"]])

    keys = {account_id: key for key, account_id in family.ids.items()}
    assert {keys[root]: [keys[member] for member, _up in rows] for root, rows in found.items()} == {
        "A": ["A", "B", "C", "D", "E", "F"],
        "X": ["X", "Y"],
    }
    order = tree.depth_first(found[family.ids["A"]])
    assert [keys[account_id] for account_id in order] == ["A", "B", "D", "E", "F", "C"]


def test_gives_each_root_a_tree_of_its_own(forest):
    for number in range(5):
        forest.insert(f"R{number}")
    forest.load({f"S{number}": None for number in range(5)})

    assert AccountNode.objects.values("tree_id").distinct().count() == 10


# -- checking and mending ------------------------------------------------------------------------

FAULTS = {
    "left": "UPDATE accounts_accountnode SET lft = lft + 1000, rght = rght + 1000"
    " WHERE account_id = %(E)s",
    "swapped": "UPDATE accounts_accountnode SET lft = 900, rght = 901 WHERE account_id = %(D)s",
    "level": "UPDATE accounts_accountnode SET level = 7 WHERE account_id = %(F)s",
    "root level": "UPDATE accounts_accountnode SET level = 1 WHERE account_id = %(X)s",
    "tree": "UPDATE accounts_accountnode SET tree_id = 987654 WHERE account_id = %(B)s",
    "parent": "UPDATE accounts_accountnode SET parent_id = %(Y)s WHERE account_id = %(C)s",
    "parent of the same tree": "UPDATE accounts_accountnode SET parent_id = %(C)s"
    " WHERE account_id = %(E)s",
    "second root": "UPDATE accounts_accountnode SET parent_id = NULL WHERE account_id = %(B)s",
    "new parent": "UPDATE accounts_accountnode SET parent_id = %(F)s WHERE account_id = %(X)s",
    "gap": "UPDATE accounts_accountnode SET rght = rght + 2 WHERE account_id = %(A)s",
    "trees merged": "UPDATE accounts_accountnode SET lft = lft + 50, rght = rght + 50,"
    " tree_id = (SELECT tree_id FROM accounts_accountnode WHERE account_id = %(A)s)"
    " WHERE account_id IN (%(X)s, %(Y)s)",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_finds_a_fault_and_mends_it_from_the_parents(family, fault):
    with connection.cursor() as cursor:
        cursor.execute(FAULTS[fault], family.ids)
    parents = family.parents()

    found = family.faults()
    written = tree.rebuild(family.tenant_id, {fault.account_id for fault in found})

    assert found
    assert written
    assert family.faults() == []
    assert family.parents() == parents
    for key in parents:
        assert family.below(key) == recursively_below(parents, key)


def test_mends_nothing_where_nothing_is_wrong(family):
    before = family.shape()

    assert tree.rebuild(family.tenant_id, [*family.ids.values(), uuid7()]) == 0
    assert family.shape() == before


def test_finds_two_that_stand_below_each_other_and_mends_the_rest(family):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_accountnode SET parent_id = %(F)s WHERE account_id = %(B)s", family.ids
        )

    tree.rebuild(family.tenant_id, {fault.account_id for fault in family.faults()})

    keys = {account_id: key for key, account_id in family.ids.items()}
    assert {keys[fault.account_id] for fault in family.faults()} <= {"B", "D", "E", "F"}
    assert family.faults()
    assert family.below("A") == {"A", "C"}


def recursively_below(parents, key):
    found = {key}
    while more := {child for child, up in parents.items() if up in found} - found:
        found |= more
    return found


# -- any sequence of changes ---------------------------------------------------------------------

steps = st.lists(
    st.tuples(st.sampled_from(["insert", "move", "load"]), st.integers(0, 10**6)),
    min_size=1,
    max_size=20,
)


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_agrees_with_the_parents_whatever_is_done(vendor, steps):
    with vendor.seen():
        forest = Forest(vendor)
        follow_random_steps(forest, steps)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_parents_whatever_is_done_at_length(forest, seed):
    numbers = random.Random(seed)
    follow_random_steps(
        forest,
        [
            (numbers.choice(["insert", "move", "move", "load"]), numbers.randrange(10**6))
            for _ in range(250)
        ],
    )


def follow_random_steps(forest, steps):
    """Do what the steps say, and compare intervals with parents after all of them."""
    prefix = uuid7().hex  # examples of one test share a transaction
    for number, (step, seed) in enumerate(steps):
        numbers = random.Random(seed)
        keys = [*forest.ids]
        parent = numbers.choice([None, *keys])
        try:
            if step == "insert":
                forest.insert(f"{prefix}-{number}", parent)
            elif step == "load":
                new = [f"{prefix}-{number}.{place}" for place in range(numbers.randrange(1, 6))]
                forest.load(
                    {key: numbers.choice([parent, *new[:place]]) for place, key in enumerate(new)}
                )
            elif keys:
                forest.move(numbers.choice(keys), parent)
        except (tree.TreeCycle, tree.TreeTooDeep):
            forest.ids = {key: value for key, value in forest.ids.items() if is_placed(value)}
    keys = sorted(forest.ids)
    for key in random.Random(0).sample(keys, min(len(keys), 12)):
        account_id = forest.ids[key]
        oracle = set(tree.descendants_by_recursion(forest.tenant_id, account_id))
        assert {forest.ids[name] for name in forest.below(key)} == oracle
    assert forest.faults() == []


def is_placed(account_id):
    return AccountNode.objects.filter(account_id=account_id).exists()


# -- nobody else ---------------------------------------------------------------------------------

MPTT_API = re.compile(
    r"\.(get_(ancestors|descendants|children|family|leafnodes|root|siblings|descendant_count"
    r"|next_sibling|previous_sibling)|is_(ancestor_of|descendant_of|child_node|leaf_node|root_node)"
    r"|insert_(at|node)|move_(to|node)|rebuild|partial_rebuild|add_related_count"
    r"|delay_mptt_updates|disable_mptt_updates|root_nodes|get_queryset_(ancestors|descendants))\("
)


def test_is_the_only_module_that_calls_mptt():
    """Declaring the node in models.py is allowed, calling anything is not."""
    root, offenders = project_folder(), []
    for package in sorted(path.parent for path in root.glob("*/__init__.py")):
        for path in package.rglob("*.py"):
            name = path.relative_to(root).as_posix()
            if name.startswith(("tests/", "accounts/migrations/", "accounts/tree/")):
                continue
            text = path.read_text("utf-8")
            if MPTT_API.search(text.replace("tree.rebuild(", "")):
                offenders.append(name)
            if re.search(r"^\s*(from|import) mptt\b", text, re.MULTILINE) and name not in {
                "accounts/models/nodes.py",
            }:
                offenders.append(name)

    assert offenders == []
    assert MPTT_API.search("node.get_descendants()")
