"""Settings: inherited, explained, dated; the past stays as it was."""

from dataclasses import asdict
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import tree
from accounts.models import Placement, SettingInterval, SettingName
from accounts.models.nodes import BEGINNING
from accounts.operations.settings import Change, write_changes
from accounts.queries.effective_settings import settings_of
from accounts.queries.settings import setting_history
from tenancy.errors import NotFound
from tenancy.ids import uuid7
from tests.scenes import scene
from tests.world import TODAY, account, lines_of, price, subscription

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)


def effective(vendor, key, name, day=TODAY):
    """Return a setting's value and where it comes from, accounts by their names."""
    with vendor.seen():
        setting = settings_of(vendor.actor, vendor.id_of(key), day)[name]
    value = setting.target_name if name in ("bill_to", "payer", "seller") else setting.value
    return value, setting.source, setting.origin_name


def change(vendor, key, name, new, day=TODAY):
    with vendor.seen():
        write_changes(vendor.actor, [Change(vendor.id_of(key), name, None, new)], today=day)


def intervals(vendor, key, name):
    with vendor.seen():
        return list(
            SettingInterval.objects.filter(account_id=vendor.id_of(key), name=name)
            .order_by("valid_from")
            .values_list("value", "valid_from", "valid_to")
        )


@scene
def family(vendor):
    """Return a group T over B (own invoice) over C, and D beside B."""
    vendor.has(
        "accounts",
        account("T", billing_day=15, cost_centre="T-1", payment_terms_days=30),
        account("B", "T", bill_to="B", billing_day=1),
        account("C", "B"),
        account("D", "T", po_number="4711"),
    )
    return vendor


# -- inheritance ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ("T", "billing_day", (15, "own", "T")),
        ("B", "billing_day", (1, "own", "B")),
        ("C", "billing_day", (1, "inherited", "B")),
        ("D", "billing_day", (15, "inherited", "T")),
        ("C", "cost_centre", ("T-1", "inherited", "T")),
        ("C", "payment_terms_days", (30, "inherited", "T")),
        ("D", "po_number", ("4711", "own", "D")),
        ("C", "po_number", (None, "tenant", "")),
        ("C", "language", ("de", "tenant", "")),
        ("C", "currency", ("EUR", "tenant", "")),
        ("C", "time_zone", ("Europe/Berlin", "tenant", "")),
        ("C", "consolidation", ("one_invoice", "tenant", "")),
        ("C", "collection", ("send", "tenant", "")),
        ("C", "split_by_po", (False, "tenant", "")),
        ("C", "seller", ("Acme", "tenant", "")),
        ("T", "bill_to", ("T", "tenant", "")),
        ("B", "bill_to", ("B", "own", "B")),
        ("C", "bill_to", ("B", "inherited", "B")),
        ("D", "bill_to", ("T", "tenant", "")),
        ("B", "payer", ("B", "tenant", "")),
        ("D", "payer", ("D", "tenant", "")),
    ],
)
def test_takes_the_nearest_value_and_says_whose_it_is(family, key, name, expected):
    assert effective(family, key, name) == expected


def test_takes_payers_literally_from_the_nearest_above(vendor):
    """R10: the nearest value on the account or above, else itself."""
    vendor.has(
        "accounts",
        account("T", payer="T"),
        account("B", "T"),
        account("C", "B", payer="B"),
        account("D", "C", payer="D"),
        account("E", "C"),
    )

    assert [effective(vendor, key, "payer") for key in "TBCDE"] == [
        ("T", "own", "T"),
        ("T", "inherited", "T"),
        ("B", "own", "C"),
        ("D", "own", "D"),
        ("B", "inherited", "C"),
    ]


def test_takes_bill_tos_literally(vendor):
    """R11: C says B, and that B's own go to T changes nothing for C."""
    vendor.has(
        "accounts",
        account("T"),
        account("B", "T", bill_to="T"),
        account("C", "B", bill_to="B"),
        account("D", "C"),
    )

    assert [effective(vendor, key, "bill_to") for key in "TBCD"] == [
        ("T", "tenant", ""),
        ("T", "own", "B"),
        ("B", "own", "C"),
        ("B", "inherited", "C"),
    ]


