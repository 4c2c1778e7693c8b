"""Approving a part of a run: what is issued, what waits on, and who may."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.models import BillingRun, Charge, Invoice, LedgerPosting
from invoicing.operations.issuing import NumberBeforeLast
from invoicing.operations.runs import DraftsChanged, RunNotWaiting, approve_drafts, request_run
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Event
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = "2026-12-01"
KEYS = ("A", "B", "C")


def fill(vendor):
    vendor.has("accounts", *(account(key) for key in KEYS))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", *(subscription(f"S{key}", key, "ten", DAY) for key in KEYS))
    vendor.run(DAY, issue=False)
    return vendor


@scene
def shop(vendor):
    return fill(vendor)


def run_of(vendor):
    with vendor.seen():
        return BillingRun.objects.get(date=DAY)


def drafts_of(vendor):
    """Return the documents by the key of their recipient."""
    with vendor.seen():
        found = Invoice.objects.select_related("bill_to")
        return {one.bill_to.external_id: one for one in found}


def approve(vendor, *keys, actor=None):
    found = drafts_of(vendor)
    seen = {found[key].id: found[key].content_hash for key in keys}
    return approve_drafts(actor or vendor.actor, run_of(vendor).id, seen, today=TODAY, now=NOW)


def state(vendor):
    """Return what stands where: statuses and numbers, bookings, charges, and the run."""
    with vendor.seen():
        return (
            {key: (one.status, one.number) for key, one in drafts_of(vendor).items()},
            LedgerPosting.objects.count(),
            sorted(Charge.objects.values_list("subscription__external_id", "status")),
            run_of(vendor).status,
        )


def test_issues_the_chosen_and_leaves_the_rest(shop):
    approval = approve(shop, "C", "A")

    documents, postings, charges, status = state(shop)
    # Numbers follow the paths of the recipients, whatever was clicked first.
    assert documents == {
        "A": ("open", "RE-2026-000001"),
        "B": ("to_approve", None),
        "C": ("open", "RE-2026-000002"),
    }
    assert postings > 0
    assert charges == [("SA", "invoiced"), ("SB", "pending"), ("SC", "invoiced")]
    assert status == "to_approve"
    assert (len(approval.issued), approval.waiting) == (2, 1)
    with shop.seen():
        assert {one.issue_date.isoformat() for one in Invoice.objects.exclude(number=None)} == {DAY}
    assert shop.violations() == []


def test_closes_the_run_with_the_last_one(shop):
    approve(shop, "A", "B")
    approval = approve(shop, "C")

    assert approval.waiting == 0
    assert state(shop)[3] == "done"
    assert shop.violations() == []


def test_approves_the_rest_with_the_whole_run(shop):
    approve(shop, "B")
    shop.run(DAY)

    assert [d["number"] for d in shop.documents()] == [f"RE-2026-00000{n}" for n in (1, 2, 3)]
    assert state(shop)[3] == "done"
    assert shop.violations() == []


def test_is_harmless_twice(shop):
    approve(shop, "A")
    before = state(shop)
    again = approve(shop, "A")

    assert state(shop) == before
    assert again.issued == ()
    approve(shop, "B", "C")
    assert approve(shop, "A", "B", "C").issued == ()
    assert shop.violations() == []


def test_says_who_did_what(shop, alice):
    approve(shop, "A", actor=alice)

    with shop.seen():
        entry = AuditEntry.objects.get(action="run.drafts_approved")
        assert (entry.actor_label, entry.after) == ("Alice", {"issued": 1, "waiting": 2})
        assert Event.objects.filter(kind="invoice.issued").count() == 1


@pytest.mark.parametrize("role", ["billing", "support", "auditor", "developer"])
def test_refuses_roles_that_may_not_issue(shop, role):
    before = state(shop)

    with pytest.raises(Forbidden):
        approve(shop, "A", actor=shop.staff("Somebody", role))
    assert state(shop) == before


def test_is_not_there_for_strangers(shop, charlie):
    before = state(shop)
    seen = {drafts_of(shop)["A"].id: drafts_of(shop)["A"].content_hash}

    with pytest.raises((Forbidden, NotFound)):
        approve_drafts(charlie, run_of(shop).id, seen, today=TODAY, now=NOW)
    assert state(shop) == before


@pytest.mark.parametrize("stray", ["unknown", "of another run"])
def test_refuses_all_when_one_is_not_of_the_run(shop, stray):
    wanted, stray_hash = uuid7(), "0" * 64
    if stray == "of another run":
        shop.has("accounts", account("E"))
        shop.has("subscriptions", subscription("late", "E", "ten", "2026-12-03"))
        (wanted,) = shop.run("2026-12-03", issue=False, within="E").invoice_ids
        stray_hash = drafts_of(shop)["E"].content_hash
    before = state(shop)

    with pytest.raises(DraftsChanged):
        approve_drafts(
            shop.actor,
            run_of(shop).id,
            {drafts_of(shop)["B"].id: drafts_of(shop)["B"].content_hash, wanted: stray_hash},
            today=TODAY,
            now=NOW,
        )
    assert state(shop) == before


def test_refuses_a_draft_that_was_made_anew(shop):
    seen = {drafts_of(shop)["A"].id: drafts_of(shop)["A"].content_hash}
    shop.has("subscriptions", subscription("more", "A", "ten", DAY))
    shop.run(DAY, issue=False)

    with pytest.raises(DraftsChanged):
        approve_drafts(shop.actor, run_of(shop).id, seen, today=TODAY, now=NOW)
    assert state(shop)[3] == "to_approve"


def test_refuses_while_the_run_is_worked_on(shop):
    shop.has("subscriptions", subscription("more", "B", "ten", DAY))
    wanted = {"run_date": run_of(shop).date, "within": None, "issue": False}
    request_run(shop.actor, **wanted, today=TODAY, now=NOW)
    before = state(shop)

    with pytest.raises(RunNotWaiting):
        approve(shop, "A")
    assert state(shop) == before


def test_issues_with_the_day_of_approval_once_the_series_has_gone_on(shop):
    """R28: December's draft, approved on 5 January after a document of 3 January."""
    shop.has("accounts", account("D"))
    shop.has("subscriptions", subscription("later", "D", "ten", "2027-01-03"))
    shop.run("2027-01-03", within="D")
    found = drafts_of(shop)["A"]

    approve_drafts(
        shop.actor,
        run_of(shop).id,
        {found.id: found.content_hash},
        today=date(2027, 1, 5),
        now=NOW,
    )

    issued = drafts_of(shop)["A"]
    assert (issued.number, issued.issue_date) == ("RE-2027-000002", date(2027, 1, 5))
    assert issued.due_date == date(2027, 1, 19)
    assert shop.violations() == []


