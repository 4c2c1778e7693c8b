"""Open and overdue: of accounts, of subtrees, as recipient and as payer; in one statement."""

from datetime import date

from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.models import Invoice
from invoicing.queries.balances import Side, balance_total, balances
from tests.scenes import scene
from tests.world import account, price, subscription

DUE = date(2026, 12, 15)


@scene
def owed(vendor):
    """A group that pays for its branch, whose invoice is its own; half of it is paid."""
    vendor.has(
        "accounts",
        account("group", payment_terms_days=14),
        account("branch", "group", bill_to="branch", payer="group"),
        account("firm", payment_terms_days=14),
    )
    vendor.has("prices", price("platform", "100.00", tax_rate=0))
    vendor.has(
        "subscriptions",
        subscription("s1", "group", "platform", "2026-12-01"),
        subscription("s2", "branch", "platform", "2026-12-01"),
        subscription("s3", "firm", "platform", "2026-12-01"),
    )
    vendor.run("2026-12-01")
    with vendor.seen():
        Invoice.objects.filter(bill_to_id=vendor.id_of("branch")).update(
            paid_minor=4_000, status=Invoice.Status.PARTLY_PAID
        )
    return vendor


def read(vendor, key, *, today=DUE, side=Side.BILL_TO, actor=None):
    with vendor.seen():
        one = vendor.id_of(key)
        found = balances(actor or vendor.actor, [one], side=side, today=today)[one]
    return found.own_open, found.own_overdue, found.tree_open, found.tree_overdue


def gross(vendor, key):
    with vendor.seen():
        return Invoice.objects.get(bill_to_id=vendor.id_of(key)).open_minor


def test_rolls_up_the_tree(owed):
    group, branch = gross(owed, "group"), gross(owed, "branch")

    assert read(owed, "group") == ({"EUR": group}, {}, {"EUR": group + branch}, {})
    assert read(owed, "branch") == ({"EUR": branch}, {}, {"EUR": branch}, {})


def test_is_overdue_after_the_due_date(owed):
    with owed.seen():
        due = Invoice.objects.get(bill_to_id=owed.id_of("firm")).due_date
    firm = gross(owed, "firm")

    assert read(owed, "firm", today=due)[1] == {}
    assert read(owed, "firm", today=date(2027, 6, 1))[1] == {"EUR": firm}


def test_knows_the_payer_from_the_recipient(owed):
    both = gross(owed, "group") + gross(owed, "branch")

    assert read(owed, "group", side=Side.PAYER)[0] == {"EUR": both}
    assert read(owed, "branch", side=Side.PAYER)[0] == {}


def test_counts_what_lies_below_two_accounts_once(owed):
    with owed.seen():
        ids = [owed.id_of(key) for key in ("group", "branch", "firm")]
        total = balance_total(owed.actor, ids, today=date(2027, 6, 1))
    expected = {"EUR": sum(gross(owed, key) for key in ("group", "branch", "firm"))}

    assert (total.tree_open, total.tree_overdue) == (expected, expected)


def test_tells_nothing_of_what_is_out_of_reach(owed, other_vendor):
    customer = owed.customer("Bob", "viewer", "branch")

    assert read(owed, "group", actor=customer) == ({}, {}, {}, {})
    assert read(owed, "branch", actor=customer)[0] == {"EUR": gross(owed, "branch")}
    with other_vendor.seen():
        found = balance_total(other_vendor.actor, [owed._ids["group"]], today=DUE)
    assert found.tree_open == {}


def test_needs_one_statement(owed):
    with owed.seen():
        ids = [owed.id_of(key) for key in ("group", "branch", "firm")]
        with CaptureQueriesContext(connection) as captured:
            balances(owed.actor, ids, today=DUE)

    assert len(captured) == 1
