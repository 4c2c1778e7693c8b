"""Stored files are compared with their digests a part each night, all of them in a round."""

import hashlib
import logging

import pytest

from invoicing import tasks
from invoicing.models import FileCheck, Invoice, StoredDocument
from invoicing.operations import checking
from invoicing.operations.checking import check_some_files
from invoicing.queries.books import Checked
from tenancy.errors import Forbidden
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

FILES = 7
A_NIGHT = 3


@pytest.fixture
def few(monkeypatch):
    """Have two files a transaction, and three a night."""
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    monkeypatch.setattr(checking, "LEAST", A_NIGHT)


@scene
def stored(vendor):
    """Seven files of an invoice that nobody has touched."""
    vendor.has("accounts", account("A", billing_day=1))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("S", "A", "ten", "2026-11-17"))
    vendor.run("2026-12-01")
    with vendor.seen():
        invoice = Invoice.objects.get()
        for place in range(FILES):
            store(vendor, invoice, f"k{place}", b"abc")
    return vendor


def store(vendor, invoice, kind, content, sha256=None):
    return StoredDocument.objects.create(
        tenant_id=vendor.tenant_id,
        invoice=invoice,
        kind=kind,
        file_name=f"{kind}.pdf",
        content=content,
        sha256=sha256 or hashlib.sha256(content).hexdigest(),
        created_at=NOW,
    )


def places(vendor):
    with vendor.seen():
        return list(FileCheck.objects.values_list("kind", flat=True))


def test_reads_a_part_each_night_and_all_in_a_round(stored, few, monkeypatch):
    read, whole = [], checking._files_behind

    def noted(actor, place, limit):
        rows = whole(actor, place, limit)
        read.extend(row[2] for row in rows[: limit - 1])
        return rows

    monkeypatch.setattr(checking, "_files_behind", noted)
    nights = []
    for _night in range(4):
        assert check_some_files(stored.actor).violations == []
        nights.append((*read, *places(stored)))
        read.clear()

    assert nights == [
        ("k0", "k1", "k2", "k2"),
        ("k3", "k4", "k5", "k5"),
        ("k6", ""),
        ("k0", "k1", "k2", "k2"),
    ]


def test_names_the_file_that_is_another_on_the_night_that_reads_it(stored, few):
    with stored.seen():
        bad = store(stored, Invoice.objects.get(), "k35", b"abc", sha256="0" * 64)

    nights = [
        [one.object for one in check_some_files(stored.actor).violations] for _night in range(4)
    ]

    assert nights == [[], [str(bad.pk)], [], []]


def test_a_part_grows_with_the_stock(stored, monkeypatch):
    monkeypatch.setattr(checking, "LEAST", 1)
    monkeypatch.setattr(checking, "NIGHTS", 2)

    check_some_files(stored.actor)

    assert places(stored) == ["k3"]


def test_reads_all_of_a_small_stock_each_night(stored):
    with stored.seen():
        bad = store(stored, Invoice.objects.get(), "k9", b"abc", sha256="0" * 64)

    for _night in range(2):
        [violation] = check_some_files(stored.actor).violations
        assert (violation.invariant, violation.object) == ("I8", str(bad.pk))
        assert violation.tenant == stored.slug
    assert places(stored) == [""]


def test_has_nothing_to_read_of_a_tenant_without_files(vendor):
    assert check_some_files(vendor.actor) == Checked(0, [])
    assert places(vendor) == [""]


def test_reads_files_of_its_own_tenant_alone(stored, other_vendor):
    with stored.seen():
        store(stored, Invoice.objects.get(), "k9", b"abc", sha256="0" * 64)

    assert check_some_files(other_vendor.actor) == Checked(0, [])
    assert places(other_vendor) == [""]


def test_is_for_those_who_see_all_invoices(stored, bob):
    with pytest.raises(Forbidden):
        check_some_files(bob("A"))
    assert places(stored) == []


def test_the_night_logs_what_is_wrong(stored, monkeypatch, caplog):
    with stored.seen():
        bad = store(stored, Invoice.objects.get(), "k9", b"abc", sha256="0" * 64)
    monkeypatch.setattr(tasks, "all_tenant_ids", lambda: [stored.tenant_id])

    with caplog.at_level(logging.ERROR):
        tasks.verify_everything()

    assert [record.getMessage() for record in caplog.records] == [
        f"books.violated {stored.slug} I8 {bad.pk}: the stored file is not the one that was stored"
    ]
