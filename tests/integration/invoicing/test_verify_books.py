"""The check of the books is sharp: each invariant finds what breaks it, and nothing else is there.

The faults are planted as the owner of the tables, with triggers and constraints taken away, in a
transaction that is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction

from invoicing.models import Invoice, InvoiceLine, StoredDocument
from invoicing.operations.correcting import correct_invoice
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import answer_plan, submit_plan
from invoicing.operations.plans.planning import create_plan
from invoicing.operations.pools.beginning import NewPool, begin_pool
from invoicing.operations.runs.changed import refresh_drafts
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.operations.wanting_corrections import (
    NewCorrection,
)
from invoicing.queries.books import _joining_whole_tables, verify_books
from invoicing.queries.invariants import INVARIANTS
from invoicing.queries.plans.wanted import Wanted
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.usage import NewUsage, report_usage
from tenancy.errors import Forbidden
from tests.world import NOW, Vendor, account, make_vendor, price, subscription

MONEY = """
    subscriptions_item subscriptions_period subscriptions_usageevent subscriptions_usageday
    subscriptions_usagekey subscriptions_lateusage subscriptions_poolshare
    invoicing_charge invoicing_invoice invoicing_invoicesection invoicing_invoiceline
    invoicing_invoicetax invoicing_numberseries
    invoicing_storeddocument invoicing_documenttomake invoicing_ledgerentry invoicing_ledgerposting
    accounts_settinginterval accounts_placement accounts_accountnode accounts_auditentry
