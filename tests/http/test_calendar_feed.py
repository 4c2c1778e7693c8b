"""The secret address of a calendar, as calendar programs fetch it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import vobject
from icalendar import Calendar

from accounts.models import Grant, Membership, Person
from invoicing.operations.clock import advance_clock
from invoicing.operations.subscriptions import ending
from reports.declarations import KINDS, Kind
from reports.models import CalendarEntry, CalendarFeed, Forecast, ToldEvent
from reports.operations import feeds as operations
from reports.operations.feeds import NewFeed, TooManyFeeds, create_feed, revoke_feed, rotate_feed
from reports.queries.feeds import own_feeds
from subscriptions.models import Subscription
from tenancy.errors import NotFound
from tenancy.ids import uuid7
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription


@pytest.fixture(autouse=True)
def _own_network(monkeypatch):
    """Let nobody's fetches count against another test's: they all come from one network."""
    network = uuid7().hex
    monkeypatch.setattr("web.calendar.feed.network_of", lambda _client: network)


@scene
def group(vendor):
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"), account("firm"))
    vendor.has("prices", price("ten", "10.00", name="Zehn; Euro, je Monat", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("g", "G", "ten", "2026-12-01"),
        subscription("a", "A", "ten", "2026-12-01"),
        subscription("f", "firm", "ten", "2026-12-31"),
    )
    return vendor


@pytest.fixture
def alice(group):
    return group.staff("Alice", "finance_admin")


def feed_of(vendor, actor, *, key=None, kinds=tuple(KINDS), amounts=True, language="en"):
    wanted = NewFeed(vendor.id_of(key) if key else None, kinds, amounts, language)
    return create_feed(actor, wanted, now=NOW)


def fetch(client, secret, **headers):
    return client.get(f"/ical/{secret}.ics", headers=headers)


def events(answer):
    assert answer.status_code == 200, answer.status_code
    calendar = Calendar.from_ical(answer.content)
    return {str(one["uid"]): one for one in calendar.walk("VEVENT")}


def test_is_a_calendar_of_whole_days(group, alice, client):
    _feed, secret = feed_of(group, alice, key="firm")

    answer = fetch(client, secret)
    found = sorted(events(answer).values(), key=lambda one: (one.start, str(one["summary"])))

    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    first = found[0]
    assert (first.start, first.end) == (date(2026, 12, 31), date(2027, 1, 1))
    assert str(first["summary"]) == "Invoice to come: firm, €11.90"
    assert (str(first["status"]), first["sequence"], str(first["transp"])) == (
        "CONFIRMED", 0, "TRANSPARENT",
    )  # fmt: skip
    # The 31st is kept where there is one, and clamped where there is none.
    renewals = [one.start for one in found if "Renewal" in one["summary"]]
    assert [day.isoformat() for day in renewals[:4]] == [
        "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30",
    ]  # fmt: skip
    assert max(renewals) == date(2027, 11, 30)
    assert "Zehn; Euro, je Monat" in "".join(str(one["summary"]) for one in found)
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))


def test_is_read_by_another_library_alike(group, alice, client):
    _feed, secret = feed_of(group, alice)

    answer = fetch(client, secret)
    ours = events(answer)
    theirs = {one.uid.value: one for one in vobject.readOne(answer.content.decode()).vevent_list}

    assert theirs.keys() == ours.keys()
    assert len(ours) > 40
    for uid, one in theirs.items():
        assert one.dtstart.value == ours[uid].start
        assert one.dtend.value == one.dtstart.value + timedelta(days=1)
        assert one.summary.value == str(ours[uid]["summary"])


def test_keeps_its_uids_for_another_library_too(group, alice, client):
    _feed, secret = feed_of(group, alice, kinds=(Kind.INVOICE, Kind.RENEWAL, Kind.END))
    before = by_vobject(fetch(client, secret))
    with group.seen():
        key = Subscription.objects.get(external_id="f").pk
    ending.cancel_subscription(alice, key, end_date=date(2027, 2, 15), today=TODAY, now=NOW)

    after = by_vobject(fetch(client, secret))

    assert before.keys() <= after.keys()
    changed = {uid for uid, one in before.items() if after[uid].sequence.value != "0"}
    assert {before[uid].sequence.value for uid in changed} == {"0"}
    assert {after[uid].sequence.value for uid in changed} == {"1"}
    assert {after[uid].status.value for uid in changed} == {"CONFIRMED", "CANCELLED"}
    for uid in before.keys() - changed:
        assert after[uid].serialize() == before[uid].serialize()


def by_vobject(answer):
    calendar = vobject.readOne(answer.content.decode())
    return {one.uid.value: one for one in calendar.vevent_list}


def test_tells_what_it_told_while_it_is_written_anew_in_part(group, alice, client):
    _feed, secret = feed_of(group, alice)
    before = events(fetch(client, secret))
    with group.seen():
        Forecast.objects.update(ready_until=TODAY, seen=0, members=0)
        CalendarEntry.objects.filter(date__gt=TODAY).delete()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("reports.operations.forecasts.ITEMS_AT_ONCE", 0)
        during = events(fetch(client, secret))

    assert during == before
    assert events(fetch(client, secret)) == before


def test_keeps_its_uids_and_counts_changes(group, alice, client):
    _feed, secret = feed_of(group, alice, kinds=(Kind.INVOICE, Kind.RENEWAL, Kind.END))
    before = events(fetch(client, secret))
    with group.seen():
        key = Subscription.objects.get(external_id="f").pk
    ending.cancel_subscription(alice, key, end_date=date(2027, 2, 15), today=TODAY, now=NOW)

    after = events(fetch(client, secret))

    assert before.keys() <= after.keys()
    of_firm = {uid: one for uid, one in after.items() if "firm" in one["summary"]}
    ended = [one for one in of_firm.values() if "End of" in one["summary"]]
    assert [(one.start, one["sequence"]) for one in ended] == [(date(2027, 2, 15), 0)]
    assert all(one["sequence"] == 0 for uid, one in after.items() if uid not in of_firm)
    cancelled = [one for one in of_firm.values() if one["status"] == "CANCELLED"]
    assert min(one.start for one in cancelled) == date(2027, 2, 28)
    assert {one["sequence"] for one in cancelled} == {1}
    # The last period ends early, so its invoice is a smaller one.
    assert [
        (str(one.start), one["sequence"], str(one["status"]))
        for one in sorted(of_firm.values(), key=lambda one: one.start)
        if "Invoice" in one["summary"]
    ][:3] == [
        ("2026-12-31", 0, "CONFIRMED"),
        ("2027-01-31", 1, "CONFIRMED"),
        ("2027-02-28", 1, "CANCELLED"),
    ]


def test_brings_back_what_was_cancelled_under_its_old_name(group, alice, client):
    _feed, secret = feed_of(group, alice, key="firm", kinds=(Kind.INVOICE,))
    before = events(fetch(client, secret))
    with group.seen():
        key = Subscription.objects.get(external_id="f").pk
    ending.cancel_subscription(alice, key, end_date=date(2027, 3, 31), today=TODAY, now=NOW)
    fetch(client, secret)
    ending.reactivate_subscription(alice, key, today=TODAY, now=NOW)

    after = events(fetch(client, secret))

    assert after.keys() == before.keys()
    assert {str(one["status"]) for one in after.values()} == {"CONFIRMED"}
    assert {one["sequence"] for one in after.values() if one.start > date(2027, 4, 1)} == {2}


def test_names_an_invoice_alike_before_and_after_it_is_issued(group, alice, client):
    _feed, secret = feed_of(group, alice, kinds=(Kind.INVOICE,))
    before = events(fetch(client, secret))
    advance_clock(group.actor, to_date=date(2026, 12, 10), now=NOW)

    after = events(fetch(client, secret))

    issued = [one for one in after.values() if one.start == date(2026, 12, 1)]
    assert [str(one["summary"]) for one in issued] == ["Invoice RE-2026-000001: G, €23.80"]
    assert [(one["sequence"], str(one["uid"]) in before) for one in issued] == [(1, True)]


def test_leaves_the_past_as_it_was(group, alice, client):
    _feed, secret = feed_of(group, alice, key="firm", kinds=(Kind.RENEWAL,))
    before = events(fetch(client, secret))
    advance_clock(group.actor, to_date=date(2027, 2, 10), now=NOW)

    after = events(fetch(client, secret))

    assert date(2027, 1, 31) in [one.start for one in after.values()]
    assert {str(one["status"]) for one in after.values()} == {"CONFIRMED"}
    assert before.keys() <= after.keys()


def test_hides_amounts_and_speaks_its_language(group, alice, client):
    _feed, secret = feed_of(group, alice, key="firm", amounts=False, language="de")

    page = fetch(client, secret).content.decode()

    assert "Kommende Rechnung: firm" in page
    assert "11" not in "".join(line for line in page.splitlines() if line.startswith("SUMMARY"))


def test_says_that_nothing_has_changed(group, alice, client):
    _feed, secret = feed_of(group, alice)
    first = fetch(client, secret)

    again = fetch(client, secret, **{"If-None-Match": first.headers["ETag"]})
    since = fetch(client, secret, **{"If-Modified-Since": first.headers["Last-Modified"]})

    assert (again.status_code, again.content) == (304, b"")
    assert since.status_code == 304
    assert fetch(client, secret).content == first.content


def test_knows_no_wrong_old_or_ended_address(group, alice, client):
    feed, secret = feed_of(group, alice)
    _feed, other = rotate_feed(alice, feed.pk, now=NOW)

    answers = [
        fetch(client, one)
        for one in (secret, "x", secret[:32], secret + "x", "0" * 75, other[:32] + "é" * 43)
    ]
    assert fetch(client, other).status_code == 200
    revoke_feed(alice, feed.pk, now=NOW)
    answers.append(fetch(client, other))

    for one in answers:
        del one.headers["X-Request-ID"]
    assert {(one.status_code, one.content, str(one.headers)) for one in answers} == {
        (404, b"", str(answers[0].headers))
    }
    with group.seen():
        assert not ToldEvent.objects.exists()


def test_keeps_no_secret(group, alice):
    _feed, secret = feed_of(group, alice)

    with group.seen():
        kept = CalendarFeed.objects.values().get()
    assert secret not in str(kept)
    assert secret[32:] not in str(kept)


def test_follows_what_its_owner_reaches(group, client):
    bob = group.customer("Bob", "viewer", "A")
    _feed, secret = feed_of(group, bob)

    found = events(fetch(client, secret))

    assert {"part of A" in str(one["summary"]) for one in found.values()} == {True, False}
    assert not any("G," in str(one["summary"]) for one in found.values())
    with group.seen():
        Grant.objects.update(ends_on=TODAY - timedelta(days=1))
    assert fetch(client, secret).status_code == 404


def test_answers_nobody_who_left(group, alice, client):
    _feed, secret = feed_of(group, alice)
    with group.seen():
        Membership.objects.filter(person_id=alice.person_id).delete()
    assert fetch(client, secret).status_code == 404


def test_answers_nobody_whose_login_is_off(group, alice, client):
    _feed, secret = feed_of(group, alice)
    Person.objects.filter(pk=str(alice.person_id)).update(is_active=False)

    assert fetch(client, secret).status_code == 404


def test_is_ones_own(group, alice):
    feed, _secret = feed_of(group, alice)
    bob = group.staff("Bob", "owner")

    with group.seen():
        assert list(own_feeds(bob)) == []
    with pytest.raises(NotFound):
        rotate_feed(bob, feed.pk, now=NOW)
    with pytest.raises(NotFound):
        revoke_feed(replace(bob, kind="key", person_id=None), feed.pk, now=NOW)


def test_is_none_of_an_account_out_of_sight(group):
    bob = group.customer("Bob", "admin", "firm")

    with pytest.raises(NotFound):
        feed_of(group, bob, key="G")


def test_are_not_many(group, alice, monkeypatch):
    monkeypatch.setattr(operations, "MOST_FEEDS", 1)
    feed_of(group, alice)

    with pytest.raises(TooManyFeeds):
        feed_of(group, alice)


def test_tells_whole_days_where_there_is_too_much(group, alice, client, monkeypatch):
    monkeypatch.setattr(operations, "MOST_EVENTS", 8)
    _feed, secret = feed_of(group, alice)

    first = events(fetch(client, secret))
    monkeypatch.setattr(operations, "MOST_EVENTS", 3)
    second = events(fetch(client, secret))

    days = {one.start for one in first.values()}
    assert 0 < len(first) <= 8
    assert max(days) < date(2027, 2, 1)
    # What is too far away now was not cancelled.
    assert second.keys() == first.keys()
    assert {str(one["status"]) for one in second.values()} == {"CONFIRMED"}


def test_is_not_fetched_without_end(group, alice, client, monkeypatch):
    monkeypatch.setattr("web.calendar.feed._OF_ADDRESS", 2)
    _feed, secret = feed_of(group, alice)

    codes = [fetch(client, secret).status_code for _number in range(3)]

    assert codes == [200, 200, 429]


def test_waits_for_a_calendar_that_is_made_behind(group, alice, client, monkeypatch):
    monkeypatch.setattr("reports.operations.forecasts.ITEMS_AT_ONCE", 0)
    _feed, secret = feed_of(group, alice)

    assert events(fetch(client, secret)) == {}
