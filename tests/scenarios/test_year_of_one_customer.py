"""A year of one customer as a table: what happens on a day, and the lines that are billed on it.

A service company with three clients, everything aligned to the 1st: client J is on the company's
invoice, client K has its own, client L orders by PO number and gets a document for each. There
are a yearly price, one in arrears, one that ends, one that was billed elsewhere, and dollars.
"""

from datetime import date, timedelta

from accounts.operations.settings import Change, write_changes
from invoicing.operations.clock import advance_clock
from tests.world import NOW, account, lines_of, price, subscription

ACCOUNTS = [
    account("M", billing_day=1, payment_terms_days=14, cost_centre="K-100"),
    account("J", "M", legal_name="", line1="", city="", country=""),
    account("J1", "J", kind="branch"),
    account("K", "M", bill_to="K", payment_terms_days=30),
    account("K1", "K", kind="department", cost_centre="K-900"),
    account("L", "M", bill_to="L", payer="M", split_by_po="yes"),
]
PRICES = [
    price("desk", "9.00", model="per_unit"),
    price("mail", "19.90"),
    price("cloud", "1200", interval="year"),
    price("support", "299.99", interval="quarter", timing="arrears"),
    price("usd", "49", currency="USD"),
]

# (day, what is done on it, what is billed on it: bill-to, payer, due date, PO → lines)
YEAR = [
    (
        "2026-11-23",
        [
            ("subscriptions", subscription("s01", "J", "desk", "2026-11-20", 8)),
            ("subscriptions", subscription("s02", "J1", "mail", "2026-12-01")),
            ("subscriptions", subscription("s03", "M", "cloud", "2026-12-15")),
            ("subscriptions", subscription("s04", "K", "mail", "2026-11-01",
                                           billed_until="2026-12-01")),
            ("subscriptions", subscription("s05", "K1", "support", "2026-12-01",
                                           end_date="2027-05-16")),
        ],
        [],
    ),
    (
        "2026-12-01",
        [],
        [
            ("M", "M", "EUR", "2026-12-15", "", [
                # 11 of the 30 days from 1 November: 72.00 * 11 / 30.
                ("s01", "2026-11-20", "2026-12-01", 2640),
                ("s01", "2026-12-01", "2027-01-01", 7200),
                ("s02", "2026-12-01", "2027-01-01", 1990),
            ]),
            ("K", "K", "EUR", "2026-12-31", "", [("s04", "2026-12-01", "2027-01-01", 1990)]),
        ],
    ),
    (
        "2027-01-01",
        [
            ("subscriptions", subscription("s06", "L", "desk", "2027-01-01", 2, po_number="77")),
            ("subscriptions", subscription("s07", "L", "mail", "2027-01-01", po_number="78")),
            ("subscriptions", subscription("s08", "L", "mail", "2027-01-01")),
        ],
        [
            ("M", "M", "EUR", "2027-01-15", "", [
                # A yearly price without billing month is anchored on the first 1st: 17 days of
                # the year from 1 January 2026, 1200.00 * 17 / 365.
                ("s03", "2026-12-15", "2027-01-01", 5589),
                ("s03", "2027-01-01", "2028-01-01", 120000),
                ("s01", "2027-01-01", "2027-02-01", 7200),
                ("s02", "2027-01-01", "2027-02-01", 1990),
            ]),
            ("K", "K", "EUR", "2027-01-31", "", [("s04", "2027-01-01", "2027-02-01", 1990)]),
            ("L", "M", "EUR", "2027-01-15", "", [("s08", "2027-01-01", "2027-02-01", 1990)]),
            ("L", "M", "EUR", "2027-01-15", "77", [("s06", "2027-01-01", "2027-02-01", 1800)]),
            ("L", "M", "EUR", "2027-01-15", "78", [("s07", "2027-01-01", "2027-02-01", 1990)]),
        ],
    ),
    (
        "2027-02-01",
        [("set", "L", "split_by_po", False), ("set", "L", "payer", None)],
        [
            ("M", "M", "EUR", "2027-02-15", "", [
                ("s01", "2027-02-01", "2027-03-01", 7200),
                ("s02", "2027-02-01", "2027-03-01", 1990),
            ]),
            ("K", "K", "EUR", "2027-03-03", "", [("s04", "2027-02-01", "2027-03-01", 1990)]),
            ("L", "L", "EUR", "2027-02-15", "", [
                ("s06", "2027-02-01", "2027-03-01", 1800),
                ("s07", "2027-02-01", "2027-03-01", 1990),
                ("s08", "2027-02-01", "2027-03-01", 1990),
            ]),
        ],
    ),
    (
        "2027-03-01",
        [("subscriptions", subscription("s09", "K", "usd", "2027-03-01", end_date="2027-04-11"))],
        [
            ("M", "M", "EUR", "2027-03-15", "", [
                ("s01", "2027-03-01", "2027-04-01", 7200),
                ("s02", "2027-03-01", "2027-04-01", 1990),
            ]),
            ("K", "K", "EUR", "2027-03-31", "", [
                ("s04", "2027-03-01", "2027-04-01", 1990),
                # In arrears: the quarter from 1 December falls due on 1 March.
                ("s05", "2026-12-01", "2027-03-01", 29999),
            ]),
            ("K", "K", "USD", "2027-03-31", "", [("s09", "2027-03-01", "2027-04-01", 4900)]),
            ("L", "L", "EUR", "2027-03-15", "", [
                ("s06", "2027-03-01", "2027-04-01", 1800),
                ("s07", "2027-03-01", "2027-04-01", 1990),
                ("s08", "2027-03-01", "2027-04-01", 1990),
            ]),
        ],
    ),
    (
        "2027-04-01",
        [("set", "J", "consolidation", "per_account")],
        [
            # J and J1, which inherits it, have documents of their own, still to M.
            ("M", "M", "EUR", "2027-04-15", "", [("s01", "2027-04-01", "2027-05-01", 7200)]),
            ("M", "M", "EUR", "2027-04-15", "", [("s02", "2027-04-01", "2027-05-01", 1990)]),
            ("K", "K", "EUR", "2027-05-01", "", [("s04", "2027-04-01", "2027-05-01", 1990)]),
            # It ends on the 11th: 10 of 30 days.
            ("K", "K", "USD", "2027-05-01", "", [("s09", "2027-04-01", "2027-04-11", 1633)]),
            ("L", "L", "EUR", "2027-04-15", "", [
                ("s06", "2027-04-01", "2027-05-01", 1800),
                ("s07", "2027-04-01", "2027-05-01", 1990),
                ("s08", "2027-04-01", "2027-05-01", 1990),
            ]),
        ],
    ),
    (
        "2027-05-01",
        [("set", "J", "consolidation", None), ("set", "K", "billing_day", 16)],
        [
            ("M", "M", "EUR", "2027-05-15", "", [
                ("s01", "2027-05-01", "2027-06-01", 7200),
                ("s02", "2027-05-01", "2027-06-01", 1990),
            ]),
            ("L", "L", "EUR", "2027-05-15", "", [
                ("s06", "2027-05-01", "2027-06-01", 1800),
                ("s07", "2027-05-01", "2027-06-01", 1990),
                ("s08", "2027-05-01", "2027-06-01", 1990),
            ]),
        ],
    ),
    (
        "2027-05-16",
        [],
        [
            # K is billed on the 16th from now on: 15 of the 30 days to the new anchor, and the
            # support that ended on the 16th, 76 of the 92 days from 1 March.
            ("K", "K", "EUR", "2027-06-15", "", [
                ("s04", "2027-05-01", "2027-05-16", 995),
                ("s04", "2027-05-16", "2027-06-16", 1990),
                ("s05", "2027-03-01", "2027-05-16", 24782),
            ]),
        ],
    ),
    (
        "2027-06-01",
        [],
        [
            ("M", "M", "EUR", "2027-06-15", "", [
                ("s01", "2027-06-01", "2027-07-01", 7200),
                ("s02", "2027-06-01", "2027-07-01", 1990),
            ]),
            ("L", "L", "EUR", "2027-06-15", "", [
                ("s06", "2027-06-01", "2027-07-01", 1800),
                ("s07", "2027-06-01", "2027-07-01", 1990),
                ("s08", "2027-06-01", "2027-07-01", 1990),
            ]),
        ],
    ),
]  # fmt: skip


