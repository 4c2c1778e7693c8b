"""Whoever asked for a run stands in the audit trail, whoever did the work."""

from dataclasses import replace
from datetime import date

import pytest

from invoicing.models import BillingRun, Invoice, RunFamily
from invoicing.operations import clock_jobs
from invoicing.operations.runs import approve_drafts, request_run, work_on_run, working
from invoicing.operations.runs.scheduling import run_scheduled_day
from tenancy.actor import Actor
from tenancy.database import scope
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 1)


@scene
def shop(vendor):
    vendor.has("accounts", account("A"), account("B"))
    vendor.has("prices", price("ten", "10.00", tax_rate=19))
    for key in "AB":
        vendor.has("subscriptions", subscription(f"s{key}", key, "ten", "2026-12-01"))
    return vendor


@pytest.fixture
def ann(shop, alice):
    return replace(alice, origin="dashboard", request_id="request-of-alice")


def ask(actor, *, issue=True):
    return request_run(actor, run_date=DAY, within=None, issue=issue, today=TODAY, now=NOW)


def work(shop, run):
    """Let a task of the timetable do the work."""
    return work_on_run(Actor.system(shop.tenant_id), run.id, today=TODAY, now=NOW)


def entries(shop, *actions):
    """Return action, kind, label, origin and request of entries, in the order written."""
    with shop.seen():
        found = AuditEntry.objects.filter(action__in=actions).order_by("id")
        return [(e.action, e.actor_kind, e.actor_label, e.origin, e.request_id) for e in found]


ALICE = ("person", "Alice", "dashboard", "request-of-alice")


def test_a_task_issues_in_the_name_of_the_person_who_asked(shop, ann):
    work(shop, ask(ann))

    assert entries(shop, "run.requested", "invoice.issued", "run.closed") == [
        ("run.requested", *ALICE),
        ("invoice.issued", *ALICE),
        ("invoice.issued", *ALICE),
        ("run.closed", *ALICE),
    ]
    with shop.seen():
        run = BillingRun.objects.get()
        entry = AuditEntry.objects.filter(action="invoice.issued").first()
        ids = {*AuditEntry.objects.values_list("actor_id", flat=True)} - {None}
    assert ids == {ann.person_id}
    assert (entry.after["run"], entry.after["run_date"]) == (run.public_id, "2026-12-01")


def test_whoever_joins_is_recorded_and_drafts_stay_with_who_asked_for_them(shop, ann):
    key = Actor(shop.tenant_id, "key", "Robot", "api", scopes=ann.scopes, today=TODAY)
    run = ask(ann, issue=False)
    joined = replace(Actor.system(shop.tenant_id, origin="command", label="command line"))
    ask(joined, issue=False)
    work(shop, run)

    assert entries(shop, "run.requested", "run.joined", "invoice.drafted") == [
        ("run.requested", *ALICE),
        ("run.joined", "system", "command line", "command", ""),
        ("invoice.drafted", *ALICE),
        ("invoice.drafted", *ALICE),
    ]
    with shop.seen():
        asked = BillingRun.objects.get().requested_by
    assert [(one["label"], one["origin"], one["issue"]) for one in asked] == [
        ("Alice", "dashboard", False),
        ("command line", "command", False),
    ]
    assert key.requester.label == "Robot"


def test_whoever_wants_it_issued_is_who_issues(shop, ann):
    run = ask(ann, issue=False)
    ask(Actor.system(shop.tenant_id, origin="command", label="command line"), issue=True)
    work(shop, run)

    issued = entries(shop, "invoice.issued")
    assert issued == [("invoice.issued", "system", "command line", "command", "")] * 2


def test_asking_twice_names_somebody_once_and_records_both(shop, ann):
    ask(ann)
    ask(replace(ann, request_id="another-request"))

    assert [entry[0] for entry in entries(shop, "run.requested", "run.joined")] == [
        "run.requested",
        "run.joined",
    ]
    with shop.seen():
        assert [one["label"] for one in BillingRun.objects.get().requested_by] == ["Alice"]


def test_a_family_of_old_without_requester_is_the_workers_own(shop, ann):
    run = ask(ann)
    with shop.seen():
        RunFamily.objects.update(requested_by={})
    work(shop, run)

    assert (
        entries(shop, "invoice.issued") == [("invoice.issued", "system", "system", "task", "")] * 2
    )


def test_the_timetable_stands_for_itself(live_vendor):
    live_vendor.has("accounts", account("A"))
    live_vendor.has("prices", price("ten", "10.00", tax_rate=19))
    live_vendor.has("subscriptions", subscription("s", "A", "ten", TODAY.isoformat()))
    run_scheduled_day(Actor.system(live_vendor.tenant_id), day=TODAY, today=TODAY, now=NOW)

    assert entries(live_vendor, "run.requested", "invoice.drafted") == [
        ("run.requested", "system", "system", "task", ""),
        ("invoice.drafted", "system", "system", "task", ""),
    ]


def test_the_approver_stands_on_run_and_documents(shop, ann):
    run = ask(Actor.system(shop.tenant_id), issue=False)
    work(shop, run)
    with shop.seen():
        drafted = AuditEntry.objects.filter(action="invoice.drafted").values("object_id")
        seen = dict(Invoice.objects.filter(pk__in=drafted).values_list("id", "content_hash"))
    approve_drafts(ann, run.id, seen, today=TODAY, now=NOW)

    assert entries(shop, "invoice.issued", "run.drafts_approved") == [
        ("invoice.issued", *ALICE),
        ("invoice.issued", *ALICE),
        ("run.drafts_approved", *ALICE),
    ]


def test_a_clock_moved_in_the_background_is_moved_by_who_asked(shop, ann):
    owner = replace(shop.staff("Olga", "owner"), origin="dashboard")
    job_id = clock_jobs.request_clock_move(owner, to_date=DAY, now=NOW)
    clock_jobs.request_clock_move(owner, to_date=DAY, now=NOW)
    while clock_jobs.work_on_clock_move(Actor.system(shop.tenant_id), job_id, now=NOW):
        pass

    found = entries(
        shop, "job.requested", "job.joined", "run.requested", "invoice.issued", "tenant.clock_moved"
    )
    assert {entry[1:4] for entry in found} == {("person", "Olga", "dashboard")}
    assert {entry[0] for entry in found} == {
        "job.requested", "job.joined", "run.requested", "invoice.issued", "tenant.clock_moved",
    }  # fmt: skip


def test_reports_what_a_helping_worker_made_too(shop, monkeypatch):
    """The first batch is taken by somebody else while the call runs."""
    real = working._work_on_batch
    helped = []

    def with_help(actor, run, *, today, now):
        if not helped:
            helped.append(run.id)
            helper = Actor.system(shop.tenant_id)
            assert len(real(helper, run, today=today, now=now).invoice_ids) == 2
        return real(actor, run, today=today, now=now)

    monkeypatch.setattr(working, "_work_on_batch", with_help)
    report = shop.run("2026-12-01")

    with scope(shop.tenant_id):
        assert len(report.invoice_ids) == 2
    assert {one["status"] for one in shop.documents(report.invoice_ids)} == {"open"}
    assert shop.run("2026-12-01").invoice_ids == []
