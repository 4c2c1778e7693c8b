"""Drafts that wait while time goes on: later runs take them up, corrections count."""

import pytest

from accounts.models import Seller
from accounts.operations.sellers import update_seller
from invoicing.models import BillingRun, Charge, Invoice
from invoicing.operations.runs import DraftsChanged, approve_drafts
from tests.world import DATA, NOW, TODAY, account, price, subscription

DECEMBER, JANUARY = "2026-12-01", "2027-01-01"


def case(vendor, name, *more):
    """Import a folder of ``tests/data/cases``."""
    for kind in ("accounts", "prices", "subscriptions"):
        report = vendor.load(kind, (DATA / "cases" / name / f"{kind}.csv").read_bytes())
        assert report.errors == ()


def correct(vendor):
    file = DATA / "cases" / "corrected-before-issue" / "accounts-corrected.csv"
    report = vendor.load("accounts", file.read_bytes())
    assert (report.updated, report.errors) == (1, ())


def run_of(vendor, day):
    with vendor.seen():
        return BillingRun.objects.get(date=day)


def only_draft(vendor):
    with vendor.seen():
        return Invoice.objects.get(status__in=Invoice.UNISSUED)


def test_bills_what_an_earlier_run_left_on_one_document(vendor):
    case(vendor, "drafts-left-behind")
    vendor.run(DECEMBER, issue=False)

    (document,) = vendor.bills(JANUARY)

    assert (document["net_minor"], document["number"]) == (2000, "RE-2027-000001")
    december = run_of(vendor, DECEMBER)
    assert (december.status, december.taken_by_id) == ("done", run_of(vendor, JANUARY).id)
    assert vendor.bills(JANUARY) == []
    assert vendor.violations() == []
    with vendor.seen():
        assert Invoice.objects.count() == 1


def test_says_who_took_a_part_and_waits_for_the_rest(vendor):
    vendor.has("accounts", account("A", billing_day=1), account("B", billing_day=1))
    vendor.has("prices", price("ten", "10"))
    vendor.has(
        "subscriptions",
        subscription("SA", "A", "ten", DECEMBER),
        subscription("SB", "B", "ten", DECEMBER),
    )
    vendor.run(DECEMBER, issue=False)

    vendor.run("2026-12-02", issue=True, within="A")

    december = run_of(vendor, DECEMBER)
    assert (december.status, december.taken_by_id) == (
        "to_approve",
        run_of(vendor, "2026-12-02").id,
    )
    assert only_draft(vendor).run_id == december.id
    assert vendor.violations() == []


def test_a_correction_before_issue_counts(vendor):
    case(vendor, "corrected-before-issue")
    vendor.run(DECEMBER, issue=False)
    assert ("warning", "vat_id_missing_or_invalid", "AT") in vendor.problems()
    assert only_draft(vendor).tax_minor == 1900
    correct(vendor)

    (document,) = vendor.bills(DECEMBER)

    assert (document["net_minor"], document["tax_minor"]) == (10000, 0)
    assert vendor.problems() == []
    assert vendor.violations() == []


def approve(vendor, draft, today=TODAY):
    return approve_drafts(
        vendor.actor, draft.run_id, {draft.id: draft.content_hash}, today=today, now=NOW
    )


CHANGES = {
    "address": ("accounts", account("A", line1="Neue Straße 7", city="Berlin"), ("recipient",)),
    "name": ("accounts", account("A", legal_name="Anders AG"), ("recipient",)),
    "VAT id": ("accounts", account("A", vat_id="DE136695976"), ("recipient",)),
    "terms": ("accounts", account("A", payment_terms_days=30), ("terms",)),
    "PO number": ("accounts", account("A", po_number="PO-7"), ("po_number", "other")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_approves_no_draft_whose_sources_have_changed(vendor, change):
    """Nothing is issued; the draft has the new figures and is approved once these were seen."""
    kind, row, what = CHANGES[change]
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("SA", "A", "ten", DECEMBER))
    vendor.run(DECEMBER, issue=False)
    seen = only_draft(vendor)
    vendor.has(kind, row)

    with pytest.raises(DraftsChanged) as refused:
        approve(vendor, seen)

    (told,) = refused.value.changes
    assert set(told.what) <= set(what)
    assert (told.before_minor, told.after_minor) == (1190, 1190)
    fresh = only_draft(vendor)
    assert fresh.id == seen.id
    assert fresh.content_hash != seen.content_hash
    assert fresh.number is None
    approve(vendor, fresh)
    with vendor.seen():
        issued = Invoice.objects.get()
        assert issued.number == "RE-2026-000001"
        assert issued.content_hash == fresh.content_hash
    assert vendor.violations() == []


def test_notices_that_the_seller_has_changed(vendor):
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", subscription("SA", "A", "ten", DECEMBER))
    vendor.run(DECEMBER, issue=False)
    seen = only_draft(vendor)
    with vendor.seen():
        seller = Seller.objects.get().id
    update_seller(vendor.actor, seller, now=NOW, bank_name="Another bank")

    with pytest.raises(DraftsChanged) as refused:
        approve(vendor, seen)

    assert [change.what for change in refused.value.changes] == [("seller",)]


def test_approval_rates_nothing(vendor):
    """What was imported since waits for the next run, however the old page is sent off."""
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("ten", "10"), price("much", "10000"))
    vendor.has("subscriptions", subscription("SA", "A", "ten", DECEMBER))
    vendor.run(DECEMBER, issue=False)
    seen = only_draft(vendor)
    vendor.has("subscriptions", subscription("late", "A", "much", DECEMBER))

    approve(vendor, seen)

    assert [(d["net_minor"], d["gross_minor"]) for d in vendor.documents()] == [(1000, 1190)]
    with vendor.seen():
        assert Charge.objects.count() == 1
    (second,) = vendor.bills(DECEMBER)
    assert second["net_minor"] == 1000000


def test_a_run_with_nothing_due_is_done(vendor):
    report = vendor.run(DECEMBER, issue=False)

    assert (report.run.status, report.invoice_ids) == ("done", [])
    assert report.run.finished_at is not None
