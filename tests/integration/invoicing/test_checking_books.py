"""The books are checked slice by slice, and what each check found last is kept."""

import hashlib
import logging
from datetime import timedelta

import pytest

from invoicing import tasks
from invoicing.models import BooksCheck, Invoice, StoredDocument
from invoicing.operations import checking_books
from invoicing.operations.checking_books import (
    check_books,
    check_one,
    request_books_check,
    work_on_books_check,
)
from invoicing.queries.books import CHECKS, last_checks
from invoicing.queries.invariants import INVARIANTS
from invoicing.words.checks import WORDS
from tenancy.errors import Forbidden
from tenancy.models import Job
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

LATER = NOW + timedelta(days=1)
DIGEST = hashlib.sha256(b"abc").hexdigest()


@scene
def billed(vendor):
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("seat", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S", "A", "seat", "2026-11-01"))
    vendor.bills("2026-11-01")
    return vendor


def store(vendor, key, content, digest):
    with vendor.seen():
        return StoredDocument.objects.create(
            tenant_id=vendor.tenant_id,
            invoice=Invoice.objects.get(),
            kind=key,
            file_name=f"{key}.pdf",
            content=content,
            sha256=digest,
            created_at=NOW,
        )


def test_every_check_has_words():
    assert set(WORDS) == set(CHECKS)
    assert {invariant.name for invariant in INVARIANTS} < set(CHECKS)


def test_keeps_what_each_check_found(billed):
    assert list(check_books(billed.actor, now=NOW)) == []

    with billed.seen():
        kept = last_checks(billed.actor)
    assert set(kept) == set(CHECKS)
    assert all(check.checked_at == NOW and check.violations == [] for check in kept.values())
    assert (kept["I2"].objects_checked, kept["I24"].objects_checked) == (1, 1)


def test_a_check_replaces_its_last_result_alone(billed):
    list(check_books(billed.actor, now=NOW))

    assert check_one(billed.actor, "I2", now=LATER) == []

    with billed.seen():
        assert BooksCheck.objects.count() == len(CHECKS)
        later = BooksCheck.objects.filter(checked_at=LATER)
        assert [check.name for check in later] == ["I2"]


def test_what_is_broken_is_kept_and_goes_when_it_is_mended(billed):
    with billed.seen():
        bad = store(billed, "k1", b"abc", "0" * 64)

    [found] = check_one(billed.actor, "I8", now=NOW)

    assert found.object == str(bad.pk)
    with billed.seen():
        assert last_checks(billed.actor)["I8"].violations == [
            {"object": str(bad.pk), "detail": "the stored file is not the one that was stored"}
        ]


def test_a_bad_file_stays_named_on_nights_that_read_others(billed, monkeypatch):
    monkeypatch.setattr("invoicing.operations.checking.LEAST", 1)
    monkeypatch.setattr("invoicing.operations.checking.NIGHTS", 3)
    with billed.seen():
        keys = [store(billed, f"k{n}", b"abc", "0" * 64 if n == 0 else DIGEST) for n in range(3)]

    for _night in range(3):
        [found] = check_one(billed.actor, "I8", now=NOW)
        assert found.object == str(keys[0].pk)

    with billed.seen():
        assert last_checks(billed.actor)["I8"].objects_checked == 1


def test_a_job_makes_one_check_after_another(billed):
    job_id = request_books_check(billed.actor, now=NOW)
    assert request_books_check(billed.actor, now=NOW) == job_id

    steps = 1
    while work_on_books_check(billed.actor, job_id, now=NOW):
        steps += 1

    assert steps == len(CHECKS)
    with billed.seen():
        job = Job.objects.get(pk=job_id)
        assert (job.status, job.done, job.total) == ("done", len(CHECKS), len(CHECKS))
        assert job.result == {"violations": 0}
        assert BooksCheck.objects.count() == len(CHECKS)
    assert request_books_check(billed.actor, now=NOW) != job_id


def test_a_job_that_was_broken_off_goes_on_where_it_stood(billed, monkeypatch):
    job_id = request_books_check(billed.actor, now=NOW)
    assert work_on_books_check(billed.actor, job_id, now=NOW)

    with monkeypatch.context() as patched:
        patched.setattr(checking_books, "check_one", _die)
        with pytest.raises(RuntimeError):
            work_on_books_check(billed.actor, job_id, now=NOW)
    assert not work_on_books_check(billed.actor, job_id, now=NOW), "its worker may still live"

    later = NOW + timedelta(minutes=1)
    while work_on_books_check(billed.actor, job_id, now=later):
        pass
    with billed.seen():
        assert Job.objects.get(pk=job_id).status == "done"
        assert BooksCheck.objects.filter(checked_at=NOW).count() == 1
        assert BooksCheck.objects.filter(checked_at=later).count() == len(CHECKS) - 1


def _die(*_args, **_values):
    raise RuntimeError


def test_is_for_those_who_see_all_invoices(billed, bob):
    for act in (
        lambda actor: check_one(actor, "I2", now=NOW),
        lambda actor: check_one(actor, "I8", now=NOW),
        lambda actor: request_books_check(actor, now=NOW),
        last_checks,
    ):
        with pytest.raises(Forbidden):
            act(bob("A"))
    with billed.seen():
        assert not BooksCheck.objects.exists()
        assert not Job.objects.filter(kind=Job.Kind.CHECK).exists()


def test_one_tenant_that_cannot_be_checked_keeps_no_other_from_it(
    billed, other_vendor, monkeypatch, caplog
):
    monkeypatch.setattr(tasks, "all_tenant_ids", lambda: [other_vendor.tenant_id, billed.tenant_id])
    whole = tasks.check_books
    monkeypatch.setattr(
        tasks,
        "check_books",
        lambda actor, **values: (
            _die() if actor.tenant_id == other_vendor.tenant_id else whole(actor, **values)
        ),
    )

    with caplog.at_level(logging.ERROR):
        tasks.verify_everything()

    assert [record.getMessage() for record in caplog.records] == ["books.unchecked"]
    with billed.seen():
        assert BooksCheck.objects.count() == len(CHECKS)
