"""Every request runs as its actor, in one transaction of its actor's tenant, or as nobody."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.test import Client
from django.urls import path

from accounts.middleware import with_tenants, without_actor
from accounts.models import Account, ApiKey, Membership, Person
from tenancy import database
from tenancy.errors import Conflict, Forbidden, NotFound
from tenancy.models import Tenant
from tests.http.api import world


@with_tenants
def who(request):
    actor = request.actor
    return JsonResponse(
        {
            "actor": actor
            and {
                "kind": actor.kind,
                "label": actor.label,
                "origin": actor.origin,
                "role": actor.staff_role,
                "today": actor.today,
                "request_id": actor.request_id,
                "scopes": sorted(actor.scopes),
            },
            "tenant": request.tenant and request.tenant.slug,
            "tenants": [one.slug for one in request.tenants],
            "has_more": request.has_more_tenants,
            "scope": str(database.current_tenant_id()),
            "accounts": Account.objects.count(),
            "in_transaction": connection.in_atomic_block,
        }
    )


def rename_and_fail(request):
    Account.objects.update(name="Changed")
    raise {"bug": RuntimeError, "no": Forbidden, "none": NotFound, "clash": Conflict}[
        request.GET["error"]
    ]


def page(request):
    return TemplateResponse(request, "probe.html", {"accounts": Account.objects.all()})


@without_actor
def plain(request):
    return HttpResponse(str(request.actor))


urlpatterns = [
    path("who", who),
    path("portal/who", who),
    path("api/who", who),
    path("page", page),
    path("plain", plain),
    path("fail", rename_and_fail),
]


@pytest.fixture(autouse=True)
def probes(settings):
    settings.ROOT_URLCONF = __name__
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"probe.html": "{% for one in accounts %}{{ one.name }};{% endfor %}"},
                    )
                ]
            },
        }
    ]


def signed_in(person, tenant=None):
    client = Client(raise_request_exception=False)
    client.force_login(person)
    if tenant is not None:
        session = client.session
        session["tenant_id"] = str(tenant.id)
        session.save()
    return client


def test_acts_for_the_tenant_of_a_key(nordlicht, andere, caller):
    body = caller(nordlicht.secret).get("/api/who", **{"X-Request-Id": "from-outside-1"}).json()

    assert body["tenant"] == "nordlicht"
    assert body["scope"] == str(nordlicht.id)
    assert (body["accounts"], body["in_transaction"]) == (5, True)
    assert (body["actor"]["kind"], body["actor"]["origin"]) == ("key", "api")
    assert body["actor"]["today"] == "2026-12-10"
    assert body["actor"]["request_id"] == "from-outside-1"
    assert database.current_tenant_id() is None


def test_shows_nothing_to_nobody(nordlicht, caller):
    body = caller(None).get("/api/who").json()

    assert (body["actor"], body["tenant"], body["scope"]) == (None, None, "None")
    assert body["accounts"] == 0


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 41, "a b c d e f", "ümlaut-ümlaut", "<script>"]
)
def test_makes_a_request_id_where_the_callers_is_none(nordlicht, api, given):
    answer = api.get("/api/who", **{"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] != given
    assert answer.headers["X-Request-Id"] == answer.json()["actor"]["request_id"]


@pytest.mark.parametrize(("path", "origin"), [("/who", "dashboard"), ("/portal/who", "portal")])
def test_acts_for_a_person_of_the_staff(nordlicht, path, origin):
    body = signed_in(nordlicht.staff_login("finance_admin")).get(path).json()

    assert body["actor"]["kind"] == "person"
    assert (body["actor"]["role"], body["actor"]["origin"]) == ("finance_admin", origin)
    assert (body["tenant"], body["tenants"]) == ("nordlicht", ["nordlicht"])
    assert body["has_more"] is False


def test_acts_for_a_customers_person_without_a_role(nordlicht):
    body = signed_in(nordlicht.customer_login("viewer", "A")).get("/portal/who").json()

    assert (body["actor"]["role"], body["tenant"]) == (None, "nordlicht")


def test_takes_no_session_for_the_api(nordlicht):
    assert signed_in(nordlicht.staff_login("owner")).get("/api/who").json()["actor"] is None


def test_takes_no_key_for_pages(nordlicht, caller):
    assert caller(nordlicht.secret).get("/who").json()["actor"] is None


def test_lets_a_person_of_two_tenants_choose(nordlicht, andere):
    person = nordlicht.staff_login("owner")
    with database.scope(andere.id):
        Membership.objects.create(tenant=andere.tenant, person=person, role="support")

    first = signed_in(person).get("/who").json()
    second = signed_in(person, andere.tenant).get("/who").json()

    assert first["tenants"] == second["tenants"] == ["andere", "nordlicht"]
    assert first["has_more"] is True
    assert (first["tenant"], first["actor"]["role"]) == ("nordlicht", "owner")
    assert (second["tenant"], second["actor"]["role"]) == ("andere", "support")


def test_lets_nobody_choose_a_tenant_they_are_not_of(nordlicht, andere):
    body = signed_in(nordlicht.staff_login("owner"), andere.tenant).get("/who").json()

    assert (body["tenant"], body["tenants"]) == ("nordlicht", ["nordlicht"])


def test_knows_nobody_without_a_place(nordlicht):
    person = Person.objects.create(email="charlie@stranger.example", name="Charlie")

    assert signed_in(person).get("/who").json()["actor"] is None


def test_knows_nobody_whose_login_is_off(nordlicht):
    person = nordlicht.staff_login("owner")
    client = signed_in(person)
    Person.objects.filter(pk=person.pk).update(is_active=False)

    assert client.get("/who").json()["actor"] is None


def test_renders_pages_inside_the_transaction(nordlicht):
    answer = signed_in(nordlicht.staff_login("support")).get("/page")

    assert b"Nordhafen Gruppe;" in answer.content


def test_looks_nobody_up_for_a_view_that_needs_none(nordlicht, django_assert_num_queries):
    client = signed_in(nordlicht.staff_login("support"))

    with django_assert_num_queries(0):
        assert client.get("/plain").content == b"None"


@pytest.mark.parametrize(
    ("error", "status"), [("bug", 500), ("no", 403), ("none", 404), ("clash", 400)]
)
def test_keeps_nothing_when_a_view_fails(nordlicht, error, status):
    answer = signed_in(nordlicht.staff_login("owner")).get(f"/fail?error={error}")

    assert answer.status_code == status
    with database.scope(nordlicht.id):
        assert not Account.objects.filter(name="Changed").exists()


def test_notes_the_use_of_a_key_once_a_minute(nordlicht, api):
    def last_used():
        with database.scope(nordlicht.id):
            return ApiKey.objects.get(prefix=nordlicht.secret[:16]).last_used_at

    api.get("/api/who")
    first = last_used()
    api.get("/api/who")
    second = last_used()
    with database.scope(nordlicht.id):
        ApiKey.objects.update(last_used_at=datetime.now(UTC) - timedelta(seconds=61))
    api.get("/api/who")

    assert first is not None
    assert second == first
    assert last_used() > first


def test_reads_the_date_from_the_tenants_clock_and_zone(nordlicht, api):
    with database.scope(nordlicht.id):
        Tenant.objects.update(
            test_clock_at=datetime(2027, 3, 31, 23, 30, tzinfo=UTC), time_zone="Europe/Berlin"
        )

    assert api.get("/api/who").json()["actor"]["today"] == date(2027, 4, 1).isoformat()


@pytest.mark.parametrize(
    "dates", [{"starts_on": date(2026, 12, 11)}, {"ends_on": date(2026, 12, 10)}]
)
def test_reads_grants_by_the_tenants_date(nordlicht, dates):
    from accounts import access
    from accounts.access import Action
    from tenancy.actor import Actor

    person = nordlicht.customer_login("viewer", "A", **dates)
    actor = Actor(
        tenant_id=nordlicht.id,
        kind="person",
        label="Bob",
        origin="portal",
        person_id=person.id,
        today=world.TODAY,
    )
    with database.scope(nordlicht.id):
        assert not access.reach(actor, Action.VIEW_ACCOUNT).exists()