@pytest.mark.parametrize("levels", [2, 60])
def test_costs_the_same_whatever_the_depth(vendor, levels):
    vendor.has(
        "accounts",
        account("0"),
        *(account(f"{n}", f"{n - 1}", cost_centre=n) for n in range(1, levels)),
    )
    last = vendor.id_of(f"{levels - 1}")

    with vendor.seen(), CaptureQueriesContext(connection) as queries:
        settings_of(vendor.actor, last, TODAY)

    assert len(queries) == 5


@pytest.mark.parametrize("of_other_tenant", [False, True])
def test_does_not_know_strangers(family, other_vendor, of_other_tenant):
    other_vendor.has("accounts", account("X"))
    stranger = other_vendor.id_of("X") if of_other_tenant else uuid7()

    with family.seen(), pytest.raises(NotFound):
        settings_of(family.actor, stranger, TODAY)


# -- over time -----------------------------------------------------------------------------------


def test_changes_from_a_day_on_and_keeps_the_past(family):
    change(family, "B", "billing_day", 20)

    for key in "BC":
        assert effective(family, key, "billing_day", YESTERDAY)[0] == 1
        assert effective(family, key, "billing_day", TODAY)[0] == 20
        assert effective(family, key, "billing_day", date(2199, 1, 1))[0] == 20
    assert intervals(family, "B", "billing_day") == [(1, BEGINNING, TODAY), (20, TODAY, None)]
    assert family.violations() == []


def test_goes_back_to_inheriting(family):
    change(family, "B", "billing_day", None)

    assert effective(family, "C", "billing_day", YESTERDAY) == (1, "inherited", "B")
    assert effective(family, "C", "billing_day") == (15, "inherited", "T")
    assert intervals(family, "B", "billing_day") == [(1, BEGINNING, TODAY)]


def test_leaves_one_value_of_two_set_on_the_same_day(family):
    change(family, "B", "billing_day", 20)
    change(family, "B", "billing_day", 25)

    assert intervals(family, "B", "billing_day") == [(1, BEGINNING, TODAY), (25, TODAY, None)]
    change(family, "B", "billing_day", None)
    assert intervals(family, "B", "billing_day") == [(1, BEGINNING, TODAY)]
    change(family, "B", "billing_day", 3)
    assert intervals(family, "B", "billing_day") == [(1, BEGINNING, TODAY), (3, TODAY, None)]


def test_changes_again_on_a_later_day(family):
    change(family, "B", "billing_day", 20)
    change(family, "B", "billing_day", 25, TOMORROW)

    assert [effective(family, "C", "billing_day", day)[0]
            for day in (YESTERDAY, TODAY, TOMORROW)] == [1, 20, 25]  # fmt: skip


def test_changes_one_setting_of_one_account_alone(family):
    with family.seen():
        before = SettingInterval.objects.exclude(name="billing_day").count()

    change(family, "B", "billing_day", 20)

    assert effective(family, "T", "billing_day")[0] == 15
    with family.seen():
        assert SettingInterval.objects.exclude(name="billing_day").count() == before


@pytest.mark.parametrize(
    "values",
    [
        {"name": "billing_day", "value": 5},
        {"name": "billing_day", "value": 5, "valid_from": TODAY, "valid_to": TODAY},
        {"name": "cost_centre", "value": None},
        {"name": "bill_to", "value": "T"},
        {"name": "seller", "value": "x"},
    ],
    ids=["two that hold now", "no day long", "no value", "no target", "no seller"],
)
def test_intervals_that_mean_nothing_are_refused_by_the_database(family, values):
    with family.seen(), pytest.raises(IntegrityError), transaction.atomic():
        SettingInterval.objects.create(
            tenant_id=family.tenant_id, account_id=family.id_of("B"), **values
        )


