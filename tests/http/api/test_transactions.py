"""A request is one transaction, in a database that really commits."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.http import JsonResponse
from django.test import Client
from django.urls import path
from rest_framework.response import Response

from accounts.models import Account, ApiKey
from tenancy import database
from tenancy.api.answering import ActorView
from tenancy.errors import Conflict
from tests.http.api import world

pytestmark = pytest.mark.django_db(transaction=True)
meeting = threading.Barrier(2, timeout=20)


class RenameAndRefuse(ActorView):
    def get(self, request):
        Account.objects.update(name="Changed")
        raise Conflict


class RenameAndMeet(ActorView):
    def get(self, request):
        meeting.wait()
        Account.objects.filter(external_id="S").update(name="Renamed")
        return Response({"key": str(request.actor.key_id)})


def backend(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id', true)")
        (tenant_id,) = cursor.fetchone()
    return JsonResponse({"tenant_id": tenant_id, "accounts": Account.objects.count()})


urlpatterns = [
    path("api/refuse", RenameAndRefuse.as_view()),
    path("api/meet", RenameAndMeet.as_view()),
    path("api/backend", backend),
]


@pytest.fixture
def shop(settings):
    made = world.vendor("nordlicht")
    settings.ROOT_URLCONF = __name__
    return made


def get(secret, address):
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client(raise_request_exception=False).get(address, headers=headers)


def test_keeps_nothing_of_what_became_a_problem(shop):
    answer = get(shop.secret, "/api/refuse")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert not connection.in_atomic_block
    with database.scope(shop.id):
        assert not Account.objects.filter(name="Changed").exists()


def test_notes_the_use_of_a_key_though_it_refused(shop):
    before = datetime.now(UTC)

    get(shop.secret, "/api/refuse")

    with database.scope(shop.id):
        assert ApiKey.objects.get().last_used_at >= before


def test_leaves_no_tenant_behind_on_the_connection(shop):
    assert get(shop.secret, "/api/backend").json() == {
        "tenant_id": str(shop.id),
        "accounts": len(world.ACCOUNTS),
    }
    assert get(None, "/api/backend").json() == {"tenant_id": "", "accounts": 0}


def test_lets_two_requests_of_one_key_run_at_once(shop):
    """Noting the key's use holds no lock while the view works."""
    answers = []

    def call():
        answers.append(get(shop.secret, "/api/meet").status_code)
        connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert answers == [200, 200]


class MakeAndMeet(ActorView):
    def post(self, request):
        meeting.wait()
        Account.objects.filter(external_id="S").update(name="Once")
        meeting.wait()
        return Response({"done": True}, status=201)


urlpatterns.append(path("api/make", MakeAndMeet.as_view()))


def test_refuses_a_key_in_flight_and_answers_it_afterwards(shop):
    answers = []
    headers = {"Authorization": f"Bearer {shop.secret}", "Idempotency-Key": "k-1"}

    def call():
        answers.append(Client().post("/api/make", headers=headers))
        connections.close_all()

    first = threading.Thread(target=call)
    first.start()
    meeting.wait()  # the first is in the middle of it
    second = Client().post("/api/make", headers=headers)
    meeting.wait()
    first.join(30)
    third = Client().post("/api/make", headers=headers)

    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_flight")
    assert (answers[0].status_code, third.status_code) == (201, 201)
    assert third.content == answers[0].content
    assert third.headers["Idempotent-Replayed"] == "true"
