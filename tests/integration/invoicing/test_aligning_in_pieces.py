"""Large alignments: a job goes from piece to piece, is stopped, goes on, and converges."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import ChangePlan, Charge
from invoicing.operations.account_discounts.giving import discount_account
from invoicing.operations.account_discounts.working import work_on_discount
from invoicing.operations.plans.aligning_jobs import (
    resume_alignment,
    stop_alignment,
    work_on_alignment,
)
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.locking import OverlappingPlan, PlanNotOpen
from invoicing.operations.plans.planning import create_plan, withdraw_plan
from invoicing.operations.plans.renewals import align_renewals
from invoicing.operations.plans.reversing import reverse_plan
from invoicing.operations.subscriptions.pausing import pause_subscription
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import EarlierTerms, Item, Period, Subscription
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from tenancy.errors import Forbidden, NotFound
from tenancy.models import Job, JobPiece
from tests.scenes import scene
from tests.world import NOW, account, make_vendor, price, subscription

D = date.fromisoformat
TODAY = D("2026-11-23")


@scene
def shop(vendor):
    """G pays for A and B, which have seven subscriptions, charged up to days of December."""
    fill(vendor)
    return vendor


def fill(vendor):
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G"))
    vendor.has("prices", price("ten", "31", tax_rate=19), price("late", "31", timing="arrears"))
    vendor.has(
        "subscriptions",
        *(
            subscription(
                f"S{n}", "AB"[n % 2], "late" if n == 6 else "ten", f"2026-11-{n + 10}", n + 1
            )
            for n in range(7)
        ),
    )
    vendor.run("2026-11-20")


@pytest.fixture
def in_pieces(monkeypatch):
    monkeypatch.setattr("invoicing.operations.plans.aligning.AT_ONCE", 3)
    monkeypatch.setattr("invoicing.operations.plans.aligning_jobs.PIECE", 2)


def wanted(shop, method="free", day=TODAY, **values):
    alignment = Alignment(15, method=method, **values)
    return Wanted("alignment", shop.id_of("G"), day, alignment=alignment)


def planned(shop, method="free", day=TODAY):
    return align_renewals(shop.actor, wanted(shop, method, day), today=TODAY, now=NOW)[0]


def work(shop, plan, pieces=99):
    for _piece in range(pieces):
        if not work_on_alignment(shop.actor, plan.job_id, now=NOW):
            break
    with shop.seen():
        plan.refresh_from_db()
        return Job.objects.get(pk=plan.job_id)


def world(shop):
    """Return what was written, but for ids and instants."""
    with shop.seen():
        names = dict(Item.objects.values_list("id", "subscription__external_id"))
        return {
            "items": sorted(
                map(str, Item.objects.values_list(
                    "subscription__external_id", "chain_end", "next_action_date", "waits_from",
                    "uncharged", "terms_since"))
            ),
            "terms": sorted(
                (names[one.item_id], str(one.until), one.uncharged)
                for one in EarlierTerms.objects.all()
            ),
            "periods": sorted(
                (names[one.item_id], str(one.starts), str(one.ends))
                for one in Period.objects.all()
            ),
            "charges": sorted(
                (names[one.item_id], one.kind, one.net_minor, str(one.invoice_on))
                for one in Charge.objects.all()
            ),
        }  # fmt: skip


@pytest.mark.parametrize("method", ["short", "long", "free", "rebill"])
def test_pieces_come_to_what_one_transaction_does(shop, method, request, monkeypatch):
    other = make_vendor("whole")
    fill(other)
    planned(other, method)
    request.getfixturevalue("in_pieces")
    plan = planned(shop, method)
    assert plan.status == ChangePlan.Status.APPLYING
    job = work(shop, plan)

    assert (job.status, job.done, job.total) == ("done", 7, 7)
    assert plan.status == ChangePlan.Status.APPLIED
    assert world(shop) == world(other)
    for one in (shop, other):
        one.run("2027-02-15", today=D("2027-02-15"))
        assert one.violations() == []
    assert world(shop) == world(other)
    with shop.seen():
        assert not JobPiece.objects.exists()
        assert not Subscription.objects.exclude(held_by=None).exists()


def test_is_stopped_and_goes_on_where_it_stood(shop, in_pieces):
    plan = planned(shop)
    work(shop, plan, pieces=1)
    stop_alignment(shop.actor, plan.pk, now=NOW)
    stop_alignment(shop.actor, plan.pk, now=NOW)
    before = world(shop)
    assert work(shop, plan).status == Job.Status.STOPPED
    assert world(shop) == before
    with shop.seen():
        assert Subscription.objects.exclude(held_by=None).count() == 5

    resume_alignment(shop.actor, plan.pk, now=NOW)
    assert work(shop, plan).status == Job.Status.DONE
    assert plan.status == ChangePlan.Status.APPLIED
    assert resume_alignment(shop.actor, plan.pk, now=NOW).status == ChangePlan.Status.APPLIED
    after = world(shop)
    assert work(shop, plan).status == Job.Status.DONE
    assert world(shop) == after


def test_until_its_turn_a_subscription_is_neither_changed_nor_billed(shop, in_pieces):
    plan = planned(shop)
    work(shop, plan, pieces=1)
    with shop.seen():
        free = Subscription.objects.filter(held_by=None).order_by("external_id")
        held = Subscription.objects.exclude(held_by=None).order_by("external_id")
        (done, *_rest), (waiting, *_others) = free, held
    day = D("2027-01-01")

    with pytest.raises(SubscriptionHeld):
        pause_subscription(shop.actor, waiting.pk, day=day, today=TODAY, now=NOW)
    pause_subscription(shop.actor, done.pk, day=day, today=TODAY, now=NOW)
    shop.run("2026-12-20", today=D("2026-12-20"))
    assert {one[1] for one in shop.problems("2026-12-20")} == {"subscription_held"}
    with shop.seen():
        assert not Period.objects.filter(
            item__subscription=waiting, starts__gte=D("2026-12-01")
        ).exists()
    work(shop, plan)
    shop.run("2026-12-20", today=D("2026-12-20"))
    with shop.seen():
        assert Period.objects.filter(
            item__subscription=waiting, starts__gte=D("2026-12-01")
        ).exists()
    assert shop.violations() == []


def test_other_jobs_and_plans_of_the_same_accounts_wait(shop, in_pieces):
    plan = planned(shop)
    work(shop, plan, pieces=1)
    other = create_plan(
        shop.actor,
        Wanted("bill_to", shop.id_of("A"), TODAY, target_id=shop.id_of("A")),
        today=TODAY,
        now=NOW,
    )
    other = submit_plan(shop.actor, other.pk, today=TODAY, now=NOW)
    given = discount_account(
        shop.actor,
        shop.id_of("A"),
        WantedDiscount(name="Ten", percent=Decimal(10), reason="Loyal"),
        day=TODAY,
        today=TODAY,
        now=NOW,
    )
    work_on_discount(shop.actor, given.job.pk, now=NOW)
    with shop.seen():
        given.job.refresh_from_db()
    assert (other.status, given.job.status, given.job.done) == ("scheduled", "waiting", 0)
    again = replace(wanted(shop), alignment=Alignment(7))
    with pytest.raises(OverlappingPlan):
        align_renewals(shop.actor, again, today=TODAY, now=NOW)
    with pytest.raises(PlanNotOpen):
        withdraw_plan(shop.actor, plan.pk, now=NOW)

    work(shop, plan)
    work_on_discount(shop.actor, given.job.pk, now=NOW)
    carry_out_due_plans(shop.actor, day=TODAY, now=NOW)
    with shop.seen():
        other.refresh_from_db()
        given.job.refresh_from_db()
    assert (other.status, given.job.status) == ("applied", "done")


def test_the_timetable_carries_it_through_before_the_runs_of_the_day(shop, in_pieces):
    day = D("2026-12-01")
    planned(shop, day=day)
    (done,) = carry_out_due_plans(shop.actor, day=day, now=NOW)

    assert done.status == ChangePlan.Status.APPLIED
    with shop.seen():
        assert Job.objects.get(pk=done.job_id).done == 7


def test_is_taken_back_in_pieces(shop, in_pieces):
    plan = planned(shop)
    work(shop, plan)
    back = reverse_plan(shop.actor, plan.pk, effective_date=TODAY, today=TODAY, now=NOW)
    back = submit_plan(shop.actor, back.pk, today=TODAY, now=NOW)
    assert back.status == ChangePlan.Status.APPLYING
    work(shop, back)

    assert back.status == ChangePlan.Status.APPLIED
    with shop.seen():
        assert not Item.objects.exclude(uncharged="").exists()
    shop.run("2027-01-20", today=D("2027-01-20"))
    assert shop.violations() == []


def test_is_for_who_may_decide(shop, in_pieces):
    plan = planned(shop)
    for act in (stop_alignment, resume_alignment):
        with pytest.raises(Forbidden):
            act(shop.staff(f"Bob {act.__name__}", "support"), plan.pk, now=NOW)
        with pytest.raises(NotFound):
            act(make_vendor(act.__name__.replace("_", "-")).actor, plan.pk, now=NOW)
    assert work(shop, plan, pieces=0).status == Job.Status.WAITING


_DYING = """
import os, signal
from datetime import UTC, date, datetime
from uuid import UUID
import django
django.setup()
from invoicing.operations.plans import aligning, aligning_jobs, applying
from tenancy.actor import Actor
aligning.AT_ONCE, aligning_jobs.PIECE = 3, 2
step, calls = aligning_jobs.{step}, []
def die(*args, **kwargs):
    step(*args, **kwargs)
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
aligning_jobs.{step} = die
actor = Actor.system(UUID({tenant!r}))
applying.carry_out_due_plans(actor, day=date(2026, 12, 1), now=datetime.now(UTC))
"""


@pytest.mark.parametrize("step", ["write_aligned", "release"])
def test_killed_in_the_second_piece_it_goes_on_with_it(committed_vendor, in_pieces, step):
    shop = committed_vendor
    fill(shop)
    plan = planned(shop, "rebill", day=D("2026-12-01"))
    process = subprocess.run(
        [sys.executable, "-c", _DYING.format(step=step, tenant=str(shop.tenant_id))],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    with shop.seen():
        plan.refresh_from_db()
        job = Job.objects.get(pk=plan.job_id)
    assert (plan.status, job.status, job.done) == ("applying", "running", 2)

    with shop.seen():
        Job.objects.update(beat_at=D("2026-01-01").isoformat() + "T00:00:00Z")
    job = work(shop, plan)
    assert (plan.status, job.status, job.done) == ("applied", "done", 7)
    shop.run("2027-02-15", today=D("2027-02-15"))
    assert shop.violations() == []
