"""Drafts that are discarded, held back or rejected: the charges return to the pool."""

from dataclasses import replace
from datetime import date

import pytest

from invoicing.models import BillingRun, Charge, Invoice, LedgerPosting
from invoicing.operations.runs import RunNotWaiting, approve_drafts, request_run
from invoicing.operations.runs.approving import InvoiceNotDraft, issue_invoice
from invoicing.operations.runs.discarding import (
    NothingHeld,
    OtherDrafts,
    ReasonNeeded,
    discard_drafts,
    reject_run,
    release_charges,
)
from invoicing.operations.runs.four_eyes import FourEyes
from invoicing.queries.run_figures import digest_of, drafts_seen
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = "2026-12-01"
WHEN = {"today": TODAY, "now": NOW}


@scene
def shop(vendor):
    vendor.has("accounts", account("A"), account("B"))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", *(subscription(f"S{key}", key, "ten", DAY) for key in "AB"))
    vendor.run(DAY, issue=False)
    return vendor


def draft_of(vendor, key):
    with vendor.seen():
        return Invoice.objects.get(bill_to_id=vendor.id_of(key))


def run_of(vendor, day=DAY):
    with vendor.seen():
        return BillingRun.objects.get(date=day)


def seen_in(vendor):
    with vendor.seen():
        return digest_of(drafts_seen(vendor.actor, run_of(vendor).id))


def state(vendor):
    with vendor.seen():
        return (
            sorted(Invoice.objects.values_list("id", "status", "content_hash")),
            sorted(Charge.objects.values_list("id", "status", "is_held")),
            LedgerPosting.objects.count(),
            run_of(vendor).status,
        )


def test_discards_and_bills_again_with_the_next_run(shop, alice):
    draft = draft_of(shop, "A")

    assert discard_drafts(alice, [draft.id], reason="  Wrong  price ", hold=False, **WHEN) == 1

    with shop.seen():
        charge = Charge.objects.get(account_id=shop.id_of("A"))
        entry = AuditEntry.objects.get(action="invoice.discarded")
    assert (charge.status, charge.reason["problem"]) == ("pending", "discarded")
    assert charge.reason["held"]["by"] == "Alice"
    assert charge.reason["held"]["reason"] == "Wrong price"
    assert (entry.object_id, entry.actor_label) == (draft.id, "Alice")
    assert entry.after == {"reason": "Wrong price"}
    assert [d["bill_to"] for d in shop.bills(DAY)] == ["A", "B"]
    assert shop.violations() == []


def test_holds_charges_until_they_are_released(shop, alice):
    discard_drafts(alice, [draft_of(shop, "A").id], reason="Asked", hold=True, **WHEN)

    assert [d["bill_to"] for d in shop.bills("2026-12-02")] == ["B"]
    assert [d["bill_to"] for d in shop.bills("2026-12-03")] == []
    assert release_charges(alice, shop.id_of("A"), now=NOW) == 1
    assert [d["bill_to"] for d in shop.bills("2026-12-03")] == ["A"]
    with pytest.raises(NothingHeld):
        release_charges(alice, shop.id_of("A"), now=NOW)
    assert shop.violations() == []


def test_rejects_a_run_and_leaves_what_is_issued(shop, alice):
    issued = draft_of(shop, "A")
    issue_invoice(alice, issued.id, content_hash=None, today=TODAY, now=NOW)

    run = reject_run(alice, run_of(shop).id, reason="Not today", seen=seen_in(shop), now=NOW)

    assert (run.status, run_of(shop).rejected_by) == ("done", "Alice")
    assert [d["bill_to"] for d in shop.documents()] == ["A"]
    with pytest.raises(RunNotWaiting):
        reject_run(alice, run.id, reason="Twice", seen=seen_in(shop), now=NOW)
    assert [d["bill_to"] for d in shop.bills("2026-12-02")] == ["B"]
    assert shop.violations() == []


