"""From single events to the quantity of a period."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_rules.metering import Aggregation, Used, day_of, is_closed, measured, pooled
from billing_rules.money import to_minor
from billing_rules.pricing import Model, PriceTerms, Tier, price_of

quick = settings(max_examples=60, deadline=None, database=None)
START = datetime(2026, 11, 1, tzinfo=UTC)
events = st.lists(
    st.builds(
        lambda minutes, key, quantity, unique: Used(
            START + timedelta(minutes=minutes), f"e{key}", Decimal(quantity), f"u{unique}"
        ),
        st.integers(0, 60 * 24 * 30),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        st.integers(0, 5),
    ),
    max_size=20,
    unique_by=lambda event: event.event_id,
)


def used(minute, quantity, key="", event_id=""):
    at = START + timedelta(minutes=minute)
    return Used(at, event_id or f"e{minute}", Decimal(quantity), key)


@pytest.mark.parametrize(
    ("aggregation", "quantity"), [("sum", 16), ("max", 9), ("last", 2), ("unique_count", 2)]
)
def test_measures_what_the_meter_says(aggregation, quantity):
    found = [used(3, 2, "a"), used(1, 5, "a"), used(2, 9, "b")]

    assert measured(Aggregation(aggregation), found) == quantity
    assert measured(Aggregation(aggregation), []) == 0


def test_of_two_at_the_same_instant_the_greater_id_is_the_last():
    found = [used(1, 5, event_id="b"), used(1, 7, event_id="a")]

    assert measured(Aggregation.LAST, found) == 5


@quick
@given(events, st.sampled_from(list(Aggregation)), st.randoms())
def test_the_order_in_which_events_come_in_decides_nothing(found, aggregation, random):
    shuffled = random.sample(found, len(found))

    assert measured(aggregation, shuffled) == measured(aggregation, found)


@quick
@given(events, st.integers(0, 60 * 24 * 30))
def test_parts_of_a_period_make_the_whole(found, minutes):
    bound = START + timedelta(minutes=minutes)
    before = [event for event in found if event.at < bound]
    after = [event for event in found if event.at >= bound]

    for aggregation, whole in (
        (Aggregation.SUM, measured(Aggregation.SUM, before) + measured(Aggregation.SUM, after)),
        (
            Aggregation.MAX,
            max(measured(Aggregation.MAX, before), measured(Aggregation.MAX, after)),
        ),
        (Aggregation.LAST, measured(Aggregation.LAST, after if after else before)),
    ):
        assert measured(aggregation, found) == whole


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        ("2026-11-30T22:59:59Z", "Europe/Berlin", "2026-11-30"),
        ("2026-11-30T23:00:00Z", "Europe/Berlin", "2026-12-01"),
        ("2026-07-31T22:00:00Z", "Europe/Berlin", "2026-08-01"),
        ("2026-11-30T23:00:00Z", "America/New_York", "2026-11-30"),
        ("2026-12-01T08:00:00+09:00", "Asia/Tokyo", "2026-12-01"),
    ],
)
def test_an_instant_falls_on_the_day_where_the_account_is(at, zone, day):
    assert day_of(datetime.fromisoformat(at), ZoneInfo(zone)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("grace", "today", "closed"),
    [(0, "2026-11-30", False), (0, "2026-12-01", True), (5, "2026-12-05", False),
     (5, "2026-12-06", True)],
)  # fmt: skip
def test_a_period_is_closed_some_days_after_its_end(grace, today, closed):
    assert is_closed(date(2026, 12, 1), grace, date.fromisoformat(today)) is closed


TIERS = PriceTerms(
    Model.GRADUATED,
    None,
    (Tier(Decimal(100), Decimal("0.10"), Decimal(0)), Tier(None, Decimal("0.05"), Decimal(0))),
)


@pytest.mark.parametrize(
    ("quantities", "total", "shares"),
    [
        # 150 together: 100 at 0.10 and 50 at 0.05 are 12.50; alone each 50 would be 5.00.
        ([50, 50, 50], 1250, (417, 417, 416)),
        ([150, 0], 1250, (1250, 0)),
        ([0, 0], 0, (0, 0)),
        ([], 0, ()),
        ([1, 1, 1], 30, (10, 10, 10)),
    ],
)
def test_prices_a_pool_once_and_shares_it_back(quantities, total, shares):
    assert pooled(TIERS, [Decimal(one) for one in quantities], "EUR") == (total, shares)


@quick
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_the_shares_of_a_pool_sum_to_its_price(quantities):
    found = [Decimal(one) for one in quantities]

    total, shares = pooled(TIERS, found, "EUR")

    assert sum(shares) == total == to_minor(price_of(TIERS, sum(found)).amount, "EUR")
    assert all(share >= 0 for share in shares)
