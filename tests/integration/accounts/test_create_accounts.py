"""Creating accounts: one by one and whole companies, twice, at once, and too much of it."""

import threading
from typing import Any

import pytest
from django.db import connections

from accounts import tree
from accounts.models import Account, Placement
from accounts.operations.accounts import (
    MOST_AT_ONCE,
    ExternalIdTaken,
    InvalidAccount,
    NewAccount,
    TooManyAccounts,
    create_account,
    create_accounts,
)
from accounts.operations.accounts.creating import WrongIndent
from accounts.queries.subtrees import subtree
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import Event
from tests.world import NOW, TODAY, Vendor, account

WHEN = {"today": TODAY, "now": NOW}
COMPANY = [
    ("Muster", 0), ("Nord", 1), ("Vertrieb", 2), ("Lager", 2), ("Süd", 1), ("IT", 2), ("Büro", 3),
]  # fmt: skip


def new(*names: tuple[str, int]) -> list[NewAccount]:
    return [NewAccount({"name": name, "kind": "department"}, depth) for name, depth in names]


def shown(vendor: Vendor, top: Account) -> list[tuple[str, int]]:
    with vendor.seen():
        return [(row.name, row.depth) for row in subtree(vendor.actor, top.pk)]


def counted(vendor: Vendor) -> tuple[int, int, int]:
    with vendor.seen():
        return Account.objects.count(), Placement.objects.count(), Event.objects.count()


def test_makes_a_company_with_all_its_departments(vendor):
    made = create_accounts(vendor.actor, new(*COMPANY), None, **WHEN)

    assert [one.name for one in made] == [name for name, _depth in COMPANY]
    assert shown(vendor, made[0]) == [
        ("Muster", 0), ("Nord", 1), ("Lager", 2), ("Vertrieb", 2), ("Süd", 1), ("IT", 2),
        ("Büro", 3),
    ]  # fmt: skip
    assert {one.contract_party_id for one in made} == {made[0].pk}
    assert vendor.faults() == []
    assert vendor.violations() == []


@pytest.mark.parametrize("below", ["A", "A1", "A2"])
def test_puts_several_at_once_below_another(vendor, below):
    vendor.has("accounts", account("A"), account("A1", "A"), account("A2", "A", bill_to="A2"))
    parent = vendor.id_of(below)

    made = create_accounts(vendor.actor, new(("X", 0), ("X1", 1), ("Y", 0)), parent, **WHEN)

    party = vendor.id_of("A2" if below == "A2" else "A")
    assert {one.contract_party_id for one in made} == {party}
    assert vendor.faults() == []
    assert vendor.violations() == []
    with vendor.seen():
        assert tree.path_ids(vendor.tenant_id, made[1].pk)[-3:] == [parent, made[0].pk, made[1].pk]


def test_makes_as_many_levels_as_a_tree_has(vendor):
    names = [(f"L{n}", n) for n in range(tree.MAX_DEPTH)]

    made = create_accounts(vendor.actor, new(*names), None, **WHEN)

    assert shown(vendor, made[0]) == names


@pytest.mark.parametrize("levels", [tree.MAX_DEPTH + 1, 2_000])
def test_refuses_more_levels(vendor, levels):
    before = counted(vendor)

    with pytest.raises(tree.TreeTooDeep) as refused:
        create_accounts(vendor.actor, new(*((f"L{n}", n) for n in range(levels))), None, **WHEN)

    assert str(refused.value) == f"A tree has at most {tree.MAX_DEPTH} levels."
    assert counted(vendor) == before


def test_refuses_levels_that_are_too_many_together(vendor):
    (made, *_rest) = create_accounts(
        vendor.actor, new(*((f"L{n}", n) for n in range(tree.MAX_DEPTH - 5))), None, **WHEN
    )
    before = counted(vendor)
    with vendor.seen():
        lowest = Account.objects.get(name=f"L{tree.MAX_DEPTH - 6}").pk

    with pytest.raises(tree.TreeTooDeep):
        create_accounts(vendor.actor, new(*((f"M{n}", n) for n in range(6))), lowest, **WHEN)

    assert counted(vendor) == before
    assert vendor.faults() == []
    assert made.name == "L0"