"""

# What is wrong: the invariant that has to find it, and what to do to the books.
FAULTS = {
    "I1 the same days twice": (
        "I1",
        "INSERT INTO invoicing_charge SELECT (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'status', 'pending', 'period_start', c.period_start + 1))).*"
        " FROM invoicing_charge AS c LIMIT 1",
    ),
    "I2 a gap": (
        "I2",
        "UPDATE subscriptions_period SET starts = starts + 1 WHERE prev_ends IS NOT NULL",
    ),
    "I2 an overlap": (
        "I2",
        "UPDATE subscriptions_period SET starts = starts - 1 WHERE prev_ends IS NOT NULL",
    ),
    "I2 the chain's end": ("I2", "UPDATE subscriptions_item SET chain_end = chain_end + 1"),
    "I2 no chain": ("I2", "UPDATE subscriptions_item SET chain_end = NULL"),
    "I3 a cent": ("I3", "UPDATE invoicing_charge SET net_minor = net_minor + 1"),
    "I3 a cent less": ("I3", "UPDATE invoicing_charge SET net_minor = net_minor - 1"),
    "I4 a section's net": (
        "I4",
        "UPDATE invoicing_invoicesection SET net_minor = net_minor + 1, gross_minor ="
        " gross_minor + 1 WHERE position = 1",
    ),
    "I4 a section's tax": (
        "I4",
        "UPDATE invoicing_invoicesection SET tax_minor = tax_minor + 1, gross_minor ="
        " gross_minor + 1 WHERE position = 1",
    ),
    "I4 net from one section to another": (
        "I4",
        "UPDATE invoicing_invoicesection SET net_minor = net_minor + 3 - 2 * position",
    ),
    "I4 a section too few": (
        "I4",
        "DELETE FROM invoicing_invoicesection WHERE position = 2",
    ),
    "I4 the number of sections": (
        "I4",
        "UPDATE invoicing_invoice SET section_count = section_count + 1",
    ),
    "I5 a tax group": ("I5", "UPDATE invoicing_invoicetax SET tax_minor = tax_minor + 1"),
    "I5 a tax group's base": ("I5", "UPDATE invoicing_invoicetax SET base_minor = base_minor - 1"),
    "I5 no tax group": ("I5", "DELETE FROM invoicing_invoicetax"),
    "I5 the number of lines": ("I5", "UPDATE invoicing_invoice SET line_count = line_count - 1"),
    "I5 gross": ("I5", "UPDATE invoicing_invoice SET gross_minor = gross_minor + 1"),
    "I5 a lost line": (
        "I5",
        "DELETE FROM invoicing_invoiceline WHERE position = 1",
    ),
    "I6 a gap": (
        "I6",
        "UPDATE invoicing_invoice SET series_number = series_number + 1 WHERE series_number = 2",
    ),
    "I6 a double": (
        "I6",
        "UPDATE invoicing_invoice SET series_number = 1 WHERE series_number = 2",
    ),
    "I6 a number nobody has": (
        "I6",
        "UPDATE invoicing_numberseries SET last_number = last_number + 1",
    ),
    "I6 from two on": (
        "I6",
        "UPDATE invoicing_invoice SET series_number = series_number + 1",
    ),
    "I6 earlier with a later number": (
        "I6",
        "UPDATE invoicing_invoice SET issue_date = issue_date - 40 WHERE series_number = 2",
    ),
    "I6 no series": ("I6", "DELETE FROM invoicing_numberseries"),
    "I7 pending though issued": ("I7", "UPDATE invoicing_charge SET status = 'pending'"),
    "I7 invoiced though drafted": (
        "I7",
        "UPDATE invoicing_charge SET status = 'invoiced' WHERE status = 'pending'",
    ),
    "I7 invoiced on nothing": ("I7", "DELETE FROM invoicing_invoiceline WHERE position = 1"),
    "I8 another file": ("I8", "UPDATE invoicing_storeddocument SET content = 'other'"),
    "I8 another digest": ("I8", "UPDATE invoicing_storeddocument SET sha256 = 'other'"),
    "I9 a side too much": (
        "I9",
        "UPDATE invoicing_ledgerposting SET amount_minor = amount_minor + 1"
        " WHERE ledger = 'revenue'",
    ),
    "I9 a side too few": ("I9", "DELETE FROM invoicing_ledgerposting WHERE ledger = 'tax'"),
    "I9 not booked": (
        "I9",
        "DELETE FROM invoicing_ledgerposting; DELETE FROM invoicing_ledgerentry",
    ),
    "I9 booked on another day": (
        "I9",
        "UPDATE invoicing_ledgerentry SET booked_on = booked_on - 1",
    ),
    "I9 booked in another currency": (
        "I9",
        "UPDATE invoicing_ledgerentry SET currency = 'CHF'",
    ),
    "I9 in a ledger of nobody": (
        "I9",
        "UPDATE invoicing_ledgerposting SET ledger = 'petty_cash' WHERE ledger = 'revenue'",
    ),
    "I10 a booking nobody made": (
        "I10",
        "UPDATE invoicing_ledgerposting SET amount_minor = amount_minor"
        " + CASE ledger WHEN 'receivable' THEN 100 ELSE -100 END WHERE ledger <> 'tax'",
    ),
    "I10 another payer's": (
        "I10",
        "UPDATE invoicing_ledgerposting SET account_id = (SELECT account_id FROM"
        " invoicing_charge ORDER BY account_id DESC LIMIT 1) WHERE ledger = 'receivable'",
    ),
    "I10 another document's": (
        "I10",
        "UPDATE invoicing_ledgerposting SET invoice_id = (SELECT id FROM invoicing_invoice"
        " WHERE number = 'RE-2026-000002') WHERE ledger = 'receivable'",
    ),
    "I10 a credit nobody has": (
        "I10",
        "UPDATE invoicing_ledgerposting SET ledger = 'customer_credit', account_id = (SELECT"
        " payer_id FROM invoicing_invoice LIMIT 1) WHERE ledger = 'revenue'",
    ),
    "I10 credited and not booked": (
        "I10",
        "UPDATE invoicing_invoice SET credited_minor = 1, corrected_minor = 1",
    ),
    "I10 paid and not booked": ("I10", "UPDATE invoicing_invoice SET paid_minor = 1"),
    "I17 an interval": ("I17", "UPDATE accounts_accountnode SET rght = rght + 7"),
    "I20 no payer's name": (
        "I20",
        "UPDATE invoicing_invoice SET snapshot = snapshot #- '{payer,name}'",
    ),
    "I20 no bill-to": ("I20", "UPDATE invoicing_invoice SET snapshot = snapshot - 'bill_to'"),
    "I20 no seller": ("I20", "UPDATE invoicing_invoice SET snapshot = '{}'"),
    "I21 too much": ("I21", "UPDATE invoicing_invoice SET paid_minor = gross_minor + 1"),
    "I21 less than nothing": ("I21", "UPDATE invoicing_invoice SET paid_minor = -1"),
    "I21 paid and credited": (
        "I21",
        "UPDATE invoicing_invoice SET paid_minor = gross_minor, credited_minor = 1",
    ),
    "I22 taken back by no credit note": ("I22", "UPDATE invoicing_invoice SET corrected_minor = 1"),
    "I22 less than nothing": (
        "I22",
        "UPDATE invoicing_invoice SET credited_minor = -1, corrected_minor = -1",
    ),
    "I22 taken back of a draft": (
        "I22",
        "UPDATE invoicing_invoice SET kind = 'credit_note', corrects_id = (SELECT id FROM"
        " invoicing_invoice WHERE number IS NULL LIMIT 1) WHERE series_number = 2",
    ),
    "I22 more of a tax group": (
        "I22",
        "UPDATE invoicing_invoicetax SET base_minor = 1000 * base_minor WHERE base_minor < 0",
    ),
    "I22 more tax": (
        "I22",
        "UPDATE invoicing_invoicetax SET tax_minor = 1000 * tax_minor WHERE base_minor < 0",
    ),
    "I22 another tax group": (
        "I22",
        "UPDATE invoicing_invoicetax SET category = 'Z' WHERE base_minor < 0",
    ),
    "I22 more of a line": (
        "I22",
        "UPDATE invoicing_invoiceline SET net_minor = 1000 * net_minor"
        " WHERE corrects_id IS NOT NULL",
    ),
    "I22 a line at another rate": (
        "I22",
        "UPDATE invoicing_invoiceline SET tax_rate = 1 WHERE corrects_id IS NOT NULL",
    ),
    "I22 the tax of a line": (
        "I22",
        "UPDATE invoicing_invoiceline SET tax_minor = tax_minor - 1 WHERE corrects_id IS NOT NULL",
    ),
    "I22 another payer's": (
        "I22",
        "UPDATE invoicing_invoice SET payer_id = (SELECT account_id FROM invoicing_charge"
        " ORDER BY account_id DESC LIMIT 1) WHERE kind = 'credit_note'",
    ),
    "I22 a credit note gone": (
        "I22",
        "DELETE FROM invoicing_invoice WHERE number = 'RK-2026-000002'",
    ),
    "I6 a credit note's gap": (
        "I6",
        "UPDATE invoicing_invoice SET series_number = 3 WHERE number = 'RK-2026-000002'",
    ),
    "I9 a credit note not booked": (
        "I9",
        "DELETE FROM invoicing_ledgerposting AS posting USING invoicing_ledgerentry AS entry"
        " WHERE posting.entry_id = entry.id AND entry.kind = 'credit_note_issued';"
        " DELETE FROM invoicing_ledgerentry WHERE kind = 'credit_note_issued'",
    ),
    "I24 a credit note without a trace": (
        "I24",
        "DELETE FROM accounts_auditentry WHERE action = 'credit_note.issued'",
    ),
    "I23 a line's amount": ("I23", "UPDATE invoicing_invoiceline SET net_minor = net_minor + 1"),
    "I23 a line's days": ("I23", "UPDATE invoicing_invoiceline SET period_end = period_end + 1"),
    "I23 the currency": ("I23", "UPDATE invoicing_invoice SET currency = 'CHF'"),
    "I24 no trace": ("I24", "DELETE FROM accounts_auditentry WHERE action = 'invoice.issued'"),
    "files: neither file nor place": ("files", "DELETE FROM invoicing_documenttomake"),
    "charged never": (
        "charged",
        "DELETE FROM invoicing_charge WHERE due_date = (SELECT min(due_date) FROM"
        " invoicing_charge)",
    ),
    "days: charged for others": (
        "days",
        "UPDATE invoicing_charge SET period_end = period_end + 1",
    ),
    "days: charged twice": (
        "days",
        "DELETE FROM invoicing_charge WHERE kind = 'credit'",
    ),
    "credited: too much": (
        "credited",
        "UPDATE invoicing_charge SET net_minor = 2 * net_minor WHERE kind = 'credit'",
    ),
    "credited: of another item": (
        "credited",
        "UPDATE invoicing_charge SET item_id = NULL, period_id = NULL WHERE kind = 'credit'",
    ),
    "I3 what was agreed": (
        "I3",
        "UPDATE invoicing_charge SET kind = 'one_off', net_minor = net_minor + 1"
        " WHERE kind = 'recurring'",
    ),
    "offset: on a document": (
        "offset",
        "UPDATE invoicing_charge SET status = 'offset' WHERE status = 'pending'",
    ),
    "offset: its credit waits": (
        "offset",
        "UPDATE invoicing_charge SET status = 'pending' WHERE status = 'offset'"
        " AND kind = 'credit'",
    ),
    "offset: something is left": (
        "offset",
        "UPDATE invoicing_charge SET net_minor = net_minor + 1 WHERE status = 'offset'"
        " AND kind = 'recurring'",
    ),
    "offset: days are left": (
        "offset",
        "UPDATE invoicing_charge SET period_end = period_end - 1 WHERE status = 'offset'"
        " AND kind = 'credit'",
    ),
    "offset: another payer's": (
        "offset",
        "UPDATE invoicing_charge SET reason = jsonb_set(reason, '{payer,id}', '\"acc_x\"')"
        " WHERE status = 'offset' AND kind = 'credit'",
    ),
    "transferred: another amount": (
        "transferred",
        "UPDATE invoicing_charge SET net_minor = net_minor - 1"
        " WHERE jsonb_exists(calculation, 'taken_over')",
    ),
    "transferred: no credit": (
        "transferred",
        "DELETE FROM invoicing_charge WHERE bill_to_id IS NOT NULL",
    ),
    "used: a sum": ("used", "UPDATE subscriptions_usageday SET total = total + 1"),
    "used: a highest": ("used", "UPDATE subscriptions_usageday SET highest = highest + 1"),
    "used: an event of another quantity": (
        "used",
        "UPDATE subscriptions_usageevent SET quantity = quantity + 1 WHERE event_id = 'c1'",
    ),
    "used: an event gone": ("used", "DELETE FROM subscriptions_usageevent WHERE event_id = 'c1'"),
    "used: a day gone": ("used", "DELETE FROM subscriptions_usageday"),
    "used: events gone": ("used", "DELETE FROM subscriptions_usageevent"),
    "metered: another quantity": (
        "metered",
        "UPDATE invoicing_charge SET calculation = jsonb_set(calculation, '{quantity}', '\"1\"')"
        " WHERE calculation->'usage'->'meter'->>'external_id' = 'calls'",
    ),
    "metered: a sum": (
        "metered",
        "UPDATE subscriptions_usageday SET total = total + 1 WHERE events = 2",
    ),
    "metered: a key gone": (
        "metered",
        "DELETE FROM subscriptions_usagekey WHERE unique_key = 'u2'",
    ),
    "metered: nothing makes it good": ("metered", "DELETE FROM subscriptions_lateusage"),
    "committed: another amount": (
        "committed",
        "UPDATE invoicing_charge SET net_minor = net_minor + 1 WHERE kind = 'commitment'",
    ),
    "pooled: another share": (
        "pooled",
        "UPDATE invoicing_charge SET calculation = jsonb_set(calculation, '{pool,share_minor}',"
        " '1') WHERE jsonb_exists(calculation, 'pool')",
    ),
    "pooled: used by nobody": (
        "pooled",
        "UPDATE invoicing_charge SET calculation = jsonb_set(calculation, '{pool,quantity}',"
        " '\"99\"') WHERE jsonb_exists(calculation, 'pool')",
    ),
    "pooled: shares not noted": ("pooled", "DELETE FROM subscriptions_poolshare"),
    "history: two values": (
        "history",
        "INSERT INTO accounts_settinginterval SELECT (jsonb_populate_record(s,"
        " jsonb_build_object('id', gen_random_uuid(), 'valid_from', '2026-01-01'))).*"
        " FROM accounts_settinginterval AS s WHERE account_id IS NOT NULL LIMIT 1",
    ),
    "history: two defaults": (
        "history",
        "INSERT INTO accounts_settinginterval SELECT (jsonb_populate_record(s,"
        " jsonb_build_object('id', gen_random_uuid(), 'valid_from', '2026-01-01'))).*"
        " FROM accounts_settinginterval AS s WHERE account_id IS NULL LIMIT 1",
    ),
    "history: two places": (
        "history",
        "INSERT INTO accounts_placement SELECT (jsonb_populate_record(p,"
        " jsonb_build_object('id', gen_random_uuid(), 'valid_from', '2026-01-01'))).*"
        " FROM accounts_placement AS p LIMIT 1",
    ),
    "history: another parent": (
        "history",
        "UPDATE accounts_placement SET parent_id = NULL",
    ),
    "history: no place": ("history", "DELETE FROM accounts_placement"),
}


@pytest.fixture
def books(committed_database: str) -> Iterator[Vendor]:
    """Return a vendor with two issued documents and a draft, seen by the owner of the tables."""
    app = dict(connections.settings["default"])
    owner = connections.settings["owner"]
    vendor = make_vendor()
    vendor.has(
        "accounts", account("A", billing_day=1), account("A1", "A", cost_centre="K"), account("B")
    )
    vendor.has("prices", price("ten", "10"), price("later", "9.99", timing="arrears"))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-11-17"),
        subscription("S2", "A1", "later", "2026-10-01"),
        subscription("S3", "B", "ten", "2026-12-15"),
        subscription("S8", "A", "ten", "2027-01-01"),
    )
    _measure(vendor)
    vendor.run("2026-12-01")
    vendor.run("2026-12-15")
    with vendor.seen():
        item = Item.objects.get(subscription__external_id="S1")
    change_subscription(
        vendor.actor,
        item.subscription_id,
        [ItemChange(item.pk, quantity=Decimal(2))],
        day=date(2026, 12, 1),
        today=date(2026, 12, 15),
        now=NOW,
    )
    _let_a_pay_for_b(vendor)
    vendor.run("2027-01-01", issue=False)
    _take_back_before_invoicing(vendor)
    _use(vendor, ("late", "S4", "calls", "2026-12-03", ""))
    _take_back(vendor)
    documents = vendor.documents()
    assert [d["number"] for d in documents] == [
        "RE-2026-000001", "RE-2026-000002", "RK-2026-000001", "RK-2026-000002", None, None,
    ]  # fmt: skip
    connections["default"].close()
    connections.settings["default"].update(USER=owner["USER"], PASSWORD=owner["PASSWORD"])
    try:
        yield vendor
    finally:
        connections["default"].close()
        connections.settings["default"].update(app)


def _take_back_before_invoicing(vendor: Vendor) -> None:
    """What S8 costs stands on a draft, and is not owed after all."""
    today = date(2027, 1, 1)
    with vendor.seen():
        key = Subscription.objects.get(external_id="S8").pk
    pause_subscription(vendor.actor, key, day=today, until=None, today=today, now=NOW)
    refresh_drafts(vendor.actor, now=NOW)


def _take_back(vendor: Vendor) -> None:
    """A part of the first invoice was paid, and it is corrected twice: by more than is open."""
    with vendor.seen():
        invoice = Invoice.objects.get(number="RE-2026-000001")
        lines = list(InvoiceLine.objects.filter(invoice=invoice, net_minor__gt=0)[:2])
    wanted = [
        NewCorrection("Agreed", line_ids=(lines[0].pk,)),
        NewCorrection("Agreed", line_ids=(lines[1].pk,), amount_minor=lines[1].net_minor - 1),
    ]
    for one in wanted:
        correct_invoice(vendor.actor, invoice.pk, one, today=date(2026, 12, 20), now=NOW)


def _let_a_pay_for_b(vendor: Vendor) -> None:
    """What is charged of B's running month goes over to A on 20 December."""
    day = date(2026, 12, 20)
    wanted = Wanted("payer", vendor.id_of("B"), day, target_id=vendor.id_of("A"), prepaid="credit")
    today = date(2026, 12, 15)
    plan = create_plan(vendor.actor, wanted, today=today, now=NOW)
    submit_plan(vendor.actor, plan.pk, today=today, now=NOW)
    answer_plan(vendor.actor, plan.pk, accepts=True, reason="So", today=today, now=NOW)
    carry_out_due_plans(vendor.actor, day=day, now=NOW)


