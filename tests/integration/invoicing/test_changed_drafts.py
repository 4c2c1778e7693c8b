"""Drafts whose sources have changed: they are marked, and the timetable drafts them again."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Seller, SettingInterval, TaxRate
from invoicing.models import BillingRun, Invoice
from invoicing.operations.runs import changed
from invoicing.operations.runs.changed import compare_drafts, refresh_drafts
from subscriptions.models import Price
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

DAY = "2026-12-01"


@scene
def shop(vendor):
    vendor.has(
        "accounts", account("A", billing_day=1), account("A1", "A", kind="branch"), account("B")
    )
    vendor.has("prices", price("ten", "10"))
    vendor.has(
        "subscriptions",
        subscription("SA", "A1", "ten", DAY),
        subscription("SB", "B", "ten", DAY),
    )
    vendor.run(DAY, issue=False)
    return vendor


def documents(vendor):
    with vendor.seen():
        found = Invoice.objects.select_related("bill_to").order_by("id")
        return {one.bill_to.external_id: one for one in found}


def marked(vendor):
    """Return the recipients of drafts that are found changed."""
    with vendor.seen():
        run, tenant = BillingRun.objects.get(date=DAY), Tenant.objects.get()
        by_id = {one.id: key for key, one in documents(vendor).items()}
        found = compare_drafts(vendor.actor, run, tenant=tenant)
    assert (found.looked, found.passed_over, found.last) == (len(by_id), 0, None)
    return {by_id[key] for key in found.changed}


def in_database(vendor, model, **values):
    with vendor.seen():
        assert model.objects.filter(tenant_id=vendor.tenant_id).update(**values)


def points_to(vendor, key, name, target):
    with vendor.seen():
        SettingInterval.objects.create(
            tenant_id=vendor.tenant_id,
            account_id=vendor.id_of(key),
            name=name,
            target_id=vendor.id_of(target),
        )


CHANGES = {
    "address": lambda v: v.has("accounts", account("A", billing_day=1, line1="Neue Straße 7")),
    "legal name": lambda v: v.has("accounts", account("A", billing_day=1, legal_name="Neu AG")),
    "VAT id": lambda v: v.has("accounts", account("A", billing_day=1, vat_id="DE136695976")),
    "terms": lambda v: v.has("accounts", account("A", billing_day=1, payment_terms_days=30)),
    "PO number": lambda v: v.has("accounts", account("A", billing_day=1, po_number="PO-7")),
    "a section's name": lambda v: v.has("accounts", account("A1", "A", kind="branch", name="Neu")),
    "a section's cost centre": lambda v: v.has(
        "accounts", account("A1", "A", kind="branch", cost_centre="K7")
    ),
    "the bill-to": lambda v: points_to(v, "A1", "bill_to", "A1"),
    "the payer": lambda v: points_to(v, "A", "payer", "A1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_marks_what_has_changed_and_nothing_else(shop, change):
    assert marked(shop) == set()
    before = documents(shop)

    CHANGES[change](shop)

    assert marked(shop) == {"A"}
    # Looking stores nothing.
    assert {key: one.content_hash for key, one in documents(shop).items()} == {
        key: one.content_hash for key, one in before.items()
    }
    assert refresh_drafts(shop.actor, now=NOW) == 1
    assert marked(shop) == set()
    after = documents(shop)
    assert after["B"].content_hash == before["B"].content_hash
    assert not any(one.number for one in after.values())
    assert refresh_drafts(shop.actor, now=NOW) == 0
    assert shop.violations() == []


OF_ALL = {
    "the seller's bank": (Seller, {"bank_name": "Another bank"}),
    "a tax rate": (TaxRate, {"percent": 16}),
    "a price's tax class": (Price, {"tax_class": "reduced"}),
}


@pytest.mark.parametrize("change", OF_ALL)
def test_marks_what_all_drafts_hang_on(shop, change):
    model, values = OF_ALL[change]
    in_database(shop, model, **values)

    assert marked(shop) == {"A", "B"}
    assert refresh_drafts(shop.actor, now=NOW) == 2
    expected = {"the seller's bank": 190, "a tax rate": 160, "a price's tax class": 70}[change]
    assert {one.tax_minor for one in documents(shop).values()} == {expected}
    assert shop.violations() == []


def test_a_warning_goes_with_its_cause(vendor):
    """A missing VAT id is warned of until it is there, without anybody running again."""
    vendor.has("accounts", account("AT", country="AT", city="Wien"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("S", "AT", "ten", DAY))
    vendor.run(DAY, issue=False)
    assert vendor.problems() == [("warning", "vat_id_missing_or_invalid", "AT")]
    vendor.has("accounts", account("AT", country="AT", city="Wien", vat_id="ATU13585627"))

    assert refresh_drafts(vendor.actor, now=NOW) == 1

    assert vendor.problems() == []
    (draft,) = documents(vendor).values()
    assert (draft.regime, draft.tax_minor, draft.gross_minor) == ("reverse_charge", 0, 1000)


def test_what_can_not_be_drafted_any_more_waits_and_is_named(shop):
    shop.has("accounts", account("B", city=""))

    assert refresh_drafts(shop.actor, now=NOW) == 1

    assert [*documents(shop)] == ["A"]
    assert ("problem", "bill_to_incomplete", "B") in shop.problems()
    shop.has("accounts", account("B"))
    assert sorted(d["bill_to"] for d in shop.bills(DAY)) == ["A", "B"]
    assert shop.violations() == []


def test_closes_a_run_that_lost_its_last_draft(vendor):
    vendor.has("accounts", account("B"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("SB", "B", "ten", DAY))
    vendor.run(DAY, issue=False)
    vendor.has("accounts", account("B", city=""))

    refresh_drafts(vendor.actor, now=NOW)

    with vendor.seen():
        assert BillingRun.objects.get().status == "done"


def test_leaves_large_families_to_the_timetable_and_says_so(shop, monkeypatch):
    CHANGES["address"](shop)
    monkeypatch.setattr(changed, "MOST_ACCOUNTS", 1)

    found, run = compared(shop)

    # A and A1 are too many; only of B somebody knows.
    assert (found.changed, found.looked, found.passed_over, found.last) == ((), 1, 1, None)
    assert run.compared_at is None
    assert refresh_drafts(shop.actor, now=NOW) == 1
    assert compared(shop)[1].compared_at == NOW


@pytest.mark.parametrize(("limit", "most"), [("MOST_DRAFTS", 1), ("MOST_ACCOUNTS_AT_ONCE", 2)])
def test_compares_every_draft_part_by_part(shop, monkeypatch, limit, most):
    in_database(shop, TaxRate, percent=16)
    monkeypatch.setattr(changed, limit, most)

    first, _run = compared(shop)
    second, _run = compared(shop, after=first.last)

    assert (first.looked, second.looked, second.last) == (1, 1, None)
    assert {*first.changed, *second.changed} == {one.id for one in documents(shop).values()}


def test_looks_in_few_statements(shop):
    with shop.seen():
        run, tenant = BillingRun.objects.get(date=DAY), Tenant.objects.get()
        with CaptureQueriesContext(connection) as seen:
            compare_drafts(shop.actor, run, tenant=tenant)

    assert len(seen) <= 15, [one["sql"][:90] for one in seen]


def compared(vendor, **values):
    """Return what a look at the drafts finds, and the run."""
    with vendor.seen():
        run, tenant = BillingRun.objects.get(date=DAY), Tenant.objects.get()
        return compare_drafts(vendor.actor, run, tenant=tenant, **values), run
