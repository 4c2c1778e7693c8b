"""What is recorded: name, version, object, place in the tree, actor and payload, as declared."""

from dataclasses import replace

import pytest

from accounts import tree
from tenancy.actor import Requester
from tenancy.events import Declared, Happening, Kind, Maybe, NotDeclared, record_event
from tenancy.events.catalogue import declare
from tenancy.events.recording import record_events
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event
from tests.scenes import scene
from tests.world import NOW, account


@scene
def family(vendor):
    vendor.has("accounts", account("top"), account("middle", "top"), account("leaf", "middle"))
    return vendor


def released(vendor, key, count=3):
    account_id = vendor.id_of(key)
    return Happening("charges.released", account_id, account_id, data={"charges": count})


def test_writes_all_that_a_reader_needs(family):
    anna = Requester("person", uuid7(), "Anna", "dashboard", "req-1")
    actor = family.actor.acting_for(anna)
    with family.seen():
        record_event(actor, released(family, "leaf"), now=NOW)
        event = Event.objects.get(kind="charges.released")
        entry = AuditEntry.objects.get(action="charges.released")

    assert (event.version, event.subject_type, event.subject_id) == (
        1,
        "account",
        family.id_of("leaf"),
    )
    assert event.path == [family.id_of(key) for key in ("top", "middle", "leaf")]
    assert (event.actor_kind, event.actor_id, event.actor_label) == ("person", anna.id, "Anna")
    assert event.data == {"charges": 3}
    assert event.at == NOW
    assert event.transaction > 0
    assert (entry.actor_label, entry.object_id) == ("Anna", family.id_of("leaf"))


def test_keeps_the_path_as_it_was(family):
    with family.seen():
        record_event(family.actor, released(family, "leaf"), now=NOW)
        tree.move(family.tenant_id, family.id_of("leaf"), family.id_of("top"))
        record_event(family.actor, released(family, "leaf"), now=NOW)
        before, after = Event.objects.filter(kind="charges.released").order_by("id")

    assert before.path == [family.id_of(key) for key in ("top", "middle", "leaf")]
    assert after.path == [family.id_of(key) for key in ("top", "leaf")]


def test_writes_thousands_in_three_statements(family, django_assert_num_queries):
    happenings = [released(family, key, n) for n in range(1000) for key in ("leaf", "middle")]
    with family.seen(), django_assert_num_queries(3):
        record_events(family.actor, happenings, now=NOW)
    with family.seen():
        assert Event.objects.filter(kind="charges.released").count() == 2000


def test_what_only_stands_in_the_trail_is_no_event(family, django_assert_num_queries):
    before = Happening("job.requested", uuid7(), after={"kind": "import"})
    with family.seen():
        events = Event.objects.count()
        with django_assert_num_queries(1):
            record_event(family.actor, before, now=NOW)
        assert Event.objects.count() == events
        assert AuditEntry.objects.filter(object_id=before.object_id).count() == 1


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("charges.lost", {}),
        ("charges.released", {}),
        ("charges.released", {"charges": 1, "more": 2}),
        ("charges.released", {"charges": "1"}),
        ("charges.released", {"charges": True}),
        ("charges.released", {"charges": 1.5}),
        ("charges.released", {"charges": None}),
        ("seller.bank_account_changed", {"currency": "eur"}),
        ("seller.updated", {"changed": "name"}),
        ("seller.updated", {"changed": [1]}),
        ("tenant.clock_moved", {"today": "20261123"}),
        ("tenant.clock_moved", {"today": "2026-02-30"}),
        ("tenant.approval_changed", {"approval_required": 1, "four_eyes": False}),
        ("person.signed_in", {"name": "Anna"}),
    ],
)
def test_refuses_what_is_not_declared(family, action, data):
    wrong = Happening(action, uuid7(), data=data)
    with family.seen():
        before = Event.objects.count(), AuditEntry.objects.count()
        with pytest.raises(NotDeclared):
            record_events(family.actor, [released(family, "leaf"), wrong], now=NOW)
        assert (Event.objects.count(), AuditEntry.objects.count()) == before


def test_refuses_an_account_that_stands_nowhere(family, other_vendor):
    other_vendor.has("accounts", account("far"))
    theirs = Happening("charges.released", uuid7(), other_vendor.id_of("far"), data={"charges": 1})
    with family.seen(), pytest.raises(NotDeclared):
        record_event(family.actor, theirs, now=NOW)


def test_a_field_may_be_missing_where_declared_so():
    declared = Declared("a.b", "a", "…", {"day": Maybe(Kind.DAY), "count": Kind.WHOLE})

    declared.check({"count": 1})
    declared.check({"count": 1, "day": "2026-11-23"})
    with pytest.raises(NotDeclared):
        declared.check({"count": 1, "day": "tomorrow"})
    with pytest.raises(NotDeclared):
        declared.check({"day": "2026-11-23"})


def test_declares_a_name_once_and_no_payload_for_nobody():
    told = Declared("invoice.issued", "invoice", "…")
    for wrong in (told, replace(told, name="a.b", payload={"n": Kind.TEXT}, is_told=False)):
        with pytest.raises(NotDeclared):
            declare(wrong)