def _measure(vendor: Vendor) -> None:
    """A1 uses what is charged by a sum, and what is charged by how many there were."""
    for key, aggregation in (("calls", "sum"), ("users", "unique_count"), ("tons", "sum")):
        create_meter(vendor.actor, NewMeter(key, key.capitalize(), aggregation), now=NOW)
    vendor.has(
        "prices",
        price("by-call", "0.50", model="per_unit", timing="arrears", meter="calls"),
        price(
            "by-user", "3", model="per_unit", timing="arrears", meter="users", minimum_amount="20"
        ),
        price(
            "by-ton", model="graduated", timing="arrears", meter="tons", tiers="10:1:0|inf:0.5:0"
        ),
    )
    vendor.has(
        "subscriptions",
        subscription("S4", "A1", "by-call", "2026-11-01"),
        subscription("S5", "A1", "by-user", "2026-11-01"),
        subscription("S6", "A", "by-ton", "2026-11-01"),
        subscription("S7", "A1", "by-ton", "2026-11-01"),
    )
    with vendor.seen():
        scheme = Price.objects.get(external_id="by-ton").pk
    wanted = NewPool(scheme, date(2026, 11, 1))
    begin_pool(vendor.actor, vendor.id_of("A"), wanted, today=date(2026, 11, 1), now=NOW)
    _use(
        vendor,
        ("c1", "S4", "calls", "2026-11-03", ""),
        ("c2", "S4", "calls", "2026-11-03", ""),
        ("c3", "S4", "calls", "2026-11-20", ""),
        ("u1", "S5", "users", "2026-11-03", "u1"),
        ("u2", "S5", "users", "2026-11-04", "u1"),
        ("u3", "S5", "users", "2026-11-04", "u2"),
        ("t1", "S6", "tons", "2026-11-04", ""),
        ("t2", "S7", "tons", "2026-11-05", ""),
    )


