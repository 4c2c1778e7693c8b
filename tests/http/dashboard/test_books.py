"""The books on screen: what each check means, what the last one found, a new one at once."""

import pytest
from django.db import connection

from invoicing import tasks
from invoicing.models import BooksCheck, Invoice
from invoicing.operations.checking_books import check_books, work_on_books_check
from invoicing.queries.books import CHECKS
from tenancy.actor import Actor
from tenancy.models import Job
from tests.http.dashboard.conftest import save
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

URL = "/settings/books/"


@scene
def billed(vendor):
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("seat", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S", "A", "seat", "2026-11-01"))
    vendor.bills("2026-11-01")
    return vendor


@pytest.fixture
def page(billed, visit):
    client = visit(billed.staff("Ada", "auditor"))
    return lambda: client.get(URL).content.decode()


def test_says_that_nothing_was_checked_yet(page):
    text = page()
    assert "Nothing was checked yet." in text
    assert text.count("Not checked yet") == len(CHECKS)


def test_says_what_each_check_means_and_that_all_agrees(billed, page):
    list(check_books(billed.actor, now=NOW))

    text = page()

    assert "Everything that was checked agrees." in text
    assert "An item is charged only once for the same days." in text
    assert text.count(">Agrees<") == len(CHECKS)


def test_names_documents_by_their_number_and_other_objects_by_their_id(billed, page):
    list(check_books(billed.actor, now=NOW))
    with billed.seen():
        invoice = Invoice.objects.get()
        other = "00000000-0000-7000-8000-00000000000a"
        BooksCheck.objects.filter(name="I5").update(
            violations=[{"object": str(key), "detail": "x"} for key in (invoice.pk, other, "acc_x")]
        )

    text = page()

    assert "1 check finds something that does not agree." in text
    assert f'<a href="/invoices/{invoice.public_id}/">{invoice.number}</a>' in text
    assert f"<code>{other}</code>" in text
    assert "<code>acc_x</code>" in text
    assert text.count(">Broken<") == 1


@pytest.mark.parametrize(
    ("found", "said"), [(11, "and 1 more"), (40, "and 30 more"), (100, "and more")]
)
def test_names_ten_objects_and_says_that_there_are_more(billed, page, found, said):
    list(check_books(billed.actor, now=NOW))
    with billed.seen():
        BooksCheck.objects.filter(name="I5").update(
            violations=[{"object": f"acc_{n}", "detail": "x"} for n in range(found)]
        )

    text = page()

    assert text.count("<code>acc_") == 10
    assert said in text


def test_checks_anew_and_shows_how_far_it_is(
    billed, visit, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(tasks.work_on_books_check, "delay", lambda **values: sent.append(values))
    client = visit(billed.staff("Ada", "auditor"))

    with django_capture_on_commit_callbacks(execute=True):
        assert save(client, URL, {}).status_code == 302
        assert save(client, URL, {}).status_code == 302

    with billed.seen():
        (job,) = Job.objects.filter(kind=Job.Kind.CHECK)
    assert {values["job_id"] for values in sent} == {str(job.pk)}
    for _step in range(3):
        work_on_books_check(Actor.system(billed.tenant_id), job.pk, now=NOW)
    part = client.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert f'max="{len(CHECKS)}" value="3"' in part
    assert "<html" not in part
    while work_on_books_check(Actor.system(billed.tenant_id), job.pk, now=NOW):
        pass
    whole = client.get(URL).content.decode()
    assert "Everything that was checked agrees." in whole
    assert "hx-trigger" not in whole[whole.index('id="books"') :].split(">")[0]


def test_the_numbers_of_statements_do_not_grow_with_what_is_broken(
    billed, visit, django_assert_max_num_queries
):
    list(check_books(billed.actor, now=NOW))
    with billed.seen():
        BooksCheck.objects.update(
            violations=[{"object": f"acc_{n}", "detail": "x"} for n in range(100)]
        )
    client = visit(billed.staff("Ada", "auditor"))
    client.get(URL)
    with django_assert_max_num_queries(12, connection=connection):
        client.get(URL)


@pytest.mark.parametrize("method", ["get", "post"])
def test_is_for_those_who_see_all_invoices(billed, visit, method):
    client = visit(billed.customer("Carl", "admin", "A"))
    assert getattr(client, method)(URL).status_code in {403, 404}
    with billed.seen():
        assert not Job.objects.filter(kind=Job.Kind.CHECK).exists()