def play(vendor, day, actions):
    for action, *what in actions:
        if action == "set":
            key, name, value = what
            with vendor.seen():
                write_changes(
                    vendor.actor,
                    [Change(vendor.id_of(key), name, None, value)],
                    today=date.fromisoformat(day),
                )
        else:
            vendor.has(action, *what)


def start(vendor):
    vendor.has("accounts", *ACCOUNTS)
    vendor.has("prices", *PRICES)


def table(documents):
    return [
        (d["bill_to"], d["payer"], d["currency"], d["due_date"], d["po_number"], lines_of(d))
        for d in documents
    ]


def test_bills_on_each_day_what_the_table_says(vendor):
    start(vendor)
    for day, actions, expected in YEAR:
        play(vendor, day, actions)
        assert table(vendor.bills(day)) == expected, day
        assert vendor.bills(day) == []
    assert vendor.violations() == []
    assert vendor.problems() == []


def test_the_clock_brings_the_same_and_nothing_between(vendor):
    """What is done on a day is known before the clock comes there, and holds from that day on."""
    start(vendor)
    for day, actions, _expected in YEAR:
        play(vendor, day, actions)
        advance_clock(vendor.actor, to_date=date.fromisoformat(day), now=NOW)
    last = date.fromisoformat(YEAR[-1][0])
    advance_clock(vendor.actor, to_date=last + timedelta(days=14), now=NOW)

    by_day = {day: [] for day, _actions, _expected in YEAR}
    for document in vendor.documents():
        by_day[document["issue_date"]].append(document)
    assert {day: table(documents) for day, documents in by_day.items()} == {
        day: expected for day, _actions, expected in YEAR
    }
    assert vendor.violations() == []


def test_shows_sections_with_path_and_cost_centre(vendor):
    start(vendor)
    play(vendor, *YEAR[0][:2])

    company, own = vendor.bills("2026-12-01")

    assert [(s["account"], s["path"], s["cost_centre"]) for s in company["sections"]] == [
        ("J", ["J"], "K-100"),
        ("J1", ["J", "J1"], "K-100"),
    ]
    assert [(s["account"], s["path"]) for s in own["sections"]] == [("K", ["K"])]