def _use(vendor: Vendor, *events: tuple[str, str, str, str, str]) -> None:
    """Report events: id, subscription, meter, day, key. Each is of seven."""
    new = [
        NewUsage(
            key,
            f"ext:{of}",
            f"ext:{meter}",
            Decimal(7),
            datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC),
            unique_key=unique_key,
        )
        for key, of, meter, day, unique_key in events
    ]
    report_usage(vendor.actor, new, today=date(2026, 12, 31), now=NOW)


@contextmanager
def lawless() -> Iterator[None]:
    """Take triggers and constraints away until the end, then put everything back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint"
            " WHERE contype IN ('c', 'f', 'u') AND connamespace = 'public'::regnamespace"
            " ORDER BY contype = 'f' DESC"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE")
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON oid = indexrelid"
            " WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
        for table in MONEY.split():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        transaction.set_rollback(True)


def plant(vendor: Vendor, statement: str) -> set[str]:
    """Return the invariants that are broken once the statement was carried out."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0, statement
        _checked, violations = verify_books(vendor.actor)
        transaction.set_rollback(True)
    return {violation.invariant for violation in violations}


def test_finds_every_planted_fault(books):
    with books.seen():
        StoredDocument.objects.create(
            tenant_id=books.tenant_id,
            invoice=Invoice.objects.get(number="RE-2026-000001"),
            kind="pdf",
            file_name="a.pdf",
            content=b"abc",
            sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            created_at=NOW,
        )
        checked, violations = verify_books(books.actor)
        assert violations == []
        assert all(count > 0 for count in checked.values())
        with lawless():
            found = {name: plant(books, statement) for name, (_i, statement) in FAULTS.items()}

    missed = {
        name: found[name] for name, (wanted, _s) in FAULTS.items() if wanted not in found[name]
    }
    assert missed == {}
    assert {wanted for wanted, _statement in FAULTS.values()} == {
        *(invariant.name for invariant in INVARIANTS),
        "I17",
    }


