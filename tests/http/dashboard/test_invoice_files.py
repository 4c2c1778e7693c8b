"""The PDF of an invoice by page and API: made on the way, being made, given up, tried again."""

from http import HTTPStatus

import pytest
from django.db import connection
from django.utils import timezone

from invoicing import tasks
from invoicing.documents import making, pdf
from invoicing.models import Invoice, Rendering, StoredDocument
from tenancy.ids import public_id
from tests.world import NOW, account, price, subscription


@pytest.fixture
def invoice(billed):
    with billed.seen():
        return Invoice.objects.get(bill_to_id=billed.id_of("group"))


@pytest.fixture
def url(invoice):
    return f"/invoices/{public_id('inv', invoice.pk)}/"


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.render_document, "delay", lambda **values: sent.append(values))
    return sent


@pytest.fixture
def given_up(billed, invoice):
    """Three tries have failed."""
    with billed.seen():
        return Rendering.objects.create(
            tenant_id=billed.tenant_id,
            invoice=invoice,
            attempts=3,
            blocked_until=timezone.now(),
            token=invoice.pk,
            given_up_at=NOW,
            reason="failed",
            detail="RuntimeError",
        )


def files(billed):
    with billed.seen():
        return StoredDocument.objects.count()


def test_makes_a_short_one_after_the_transaction(billed, alice, visit, url, monkeypatch):
    real, blocks = pdf.pdf_bytes, []

    def watched(document):
        blocks.append(len(connection.savepoint_ids))
        return real(document)

    monkeypatch.setattr(pdf, "pdf_bytes", watched)
    before = len(connection.savepoint_ids)

    answer = visit(alice).get(f"{url}pdf")

    assert answer.content.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"].endswith('.pdf"')
    assert blocks == [before]
    assert files(billed) == 1


def test_says_that_a_long_one_is_being_made(
    billed, alice, visit, url, nudges, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(making, "AT_ONCE", 0)

    with django_capture_on_commit_callbacks(execute=True):
        answer = visit(alice).get(f"{url}pdf")

    assert answer.status_code == HTTPStatus.ACCEPTED
    assert answer.headers["Refresh"] == "3"
    assert "The PDF is being made" in answer.content.decode()
    assert len(nudges) == 1
    assert files(billed) == 0
    tasks.render_document(**nudges[0])
    assert visit(alice).get(f"{url}pdf").content.startswith(b"%PDF")


def test_leads_whoever_saw_it_fail_back_to_the_page_that_says_so(alice, visit, url, monkeypatch):
    def breaks(_document):
        raise RuntimeError("no layout")

    monkeypatch.setattr(pdf, "pdf_bytes", breaks)

    answer = visit(alice).get(f"{url}pdf", follow=True)

    assert answer.status_code == HTTPStatus.ACCEPTED
    assert answer.redirect_chain == [(f"{url}pdf", HTTPStatus.FOUND)]


def test_shows_why_it_was_given_up_and_tries_again(billed, alice, visit, url, given_up):
    client = visit(alice)

    page = client.get(f"{url}pdf", follow=True).content.decode()
    assert "The PDF could not be made" in page
    assert "RuntimeError" in page
    assert "Try the PDF again" in page

    answer = client.post(f"{url}pdf/retry/", follow=True)
    assert "The PDF is tried again." in answer.content.decode()
    with billed.seen():
        assert not Rendering.objects.exists()
    assert "PDF tried again" in client.get(url).content.decode()
    again = client.post(f"{url}pdf/retry/", follow=True).content.decode()
    assert "there is nothing to try again" in again


def test_lets_no_reader_try_again(billed, bob, visit, url, given_up, vendor):
    reader = visit(vendor.staff("Rita", "auditor"))
    assert "Try the PDF again" not in reader.get(url).content.decode()
    assert reader.post(f"{url}pdf/retry/").status_code == HTTPStatus.FORBIDDEN
    customer = visit(bob("group"))
    assert customer.post(f"/portal{url}pdf/retry/").status_code == HTTPStatus.FORBIDDEN
    with billed.seen():
        assert Rendering.objects.count() == 1


def api(client, vendor, path, method="get", **values):
    headers = {"Authorization": f"Bearer {vendor.api_key}"}
    return getattr(client, method)(f"/api/v1{path}", headers=headers, **values)


def test_the_api_says_so_alike(billed, client, url, nudges, monkeypatch):
    monkeypatch.setattr(making, "AT_ONCE", 0)

    waits = api(client, billed, f"{url}pdf")
    assert (waits.status_code, waits.json()) == (202, {"status": "being_made"})
    assert waits.headers["Retry-After"] == "5"
    nothing = api(client, billed, f"{url}pdf", "post")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "document_not_failed")

    monkeypatch.setattr(making, "AT_ONCE", 200)
    assert api(client, billed, f"{url}pdf").content.startswith(b"%PDF")
    assert api(client, billed, f"{url}pdf?copy=payer").status_code == 404
    assert api(client, billed, f"{url}pdf?copy=other").status_code == 422


def test_the_api_tells_why_it_was_given_up_and_tries_again(billed, client, url, given_up):
    refused = api(client, billed, f"{url}pdf")
    assert (refused.status_code, refused.json()["code"]) == (409, "document_failed")
    assert "RuntimeError" in refused.json()["detail"]

    assert api(client, billed, f"{url}pdf", "post").status_code == 202
    assert api(client, billed, f"{url}pdf").content.startswith(b"%PDF")


def test_tells_the_recipient_that_another_pays_and_the_payer_of_the_copy(vendor, bob, visit):
    vendor.has("accounts", account("P"), account("S", "P", bill_to="S", payer="P"))
    vendor.has("prices", price("desk", "9.00"))
    vendor.has("subscriptions", subscription("S1", "S", "desk", "2026-11-01"))
    (invoice_id,) = vendor.run("2026-11-23").invoice_ids
    url = f"/portal/invoices/{public_id('inv', invoice_id)}/"

    recipient = visit(bob("S")).get(url).content.decode()
    payer = visit(vendor.customer("Paula", "viewer", "P")).get(url).content.decode()

    said = "P GmbH pays this invoice. There is nothing for you to do."
    assert (said in recipient, "copy=payer" in recipient) == (True, False)
    assert (said in payer, "copy=payer" in payer) == (False, True)


def test_tells_accounts_of_one_name_apart(vendor, alice, visit):
    vendor.has_files("cases/same-names")
    (invoice_id,) = vendor.run("2026-12-01").invoice_ids
    page = visit(alice).get(f"/invoices/{public_id('inv', invoice_id)}/").content.decode()

    for name in ("Büro (C1a)", "Büro (C2a)", "Lager (C1b)", "Lager (C2b)"):
        assert f"Subtotal {name}" in page
    assert "Müller GmbH (C1)" in page
