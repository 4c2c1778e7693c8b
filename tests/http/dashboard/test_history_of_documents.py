"""What happened to a document or a run says who asked, from where and for which run."""

from dataclasses import replace
from datetime import date

import pytest

from accounts.access import Action
from invoicing.models import BillingRun
from invoicing.operations.runs import request_run, work_on_run
from tenancy.actor import Actor
from tests.http.dashboard.conftest import url_of
from tests.world import NOW, TODAY, account, price, subscription

SCOPES = frozenset(action.value for action in Action)


@pytest.fixture
def issued(vendor):
    """Return a maker of an issued document that somebody has asked for."""
    vendor.has("accounts", account("firm"))
    vendor.has("prices", price("ten", "10.00", tax_rate=19))
    vendor.has("subscriptions", subscription("s", "firm", "ten", "2026-12-01"))

    def make(actor):
        wanted = {"run_date": date(2026, 12, 1), "within": None, "issue": True}
        run = request_run(actor, **wanted, today=TODAY, now=NOW)
        work_on_run(Actor.system(vendor.tenant_id), run.id, today=TODAY, now=NOW)
        return vendor

    return make


def who(alice, vendor, kind):
    system = Actor.system(vendor.tenant_id)
    return {
        "person": replace(alice, origin="dashboard"),
        "key": replace(system, kind="key", origin="api", label="Shop", scopes=SCOPES),
        "command": replace(system, origin="command", label="command line"),
        "task": system,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "language", "sentence"),
    [
        ("person", "en", "by Alice on behalf of the billing run of 1 Dec 2026"),
        ("person", "de", "durch Alice im Auftrag des Rechnungslaufs vom 01.12.2026"),
        ("key", "en", "by the API key Shop on behalf of the billing run of 1 Dec 2026"),
        ("key", "de", "durch den API-Schlüssel Shop im Auftrag des Rechnungslaufs vom 01.12.2026"),
        ("command", "en", "from the command line on behalf of the billing run of 1 Dec 2026"),
        ("command", "de", "über die Befehlszeile im Auftrag des Rechnungslaufs vom 01.12.2026"),
        ("task", "en", "by the timetable on behalf of the billing run of 1 Dec 2026"),
        ("task", "de", "durch den Zeitplan im Auftrag des Rechnungslaufs vom 01.12.2026"),
    ],
)
def test_says_on_the_document_who_had_it_issued(
    issued, vendor, alice, visit, kind, language, sentence
):
    issued(who(alice, vendor, kind))

    page = visit(alice, language).get(url_of(vendor, "firm")).content.decode()

    with vendor.seen():
        run = BillingRun.objects.get()
    # The date of the run leads to it.
    day = "01.12.2026" if language == "de" else "1 Dec 2026"
    text = sentence.removesuffix(day)
    assert f'{text}<a href="/runs/{run.public_id}/">{day}</a>' in page


@pytest.mark.parametrize(("language", "sentence"), [("en", "by Alice"), ("de", "durch Alice")])
def test_says_on_the_run_who_asked_for_it(issued, vendor, alice, visit, language, sentence):
    issued(who(alice, vendor, "person"))
    with vendor.seen():
        run = BillingRun.objects.get()

    page = visit(alice, language).get(f"/runs/{run.public_id}/").content.decode()

    asked = {"en": "Run asked for", "de": "Lauf angefordert"}[language]
    assert asked in page
    assert f"· {sentence}" in page
