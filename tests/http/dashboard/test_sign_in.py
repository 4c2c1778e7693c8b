"""Signing in and out: generic, limited, and never leading elsewhere."""

import logging
from http import HTTPStatus
from threading import BoundedSemaphore

import pytest
from django.core.cache import caches
from django.test import Client
from redis.exceptions import ConnectionError as RedisAway

from accounts.models import Membership, Person
from tenancy.models import AuditEntry
from web import password_check, sign_in_limits

PASSWORD = "correct-horse-battery"
REFUSED = "E-mail and password do not match."


@pytest.fixture(autouse=True)
def _own_counts(settings):
    """Count in this process alone: tests beside this one would clear what it counts in Redis."""
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = {name: {**memory, "LOCATION": name} for name in ("default", "memory")}
    for alias in settings.CACHES:
        caches[alias].clear()


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


def away(number):
    return Client(REMOTE_ADDR=f"198.51.100.{number}")


def test_a_stranger_locks_nobody_out_at_their_own_desk(jana):
    """Nor in the same office: the browser is known."""
    desk = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(desk).status_code == HTTPStatus.FOUND
    desk.post("/sign-out/")
    for number in range(1, 60):
        sign_in(away(number), password="wrong")
    for _attempt in range(20):
        sign_in(Client(REMOTE_ADDR="192.0.2.7"), password="wrong")

    assert sign_in(away(200)).status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert sign_in(desk).status_code == HTTPStatus.FOUND


def test_a_known_browser_has_its_own_limit_and_for_its_person_alone(jana, monkeypatch):
    desk = Client()
    sign_in(desk)
    desk.post("/sign-out/")

    tries = [sign_in(desk, password="wrong").status_code for _attempt in range(6)]
    other = sign_in_limits.attempt_of(desk.request().wsgi_request, "else@acme.example")

    assert tries == [HTTPStatus.UNPROCESSABLE_ENTITY] * 5 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert len(other.limits) == 4


@pytest.mark.parametrize("cookie", ["x", "W10:1:2", "\x00", "x" * 5000])
def test_a_forged_browser_is_not_known(jana, cookie):
    # As it comes in: Python itself makes no cookie any more that holds a control character.
    client = Client(headers={"cookie": f"{sign_in_limits.DEVICE_COOKIE}={cookie}"})

    tries = [sign_in(client, password="wrong").status_code for _attempt in range(6)]

    assert tries[-1] == HTTPStatus.TOO_MANY_REQUESTS


@pytest.mark.parametrize(
    ("limit", "client", "email"),
    [
        ("ATTEMPTS_OF_ADDRESS", "198.51.100.{}", "jana@acme.example"),
        ("ATTEMPTS_OF_NETWORK", "2001:db8::{}", "somebody{}@acme.example"),
        ("ATTEMPTS_OF_ALL", "198.51.100.{}", "somebody{}@acme.example"),
    ],
)
def test_limits_each_way_of_guessing(jana, monkeypatch, limit, client, email):
    monkeypatch.setattr(sign_in_limits, limit, 7)

    tries = [
        sign_in(Client(REMOTE_ADDR=client.format(n)), email.format(n), "wrong").status_code
        for n in range(1, 9)
    ]

    assert tries == [HTTPStatus.UNPROCESSABLE_ENTITY] * 7 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_right_passwords_use_up_nothing_of_a_network(jana, monkeypatch):
    monkeypatch.setattr(sign_in_limits, "ATTEMPTS_OF_NETWORK", 3)

    assert {sign_in(Client()).status_code for _person in range(10)} == {HTTPStatus.FOUND}


def test_limits_hold_without_redis(jana, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise RedisAway

    for name in ("add", "incr", "decr", "delete"):
        monkeypatch.setattr(caches["default"], name, refuse)

    tries = [sign_in(Client(), password="wrong").status_code for _attempt in range(6)]

    assert tries[:5] == [HTTPStatus.UNPROCESSABLE_ENTITY] * 5
    assert tries[5] == HTTPStatus.TOO_MANY_REQUESTS
    assert sign_in(away(1)).status_code == HTTPStatus.FOUND


def test_many_passwords_at_once_leave_room_for_others(jana, monkeypatch):
    room = BoundedSemaphore(1)
    monkeypatch.setattr(password_check, "_ROOM", room)

    with room:
        answers = [sign_in(Client()) for _attempt in range(7)]

    assert {one.status_code for one in answers} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert answers[0].headers["Retry-After"] == "2"
    assert sign_in(Client()).status_code == HTTPStatus.FOUND


def trail(vendor):
    with vendor.seen():
        found = AuditEntry.objects.filter(object_type="person").order_by("id")
        return [(e.action, e.actor_kind, e.actor_label, e.object_id, e.after) for e in found]


def test_each_sign_in_stands_in_log_and_trail(jana, vendor, caplog):
    caplog.set_level(logging.INFO, "sign_in")
    sign_in(Client(), password="wrong-secret")
    sign_in(Client(), email="nobody@acme.example", password="wrong-secret")
    sign_in(Client())

    seen = {"client": "127.0.0.1"}
    assert trail(vendor) == [
        ("person.sign_in_failed", "system", "", jana.pk, seen),
        ("person.signed_in", "person", "Jana Petersen", jana.pk, seen),
    ]
    assert [one.getMessage() for one in caplog.records if one.name == "sign_in"] == [
        "sign-in failed (no match): jana@acme.example from 127.0.0.1",
        "sign-in failed (no match): nobody@acme.example from 127.0.0.1",
        "signed in: jana@acme.example from 127.0.0.1",
    ]
    assert "wrong-secret" not in caplog.text
    assert PASSWORD not in caplog.text
