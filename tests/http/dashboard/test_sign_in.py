"""Signing in and out: generic, limited, and never leading elsewhere."""

from http import HTTPStatus

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Membership, Person

PASSWORD = "correct-horse-battery"
REFUSED = "E-mail and password do not match."


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@pytest.fixture
def jana(vendor):
    person = Person(email="jana@acme.example", name="Jana Petersen", language="de")
    person.set_password(PASSWORD)
    person.save()
    with vendor.seen():
        Membership.objects.create(tenant_id=vendor.tenant_id, person=person, role="owner")
    return person


def sign_in(client, email="jana@acme.example", password=PASSWORD, **more):
    return client.post("/sign-in/", {"email": email, "password": password, **more})


def test_leads_to_the_sign_in_and_back(jana):
    client = Client()

    asked = client.get("/invoices/?status=open")
    answer = sign_in(client, next="/invoices/?status=open")

    assert asked.url == "/sign-in/?next=/invoices/%3Fstatus%3Dopen"
    assert answer.url == "/invoices/?status=open"
    assert client.get("/invoices/").status_code == HTTPStatus.OK


def test_turns_to_the_persons_language(jana):
    client = Client()
    sign_in(client)

    assert "Rechnungen" in client.get("/invoices/").content.decode()


@pytest.mark.parametrize(
    ("email", "password"),
    [("jana@acme.example", "wrong"), ("nobody@acme.example", PASSWORD)],
)
def test_refuses_in_the_same_words(jana, email, password):
    answer = sign_in(Client(), email, password)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert REFUSED in answer.content.decode()


def test_refuses_who_has_left(jana):
    Person.objects.filter(pk=jana.pk).update(is_active=False)

    assert REFUSED in sign_in(Client()).content.decode()


def test_names_empty_fields(jana):
    answer = sign_in(Client(), "", "")

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.content.decode().count("This field is required.") == 2


def test_limits_attempts_per_account_and_address(jana):
    client = Client()
    for _attempt in range(5):
        assert sign_in(client, password="wrong").status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    answer = sign_in(client)

    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many attempts." in answer.content.decode()
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == HTTPStatus.FOUND


def test_forgets_failures_after_success(jana):
    for _round in range(2):
        client = Client()
        for _attempt in range(4):
            sign_in(client, password="wrong")
        assert sign_in(client).status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:1", ""])
def test_never_leads_to_another_site(jana, target):
    assert sign_in(Client(), next=target).url == "/"


def test_signs_out_by_post_only(jana):
    client = Client()
    sign_in(client)

    assert client.get("/sign-out/").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/invoices/").status_code == HTTPStatus.FOUND


def test_switches_between_the_companies_of_a_person(jana, other_vendor):
    client = Client(headers={"accept-language": "en"})
    with other_vendor.seen():
        Membership.objects.create(tenant_id=other_vendor.tenant_id, person=jana, role="auditor")
    client.force_login(jana)

    choices = {one["name"]: one["id"] for one in client.get("/companies/").context["tenants"]}
    answer = client.post("/companies/", {"tenant": choices["Rival"]})

    assert answer.url == "/"
    assert client.get("/invoices/").context["product_name"] == "Rival"


def test_switches_to_no_company_of_others(jana, other_vendor, visit, alice):
    client = visit(alice)
    rival = client.post("/companies/", {"tenant": "ten_" + "0" * 26})

    assert rival.status_code == HTTPStatus.NOT_FOUND
    assert client.get("/invoices/").context["product_name"] == "Acme"


def test_tells_who_belongs_nowhere(db):
    person = Person.objects.create(email="nobody@nowhere.example", name="Nobody")
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)

    answer = client.get("/")

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "You do not belong to any company here yet." in answer.content.decode()
