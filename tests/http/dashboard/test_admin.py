"""The operators' admin: with a reason, for a while, one tenant, read-only."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.admin.names import COLUMNS
from accounts.models import Person
from billing_hierarchy.admin_site import site
from tenancy.models import AuditEntry

REASON = "Ticket 8812: an invoice is missing"


@pytest.fixture
def operator(vendor):
    person = Person.objects.create(email="ops@platform.example", name="Op", is_operator=True)
    client = Client()
    client.force_login(person)
    return client


def enter(client, slug, reason=REASON):
    return client.post("/admin/enter/", {"slug": slug, "reason": reason})


def addresses():
    return [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in site._registry]


def test_lets_only_operators_in(vendor, alice, visit):
    assert Client().get("/admin/").url.startswith("/admin/login/")
    assert Client().get("/admin/login/").url.startswith("/sign-in/")
    answer = visit(alice).get("/admin/", follow=True)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert visit(alice).post("/admin/enter/", follow=True).status_code == HTTPStatus.FORBIDDEN


def test_leads_an_operator_from_the_first_address_to_the_admin(operator, alice, visit):
    assert operator.get("/").url == "/admin/"
    assert visit(alice).get("/").url == "/invoices/"


def test_shows_nothing_before_a_reason_is_given(billed, operator):
    for url in ["/admin/", *addresses()]:
        assert operator.get(url).url == "/admin/enter/"
    assert enter(operator, "acme", "short").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert enter(operator, "nobody").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert operator.get("/admin/").url == "/admin/enter/"


def test_writes_the_reason_into_the_tenants_audit_trail(billed, operator):
    assert enter(operator, "acme").url == "/admin/"

    with billed.seen():
        entry = AuditEntry.objects.get(action="tenant.operator_entered")
    assert (entry.actor_label, entry.origin, entry.after) == ("Op", "admin", {"reason": REASON})


def test_shows_one_tenant_read_only(billed, other_vendor, operator):
    enter(operator, "acme")

    for url in addresses():
        page = operator.get(url)
        assert page.status_code == HTTPStatus.OK, url
        text = page.content.decode()
        assert "Rival" not in text
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", text), url
        assert operator.get(f"{url}add/").status_code == HTTPStatus.FORBIDDEN
        if match := re.search(rf'href="({url}[0-9a-f-]+/)change/', text):
            assert operator.get(f"{match[1]}change/").status_code == HTTPStatus.OK
            assert operator.post(f"{match[1]}change/", {}).status_code == HTTPStatus.FORBIDDEN
            assert operator.get(f"{match[1]}delete/").status_code == HTTPStatus.FORBIDDEN


def test_names_models_and_columns_in_german(billed, operator):
    enter(operator, "acme")

    home = operator.get("/admin/", headers={"accept-language": "de"}).content.decode()
    page = operator.get("/admin/invoicing/invoice/", headers={"accept-language": "de"})

    for name in ("Mandanten", "Konten", "Protokolleinträge", "Rechnungsläufe", "Abonnements"):
        assert f">{name}</a>" in home
    heads = re.findall(r'class="text">.*?>([^<]+)<', page.content.decode())
    assert heads[:5] == ["Nummer", "Art", "Status", "Rechnungsempfänger", "Währung"]


def test_has_a_name_for_every_column(billed):
    left_out = {
        (model.__name__, field.name)
        for model in site._registry
        for field in model._meta.concrete_fields
        if field.name in site._registry[model].get_readonly_fields(None)
        and field.name not in COLUMNS
    }

    assert left_out == set(), "give it a word in COLUMNS of accounts/admin/names.py"


def test_shows_the_tree_of_an_account(billed, operator):
    enter(operator, "acme")

    page = operator.get(f"/admin/accounts/account/{billed.id_of('branch')}/change/")

    text = page.content.decode()
    assert 'class="level l0">Gruppe Nord' in text
    assert 'class="level l1 here">Zweig' in text


def test_does_not_find_another_tenants_rows(billed, other_vendor, operator):
    enter(operator, "rival")

    answer = operator.get(f"/admin/accounts/account/{billed.id_of('branch')}/change/", follow=True)

    assert "Zweig" not in answer.content.decode()


def test_closes_after_half_an_hour_and_on_leaving(billed, operator):
    enter(operator, "acme")
    session = operator.session
    session["operator_until"] = datetime.now(UTC).timestamp() - 1
    session.save()
    assert operator.get("/admin/").url == "/admin/enter/"
    enter(operator, "acme")
    operator.post("/admin/leave/")
    assert operator.get("/admin/").url == "/admin/enter/"