def test_refuses_a_day_that_the_series_has_passed_too(shop):
    shop.has("accounts", account("D"))
    shop.has("subscriptions", subscription("later", "D", "ten", "2026-12-05"))
    shop.run("2026-12-05", within="D")
    before = state(shop)

    with pytest.raises(NumberBeforeLast):
        approve(shop, "A")
    assert state(shop) == before


def test_two_at_once_issue_each_draft_once(committed_vendor):
    shop = fill(committed_vendor)
    found = drafts_of(shop)
    run_id = run_of(shop).id
    start = Barrier(4)

    def work(keys):
        start.wait(timeout=20)
        try:
            seen = {found[key].id: found[key].content_hash for key in keys}
            return approve_drafts(shop.actor, run_id, seen, today=TODAY, now=NOW).issued
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        issued = [*pool.map(work, (("A", "B"), ("B", "A"), ("B", "C"), ("C", "A")))]

    assert sorted(id for ids in issued for id in ids) == sorted(one.id for one in found.values())
    documents, _postings, _charges, status = state(shop)
    assert sorted(number for _status, number in documents.values()) == [
        f"RE-2026-00000{n}" for n in (1, 2, 3)
    ]
    assert status == "done"
    assert shop.violations() == []


def test_statements_do_not_grow_with_the_drafts(vendor):
    """Many drafts of one tree are approved in as many statements as few."""
    keys = [f"C{number:02}" for number in range(42)]
    vendor.has("accounts", account("top"), *(account(key, "top", bill_to=key) for key in keys))
    vendor.has("prices", price("ten", "10"))
    vendor.has("subscriptions", *(subscription(f"S{key}", key, "ten", DAY) for key in keys))
    vendor.run(DAY, issue=False)

    def statements(*some):
        with CaptureQueriesContext(connection) as seen:
            issued = approve(vendor, *some).issued
        assert len(issued) == len(some)
        return [one["sql"] for one in seen if "invoicing_billingrun" not in one["sql"][:30]]

    few, many = statements(*keys[:2]), statements(*keys[2:-1])

    assert len(many) <= len(few), many
    assert vendor.violations() == []
