"""Recurring revenue of accounts: own, with all below, by currency; in one statement."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.queries.items import items_of
from subscriptions.queries.mrr import mrr_of, mrr_total
from tests.scenes import scene
from tests.world import TODAY, account, price, subscription


@scene
def sold(vendor):
    vendor.has(
        "accounts",
        account("group"),
        account("branch", "group"),
        account("team", "branch"),
        account("firm"),
    )
    vendor.has(
        "prices",
        price("monthly", "100.00"),
        price("yearly", "1000.00", interval="year"),
        price("francs", "30.00", currency="CHF", model="per_unit"),
        price("tiered", model="graduated", tiers="10:9:0|inf:7.5:0"),
    )
    vendor.has(
        "subscriptions",
        subscription("s1", "group", "monthly", "2026-01-01"),
        subscription("s2", "branch", "yearly", "2026-01-01"),
        subscription("s3", "branch", "yearly", "2026-02-01"),
        subscription("s4", "team", "francs", "2026-01-01", quantity="2.5"),
        subscription("s5", "firm", "tiered", "2026-01-01", quantity=24),
        subscription("ended", "team", "monthly", "2026-01-01", end_date="2026-11-23"),
        subscription("later", "team", "monthly", "2026-11-24"),
    )
    return vendor


def found(vendor, *keys, actor=None):
    with vendor.seen():
        ids = {key: vendor.id_of(key) for key in keys}
        mrrs = mrr_of(actor or vendor.actor, ids.values(), TODAY)
        return {key: (mrrs[one].own, mrrs[one].tree) for key, one in ids.items()}


def test_adds_up_a_tree_by_currency_rounding_each_item_once(sold):
    assert found(sold, "group", "branch", "team", "firm") == {
        "group": ({"EUR": 10_000}, {"EUR": 26_666, "CHF": 7_500}),
        "branch": ({"EUR": 16_666}, {"EUR": 16_666, "CHF": 7_500}),
        "team": ({"CHF": 7_500}, {"CHF": 7_500}),
        "firm": ({"EUR": 19_500}, {"EUR": 19_500}),
    }


def test_counts_what_lies_below_two_accounts_once(sold):
    with sold.seen():
        ids = [sold.id_of(key) for key in ("group", "branch", "firm")]

        assert mrr_total(sold.actor, ids, TODAY) == {"EUR": 46_166, "CHF": 7_500}


def test_begins_and_ends_with_the_subscription(sold):
    with sold.seen():
        team = sold.id_of("team")
        before = mrr_of(sold.actor, [team], date(2026, 11, 22))[team]
        after = mrr_of(sold.actor, [team], date(2026, 11, 24))[team]

    assert before.own == {"CHF": 7_500, "EUR": 10_000}
    assert after.own == {"CHF": 7_500, "EUR": 10_000}


def test_says_when_something_is_billed_next(sold):
    sold.run("2026-11-23")
    with sold.seen():
        group = sold.id_of("group")

        assert mrr_of(sold.actor, [group], TODAY)[group].next_date == date(2026, 12, 1)


def test_tells_nothing_of_what_is_out_of_reach(sold, other_vendor):
    customer = replace(sold.customer("Bob", "viewer", "branch"), today=TODAY)
    own, tree = found(sold, "group", actor=customer)["group"]

    assert (own, tree) == ({}, {})
    assert found(sold, "branch", actor=customer)["branch"][1] == {"EUR": 16_666, "CHF": 7_500}
    with other_vendor.seen():
        assert mrr_total(other_vendor.actor, [sold._ids["group"]], TODAY) == {}


@pytest.mark.parametrize("keys", [(), ("group",), ("group", "branch", "team", "firm")])
def test_needs_one_statement(sold, keys):
    with sold.seen():
        ids = [sold.id_of(key) for key in keys]
        with CaptureQueriesContext(connection) as captured:
            mrr_of(sold.actor, ids, TODAY)

    assert len(captured) == 1


def test_lists_what_has_not_ended(sold):
    with sold.seen():
        items = items_of(sold.actor, sold.id_of("team"), TODAY, limit=10)

        assert [item.subscription.external_id for item in items] == ["s4", "later"]
