"""Whatever is asked with another tenant's ids is answered as for ids that nobody has."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import QuerySet

from accounts import tree
from accounts.models import Account, AccountNode
from accounts.queries import accounts as account_queries
from accounts.queries import paths
from accounts.queries.effective_settings import settings_of
from accounts.queries.settings import own_values
from accounts.queries.subtrees import subtree
from invoicing.documents.making import make_files
from invoicing.models import BillingRun, Charge, Invoice, InvoiceLine, LedgerPosting, RunFamily
from invoicing.operations.runs import request_run, run_billing, work_on_run
from invoicing.queries import charges as charge_queries
from invoicing.queries import invoice_parts, run_problems
from invoicing.queries import invoices as invoice_queries
from invoicing.queries import runs as run_queries
from tenancy.errors import BillingError
from tenancy.ids import public_id, uuid7
from tenancy.models import AuditEntry, Event
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 1)
RUN: dict[str, Any] = {"run_date": DAY, "issue": True, "today": TODAY}

ASK = {
    "account": {
        "accounts within": lambda a, x: account_queries.accounts(a, within=x),
        "accounts below": lambda a, x: account_queries.accounts(a, parent=x),
        "get_account": lambda a, x: account_queries.get_account(a, x),
        "resolve_reference": lambda a, x: account_queries.resolve_reference(a, public_id("acc", x)),
        "path_of": lambda a, x: paths.path_of(a, x),
        "paths_of": lambda a, x: paths.paths_of(a, [x]),
        "parents_of": lambda a, x: paths.parents_of(a, [x]),
        "parents_of then": lambda a, x: paths.parents_of(a, [x], as_of=TODAY),
        "own_values": lambda a, x: own_values(a, [x], ["billing_day"], as_of=TODAY),
        "subtree": lambda a, x: subtree(a, x),
        "subtree then": lambda a, x: subtree(a, x, as_of=TODAY),
        "settings_of": lambda a, x: settings_of(a, x, TODAY),
        "charges": lambda a, x: charge_queries.charges(a, within=x),
        "invoices within": lambda a, x: invoice_queries.invoices(a, within=x, today=TODAY),
        "invoices of bill-to": lambda a, x: invoice_queries.invoices(a, bill_to=x, today=TODAY),
        "invoices of payer": lambda a, x: invoice_queries.invoices(a, payer=x, today=TODAY),
        "request_run": lambda a, x: request_run(a, within=x, now=NOW, **RUN),
        "run_billing": lambda a, x: run_billing(a, within=x, now=NOW, **RUN),
        "tree.path_ids": lambda a, x: tree.path_ids(a.tenant_id, x),
        "tree.families": lambda a, x: tree.families(a.tenant_id, [x]),
        "tree.move": lambda a, x: tree.move(a.tenant_id, x, None),
        "tree.insert below": lambda a, x: tree.insert(a.tenant_id, uuid7(), x),
        "tree.load below": lambda a, x: tree.bulk_load(a.tenant_id, {uuid7(): x}),
        "tree.rebuild": lambda a, x: tree.rebuild(a.tenant_id, [x]),
    },
    "invoice": {
        "get_invoice": lambda a, x: invoice_queries.get_invoice(a, x),
        "get_invoice to change it": lambda a, x: invoice_queries.get_invoice(a, x, lock=True),
        "documents_by_path": lambda a, x: run_queries.documents_by_path(a, [x]),
        "make_files": lambda a, x: make_files(a, x, now=NOW),
    },
    "line": {
        "get_line": lambda a, x: invoice_parts.get_line(a, x),
        "explanation": lambda a, x: invoice_parts.explanation(a, x),
    },
    "run": {
        "get_run": lambda a, x: run_queries.get_run(a, x),
        "problems_of": lambda a, x: run_problems.problems_of(a, x),
        "progress_of": lambda a, x: run_queries.progress_of(a, x),
        "invoices of run": lambda a, x: invoice_queries.invoices(a, run=x, today=TODAY),
        "work_on_run": lambda a, x: work_on_run(a, x, today=TODAY, now=NOW),
    },
}
# With an id of one's own these answer no other than with a random one, here.
SILENT = {"parents_of", "parents_of then", "problems_of", "tree.move", "tree.rebuild",
          "tree.insert below", "tree.load below", "make_files"}  # fmt: skip


def dump(vendor):
    with vendor.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (
                Account, AccountNode, BillingRun, RunFamily, Charge, Invoice, InvoiceLine,
                LedgerPosting, AuditEntry, Event,
            )
        ]  # fmt: skip


@scene
def both(vendor, other_vendor):
    """Return two tenants with the same keys: one issued invoice each, and one more to make."""
    for each in (vendor, other_vendor):
        each.has("accounts", account("A", billing_day=1), account("A1", "A"), account("B"))
        each.has("prices", price("ten", "10"))
        each.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))
        each.run(DAY)
        each.has("subscriptions", subscription("S2", "B", "ten", "2026-12-01"))
    return vendor, other_vendor


def ids_of(vendor):
    with vendor.seen():
        return {
            "account": vendor.id_of("A"),
            "invoice": Invoice.objects.get().id,
            "line": InvoiceLine.objects.get().id,
            "run": BillingRun.objects.get().id,
        }


def answer(vendor, kind, name, key):
    """Return what comes back, in a form in which two answers can be compared."""
    question = ASK[kind][name]
    try:
        with vendor.seen():
            found = question(vendor.actor, key)
            return list(found) if isinstance(found, QuerySet) else found
    except (BillingError, ObjectDoesNotExist) as error:
        return type(error), str(error)


@pytest.mark.parametrize("kind", ASK)
def test_knows_another_tenants_ids_no_better_than_random_ones(both, kind):
    vendor, other = both
    theirs = ids_of(other)[kind]
    before = dump(vendor), dump(other)

    for name in ASK[kind]:
        assert answer(vendor, kind, name, theirs) == answer(vendor, kind, name, uuid7()), name
        assert (dump(vendor), dump(other)) == before, name


@pytest.mark.parametrize("kind", ASK)
def test_knows_its_own(both, kind):
    """Prove that the questions above are real ones: with one's own id they are answered."""
    vendor, _other = both
    ours = ids_of(vendor)[kind]

    for name in set(ASK[kind]) - SILENT:
        with vendor.seen(), transaction.atomic():
            ours_answer = answer(vendor, kind, name, ours)
            transaction.set_rollback(True)
        assert ours_answer != answer(vendor, kind, name, uuid7()), name


def test_bills_one_tenant_and_leaves_the_other(both):
    vendor, other = both
    before = dump(other)

    (invoice,) = vendor.bills(DAY)

    assert invoice["bill_to"] == "B"
    assert dump(other) == before
    assert vendor.violations() == other.violations() == []


def test_mixing_two_tenants_in_one_transaction_is_refused(both):
    from tenancy.database import TenantMixed

    vendor, other = both

    with vendor.seen(), pytest.raises(TenantMixed):
        other.run(DAY)
