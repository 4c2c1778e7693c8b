"""What was used is charged at the end of its period, and made good where it comes in late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from billing_rules.metering import Aggregation, Used, measured
from billing_rules.periods import Period
from invoicing.models import Charge
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries.previewed_run import preview_run
from invoicing.queries.upcoming import upcoming_invoices
from subscriptions.models import (
    Item,
    LateUsage,
    Meter,
    Price,
    Subscription,
    UsageDay,
    UsageEvent,
)
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.usage import InvalidUsage, NewUsage, report_usage, storing
from subscriptions.queries.measured import Window, measured_in
from tenancy.models import Tenant
from tests.world import NOW, account, lines_of, make_vendor, price, subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vendor():
    vendor = make_vendor(clock=date(2026, 3, 1))
    vendor.has("accounts", account("A"), account("B", "A"))
    for key, aggregation in (
        ("calls", "sum"),
        ("peak", "max"),
        ("seats", "last"),
        ("users", "unique_count"),
    ):
        create_meter(vendor.actor, NewMeter(key, key.capitalize(), aggregation), now=NOW)
    vendor.has(
        "prices",
        price("calls", "0.02", model="per_unit", timing="arrears", meter="calls"),
        price("tiers", model="graduated", timing="arrears", meter="calls",
              tiers="100:0.10:0|inf:0.05:0"),
    )  # fmt: skip
    vendor.has("subscriptions", subscription("S", "B", "calls", "2026-01-01"))
    return vendor


def used(key, quantity, at, *, meter="calls", of="S", **more):
    day = datetime.fromisoformat(at)
    at = day if day.tzinfo else day.replace(tzinfo=UTC)
    return NewUsage(key, f"ext:{of}", f"ext:{meter}", Decimal(quantity), at, **more)


def report(vendor, *events, today=date(2026, 3, 1)):
    return report_usage(vendor.actor, events, today=today, now=NOW)


def test_charges_what_was_used_in_the_period_when_it_ends(vendor):
    done = report(
        vendor,
        used("e1", 100, "2026-01-03T10:00"),
        used("e2", "50.5", "2026-01-31T22:59"),
        used("e3", 7, "2026-01-31T23:00"),
    )

    assert (done.accepted, done.duplicates) == (3, 0)
    # The last one was in February where the account is.
    [document] = vendor.bills("2026-02-01")
    assert lines_of(document) == [("S", "2026-01-01", "2026-02-01", 301)]
    [document] = vendor.bills("2026-03-01")
    assert lines_of(document) == [("S", "2026-02-01", "2026-03-01", 14)]
    assert vendor.violations() == []


def test_counts_each_event_once(vendor):
    events = [used("e1", 100, "2026-01-03T10:00"), used("e1", 100, "2026-01-03T10:00")]

    first, again = report(vendor, *events), report(vendor, *events)
    other = report(vendor, used("e1", 3, "2026-01-03T10:00"))

    assert (first.accepted, first.duplicates, first.reused) == (1, 1, ())
    assert (again.accepted, again.duplicates, again.reused) == (0, 2, ())
    assert (other.accepted, other.duplicates, other.reused) == (0, 1, ("e1",))
    with vendor.seen():
        assert [(one.events, one.total) for one in UsageDay.objects.all()] == [(1, 100)]


def test_makes_good_what_comes_in_late(vendor):
    report(vendor, used("e1", 100, "2026-01-03T10:00"))
    vendor.run("2026-02-01")

    report(vendor, used("e2", 25, "2026-01-04T10:00"))
    with vendor.seen():
        assert LateUsage.objects.count() == 1
    [document] = vendor.bills("2026-02-02")

    assert sorted(lines_of(document), key=lambda line: line[3]) == [
        ("S", "2026-01-01", "2026-02-01", -200),
        ("S", "2026-01-01", "2026-02-01", 250),
    ]
    with vendor.seen():
        assert LateUsage.objects.count() == 0
        assert sum(Charge.objects.values_list("net_minor", flat=True)) == 250
    assert vendor.bills("2026-02-02") == []
    assert vendor.violations() == []


def test_the_preview_of_a_run_shows_what_makes_good_late_usage(vendor):
    vendor.has("subscriptions", subscription("T", "A", "tiers", "2026-01-01"))
    report(vendor, used("e1", 100, "2026-01-03T10:00"), used("t1", 150, "2026-01-03T10:00", of="T"))
    vendor.run("2026-02-01")
    report(vendor, used("e2", 25, "2026-01-04T10:00"), used("t2", 50, "2026-01-04T10:00", of="T"))

    day = date(2026, 2, 2)
    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        found = preview_run(vendor.actor, run_date=day, within=None, tenant=tenant, now=NOW)
        late = LateUsage.objects.count()
    documents = vendor.bills(day)

    # 25 calls at 0.02, and 50 at 0.05: each as a credit and a charge.
    assert late == 2
    assert dict(found.net_minor) == {"EUR": 50 + 250}
    assert (found.trees, found.documents, found.lines, found.held) == (1, 1, 4, 0)
    assert sum(one["net_minor"] for one in documents) == 300
    with vendor.seen():
        after = preview_run(vendor.actor, run_date=day, within=None, tenant=tenant, now=NOW)
    assert after.lines == 0 or dict(after.net_minor) == {"EUR": 300}


def test_refuses_usage_of_a_closed_period_and_stores_nothing(vendor):
    vendor.run("2026-02-01")

    with pytest.raises(InvalidUsage) as refused:
        report(vendor, used("e1", 1, "2026-02-10T10:00"), used("e2", 1, "2026-01-10T10:00"),
               today=date(2026, 3, 3))  # fmt: skip

    assert [(one.code, one.pointer) for one in refused.value.errors] == [
        ("usage_period_closed", "/1/at")
    ]
    with vendor.seen():
        assert UsageEvent.objects.count() == UsageDay.objects.count() == 0
    assert report(vendor, used("e2", 1, "2026-01-10T10:00"), today=date(2026, 3, 2)).accepted == 1


def charges(vendor):
    with vendor.seen():
        found = Charge.objects.order_by("period_start", "revision", "kind")
        return [(one.kind, one.net_minor, one.calculation["quantity"]) for one in found]


@pytest.mark.parametrize("seed", range(4))
def test_measures_as_the_rule_says(vendor, seed):
    random = Random(seed)
    vendor.has("prices", *(
        price(f"by-{key}", "1", model="per_unit", timing="arrears", meter=key)
        for key in ("peak", "seats", "users")
    ))  # fmt: skip
    keys = ("calls", "peak", "seats", "users")
    vendor.has("subscriptions", *(
        subscription(f"S-{key}", "B", "calls" if key == "calls" else f"by-{key}", "2026-01-01")
        for key in keys
    ))  # fmt: skip
    events = {
        key: [
            Used(
                datetime(2026, 1, 1, 6, tzinfo=UTC) + timedelta(hours=random.randrange(24 * 20)),
                f"{key}-{number}",
                Decimal(random.randrange(1, 50)) / 4,
                f"u{random.randrange(9)}" if key == "users" else "",
            )
            for number in range(60)
        ]
        for key in keys
    }
    sent = [
        NewUsage(one.event_id, f"ext:S-{key}", f"ext:{key}", one.quantity, one.at, one.unique_key)
        for key, some in events.items()
        for one in some
    ]
    random.shuffle(sent)
    for start in range(0, len(sent), 37):
        report(vendor, *sent[start : start + 50])

    period = Period(date(2026, 1, 4), date(2026, 1, 15))
    with vendor.seen():
        ids = dict(Subscription.objects.values_list("external_id", "pk"))
        meters = {meter.external_id: meter for meter in Meter.objects.all()}
        windows = {key: Window(ids[f"S-{key}"], meters[key].pk, period) for key in keys}
        found = measured_in(vendor.actor, windows.values())
    berlin = ZoneInfo("Europe/Berlin")
    for key, window in windows.items():
        within = [
            one
            for one in events[key]
            if period.start <= one.at.astimezone(berlin).date() < period.end
        ]
        aggregation = Aggregation(meters[key].aggregation)
        assert found[window].quantity == measured(aggregation, within), key
        assert found[window].events == len(within)
    assert vendor.violations() == []


def test_two_who_report_the_same_at_once_store_it_once(vendor):
    events = [used(f"e{number}", 1, f"2026-01-{1 + number % 28:02}T10:00") for number in range(300)]

    def send(some):
        try:
            return report(vendor, *some).accepted
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        accepted = list(pool.map(send, [events, events[::-1], events[100:], events[:200]]))

    assert sum(accepted) == 300
    with vendor.seen():
        assert UsageEvent.objects.count() == 300
        assert sum(UsageDay.objects.values_list("total", flat=True)) == 300
    assert vendor.violations() == []


def test_what_is_reported_beside_a_run_is_charged_or_made_good(vendor):
    """Whoever comes second sees what the first has done, so nothing falls between them."""

    def send(number):
        try:
            for turn in range(5):
                key = f"e{number}-{turn}"
                report(vendor, used(key, 1, "2026-01-05T10:00"), today=date(2026, 2, 1))
        finally:
            connection.close()

    def bill(_number):
        try:
            vendor.run("2026-02-01")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda do: do[0](do[1]), [(send, 1), (bill, 0), (send, 2)]))

    assert vendor.violations() == []
    vendor.run("2026-02-02")
    with vendor.seen():
        assert LateUsage.objects.count() == 0
        assert sum(Charge.objects.values_list("net_minor", flat=True)) == 20
    assert vendor.violations() == []


def test_a_report_that_breaks_off_leaves_neither_events_nor_days(vendor, monkeypatch):
    def break_off(*_values):
        raise RuntimeError("killed")

    monkeypatch.setattr(storing, "_note_late", break_off)
    with pytest.raises(RuntimeError):
        report(vendor, used("e1", 1, "2026-01-05T10:00"))

    with vendor.seen():
        assert UsageEvent.objects.count() == UsageDay.objects.count() == 0


def test_a_short_first_period_has_whole_tiers(vendor):
    vendor.has(
        "subscriptions",
        subscription(
            "T",
            "A",
            "tiers",
            "2026-01-20",
        ),
    )
    with vendor.seen():
        Subscription.objects.filter(external_id="T").update(billing_day=1)
    report(vendor, used("e1", 150, "2026-01-25T10:00", of="T"))

    vendor.run("2026-02-01")

    # 100 at 0.10 and 50 at 0.05, whatever the twelve days.
    assert ("recurring", 1250, "150") in charges(vendor)
    assert vendor.violations() == []


def test_an_end_in_the_past_charges_the_days_up_to_it_anew(vendor):
    report(vendor, used("e1", 100, "2026-01-05T10:00"), used("e2", 50, "2026-01-25T10:00"))
    vendor.run("2026-02-01")

    with vendor.seen():
        key = Subscription.objects.get(external_id="S").pk
    cancel_subscription(
        vendor.actor, key, end_date=date(2026, 1, 20), today=date(2026, 2, 1), now=NOW
    )

    assert charges(vendor) == [
        ("recurring", 300, "150"), ("credit", -300, "150"), ("recurring", 200, "100")
    ]  # fmt: skip
    assert vendor.violations() == []


def test_another_price_within_a_period_is_charged_for_its_own_days(vendor):
    report(vendor, used("e1", 100, "2026-01-05T10:00"), used("e2", 50, "2026-01-25T10:00"))
    with vendor.seen():
        item = Item.objects.get()
        tiers = Price.objects.get(external_id="tiers")
    change_subscription(
        vendor.actor, item.subscription_id, [ItemChange(item.pk, price_id=tiers.pk)],
        day=date(2026, 1, 20), today=date(2026, 1, 25), now=NOW,
    )  # fmt: skip

    vendor.run("2026-02-01")

    assert charges(vendor) == [("recurring", 200, "100"), ("recurring", 500, "50")]
    assert vendor.violations() == []


def test_late_usage_that_changes_no_amount_makes_no_document(vendor):
    vendor.has("prices", price("users", "3", model="per_unit", timing="arrears", meter="users"))
    vendor.has("subscriptions", subscription("U", "B", "users", "2026-01-01"))
    report(vendor, used("u1", 1, "2026-01-05T10:00", of="U", meter="users", unique_key="kim"))
    vendor.run("2026-02-01")

    report(vendor, used("u2", 1, "2026-01-06T10:00", of="U", meter="users", unique_key="kim"))

    assert vendor.bills("2026-02-02") == []
    with vendor.seen():
        assert LateUsage.objects.count() == 0
    assert vendor.violations() == []


def test_what_is_metered_brings_no_mrr(vendor):
    with vendor.seen():
        assert Item.objects.get().monthly_minor == 0


def test_next_invoices_count_what_has_been_used_so_far(vendor):
    vendor.run("2026-02-01")
    report(vendor, used("e1", 100, "2026-02-05T10:00"), today=date(2026, 2, 10))

    with vendor.seen():
        tenant = Tenant.objects.get(pk=vendor.tenant_id)
        found = upcoming_invoices(
            vendor.actor, vendor.id_of("B"), tenant=tenant, today=date(2026, 2, 10), now=NOW
        )

    assert [(one.net_minor, one.currency) for one in found.documents] == [(200, "EUR")]


def test_the_books_tell_days_and_charges_that_do_not_agree(vendor):
    report(vendor, used("e1", 100, "2026-01-05T10:00"))
    vendor.run("2026-02-01")
    assert vendor.violations() == []

    with vendor.seen():
        UsageDay.objects.update(total=101)

    assert {name for name, _detail in vendor.violations()} == {"used", "metered"}