def test_sees_one_tenant_alone(vendor, other_vendor):
    vendor.has("accounts", account("A"))

    with other_vendor.seen():
        checked, violations = verify_books(other_vendor.actor)

    assert violations == []
    assert (checked["I17"], checked["I6"]) == (0, 0)


def test_is_for_those_who_see_all_invoices(vendor, bob):
    vendor.has("accounts", account("A"))
    actor = bob("A")

    with vendor.seen(), pytest.raises(Forbidden):
        verify_books(actor)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda one: one.name)
def test_no_check_looks_up_row_by_row(vendor, invariant):
    """Statistics that are old or of other tenants can then not make it slow."""
    with vendor.seen(), _joining_whole_tables() as cursor:
        for statement in (invariant.counted, f"{invariant.broken} LIMIT 100"):
            cursor.execute(f"EXPLAIN {statement}", {"tenant": vendor.tenant_id})
            plan = "\n".join(row for (row,) in cursor.fetchall())

            assert "Nested Loop" not in plan
            assert "SubPlan" not in plan


def test_leaves_the_planner_as_it_was(vendor):
    with vendor.seen(), connection.cursor() as cursor:
        verify_books(vendor.actor)
        cursor.execute("SHOW enable_nestloop")

        assert cursor.fetchone() == ("on",)
