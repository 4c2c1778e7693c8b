"""The rule of an invoice's state and its SQL agree on every combination, and rows keep to it."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import product

import pytest
from django.db import DatabaseError, transaction

from billing_rules.invoice_states import ASKED_FOR, State, answers_to, owed_minor, payment_state
from billing_rules.invoice_states import urgency as urgency_of
from invoicing.models import Invoice
from invoicing.queries import invoice_states
from invoicing.queries.balances import balance_total, balances, to_pay
from invoicing.queries.invoice_sums import invoice_sums
from invoicing.queries.invoices import invoices
from tests.scenes import scene
from tests.world import TODAY, account, price, subscription

DUE = date(2026, 12, 15)
DAYS = [DUE - timedelta(days=left) for left in (-31, -1, 0, 1, 6, 7, 8, 31)]
GROSS = 10_000
PAID = {"nothing": 0, "a_cent": 1, "but_a_cent": GROSS - 1, "all": GROSS}


@scene
def stands(vendor):
    """Invoices paid in every degree, one of nothing, one of a group and its branch, and a draft."""
    vendor.has(
        "accounts",
        *(account(key, payment_terms_days=14) for key in (*PAID, "free", "late_comer")),
        account("group", payment_terms_days=14),
        account("branch", "group"),
    )
    vendor.has("prices", price("platform", "100.00", tax_rate=0), price("gift", "0.00", tax_rate=0))
    vendor.has(
        "subscriptions",
        *(subscription(f"s-{key}", key, "platform", "2026-12-01") for key in PAID),
        subscription("s-free", "free", "gift", "2026-12-01"),
        subscription("s-group", "group", "platform", "2026-12-01"),
        subscription("s-branch", "branch", "platform", "2026-12-01"),
        subscription("s-late", "late_comer", "platform", "2026-12-05"),
    )
    vendor.run("2026-12-01")
    vendor.run("2026-12-05", issue=False)
    with vendor.seen():
        for key, paid in PAID.items():
            Invoice.objects.filter(bill_to_id=vendor.id_of(key)).update(
                paid_minor=paid, status=payment_state(GROSS, paid)
            )
        found = Invoice.objects.order_by("due_date")
        stored = [(one.status, one.gross_minor, one.paid_minor, one.due_date) for one in found]
    assert sorted(stored, key=str) == sorted(
        [
            ("open", GROSS, 0, DUE),
            ("open", 2 * GROSS, 0, DUE),
            ("paid", 0, 0, DUE),
            ("paid", GROSS, GROSS, DUE),
            ("partly_paid", GROSS, 1, DUE),
            ("partly_paid", GROSS, GROSS - 1, DUE),
            ("to_approve", GROSS, 0, None),
        ],
        key=str,
    )
    return vendor


def readers(vendor, bob):
    """Return those who see all, a group whole, and a branch as an extract; and what they see."""
    return {"all": (vendor.actor, 7), "group": (bob("group"), 1), "branch": (bob("branch"), 1)}


def facts(invoice):
    """Return what the rule is asked with."""
    return invoice.status, invoice.due_date


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("reader", ["all", "group", "branch"])
def test_lists_hold_what_the_rule_says(stands, bob, reader, today):
    actor, count = readers(stands, bob)[reader]
    with stands.seen():
        seen = list(invoices(actor, today=today))
        held = {one: list(invoices(actor, status=one, today=today)) for one in ASKED_FOR}
        unpaid = list(invoices(actor, is_unpaid=True, today=today))
        in_time = list(invoices(actor, today=today).filter(invoice_states.is_in_time(today)))

    assert len(seen) == count
    for asked, found in held.items():
        assert found == [
            one for one in seen if answers_to(asked, *facts(one), today, is_whole=one.whole)
        ], asked
    assert unpaid == [one for one in seen if one.open_minor]
    assert in_time == [
        one
        for one in seen
        if one.open_minor and urgency_of(*facts(one), today) is not State.OVERDUE
    ]


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("reader", ["all", "group", "branch"])
def test_sums_and_fields_are_those_of_the_rule(stands, bob, reader, today):
    actor, _count = readers(stands, bob)[reader]
    expected = defaultdict(lambda: [0, 0])
    with stands.seen():
        found = invoices(actor, today=today)
        seen = list(found.annotate(told=invoice_states.urgency(today)))
        sums = invoice_sums(actor, found, today=today)

    for one in seen:
        assert one.told == (urgency_of(*facts(one), today) or "")
        owed = owed_minor(one.status, one.gross_minor, one.paid_minor) if one.whole else None
        assert one.shown_open_minor == owed
        total = expected[one.status, one.told]
        total[0] += 1
        total[1] += owed or 0
    assert {(one.status, one.urgency): [one.count, one.open_minor] for one in sums} == expected


@pytest.mark.parametrize("today", DAYS)
def test_balances_are_those_of_the_rule(stands, today):
    names = [*PAID, "free", "late_comer", "group"]
    with stands.seen():
        ids = [stands.id_of(name) for name in names]
        whole = {one.bill_to_id: one for one in invoices(stands.actor, today=today)}
        told = balances(stands.actor, ids, today=today)
        total = balance_total(stands.actor, None, today=today)
        paying = to_pay(stands.actor, today=today)

    late = open_ = 0
    for key, balance in told.items():
        one = whole[key]
        owed = one.open_minor
        is_late = urgency_of(*facts(one), today) is State.OVERDUE
        assert balance.own_open == ({"EUR": owed} if owed else {})
        assert balance.own_overdue == ({"EUR": owed} if owed and is_late else {})
        open_, late = open_ + owed, late + owed * is_late
    assert open_ == 10_000 + 9_999 + 1 + 20_000
    for balance in (total, paying.own):
        assert balance.tree_open == {"EUR": open_}
        assert balance.tree_overdue == ({"EUR": late} if late else {})
    assert late == (open_ if today > DUE else 0)


@pytest.mark.parametrize("today", [DUE - timedelta(days=1), DUE + timedelta(days=1)])
def test_says_one_word_for_each(stands, bob, today):
    with stands.seen():
        seen = invoices(stands.actor, today=today)
        words = sorted(invoice_states.shown_state(one, today) for one in seen)
        part = [
            invoice_states.shown_state(one, today) for one in invoices(bob("branch"), today=today)
        ]

    urgent = "overdue" if today > DUE else "due_soon"
    assert words == sorted([*4 * [urgent], "paid", "paid", "to_approve"])
    assert part == [State.EXTRACT]


@pytest.mark.parametrize("key", ["nothing", "free", "late_comer"])
def test_a_status_that_its_payments_do_not_bear_out_is_refused(stands, key):
    statuses, amounts = [*Invoice.Status.values, "draft", "void", "overdue"], [*PAID.values()]
    with stands.seen():
        rows = Invoice.objects.filter(bill_to_id=stands.id_of(key))
        before = rows.values().get()
        taken = set()
        for status, paid in product(statuses, [-1, *amounts, GROSS + 1]):
            try:
                with transaction.atomic():
                    rows.update(status=status, paid_minor=paid)
            except DatabaseError:
                assert rows.values().get() == before
                continue
            taken.add((status, paid))
            rows.update(status=before["status"], paid_minor=before["paid_minor"])

    assert (
        taken
        == {
            "nothing": {
                ("open", 0),
                ("partly_paid", 1),
                ("partly_paid", GROSS - 1),
                ("paid", GROSS),
            },
            "free": {("paid", 0)},
            "late_comer": {("to_approve", 0)},
        }[key]
    )


def test_an_issued_invoice_of_nothing_is_paid_from_the_start(stands):
    with stands.seen():
        free = Invoice.objects.get(bill_to_id=stands.id_of("free"))

    assert (free.status, free.open_minor, free.issue_date) == ("paid", 0, date(2026, 12, 1))
    assert free.issue_date > TODAY
