"""Whether the process lives, and whether it can serve."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from billing_hierarchy import schema_check
from tenancy.ids import uuid7


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


def test_is_not_ready_with_the_tables_of_an_earlier_version(db, client, caplog, monkeypatch):
    known = schema_check.known_migrations() | {("invoicing", "9999_later")}
    monkeypatch.setattr(schema_check, "known_migrations", lambda: known)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["database"]) == (503, "not migrated")
    assert "invoicing.9999_later" in caplog.text


def test_a_process_refuses_the_tables_of_an_earlier_version(db, monkeypatch):
    schema_check.refuse_older_tables()
    known = schema_check.known_migrations() | {("invoicing", "9999_later")}
    monkeypatch.setattr(schema_check, "known_migrations", lambda: known)

    with pytest.raises(ImproperlyConfigured, match=r"1 migrations.*migrate --database owner"):
        schema_check.refuse_older_tables()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_is_only_asked(client, path):
    assert client.post(path).status_code == 405
