"""The PDF of an invoice: who gets it, and that it is made once and kept."""

import hashlib
import io
import time
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from invoicing import tasks
from invoicing.documents import pdf
from invoicing.documents.making import get_pdf, make_files
from invoicing.documents.pdf import pending_documents, render_pdf
from invoicing.models import Invoice, StoredDocument
from invoicing.operations.rendering import render_waiting
from tenancy.errors import Forbidden, NotFound
from tests.world import NOW, account, price, subscription

LATER = datetime(2027, 3, 1, tzinfo=UTC)


def bill(vendor, *, issue=True):
    """Bill a company and one of its branches; return the invoice's id."""
    vendor.has("accounts", account("C"), account("C-1", "C", legal_name=""))
    vendor.has("prices", price("desk", "9.00", model="per_unit"))
    vendor.has(
        "subscriptions",
        subscription("S1", "C", "desk", "2026-11-01"),
        subscription("S2", "C-1", "desk", "2026-11-01", 3),
    )
    (invoice_id,) = vendor.run("2026-11-23", issue=issue).invoice_ids
    return invoice_id


def text_of(content):
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def stored(vendor):
    with vendor.seen():
        return list(StoredDocument.objects.order_by("pk"))


def test_stores_the_file_of_an_issued_invoice_once(vendor, monkeypatch):
    invoice_id = bill(vendor)

    first = get_pdf(vendor.actor, invoice_id, now=NOW)
    monkeypatch.setattr(pdf, "pdf_bytes", lambda _document: pytest.fail("it was made again"))
    second = get_pdf(vendor.actor, invoice_id, now=LATER)

    (kept,) = stored(vendor)
    assert first == second
    assert bytes(kept.content) == first.content
    assert kept.sha256 == first.sha256 == hashlib.sha256(first.content).hexdigest()
    assert (kept.kind, kept.created_at) == ("pdf", NOW)
    assert kept.file_name == "Acme-Rechnung-2026-11-23-RE-2026-000001-42.84-TEST.pdf"


def test_shows_what_the_run_stored(vendor):
    text = text_of(get_pdf(vendor.actor, bill(vendor), now=NOW).content)

    for part in (
        "Rechnung RE-2026-000001",
        "Sammelrechnung für 2 Konten",
        "Summe netto 36,00 €",
        "Rechnungsbetrag 42,84 €",
        "Zwischensumme C 9,00",
        "Zwischensumme C-1 27,00",
        "TEST",
    ):
        assert part in text


def test_a_changed_account_changes_no_document(vendor):
    invoice_id = bill(vendor)
    before = render_pdf(vendor.actor, invoice_id, now=NOW)

    vendor.has("accounts", account("C", name="New", legal_name="New GmbH"))

    assert render_pdf(vendor.actor, invoice_id, now=LATER) == before


def test_makes_a_draft_anew_each_time(vendor):
    invoice_id = bill(vendor, issue=False)

    draft = get_pdf(vendor.actor, invoice_id, now=NOW)

    assert "ENTWURF" in text_of(draft.content)
    assert "RE-2026" not in text_of(draft.content)
    assert draft.file_name == "Acme-Rechnung-2026-11-23-Entwurf-42.84-TEST.pdf"
    assert stored(vendor) == []


def test_shows_a_whole_invoice_to_those_who_see_it_whole(vendor, bob, alice, charlie):
    invoice_id = bill(vendor)

    assert get_pdf(alice, invoice_id, now=NOW) == get_pdf(bob("C"), invoice_id, now=NOW)
    with pytest.raises(Forbidden):
        get_pdf(bob("C-1"), invoice_id, now=NOW)
    with pytest.raises(NotFound):
        get_pdf(charlie, invoice_id, now=NOW)


def test_hides_drafts_from_customers(vendor, bob):
    invoice_id = bill(vendor, issue=False)

    with pytest.raises(NotFound):
        render_pdf(bob("C"), invoice_id, now=NOW)


def test_makes_the_files_that_are_missing(vendor):
    bill(vendor)
    vendor.has("accounts", account("D"), account("E"))
    vendor.has("subscriptions", *(subscription(k, k, "desk", "2026-11-01") for k in "DE"))
    vendor.run("2026-11-23")

    assert render_waiting(vendor.actor, limit=2, now=NOW) == 2
    assert render_waiting(vendor.actor, limit=2, now=NOW) == 1
    assert render_waiting(vendor.actor, limit=2, now=NOW) == 0
    with vendor.seen():
        assert not pending_documents(vendor.actor).exists()


def test_begins_no_file_after_its_time(vendor, monkeypatch):
    bill(vendor)
    actor = vendor.actor
    assert render_waiting(actor, limit=2, now=NOW, until=time.monotonic()) == 0
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0)
    tasks.render_documents(tenant_id=str(actor.tenant_id))
    assert stored(vendor) == []
    monkeypatch.undo()
    tasks.render_documents(tenant_id=str(actor.tenant_id))
    assert len(stored(vendor)) == 1


def test_one_that_fails_stops_no_other(vendor, monkeypatch, caplog):
    broken = bill(vendor)
    vendor.has("accounts", account("D"))
    vendor.has("subscriptions", subscription("D", "D", "desk", "2026-11-01"))
    vendor.run("2026-11-23")
    real = pdf.pdf_bytes

    def fails(document):
        if document.id == broken:
            raise RuntimeError("no layout")
        return real(document)

    monkeypatch.setattr(pdf, "pdf_bytes", fails)

    assert render_waiting(vendor.actor, limit=1, now=NOW) == 1
    with vendor.seen():
        assert [invoice.pk for invoice in pending_documents(vendor.actor)] == [broken]
    assert "document.failed" in caplog.text


def test_makes_no_file_for_a_draft_and_none_twice(vendor):
    draft = bill(vendor, issue=False)

    assert not make_files(vendor.actor, draft, now=NOW)
    vendor.run("2026-11-23")
    with vendor.seen():
        issued = Invoice.objects.get().pk
    assert make_files(vendor.actor, issued, now=NOW)
    assert not make_files(vendor.actor, issued, now=NOW)
