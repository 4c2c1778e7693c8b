"""The tests' own databases: roles, roll-back, and clones for those that commit."""

import os
import threading

import psycopg2
import pytest
from django.contrib.sessions.models import Session
from django.db import ProgrammingError, connection, connections, transaction
from django.utils import timezone

ROLES = {
    "default": ("billing_app", False, False, False),
    "owner": ("billing_owner", False, False, True),
    "maintenance": ("billing_maintenance", False, True, False),
}


@pytest.mark.parametrize("alias", ROLES)
@pytest.mark.django_db(databases=list(ROLES))
def test_connects_with_no_more_rights_than_needed(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb FROM pg_roles"
            " WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ROLES[alias]


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "TRUNCATE django_session"])
def test_application_changes_rows_only(statement):
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("time", ["first", "second"])
@pytest.mark.django_db
def test_is_rolled_back(time):
    assert not Session.objects.exists()
    _save_session(time)


@pytest.mark.parametrize("time", ["first", "second"])
@pytest.mark.django_db(transaction=True)
def test_commits_to_a_database_of_its_own(time):
    assert not Session.objects.exists()
    _save_session(time)
    assert not connection.in_atomic_block


def test_shares_what_is_committed_with_threads_and_processes(committed_database):
    _save_session("shared")
    seen = []

    def look():
        seen.append(Session.objects.get().session_key)
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    other = psycopg2.connect(os.environ["DATABASE_URL"])
    with other, other.cursor() as cursor:
        cursor.execute("SELECT session_key FROM django_session")
        seen += cursor.fetchone()
    other.close()

    assert seen == ["shared", "shared"]
    assert committed_database in os.environ["DATABASE_OWNER_URL"]


def test_serves_live_what_a_test_has_committed(live_server):
    _save_session("live")
    assert live_server.url.startswith("http://localhost:")


@pytest.mark.django_db
def test_sorts_and_folds_german():
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('äöü'), current_setting('TimeZone'), pg_client_encoding()")
        assert cursor.fetchone() == ("ÄÖÜ", "UTC", "UTF8")


def _save_session(key):
    Session.objects.create(session_key=key, session_data="", expire_date=timezone.now())
