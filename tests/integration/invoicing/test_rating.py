"""What a subscription costs for which days: one table of subscriptions and expected lines."""

from itertools import pairwise

import pytest

from tests.world import account, lines_of, price, subscription

PRICES = [
    price("ten", "10"),
    price("thirty-later", "30", timing="arrears"),
    price("yearly", "120", interval="year"),
    price("quarterly", "2399.95", interval="quarter"),
    price("weekly", "7", interval="week"),
    price("daily", "1.005", interval="day"),
    price("fortnight", "1", interval="day", interval_count="14"),
    price("yen", "1000.5", currency="JPY"),
    price("dinar", "1.2345", currency="KWD"),
    price("half-cent", "0.005", model="per_unit"),
    price("graduated", model="graduated", tiers="10:45:0|50:40:0|inf:35:5"),
    price("volume", model="volume", tiers="100:15:0|200:14:0|inf:12.5:25"),
    price("package", "12", model="package", package_size="1000"),
    price("fine", "249.95"),
    price("long", "2399.95", interval="year"),
]

CASES = {
    "day 31": (
        {}, [subscription("S", "A", "ten", "2026-01-31")], "2026-04-30",
        [("2026-01-31", "2026-02-28", 1000), ("2026-02-28", "2026-03-31", 1000),
         ("2026-03-31", "2026-04-30", 1000), ("2026-04-30", "2026-05-31", 1000)],
    ),
    "29 February, yearly": (
        {}, [subscription("S", "A", "yearly", "2024-02-29")], "2028-02-29",
        [("2024-02-29", "2025-02-28", 12000), ("2025-02-28", "2026-02-28", 12000),
         ("2026-02-28", "2027-02-28", 12000), ("2027-02-28", "2028-02-29", 12000),
         ("2028-02-29", "2029-02-28", 12000)],
    ),
    "in arrears, before its end": (
        {}, [subscription("S", "A", "thirty-later", "2026-09-01", end_date="2026-10-16")],
        "2026-10-15", [("2026-09-01", "2026-10-01", 3000)],
    ),
    "in arrears, on its end": (
        {}, [subscription("S", "A", "thirty-later", "2026-09-01", end_date="2026-10-16")],
        "2026-10-16", [("2026-09-01", "2026-10-01", 3000), ("2026-10-01", "2026-10-16", 1452)],
    ),
    "in advance, with an end": (
        {}, [subscription("S", "A", "ten", "2026-09-01", end_date="2026-10-16")],
        "2027-10-16", [("2026-09-01", "2026-10-01", 1000), ("2026-10-01", "2026-10-16", 484)],
    ),
    "billed elsewhere until": (
        {}, [subscription("S", "A", "ten", "2026-01-01", billed_until="2026-11-10")],
        "2026-12-01", [("2026-11-10", "2026-12-01", 700), ("2026-12-01", "2027-01-01", 1000)],
    ),
    "billed elsewhere until its end": (
        {}, [subscription("S", "A", "ten", "2026-01-01", billed_until="2026-11-10",
                          end_date="2026-11-10"),
             subscription("T", "A", "ten", "2026-12-01")],
        "2026-12-01", [("2026-12-01", "2027-01-01", 1000)],
    ),
    "billed elsewhere, in arrears": (
        {}, [subscription("S", "A", "thirty-later", "2026-09-01", billed_until="2026-10-11")],
        "2026-11-01", [("2026-10-11", "2026-11-01", 2032)],
    ),
    "weeks, whatever the billing day": (
        {"billing_day": 1}, [subscription("S", "A", "weekly", "2026-11-23")], "2026-12-01",
        [("2026-11-23", "2026-11-30", 700), ("2026-11-30", "2026-12-07", 700)],
    ),
    "days, each rounded": (
        {}, [subscription("S", "A", "daily", "2026-11-29")], "2026-12-01",
        [("2026-11-29", "2026-11-30", 101), ("2026-11-30", "2026-12-01", 101),
         ("2026-12-01", "2026-12-02", 101)],
    ),
    "every 14 days": (
        {}, [subscription("S", "A", "fortnight", "2026-11-10", end_date="2026-12-01")],
        "2026-12-01", [("2026-11-10", "2026-11-24", 100), ("2026-11-24", "2026-12-01", 50)],
    ),
    "yen have no decimals": (
        {}, [subscription("S", "A", "yen", "2026-12-01")], "2026-12-01",
        [("2026-12-01", "2027-01-01", 1001)],
    ),
    "dinars have three": (
        {}, [subscription("S", "A", "dinar", "2026-12-01")], "2026-12-01",
        [("2026-12-01", "2027-01-01", 1235)],
    ),
    "333 at half a cent": (
        {}, [subscription("S", "A", "half-cent", "2026-12-01", 333)], "2026-12-01",
        [("2026-12-01", "2027-01-01", 167)],
    ),
    "none of them": (
        {}, [subscription("S", "A", "half-cent", "2026-12-01", 0)], "2026-12-01",
        [("2026-12-01", "2027-01-01", 0)],
    ),
    "graduated": (
        {}, [subscription("S", "A", "graduated", "2026-12-01", 51)], "2026-12-01",
        [("2026-12-01", "2027-01-01", 10 * 4500 + 40 * 4000 + 3500 + 500)],
    ),
    "volume": (
        {}, [subscription("S", "A", "volume", "2026-12-01", 201)], "2026-12-01",
        [("2026-12-01", "2027-01-01", 201 * 1250 + 2500)],
    ),
    "package": (
        {}, [subscription("S", "A", "package", "2026-12-01", 1001)], "2026-12-01",
        [("2026-12-01", "2027-01-01", 2400)],
    ),
    # The worked numbers of the rule of proration.
    "aligned to the 15th from 1 May": (
        {"billing_day": 15}, [subscription("S", "A", "fine", "2026-05-01", end_date="2026-05-15")],
        "2026-05-15", [("2026-05-01", "2026-05-15", 11664)],
    ),
    "aligned to the 15th from 1 June": (
        {"billing_day": 15}, [subscription("S", "A", "fine", "2026-06-01", end_date="2026-06-15")],
        "2026-06-15", [("2026-06-01", "2026-06-15", 11288)],
    ),
    "aligned to the 10th from 15 July": (
        {"billing_day": 10}, [subscription("S", "A", "fine", "2026-07-15", end_date="2026-08-10")],
        "2026-08-10", [("2026-07-15", "2026-08-10", 20964)],
    ),
    "a year anchored on 10 May": (
        {"billing_day": 10, "billing_month": 5},
        [subscription("S", "A", "long", "2017-05-01", end_date="2017-05-10")],
        "2017-05-10", [("2017-05-01", "2017-05-10", 5918)],
    ),
    "a year with a billing day but no month": (
        {"billing_day": 15}, [subscription("S", "A", "yearly", "2026-05-20")],
        "2026-06-15", [("2026-05-20", "2026-06-15", 855), ("2026-06-15", "2027-06-15", 12000)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_charges(vendor, case):
    cells, subscriptions, day, expected = CASES[case]
    vendor.has("accounts", account("A", **cells))
    vendor.has("prices", *PRICES)
    vendor.has("subscriptions", *subscriptions)

    (invoice,) = vendor.bills(day)

    assert [line[1:] for line in lines_of(invoice)] == expected
    assert invoice["net_minor"] == sum(line[2] for line in expected)
    assert vendor.violations() == []


@pytest.mark.parametrize(("currency", "net", "tax"), [("JPY", 1001, 190), ("KWD", 1235, 235)])
def test_taxes_in_the_minor_unit_of_the_currency(vendor, currency, net, tax):
    vendor.has("accounts", account("A"))
    vendor.has("prices", *PRICES)
    key = {"JPY": "yen", "KWD": "dinar"}[currency]
    vendor.has("subscriptions", subscription("S", "A", key, "2026-12-01"))

    (invoice,) = vendor.bills("2026-12-01")

    assert (invoice["currency"], invoice["net_minor"], invoice["tax_minor"]) == (currency, net, tax)


def test_takes_every_line_once_however_often_it_is_run(vendor):
    """The runs of single months make the lines of one run at the end of them all."""
    vendor.has("accounts", account("A", billing_day=1), account("B", "A", billing_day=20))
    vendor.has("prices", *PRICES)
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-01-17"),
        subscription("S2", "B", "thirty-later", "2026-02-03", end_date="2026-05-04"),
        subscription("S3", "B", "weekly", "2026-03-31"),
        subscription("S4", "A", "quarterly", "2026-02-28"),
    )
    found = []
    for month in range(1, 7):
        for _again in range(2):
            for document in vendor.bills(f"2026-{month:02d}-20"):
                found += lines_of(document)

    assert len(found) == len(set(found))
    assert sorted(x for x in found if x[0] == "S2") == [
        ("S2", "2026-02-03", "2026-02-20", 1645),
        ("S2", "2026-02-20", "2026-03-20", 3000),
        ("S2", "2026-03-20", "2026-04-20", 3000),
        ("S2", "2026-04-20", "2026-05-04", 1400),
    ]
    for key in ("S1", "S3", "S4"):
        mine = sorted(line for line in found if line[0] == key)
        assert all(one[2] == other[1] for one, other in pairwise(mine))
    assert vendor.violations() == []