def test_refuses_too_many(vendor):
    before = counted(vendor)

    with pytest.raises(TooManyAccounts):
        create_accounts(vendor.actor, new(*[("A", 0)] * (MOST_AT_ONCE + 1)), None, **WHEN)

    assert counted(vendor) == before


def test_names_each_line_that_is_wrong(vendor):
    before = counted(vendor)
    wrong = [
        *new(("Good", 0), ("", 1)),
        NewAccount({"name": "V", "vat_id": "DE1", "country": "DE"}, 1),
    ]

    with pytest.raises(InvalidAccount) as refused:
        create_accounts(vendor.actor, wrong, None, **WHEN)

    assert [(one.row, one.pointer, one.code) for one in refused.value.errors] == [
        (2, "/1/name", "required"),
        (3, "/2/vat_id", "invalid_vat_id"),
    ]
    assert counted(vendor) == before


def test_refuses_an_indent_that_leaves_out_a_level(vendor):
    with pytest.raises(WrongIndent, match="Line 2"):
        create_accounts(vendor.actor, new(("A", 0), ("B", 2)), None, **WHEN)


def test_refuses_an_external_id_that_comes_twice(vendor):
    twice = [
        NewAccount({"name": "A", "external_id": "same"}),
        NewAccount({"name": "B", "external_id": "same"}),
    ]
    before = counted(vendor)

    with pytest.raises(ExternalIdTaken):
        create_accounts(vendor.actor, twice, None, **WHEN)

    assert counted(vendor) == before


def test_keeps_to_its_tenant(vendor, other_vendor):
    other_vendor.has("accounts", account("A"))
    before = counted(other_vendor)

    for stranger in (other_vendor.id_of("A"), uuid7()):
        with pytest.raises(NotFound):
            create_accounts(vendor.actor, new(("X", 0)), stranger, **WHEN)

    assert counted(other_vendor) == before
    assert other_vendor.faults() == []


@pytest.mark.parametrize("role", ["viewer", "finance", "buyer"])
def test_a_customer_without_the_right_makes_none(vendor, role):
    vendor.has("accounts", account("A"))
    carl = vendor.customer("Carl", role, "A")

    with pytest.raises(Forbidden):
        create_account(carl, vendor.id_of("A"), name="X", kind="department", **WHEN)


def test_a_customers_admin_makes_departments_below_but_no_customers(vendor):
    vendor.has("accounts", account("A"), account("B"))
    carl = vendor.customer("Carl", "admin", "A")

    made, is_new = create_account(
        carl, vendor.id_of("A"), name="X", kind="department", cost_centre="1", **WHEN
    )
    assert is_new
    assert made.name == "X"
    with pytest.raises(Forbidden):
        create_account(carl, None, name="X", kind="company", **WHEN)
    with pytest.raises(NotFound):
        create_account(carl, vendor.id_of("B"), name="X", kind="company", **WHEN)


# -- two at once -------------------------------------------------------------------------------


def at_once(*works: Any) -> list[Any]:
    barrier = threading.Barrier(len(works), timeout=30)
    answers: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = works[place]()
        except Exception as error:
            answers[place] = error
        connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_two_at_once_with_one_external_id_make_one_account(committed_vendor):
    vendor = committed_vendor
    fields = {"name": "A", "kind": "company", "external_id": "once"}

    answers = at_once(*[lambda: create_account(vendor.actor, None, **fields, **WHEN)] * 4)

    assert sorted(is_new for _account, is_new in answers) == [False, False, False, True]
    assert len({one.pk for one, _is_new in answers}) == 1
    assert vendor.faults() == []


def test_many_at_once_below_one_account_leave_a_sound_tree(committed_vendor):
    vendor = committed_vendor
    vendor.has("accounts", account("A"), account("A1", "A"))
    places = [vendor.id_of("A"), vendor.id_of("A1"), None]

    answers = at_once(
        *[
            lambda place=place: create_accounts(
                vendor.actor, new(("X", 0), ("Y", 1)), place, **WHEN
            )
            for place in places * 2
        ]
    )

    assert [len(made) for made in answers] == [2] * 6
    assert vendor.faults() == []
    assert vendor.violations() == []
