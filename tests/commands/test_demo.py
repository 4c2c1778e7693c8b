"""``manage.py demo``: makes what is missing, and says who can sign in."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from accounts.models import Account, Person
from accounts.operations.tenants import SlugTaken
from accounts.queries.principals import find_places
from billing_hierarchy.demo import (
    PLANS,
    building,
    complete_tenant,
    demo_password,
    is_complete,
)
from billing_hierarchy.management.commands import demo
from invoicing.models import BillingRun, Invoice
from invoicing.operations.clock import advance_clock
from tenancy.actor import Actor
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.database.lookup import find_tenant_id
from tenancy.errors import Conflict
from tenancy.models import AuditEntry, Tenant

FJORDLICHT, KLEINWERK = PLANS
SMALL = replace(KLEINWERK, clock=date(2026, 10, 4), drafts=date(2026, 10, 31))
"""A demo tenant that is made in no time."""


def tell(name="demo", **options):
    """Run a command and return its JSON."""
    out = io.StringIO()
    with redirect_stdout(out):
        call_command(name, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def in_tenant(slug, look):
    tenant_id = find_tenant_id(slug)
    with scope(tenant_id):
        return look(Actor.system(tenant_id))


def trail(slug):
    return in_tenant(slug, lambda _actor: AuditEntry.objects.count())


def documents(slug):
    def look(_actor):
        rows = Invoice.objects.order_by("issue_date", "series_number", "id")
        return [(row.number, row.status, row.gross_minor) for row in rows]

    return in_tenant(slug, look)


@pytest.fixture
def only_small(monkeypatch):
    monkeypatch.setattr(demo, "PLANS", (SMALL,))


class Interrupted(BaseException):
    """As if the process had been killed."""


def replace_step(monkeypatch, step, by):
    """Put something in the place of one step of the demo: a function, or a kind of import."""
    name = step.removeprefix("import_")
    if name == step:
        monkeypatch.setattr(building, step, by)
        return
    kinds = dict(building.import_kinds())
    kinds[name] = replace(kinds[name], run=by)
    monkeypatch.setattr(building, "import_kinds", lambda: kinds)


@pytest.mark.usefixtures("db")
class TestCompleting:
    def test_makes_customers_history_and_drafts(self):
        tenant = complete_tenant(SMALL, password=demo_password())

        assert (today_of(tenant), tenant.is_sandbox) == (SMALL.clock, True)
        assert in_tenant("kleinwerk", lambda _actor: Account.objects.count()) == 6
        statuses = {status for _number, status, _gross in documents("kleinwerk")}
        assert statuses == {Invoice.Status.OPEN, Invoice.Status.TO_APPROVE}
        assert is_complete(SMALL)

    def test_does_nothing_the_second_time(self):
        complete_tenant(SMALL, password=demo_password())
        before = trail("kleinwerk"), documents("kleinwerk")

        complete_tenant(SMALL, password="another-harbour-43")

        assert (trail("kleinwerk"), documents("kleinwerk")) == before
        assert authenticate(username=SMALL.logins[0].email, password=demo_password())

    @pytest.mark.parametrize(
        "step",
        [
            "update_seller",
            "import_accounts",
            "import_prices",
            "import_subscriptions",
            "add_staff",
            "advance_clock",
            "run_billing",
        ],
    )
    def test_goes_on_where_it_was_interrupted(self, monkeypatch, step):
        def die(*_args, **_kwargs):
            raise Interrupted

        with monkeypatch.context() as patched:
            replace_step(patched, step, die)
            with pytest.raises(Interrupted):
                complete_tenant(SMALL, password=demo_password())
        assert not is_complete(SMALL)

        complete_tenant(SMALL, password=demo_password())

        assert is_complete(SMALL)
        assert len(documents("kleinwerk")) == 6
        assert Person.objects.filter(email=SMALL.logins[0].email).count() == 1

    def test_goes_on_from_the_day_the_clock_stopped(self, monkeypatch):
        def stop_early(actor, **values):
            advance_clock(actor, **{**values, "to_date": date(2026, 10, 2)})
            raise Interrupted

        with monkeypatch.context() as patched:
            patched.setattr(building, "advance_clock", stop_early)
            with pytest.raises(Interrupted):
                complete_tenant(SMALL, password=demo_password())

        assert today_of(complete_tenant(SMALL, password=demo_password())) == SMALL.clock
        assert len(documents("kleinwerk")) == 6

    def test_leaves_alone_what_was_done_since(self):
        complete_tenant(SMALL, password=demo_password())

        def work(actor):
            Account.objects.filter(external_id="K1").update(name="Café Neu")
            return actor

        actor = in_tenant("kleinwerk", work)
        advance_clock(actor, to_date=date(2026, 11, 5), now=building._now())
        before = documents("kleinwerk")

        tenant = complete_tenant(SMALL, password=demo_password())

        assert today_of(tenant) == date(2026, 11, 5)
        assert documents("kleinwerk") == before

    def test_is_not_for_a_tenant_that_somebody_else_made(self):
        call_command("create_tenant", "Kleinwerk Studio", slug="kleinwerk", stdout=io.StringIO())

        with pytest.raises(SlugTaken):
            complete_tenant(SMALL, password=demo_password())

        assert in_tenant("kleinwerk", lambda _actor: Account.objects.count()) == 0


@pytest.mark.usefixtures("db", "only_small")
class TestSaying:
    def test_names_tenants_and_logins(self):
        said = tell()

        assert said["tenants"] == [
            {"slug": "kleinwerk", "name": "Kleinwerk Studio", "today": "2026-10-04"}
        ]
        (login,) = said["logins"]
        assert authenticate(username=login["email"], password=login["password"])

    def test_prints_a_table_for_people(self):
        out = io.StringIO()

        call_command("demo", stdout=out)

        assert "Making the demo tenant “Kleinwerk Studio”" in out.getvalue()
        assert f"{SMALL.logins[0].email}  {demo_password()}  Jana Petersen" in out.getvalue()

    def test_names_a_tenant_that_cannot_be_completed_and_goes_on(self, monkeypatch):
        def refuse(*_args, **_kwargs):
            raise Conflict

        replace_step(monkeypatch, "import_prices", refuse)
        out = io.StringIO()

        call_command("demo", stdout=out)

        assert "Kleinwerk Studio: not complete" in out.getvalue()
        assert demo_password() not in out.getvalue()


def test_gives_each_machine_its_own_password(settings):
    settings.SECRET_KEY = "one"
    here = demo_password()
    settings.SECRET_KEY = "two"

    assert demo_password() != here
    assert [len(part) for part in here.split("-")] == [4, 4, 4]


@pytest.mark.long
def test_makes_two_tenants_with_sound_books(committed_database):
    said = tell()

    assert [tenant["today"] for tenant in said["tenants"]] == ["2026-11-23", "2026-11-23"]
    assert len(said["logins"]) == 10
    for login in said["logins"]:
        person = authenticate(username=login["email"], password=login["password"])
        assert len(find_places(person)) == len(login["tenants"])
    assert tell("verify_books")["ok"]
    assert tell("check_trees")["ok"]
    _look_at_fjordlicht()

    before = trail("fjordlicht"), trail("kleinwerk")
    assert tell() == said
    assert (trail("fjordlicht"), trail("kleinwerk")) == before


def _look_at_fjordlicht():
    """Look at what the demo is there to show."""

    def look(_actor):
        issued = Invoice.objects.exclude(number=None)
        assert {row.currency for row in issued} == {"EUR", "CHF", "USD", "GBP"}
        assert len({(row.issue_date.year, row.issue_date.month) for row in issued}) == 5
        largest = issued.filter(bill_to__external_id="BS").order_by("-issue_date").first()
        assert largest.sections.count() > 45
        delegated = issued.filter(bill_to__external_id="NG-DE").first()
        assert delegated.payer.external_id == "NG"
        run = BillingRun.objects.get(date=FJORDLICHT.drafts)
        assert run.status == BillingRun.Status.TO_APPROVE
        assert Tenant.objects.count() == 1

    in_tenant("fjordlicht", look)
