"""Each kind of the billing calendar is told on screen, by the API and in the feed."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client
from icalendar import Calendar

from accounts.models import Person
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.prices.beginning import begin_version
from invoicing.operations.prices.working import work_on_repricing
from invoicing.operations.subscriptions.binding import change_contract
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.queries.plans.wanted import Wanted
from reports.declarations import KINDS, Kind
from reports.operations.feeds import NewFeed, create_feed
from subscriptions.models import Price, Subscription
from subscriptions.operations.catalogue import NewVersion
from subscriptions.operations.subscriptions.contracting import Contract
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

# Of each kind the day, what its title says, and the amount in cents.
EXPECTED = {
    Kind.RUN: ("2026-12-01", "Billing run to come", None),
    Kind.INVOICE: ("2026-12-01", "Invoice to come: G", 2380),
    Kind.DUE: ("2026-12-31", "G", 2380),
    Kind.DEBIT: ("2026-12-19", "firm", 1190),
    Kind.RENEWAL: ("2027-01-01", "Ten: G", 1000),
    Kind.TRIAL_END: ("2026-12-20", "Ten: trial", None),
    Kind.END: ("2027-02-10", "Ten: G", None),
    Kind.NOTICE: ("2027-02-02", "Ten: firm", None),
    Kind.TERM: ("2027-03-05", "Next term of Ten begins: firm", None),
    Kind.PAUSE: ("2027-03-01", "Ten is paused: G", None),
    Kind.PRICE_CHANGE: ("2027-06-01", "Seat", None),
    Kind.PLAN: ("2027-01-15", "A", None),
}


@scene
def group(vendor):
    vendor.has(
        "accounts",
        account("G", billing_day=1, payment_terms_days=30),
        account("A", "G"),
        account("firm", collection="charge"),
        account("trial"),
    )
    vendor.has(
        "prices",
        price("ten", "10.00", name="Ten", tax_rate=19),
        price("seat", "5.00", name="Seat", interval="year", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("renews", "G", "ten", "2026-12-01"),
        subscription("ends", "G", "ten", "2026-12-01", end_date="2027-02-10"),
        subscription("terms", "firm", "ten", "2026-12-05"),
        subscription("tries", "trial", "ten", "2026-12-05"),
        subscription("changes", "A", "seat", "2027-04-01"),
    )
    with vendor.seen():
        Subscription.objects.filter(external_id="tries").update(trial_end=date(2026, 12, 20))
        keys = dict(Subscription.objects.values_list("external_id", "pk"))
        seat = Price.objects.get(external_id="seat").pk
    contract = Contract(3, 1, notice_days=30)
    change_contract(vendor.actor, keys["terms"], contract, today=TODAY, now=NOW)
    pause_subscription(vendor.actor, keys["renews"], day=date(2027, 3, 1), until=date(2027, 4, 1),
                       today=TODAY, now=NOW)  # fmt: skip
    wanted = NewVersion(date(2027, 6, 1), {"unit_amount": Decimal("6.00")}, None)
    _version, job = begin_version(vendor.actor, seat, wanted, today=TODAY, now=NOW)
    while work_on_repricing(vendor.actor, job.pk, now=NOW):
        pass
    alice = vendor.staff("Alice", "owner")
    plan = create_plan(alice, Wanted("move", vendor.id_of("A"), date(2027, 1, 15)), today=TODAY,
                       now=NOW)  # fmt: skip
    submit_plan(alice, plan.pk, today=TODAY, now=NOW)
    return vendor, alice


@pytest.fixture
def browser(group):
    _vendor, alice = group
    client = Client()
    client.force_login(Person.objects.get(pk=str(alice.person_id)))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_expects_each_kind_there_is():
    assert list(EXPECTED) == list(KINDS)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_is_told_on_screen(browser, kind):
    day, title, minor = EXPECTED[kind]

    page = browser.get(f"/calendar/?month={day[:7]}&day={day}&kinds={kind}").content.decode()
    file = browser.get(f"/calendar/?month={day[:7]}&kinds={kind}&format=csv")

    assert title in page.replace("\u202f", " ")
    rows = list(csv.reader(io.StringIO(b"".join(file).decode("utf-8-sig"))))
    file.close()
    found = [row for row in rows if day in row]
    assert any(title in cell for row in found for cell in row), rows
    if minor is not None:
        assert any(f"{minor / 100:.2f}" in cell for row in found for cell in row), rows


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_is_told_by_the_api(group, kind):
    vendor, _alice = group
    day, title, minor = EXPECTED[kind]

    path = f"/api/v1/calendar?from={day}&to={day}&kinds={kind}"
    client = Client(headers={"authorization": f"Bearer {vendor.api_key}"})
    data = client.get(path).json()["data"]

    (one, *_others) = [entry for entry in data if title in entry["title"]]
    assert (one["date"], one["kind"], one["amount_minor"]) == (day, kind, minor)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_is_told_in_the_feed(group, kind, client, monkeypatch):
    _vendor, alice = group
    day, title, minor = EXPECTED[kind]
    monkeypatch.setattr("web.calendar.feed.network_of", lambda _client: f"kinds-{kind}")
    _feed, secret = create_feed(alice, NewFeed(None, (kind,), True, "en"), now=NOW)

    calendar = Calendar.from_ical(client.get(f"/ical/{secret}.ics").content)

    found = [one for one in calendar.walk("VEVENT") if f"{one.start}" == day]
    assert any(title in str(one["summary"]) for one in found), found
    if minor is not None:
        assert any(f"{minor / 100:.2f}" in str(one["summary"]) for one in found), found
