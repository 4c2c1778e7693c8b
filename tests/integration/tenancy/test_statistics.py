"""Statistics are counted anew when much was written, where it keeps nobody waiting."""

import pytest
from django.db import connection, connections, transaction
from django.db.models import JSONField, Model

from accounts.models import Account
from invoicing.models import Charge, Invoice, InvoiceSection, RunProblem
from tenancy.database.statistics import refresh_outdated_statistics
from tenancy.models import AuditEntry, Event
from tests.world import Vendor, account, make_vendor, price, subscription

MANY = 150


def believed(model: type[Model]) -> float:
    """Return how many rows the planner believes that a table has; -1 if nobody counted them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [model._meta.db_table])
        return float(cursor.fetchone()[0])


def vendor_with(accounts: int) -> Vendor:
    vendor = make_vendor("counted")
    vendor.has("accounts", *(account(f"A{number}") for number in range(accounts)))
    return vendor


@pytest.mark.usefixtures("committed_database")
def test_counts_what_has_grown_and_nothing_else():
    vendor_with(MANY)
    assert believed(Account) == -1

    assert refresh_outdated_statistics() > 0

    assert believed(Account) == MANY
    assert believed(Charge) == -1
    assert refresh_outdated_statistics() == 0


@pytest.mark.usefixtures("committed_database")
def test_leaves_it_within_a_transaction_and_waits_for_nobody():
    vendor_with(MANY)
    owner = connections["owner"]

    with transaction.atomic():
        assert refresh_outdated_statistics() == 0
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_account IN SHARE UPDATE EXCLUSIVE MODE")
        refresh_outdated_statistics()

    assert believed(Account) == -1
    assert believed(Event) > MANY


@pytest.mark.usefixtures("committed_database")
def test_a_run_leaves_fresh_statistics():
    vendor = vendor_with(1)
    vendor.has("prices", price("ten", "10"))
    vendor.has(
        "subscriptions",
        *(subscription(f"S{number}", "A0", "ten", "2026-12-01") for number in range(MANY)),
    )

    vendor.bills("2026-12-01")

    assert believed(Charge) == MANY


@pytest.mark.django_db
@pytest.mark.parametrize("model", [AuditEntry, Charge, Event, Invoice, InvoiceSection, RunProblem])
def test_json_that_grows_with_every_run_is_not_counted(model):
    wanted = {one.column for one in model._meta.fields if isinstance(one, JSONField)}

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attstattarget = 0",
            [model._meta.db_table],
        )
        assert {name for (name,) in cursor.fetchall()} == wanted
