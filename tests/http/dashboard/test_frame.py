"""What is around every page: rooms, language, appearance, errors, headers."""

import re
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.models import Membership
from tests.http.dashboard.conftest import url_of

PAGES = ["/invoices/", "/companies/", "/styleguide/"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_is_well_built(billed, alice, visit, language):
    client = visit(alice, language)

    for url in [*PAGES, url_of(billed, "group"), "/nothing-here/"]:
        page = client.get(url).content.decode()
        assert page.count("<h1") == 1, url
        assert f'<html lang="{language}"' in page
        assert 'id="main"' in page
        assert 'class="skip"' in page
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page), url


def test_allows_scripts_and_styles_of_its_own_only(billed, alice, visit):
    policy = visit(alice).get("/invoices/").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_says_that_it_is_a_test_and_when(vendor, alice, visit):
    page = visit(alice).get("/invoices/").content.decode()

    assert "Test environment" in page
    assert '<time datetime="2026-11-23">23 Nov 2026</time>' in page


def test_says_nothing_of_tests_to_live_tenants(live_vendor, visit):
    page = visit(live_vendor.staff("Erin", "owner")).get("/invoices/").content.decode()

    assert "Test environment" not in page


def test_remembers_the_appearance(vendor, alice, visit):
    client = visit(alice)

    assert "data-theme=" not in client.get("/invoices/").content.decode()
    answer = client.post("/appearance/", {"theme": "dark", "next": "/invoices/?q=1"})
    assert answer.url == "/invoices/?q=1"
    assert 'data-theme="dark"' in client.get("/invoices/").content.decode()
    client.post("/appearance/", {"theme": "system", "next": "https://evil.example/"})
    assert "data-theme=" not in client.get("/invoices/").content.decode()


def test_switches_the_language_without_script(vendor, alice, visit):
    client = visit(alice)
    answer = client.post("/language/setlang/", {"language": "de", "next": "/invoices/?q=1"})

    assert answer.url == "/invoices/?q=1"
    assert "Rechnungen" in client.get("/invoices/").content.decode()


def test_keeps_customers_out_of_staff_pages(billed, bob, visit):
    answer = visit(bob("group")).get("/styleguide/")

    assert answer.status_code == HTTPStatus.FORBIDDEN
    page = answer.content.decode()
    assert "This page is for the staff of the company." in page
    assert answer.headers["X-Request-Id"] in page
    assert 'class="portal"' in page


def test_gives_errors_a_reference(vendor, alice, visit):
    answer = visit(alice).get("/invoices/nonsense/")

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["X-Request-Id"] in answer.content.decode()


def test_stays_calm_when_something_breaks(vendor, alice, visit, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("web.invoices.listing.queries.invoices", fail)
    client = visit(alice)
    client.raise_request_exception = False

    answer = client.get("/invoices/")

    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    page = answer.content.decode()
    assert "Something went wrong on our side" in page
    assert answer.headers["X-Request-Id"] in page
    assert "broken" not in page


def test_refuses_forms_of_other_sites(vendor, alice, visit):
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/appearance/", {"theme": "dark"})

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "This form is too old" in answer.content.decode()


def test_welcomes_customers_in_the_portal_and_staff_in_the_dashboard(billed, alice, bob, visit):
    assert visit(alice).get("/").url == "/invoices/"
    assert visit(alice).get("/portal/").url == "/"
    customer = visit(bob("group"))
    assert customer.get("/").url == "/portal/"
    assert "All invoices" in customer.get("/portal/").content.decode()


def test_needs_no_statement_more_for_somebody_of_two_companies(
    billed, other_vendor, alice, visit, statements
):
    client = visit(alice)
    alone = len(statements(client, "/customers/"))
    with other_vendor.seen():
        Membership.objects.create(
            tenant_id=other_vendor.tenant_id, person_id=alice.person_id, role="support"
        )

    assert len(statements(client, "/customers/")) == alone
    assert "Switch company" in client.get("/customers/").content.decode()
    assert "Rival" in client.get("/companies/").content.decode()


def test_sends_pages_packed_to_who_can_read_that(billed, alice, visit):
    client = visit(alice)
    packed = client.get("/invoices/", headers={"accept-encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) * 3 < len(client.get("/invoices/").content)
