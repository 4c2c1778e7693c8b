"""What is charged alike on all days is rated at once, and comes to what its parts come to."""

from datetime import date, timedelta
from random import Random

import pytest

from accounts import tree
from invoicing.engine.rating import Rater, rate
from invoicing.engine.reading import coming_items, open_periods
from invoicing.engine.reading_families import read_families
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from tenancy.queries.tenants import own_tenant
from tests.world import NOW, account, make_vendor, price, subscription

pytestmark = pytest.mark.django_db

METERS = {"calls": "sum", "peak": "max", "seats": "last", "users": "unique_count"}
UNTIL = date(2026, 6, 15)


def used(choose, count):
    """Return rows of a file of usage: of each subscription by its meter, on any day."""
    for number in range(200):
        at, key = choose.randrange(count), f"u{choose.randrange(5)}"
        meter = [*METERS][at % 4]
        day = date(2026, 2, 20) + timedelta(days=choose.randrange(100))
        yield {
            "event_id": f"e{number}",
            "subscription_external_id": f"S{at}",
            "meter": meter,
            "quantity": choose.choice(("1", "250", "0.5", "12.75")),
            "at": f"{day}T{choose.randrange(24):02}:00:00Z",
            "unique_key": key if meter == "users" else "",
        }


def said(rated):
    """Return what was rated, but for ids."""
    charges = [
        (one.item_id, one.period_start, one.period_end, one.due_date, one.invoice_on,
         one.net_minor, sorted(map(repr, one.calculation.items())))
        for one in rated.charges
    ]  # fmt: skip
    periods = [(one.item_id, one.starts, one.ends, one.full_start) for one in rated.periods]
    return charges, periods, rated.moved


@pytest.mark.parametrize("seed", range(4))
def test_usage_that_is_charged_alike_comes_to_what_its_parts_come_to(seed, monkeypatch):
    choose, count = Random(seed), 24
    vendor = make_vendor(clock=date(2026, 5, 31))
    vendor.has("accounts", account("A", billing_day=10), account("B"))
    for key, aggregation in METERS.items():
        create_meter(vendor.actor, NewMeter(key, key, aggregation), now=NOW)
    vendor.has("prices", *(
        price(key, model="graduated", timing="arrears", meter=key, tiers="100:0.02:1|inf:0.015:0")
        for key in METERS
    ))  # fmt: skip
    ends = (None, None, "2026-05-20", "2026-04-01")
    rows = []
    for number in range(count):
        begins = date(2026, 1, 1) + timedelta(days=choose.choice((0, 0, 14, 45)))
        end = choose.choice(ends)
        rows.append(
            subscription(
                f"S{number}", choose.choice("AB"), [*METERS][number % 4], begins.isoformat(),
                **({} if end is None else {"end_date": end}),
            )
        )  # fmt: skip
    vendor.has("subscriptions", *rows)
    vendor.bills("2026-02-15")
    sent = [row for row in used(choose, count) if row["at"] < "2026-03-31"]
    vendor.has("usage", *sent, today=date(2026, 5, 31))

    def rated():
        with vendor.seen():
            actor = vendor.actor
            trees = tree.families(actor.tenant_id, [vendor.id_of("A"), vendor.id_of("B")])
            families = read_families(actor, trees, None, tenant=own_tenant(actor))
            items = coming_items(actor, families.accounts)
            return rate(families, items, open_periods(actor, items), until=UNTIL)

    at_once = rated()
    monkeypatch.setattr(Rater, "_is_alike", lambda _rater, _item: False)
    by_parts = rated()

    assert said(at_once) == said(by_parts)
    assert sum(charge.net_minor for charge in at_once.charges) > 1_000
    assert {charge.calculation["usage"]["meter"]["aggregation"] for charge in at_once.charges} == {
        *METERS.values()
    }
