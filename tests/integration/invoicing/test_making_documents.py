"""Files are made by one worker at a time, in no transaction, and not for ever."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from invoicing.documents import making, pdf
from invoicing.documents.making import (
    DocumentBeingMade,
    DocumentFailed,
    claim,
    get_pdf,
    make_files,
    waiting_documents,
)
from invoicing.documents.pdf import LayoutInTransaction, render_pdf
from invoicing.models import DocumentToMake, Invoice, Rendering, StoredDocument
from invoicing.operations.rendering import DocumentNotFailed, render_waiting, retry_document
from tenancy.database import scope
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry, Event
from tests.integration.invoicing.test_pdf import bill, stored, text_of
from tests.world import NOW, account, price, subscription


def tries(vendor):
    with vendor.seen():
        return [
            (one.attempts, one.given_up_at, one.reason, one.detail)
            for one in Rendering.objects.order_by("pk")
        ]


def let_time_pass(vendor):
    """End all claims and pauses."""
    with vendor.seen():
        # Long ago: in these tests the database's time stands where their transaction began.
        Rendering.objects.update(blocked_until=datetime(2000, 1, 1, tzinfo=UTC))


def breaks(_document):
    raise RuntimeError("no layout")


def audited(vendor, action):
    with vendor.seen():
        return list(AuditEntry.objects.filter(action=action).order_by("id"))


@pytest.mark.django_db(transaction=True)
def test_lays_out_in_no_transaction(committed_vendor, monkeypatch):
    invoice_id = bill(committed_vendor)
    real, open_then = pdf.pdf_bytes, []

    def watched(document):
        open_then.append(connection.in_atomic_block)
        return real(document)

    monkeypatch.setattr(pdf, "pdf_bytes", watched)

    assert render_waiting(committed_vendor.actor, limit=5, now=NOW) == 1
    assert open_then == [False]
    assert not transaction.get_connection().in_atomic_block
    assert [document.invoice_id for document in stored(committed_vendor)] == [invoice_id]
    assert tries(committed_vendor) == []


def test_refuses_to_lay_out_in_a_tenants_transaction(vendor):
    invoice_id = bill(vendor)

    with vendor.seen(), pytest.raises(LayoutInTransaction):
        render_pdf(vendor.actor, invoice_id, now=NOW)


def test_leaves_what_another_worker_is_making(committed_vendor, monkeypatch):
    vendor = committed_vendor
    invoice_id = bill(vendor)
    real, others = pdf.pdf_bytes, []

    def other_worker():
        others.append(make_files(vendor.actor, invoice_id, now=NOW))
        with scope(vendor.tenant_id):
            others.append(list(waiting_documents(vendor.actor)))
        connection.close()

    def slow(document):
        thread = threading.Thread(target=other_worker)
        thread.start()
        thread.join()
        return real(document)

    monkeypatch.setattr(pdf, "pdf_bytes", slow)

    assert make_files(vendor.actor, invoice_id, now=NOW)
    assert others == [False, []]
    assert len(stored(vendor)) == 1


def test_takes_over_from_a_worker_that_died(vendor):
    invoice_id = bill(vendor)
    assert claim(vendor.actor, invoice_id, now=NOW).attempts == 1
    assert claim(vendor.actor, invoice_id, now=NOW) is None
    assert render_waiting(vendor.actor, limit=5, now=NOW) == 0

    let_time_pass(vendor)

    assert render_waiting(vendor.actor, limit=5, now=NOW) == 1
    assert len(stored(vendor)) == 1


def test_a_worker_thought_dead_stores_nothing_twice(vendor, monkeypatch):
    invoice_id = bill(vendor)
    real = pdf.pdf_bytes

    def slow(_document):
        monkeypatch.setattr(pdf, "pdf_bytes", real)
        let_time_pass(vendor)
        assert make_files(vendor.actor, invoice_id, now=NOW)
        return b"slower"

    monkeypatch.setattr(pdf, "pdf_bytes", slow)
    make_files(vendor.actor, invoice_id, now=NOW)

    (kept,) = stored(vendor)
    assert bytes(kept.content).startswith(b"%PDF")
    assert tries(vendor) == []


def test_gives_up_after_some_tries_and_says_why(vendor, monkeypatch):
    invoice_id = bill(vendor)
    monkeypatch.setattr(pdf, "pdf_bytes", breaks)

    for attempt in (1, 2, 3):
        assert not make_files(vendor.actor, invoice_id, now=NOW)
        assert not make_files(vendor.actor, invoice_id, now=NOW)
        assert tries(vendor)[0][0] == attempt
        let_time_pass(vendor)

    assert tries(vendor) == [(3, NOW, "failed", "RuntimeError")]
    monkeypatch.undo()
    assert render_waiting(vendor.actor, limit=5, now=NOW) == 0
    assert stored(vendor) == []
    (entry,) = audited(vendor, "invoice.pdf_failed")
    assert entry.object_id == invoice_id
    assert entry.after == {"reason": "failed", "detail": "RuntimeError", "attempts": 3}
    with vendor.seen():
        assert Event.objects.filter(kind="invoice.pdf_failed", subject_id=invoice_id).count() == 1
    with pytest.raises(DocumentFailed, match="RuntimeError"):
        get_pdf(vendor.actor, invoice_id, now=NOW)


def test_gives_up_what_kills_its_workers(vendor):
    invoice_id = bill(vendor)
    for _attempt in range(3):
        assert claim(vendor.actor, invoice_id, now=NOW)
        let_time_pass(vendor)

    assert claim(vendor.actor, invoice_id, now=NOW) is None
    assert tries(vendor)[0][1:] == (NOW, "lost", "")
    assert len(audited(vendor, "invoice.pdf_failed")) == 1


def test_is_tried_again_when_somebody_asks(vendor, alice, bob, charlie, monkeypatch):
    invoice_id = bill(vendor)
    with pytest.raises(DocumentNotFailed):
        retry_document(alice, invoice_id, now=NOW)
    monkeypatch.setattr(pdf, "pdf_bytes", breaks)
    for _attempt in range(3):
        make_files(vendor.actor, invoice_id, now=NOW)
        let_time_pass(vendor)
    monkeypatch.undo()
    for who, refusal in ((bob("C"), Forbidden), (charlie, NotFound)):
        with pytest.raises(refusal):
            retry_document(who, invoice_id, now=NOW)
    assert tries(vendor)[0][0] == 3

    retry_document(alice, invoice_id, now=NOW)

    assert render_waiting(vendor.actor, limit=5, now=NOW) == 1
    (entry,) = audited(vendor, "invoice.pdf_retried")
    assert (entry.actor_label, entry.before["reason"]) == ("Alice", "failed")


def test_who_asks_for_a_long_one_waits_for_workers(vendor, monkeypatch):
    invoice_id = bill(vendor)
    monkeypatch.setattr(making, "AT_ONCE", 1)

    with pytest.raises(DocumentBeingMade):
        get_pdf(vendor.actor, invoice_id, now=NOW)
    assert stored(vendor) == tries(vendor) == []

    render_waiting(vendor.actor, limit=1, now=NOW)
    assert get_pdf(vendor.actor, invoice_id, now=NOW).content.startswith(b"%PDF")


def delegated(vendor):
    """Bill a subsidiary that its parent pays for; return the invoice's id."""
    vendor.has("accounts", account("P"), account("S", "P", bill_to="S", payer="P"))
    vendor.has("prices", price("desk", "9.00", model="per_unit"))
    vendor.has("subscriptions", subscription("S1", "S", "desk", "2026-11-01"))
    (invoice_id,) = vendor.run("2026-11-23").invoice_ids
    return invoice_id


