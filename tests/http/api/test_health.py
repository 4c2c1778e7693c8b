"""Whether the process lives, and whether it can serve."""

import pytest
from django.db import OperationalError, connection

from accounts.ids import uuid7


def test_lives_without_a_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_lives_without_a_database_even_for_who_is_signed_in(client):
    client.cookies["sessionid"] = uuid7().hex

    assert client.get("/healthz").status_code == 200


def test_is_ready_with_a_database(db, client, django_assert_num_queries):
    with django_assert_num_queries(1):
        answer = client.get("/readyz")

    assert answer.json() == {"status": "ok", "database": "ok"}


def test_is_not_ready_without_one(db, client, monkeypatch):
    def refuse(*args):
        raise OperationalError("no route to the host of the database")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert b"route" not in answer.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_is_only_asked(client, path):
    assert client.post(path).status_code == 405