# -- after a move --------------------------------------------------------------------------------


def move(vendor, key, parent, day):
    """Put an account elsewhere from a day on, with its history."""
    with vendor.seen():
        tree.move(vendor.tenant_id, vendor.id_of(key), vendor.id_of(parent) if parent else None)
        Placement.objects.filter(account_id=vendor.id_of(key), valid_to=None).update(valid_to=day)
        Placement.objects.create(
            tenant_id=vendor.tenant_id,
            account_id=vendor.id_of(key),
            parent_id=vendor.id_of(parent) if parent else None,
            valid_from=day,
        )


def test_inherits_from_the_new_parent_from_the_move_on(family):
    move(family, "C", "D", TODAY)

    assert effective(family, "C", "billing_day", TODAY) == (15, "inherited", "T")
    assert effective(family, "C", "po_number", TODAY) == ("4711", "inherited", "D")
    assert effective(family, "C", "bill_to", TODAY) == ("T", "tenant", "")
    assert effective(family, "C", "billing_day", YESTERDAY) == (1, "inherited", "B")
    assert effective(family, "C", "po_number", YESTERDAY) == (None, "tenant", "")
    assert effective(family, "C", "bill_to", YESTERDAY) == ("B", "inherited", "B")
    assert family.violations() == []


def test_inherits_from_another_family_from_the_move_on(family):
    family.has("accounts", account("X", billing_day=28))

    move(family, "B", "X", TODAY)

    assert effective(family, "C", "cost_centre", TODAY) == (None, "tenant", "")
    assert effective(family, "C", "cost_centre", YESTERDAY) == ("T-1", "inherited", "T")
    move(family, "C", None, TOMORROW)
    assert [effective(family, "C", "billing_day", day)[0]
            for day in (YESTERDAY, TODAY, TOMORROW)] == [1, 1, None]  # fmt: skip


def test_bills_each_charge_by_the_settings_of_its_day(family):
    """R21: what fell due before the move goes by the old bill-to, also when it is run later."""
    family.has("prices", price("ten", "10"))
    family.has("subscriptions", subscription("S1", "C", "ten", "2026-11-01"))
    move(family, "C", "D", date(2026, 12, 10))
    change(family, "T", "billing_day", 31, date(2026, 12, 10))

    documents = family.bills("2027-01-31")

    assert [(d["bill_to"], lines_of(d)) for d in documents] == [
        ("T", [("S1", "2027-01-01", "2027-01-31", 968), ("S1", "2027-01-31", "2027-02-28", 1000)]),
        ("B", [("S1", "2026-11-01", "2026-12-01", 1000), ("S1", "2026-12-01", "2027-01-01", 1000)]),
    ]


def test_history_holds_still_between_changes(family):
    change(family, "B", "billing_day", 20)
    with family.seen():
        members = [
            (family.id_of(key), up and family.id_of(up))
            for key, up in [("T", None), ("B", "T"), ("D", "T"), ("C", "B")]
        ]
        with CaptureQueriesContext(connection) as queries:
            history = setting_history(family.actor, members)
            found = [history.on(TODAY + timedelta(days=n)) for n in range(-3, 3)]

    assert len(queries) == 1
    assert found[0] is found[2] is not found[3]
    assert found[3] is found[5]


def test_says_everything_there_is_to_say(family):
    with family.seen():
        found = settings_of(family.actor, family.id_of("C"), TODAY)

    assert asdict(found["bill_to"]) == {
        "name": "bill_to",
        "value": family.id_of("B"),
        "source": "inherited",
        "origin_id": family.id_of("B"),
        "origin_name": "B",
        "target_name": "B",
        "is_withheld": False,
        "is_locked": False,
        "lock_id": None,
        "lock_name": "",
        "changes_on": None,
    }
    assert all(setting.name == name for name, setting in found.items())
    assert len(found) == len(SettingName)
