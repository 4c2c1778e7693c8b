"""Answers are private; what fails says so in the right words, and is found in the log."""

import io
import logging
import re

import pytest
import yaml
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.test import Client

from billing_hierarchy import role_check
from billing_hierarchy.embedded.folders import project_folder
from billing_hierarchy.management.commands import serve
from billing_hierarchy.request_log import LineFormatter
from tenancy.events import Happening, record_event
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event
from tests.world import NOW
from web.invoices import listing as invoices


@pytest.fixture
def log():
    """What the product's own handler writes, with its own filters and form."""
    handler = logging.getLogger().handlers
    ours = next(one for one in handler if isinstance(one.formatter, LineFormatter))
    text, before = io.StringIO(), ours.stream
    ours.setStream(text)
    yield text
    ours.setStream(before)


@pytest.fixture
def broken(monkeypatch):
    """Have the list of invoices fail in the middle."""

    def fail_with(error):
        def fail(*_args, **_kwargs):
            raise error

        monkeypatch.setattr(invoices, "render", fail)

    return fail_with


@pytest.mark.parametrize("path", ["/invoices/", "/sign-in/", "/unknown/", "/api/v1/accounts", "/"])
def test_nobody_keeps_a_private_answer(visit, alice, path):
    assert "no-store" in visit(alice).get(path).headers["Cache-Control"]


@pytest.mark.parametrize(
    "target",
    [
        "foo",
        "home",
        "invoices:list",
        "../x",
        "?a=b",
        "#",
        "\x00",
        "\\evil",
        "/\\evil.example",
        "[",
        "ä",
    ],
)
@pytest.mark.parametrize("path", ["/sign-in/", "/appearance/", "/columns/"])
def test_a_strange_target_is_no_fault(visit, alice, path, target):
    client = visit(alice)
    client.raise_request_exception = False

    statuses = {
        client.get(path, {"next": target}).status_code,
        client.post(path, {"next": target}).status_code,
        client.post(f"{path}?next=", {"next": target, "theme": "dark"}).status_code,
    }

    assert max(statuses) < 500


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("closed")])
def test_a_page_without_its_database_asks_for_patience(visit, alice, broken, error):
    client = visit(alice)
    client.raise_request_exception = False
    broken(error)

    answer = client.get("/invoices/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Nothing was changed." in answer.content.decode()


@pytest.mark.parametrize("path", ["/invoices/", "/portal/", "/settings/time-zone/", "/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_session_that_cannot_be_read_asks_for_patience(visit, alice, monkeypatch, path, method):
    def fail(*_args):
        raise OperationalError("away")

    client = visit(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)

    answer = getattr(client, method)(path, {"time_zone": "Asia/Tokyo"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_api_without_its_database_asks_for_patience(db, monkeypatch):
    def fail(*_args):
        raise OperationalError("away")

    monkeypatch.setattr("accounts.middleware.principals.find_key", fail)
    client = Client(raise_request_exception=False)

    answer = client.get("/api/v1/accounts", headers={"authorization": "Bearer sk_live_x"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"


def test_the_reference_on_the_page_is_found_in_the_log(visit, alice, broken, log):
    client = visit(alice)
    client.raise_request_exception = False
    broken(RuntimeError("of a test"))

    page = client.get("/invoices/").content.decode()

    reference = re.search(r"<code>([0-9a-f]{32})</code>", page)[1]
    [line] = [one for one in log.getvalue().splitlines() if f"[{reference}]" in one]
    assert "ERROR django.request" in line
    assert "RuntimeError: of a test" in log.getvalue()


def test_a_refusal_is_one_line(visit, alice, broken, log):
    broken(PermissionDenied("no"))

    assert visit(alice).get("/invoices/").status_code == 403
    assert visit(alice).get("/invoices/inv_unknown/").status_code == 404

    lines = log.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["WARNING", "WARNING"]


@pytest.mark.parametrize("model", [AuditEntry, Event])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
@pytest.mark.parametrize("alias", ["maintenance", "owner"])
def test_no_role_changes_what_happened(committed_vendor, model, statement, alias):
    vendor = committed_vendor
    with vendor.seen():
        record_event(vendor.actor, Happening("contact.login_given", uuid7()), now=NOW)
        before = model.objects.count()
        table = model._meta.db_table
    assert before

    with connections[alias].cursor() as cursor:
        # The owner sees a tenant's rows only where it says whose.
        cursor.execute("SELECT set_config('app.tenant_id', %s, false)", [str(vendor.tenant_id)])
        with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
            cursor.execute(statement.format(table))

    with vendor.seen():
        assert model.objects.count() == before


def test_the_web_server_forgets_powerful_addresses(db, monkeypatch):
    for alias in ("owner", "maintenance"):
        monkeypatch.setitem(settings.DATABASES, alias, dict(settings.DATABASES[alias]))
    for name in ("DATABASE_OWNER_URL", "DATABASE_MAINTENANCE_URL"):
        monkeypatch.setenv(name, "postgres://somebody@localhost/billing")

    role_check.forget_powerful_addresses()

    for alias, name in (("owner", "OWNER"), ("maintenance", "MAINTENANCE")):
        assert settings.DATABASES[alias]["USER"] == settings.DATABASES[alias]["PASSWORD"] == ""
        assert f"DATABASE_{name}_URL" not in role_check.os.environ


def test_the_web_server_is_given_no_powerful_address():
    text = (project_folder() / "docker-compose.yml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    powerful = {"DATABASE_OWNER_URL", "DATABASE_MAINTENANCE_URL"}
    unset = {f"--unset={name}" for name in powerful}

    assert powerful & services["web"]["environment"].keys() == set()
    assert unset <= {*serve._commands()["The web server"]}
