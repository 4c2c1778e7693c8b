"""Each address costs a bounded number of statements, however many rows there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey
from invoicing.models import InvoiceLine
from tenancy import database
from tenancy.ids import public_id
from tests.http.api import world
from tests.scenes import scene
from tests.world import account

MANY = [account(f"N{number:02}", "A1", name=f"Branch {number}") for number in range(30)]
# Finding the key, opening its transaction, reading key and tenant, closing it again: the test's
# own transaction makes savepoints of what is BEGIN and COMMIT elsewhere, and resets the tenant.
ENTRY = 7
COSTS = {
    "/api/v1/me": 1,
    "/api/v1/accounts?in=ext:G": 6,
    "/api/v1/accounts?as_of=2026-12-01": 5,
    "/api/v1/accounts/ext:A1": 5,
    "/api/v1/accounts/ext:G/subtree": 3,
    "/api/v1/accounts/ext:G/subtree?depth=1": 3,
    "/api/v1/accounts/ext:G/subtree?as_of=2026-12-01": 3,
    "/api/v1/accounts/ext:A1/settings": 6,
    "/api/v1/invoices?in=ext:A": 2,
    "/api/v1/invoices/{invoice}": 2,
    "/api/v1/invoices/{invoice}?expand=lines": 4,
    "/api/v1/charges?in=ext:A": 2,
    "/api/v1/billing-runs": 1,
    "/api/v1/billing-runs/{run}": 8,
    "/api/v1/lines/{line}/explanation": 1,
}
LIMITED = {
    "/api/v1/me": 1,
    "/api/v1/accounts": 5,
    "/api/v1/accounts/ext:A1": 5,
    "/api/v1/invoices": 1,
    "/api/v1/invoices/{invoice}": 2,
    "/api/v1/invoices/{invoice}?expand=lines": 8,
    "/api/v1/charges": 1,
    "/api/v1/lines/{line}/explanation": 3,
}


@scene
def nordlicht():
    made = world.vendor("nordlicht")
    world.subscribe(made, [("G", 1), ("A", 1), ("A1", 1)])
    world.bill(made)
    return made


@scene
def larger():
    made = world.vendor("larger")
    world.add_accounts(made, MANY)
    world.subscribe(
        made, [("G", 1), ("A", 1), ("A1", 1), *((row["external_id"], 1) for row in MANY)]
    )
    world.bill(made)
    return made


def statements(caller, vendor, secret, path):
    """Return how many statements one call costs, after a first that may note the key's use."""
    invoice = vendor.invoice_of("G")
    with database.scope(vendor.id):
        line = InvoiceLine.objects.get(invoice=invoice, section__account=vendor.accounts["A1"])
        ApiKey.objects.update(last_used_at=world.NOW.replace(year=2999))
    filled = path.format(
        invoice=invoice.public_id,
        line=line.public_id,
        run=public_id("run", invoice.run_id),
    )
    program = caller(secret)
    with CaptureQueriesContext(connection) as queries:
        answer = program.get(filled)
    assert answer.status_code == 200, answer.content
    return [query["sql"] for query in queries]


@pytest.mark.parametrize(("path", "cost"), COSTS.items())
def test_costs_the_same_for_few_and_many(nordlicht, larger, caller, path, cost):
    few = statements(caller, nordlicht, nordlicht.secret, path)
    many = statements(caller, larger, larger.secret, path)

    assert len(few) == len(many) == ENTRY + cost, "\n".join(few)


@pytest.mark.parametrize(("path", "cost"), LIMITED.items())
def test_costs_the_same_for_who_reaches_a_part(nordlicht, larger, caller, path, cost):
    few = statements(caller, nordlicht, nordlicht.key(reach="A"), path)
    many = statements(caller, larger, larger.key(reach="A"), path)

    assert len(few) == len(many) == ENTRY + cost, "\n".join(few)