def test_the_payer_gets_a_copy_of_its_own(vendor, alice, bob):
    invoice_id = delegated(vendor)

    assert render_waiting(vendor.actor, limit=5, now=NOW) == 1
    assert render_waiting(vendor.actor, limit=5, now=NOW) == 0

    assert sorted(one.kind for one in stored(vendor)) == ["payer", "pdf"]
    own = get_pdf(bob("S"), invoice_id, now=NOW)
    copy = get_pdf(alice, invoice_id, now=NOW, wanted="payer")
    assert "Die Zahlung übernimmt P GmbH" in text_of(own.content)
    assert "IBAN" not in text_of(own.content)
    assert "Kopie für den Zahler P GmbH" in text_of(copy.content)
    assert "IBAN DE02 1203" in text_of(copy.content)
    assert copy.file_name.endswith("-Zahler-TEST.pdf") or copy.file_name.endswith("-Zahler.pdf")
    assert get_pdf(alice, invoice_id, now=NOW) == own
    with pytest.raises(Forbidden):
        get_pdf(bob("S"), invoice_id, now=NOW, wanted="payer")


def test_who_reaches_the_payer_alone_gets_the_copy(vendor, bob):
    vendor.has("accounts", account("P"), account("Q", "P"), account("S", "P", bill_to="S"))
    vendor.has("prices", price("desk", "9.00"))
    vendor.has("subscriptions", subscription("S1", "S", "desk", "2026-11-01"))
    invoice_id = delegated_by_hand(vendor)

    found = get_pdf(bob("Q"), invoice_id, now=NOW)

    assert "Kopie für den Zahler" in text_of(found.content)


def delegated_by_hand(vendor):
    """Bill S with Q beside it as payer, as a draft that is changed before it is issued."""
    (invoice_id,) = vendor.run("2026-11-23", issue=False).invoice_ids
    with vendor.seen():
        invoice = Invoice.objects.get(pk=invoice_id)
        payer = {**invoice.snapshot["payer"], "id": "acc_q", "name": "Q", "legal_name": "Q GmbH"}
        Invoice.objects.filter(pk=invoice_id).update(
            payer_id=vendor.id_of("Q"),
            snapshot={**invoice.snapshot, "payer": payer},
            status="open",
            number="X-1",
            series_year=2026,
            series_number=99,
            issue_date=vendor.actor.today,
            due_date=vendor.actor.today,
            issued_at=NOW,
        )
        DocumentToMake.objects.create(tenant_id=vendor.tenant_id, invoice=invoice)
        assert StoredDocument.objects.count() == 0
    return invoice_id


def test_an_invoice_that_its_recipient_pays_has_no_copy(vendor, alice):
    with pytest.raises(NotFound):
        get_pdf(alice, bill(vendor), now=NOW, wanted="payer")
