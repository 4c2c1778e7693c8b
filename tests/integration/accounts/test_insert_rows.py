"""Inserting many rows at once equals what the ORM would have stored."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from accounts.models import Account, SettingInterval
from subscriptions.models import Item, Period, Subscription
from tenancy.database.inserting import Joined, insert_rows
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event
from tests.world import account, make_vendor, price, subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor(db):
    vendor = make_vendor()
    vendor.has("accounts", account("one"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("s", "one", "ten", "2026-11-01"))
    return vendor


@pytest.fixture(params=["written out", "in arrays"], autouse=True)
def form(request, monkeypatch):
    """Try both forms of the statement, whatever the number of rows."""
    few = 1_000 if request.param == "written out" else 0
    monkeypatch.setattr("tenancy.database.inserting._FEW", few)
    return request.param


def stored(row):
    return type(row).objects.filter(pk=row.pk).values().get()


def periods(vendor, count):
    """Return a chain of periods of one day each."""
    item, first = Item.objects.get(), date(2026, 11, 1).toordinal()
    days = [date.fromordinal(first + number) for number in range(count + 1)]
    return [
        Period(
            tenant_id=vendor.tenant_id,
            item_id=item.pk,
            starts=start,
            ends=end,
            prev_ends=None if start == days[0] else start,
            full_start=start,
            full_end=end,
            quantity=Decimal("1.500000"),
        )
        for start, end in pairwise(days)
    ]


def twin(row):
    """Return a copy with an id of its own."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row)(**{**values, "id": uuid7()})


def test_stores_what_bulk_create_stores(vendor):
    awkward = 'Ümläut "quoted" \\ back\\slash, \t tab, {curly}, NULL, %s, ’ and \U0001f600'
    rows = [
        Account(
            tenant_id=vendor.tenant_id, external_id=None, name=awkward, kind="company",
            sort_key=awkward, contract_party_id=None,
        ),
        AuditEntry(
            tenant_id=vendor.tenant_id, at=datetime(2026, 11, 23, 11, 5, 7, 89, tzinfo=UTC),
            actor_kind="system", actor_label=awkward, origin="test", action="a.b",
            object_type="a", object_id=uuid7(), before=None,
            after={"text": awkward, "list": [1, None, "2"], "deep": {"n": 1.5}},
        ),
        Event(
            tenant_id=vendor.tenant_id, kind="a.b", subject_type="a", subject_id=uuid7(),
            data={}, at=datetime(2026, 11, 23, tzinfo=UTC),
        ),
    ]  # fmt: skip
    with vendor.seen():
        period, later = periods(vendor, 2)
        for row, other in [*((row, twin(row)) for row in rows), (period, later)]:
            insert_rows([row])
            type(row).objects.bulk_create([other])
            ignored = {"id", "created_at", "starts", "ends", "prev_ends", "full_start", "full_end"}
            found, expected = stored(row), stored(other)
            assert {k: v for k, v in found.items() if k not in ignored} == {
                k: v for k, v in expected.items() if k not in ignored
            }


def test_objects_of_two_parts_are_put_together(vendor):
    shared = {"a": 1, "b": {"c": [1, None, "\u00fc"]}, "said by": "first"}
    objects = [
        Joined(shared, {"said by": "second", "own": 1}),
        Joined(shared, {}),
        {"plain": True},
        Joined(shared, {"own": 2}),
        [1, 2],
        None,
    ]
    with vendor.seen():
        rows = [
            AuditEntry(
                tenant_id=vendor.tenant_id, at=datetime(2026, 11, 23, tzinfo=UTC),
                actor_kind="system", actor_label="a", origin="test", action="a.b",
                object_type="a", object_id=uuid7(), before=before, after=after,
            )
            for before, after in zip(objects, reversed(objects), strict=True)
        ]  # fmt: skip
        insert_rows(rows)
        found = [stored(row) for row in rows]
    assert [row["before"] for row in found] == objects
    assert [row["after"] for row in found] == objects[::-1]
    assert objects[0] == {**shared, "said by": "second", "own": 1}


def test_keeps_values_of_settings_of_every_kind(vendor):
    with vendor.seen():
        rows = [
            SettingInterval(
                tenant_id=vendor.tenant_id,
                account_id=vendor.id_of("one"),
                name=name,
                value=value,
                valid_from=date(2026, 1, 1),
            )
            for name, value in (("language", "de"), ("billing_day", 31), ("split_by_po", False))
        ]
        insert_rows(rows)
        assert [stored(row)["value"] for row in rows] == ["de", 31, False]


def test_stores_more_than_one_statement_takes(vendor, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("tenancy.database.inserting._FEW", 0)
    monkeypatch.setattr("tenancy.database.inserting._ROWS_AT_ONCE", 3)
    with vendor.seen():
        rows = periods(vendor, 8)
        with django_assert_num_queries(3):
            insert_rows(rows)
        assert Period.objects.filter(pk__in=[row.pk for row in rows]).count() == 8


def test_stores_nothing_of_nothing(vendor, django_assert_num_queries):
    with vendor.seen(), django_assert_num_queries(0):
        insert_rows([])


def test_constraints_hold(vendor):
    with vendor.seen():
        first, second = periods(vendor, 2)
        second.prev_ends = None
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows([first, second])
        assert not Period.objects.filter(pk=first.pk).exists()


def test_row_security_holds(vendor):
    other = make_vendor("other")
    with vendor.seen():
        row = Subscription(
            tenant_id=other.tenant_id, account_id=vendor.id_of("one"), start_date=date(2026, 1, 1)
        )
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            insert_rows([row])


def test_refuses_what_it_cannot_write(vendor):
    with vendor.seen():
        [row] = periods(vendor, 1)
        row.quantity = b"1"
        with pytest.raises(TypeError, match="bytes"):
            insert_rows([row])
    assert connection.needs_rollback is False