def test_takes_back_nothing_that_is_issued(shop, alice):
    draft = draft_of(shop, "A")
    issue_invoice(alice, draft.id, content_hash=draft.content_hash, today=TODAY, now=NOW)
    before = state(shop)

    with pytest.raises(InvoiceNotDraft):
        discard_drafts(
            alice,
            [draft.id, draft_of(shop, "B").id],
            reason="Late",
            hold=False,
            today=TODAY,
            now=NOW,
        )
    with pytest.raises(InvoiceNotDraft):
        issue_invoice(alice, draft.id, content_hash=None, today=TODAY, now=NOW)
    assert state(shop) == before


def test_rejects_no_draft_that_was_not_seen(shop, alice):
    seen = seen_in(shop)
    shop.has("accounts", account("C"))
    shop.has("subscriptions", subscription("SC", "C", "ten", DAY))
    shop.run(DAY, issue=False)
    before = state(shop)

    with pytest.raises(OtherDrafts) as refused:
        reject_run(alice, run_of(shop).id, reason="Not today", seen=seen, now=NOW)

    assert [one.detail for one in refused.value.errors] == ["Now 3 drafts, €35.70 with tax."]
    assert state(shop) == before
    with shop.seen():
        assert not AuditEntry.objects.filter(action="run.rejected").exists()
    reject_run(alice, run_of(shop).id, reason="Not today", seen=seen_in(shop), now=NOW)
    assert state(shop)[0] == []


def test_takes_back_no_draft_that_says_something_else_than_was_seen(shop, alice):
    draft = draft_of(shop, "A")
    seen = digest_of({draft.id: draft.content_hash})
    with shop.seen():
        Invoice.objects.filter(pk=draft.id).update(content_hash="0" * 64)
    before = state(shop)

    with pytest.raises(OtherDrafts) as refused:
        discard_drafts(alice, [draft.id], reason="Late", hold=False, seen=seen, **WHEN)

    assert [one.detail for one in refused.value.errors] == ["Now 1 draft, €11.90 with tax."]
    assert state(shop) == before


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_wants_a_reason(shop, alice, reason):
    before = state(shop)

    with pytest.raises(ReasonNeeded):
        discard_drafts(alice, [draft_of(shop, "A").id], reason=reason, hold=False, **WHEN)
    with pytest.raises(ReasonNeeded):
        reject_run(alice, run_of(shop).id, reason=reason, seen=seen_in(shop), now=NOW)
    assert state(shop) == before


def test_is_not_for_everybody(shop, charlie):
    before, draft = state(shop), draft_of(shop, "A")
    billing = shop.staff("Bea", "billing")

    for actor, error in ((billing, Forbidden), (charlie, (Forbidden, NotFound))):
        with pytest.raises(error):
            discard_drafts(actor, [draft.id], reason="No", hold=False, **WHEN)
        with pytest.raises(error):
            reject_run(actor, run_of(shop).id, reason="No", seen=seen_in(shop), now=NOW)
        with pytest.raises(error):
            release_charges(actor, shop.id_of("A"), now=NOW)
        with pytest.raises(error):
            issue_invoice(actor, draft.id, content_hash=None, today=TODAY, now=NOW)
    with pytest.raises(NotFound):
        discard_drafts(shop.actor, [uuid7()], reason="No", hold=False, **WHEN)
    assert state(shop) == before


def test_with_four_eyes_whoever_asked_does_not_issue(shop, alice):
    shop.change_tenant(four_eyes=True)
    day = date.fromisoformat("2026-12-02")
    shop.has("subscriptions", subscription("more", "A", "ten", "2026-12-02"))
    other = shop.staff("Otto", "owner")
    run = request_run(alice, run_date=day, within=None, issue=False, today=TODAY, now=NOW)
    shop.work(run)
    draft = draft_of(shop, "A")
    seen = {draft.id: draft.content_hash}

    with pytest.raises(FourEyes):
        approve_drafts(alice, draft.run_id, seen, today=TODAY, now=NOW)
    with pytest.raises(FourEyes):
        request_run(alice, run_date=day, within=None, issue=True, today=TODAY, now=NOW)
    assert draft_of(shop, "A").number is None
    approve_drafts(replace(other), draft.run_id, seen, today=TODAY, now=NOW)
    assert draft_of(shop, "A").number == "RE-2026-000001"
