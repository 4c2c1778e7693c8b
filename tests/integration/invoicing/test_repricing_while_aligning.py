"""A price that changes while an alignment's job holds subscriptions: one after the other."""

import os
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import ChangePlan, Charge
from invoicing.operations.plans.aligning_jobs import (
    resume_alignment,
    stop_alignment,
    work_on_alignment,
)
from invoicing.operations.plans.renewals import align_renewals
from invoicing.operations.prices.beginning import begin_version
from invoicing.operations.prices.working import work_on_repricing
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import EarlierTerms, Item, Period, Price, Subscription
from subscriptions.operations.catalogue import NewVersion
from tenancy.models import Job
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, account, make_vendor, price, subscription

D = date.fromisoformat
TODAY, DAY, SINCE = D("2026-11-23"), D("2027-02-15"), D("2026-11-16")
_DYING = """
import os, signal
from datetime import UTC, datetime
from uuid import UUID
import django
django.setup()
from invoicing.operations.prices import working
from tenancy.actor import Actor
step = working.{step}
def die(*args, **kwargs):
    step(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
working.{step} = die
working.work_on_repricing(Actor.system(UUID({tenant!r})), UUID({job!r}), now=datetime.now(UTC))
"""


def fill(vendor):
    """A and B have seven subscriptions at one price, charged up to days of December."""
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G"))
    vendor.has("prices", price("ten", "31", tax_rate=19))
    vendor.has(
        "subscriptions",
        *(subscription(f"S{n}", "AB"[n % 2], "ten", f"2026-11-{n + 10}", n + 1) for n in range(7)),
    )
    vendor.run("2026-11-20")
    return vendor


@pytest.fixture
def shop(committed_vendor, monkeypatch):
    monkeypatch.setattr("invoicing.operations.plans.aligning.AT_ONCE", 3)
    monkeypatch.setattr("invoicing.operations.plans.aligning_jobs.PIECE", 2)
    monkeypatch.setattr("invoicing.operations.prices.beginning.PIECE", 2)
    monkeypatch.setattr("invoicing.operations.prices.working.PIECE", 2)
    return fill(committed_vendor)


def aligned(shop, method="rebill"):
    wanted = Wanted("alignment", shop.id_of("G"), TODAY, alignment=Alignment(15, method=method))
    return align_renewals(shop.actor, wanted, today=TODAY, now=NOW)[0]


def repriced(shop):
    with shop.seen():
        key = Price.objects.get(external_id="ten").pk
    wanted = NewVersion(SINCE, {"unit_amount": Decimal("62")})
    return begin_version(shop.actor, key, wanted, today=TODAY, now=NOW)[1]


def align_on(shop, plan):
    while work_on_alignment(shop.actor, plan.job_id, now=NOW):
        pass


def reprice_on(shop, job, turns=1):
    """Work on a job as the timetable does, which comes by again while it waits."""
    for _turn in range(turns):
        while work_on_repricing(shop.actor, job.pk, now=NOW):
            pass
        with shop.seen():
            job.refresh_from_db()
        if not job.is_open:
            break
    return job.status, job.done


def world(shop):
    """Return what was written, but for ids and instants."""
    with shop.seen():
        names = dict(Item.objects.values_list("id", "subscription__external_id"))
        return {
            "items": sorted(
                map(
                    str,
                    Item.objects.values_list(
                        "subscription__external_id", "chain_end", "next_action_date",
                        "price__unit_amount", "terms_since",
                    ),
                )
            ),
            "terms": sorted(
                (names[one.item_id], str(one.until), str(one.price.unit_amount))
                for one in EarlierTerms.objects.select_related("price")
            ),
            "periods": sorted(
                (names[one.item_id], str(one.starts), str(one.ends))
                for one in Period.objects.all()
            ),
            "standing": sorted(
                (names[key], sum(one.net_minor for one in Charge.objects.filter(item_id=key)))
                for key in names
            ),
        }  # fmt: skip


@pytest.fixture
def expected(shop):
    """What comes of it where the price changes once the alignment is through."""
    other = fill(make_vendor("other"))
    align_on(other, aligned(other))
    assert reprice_on(other, repriced(other)) == ("done", 7)
    other.run(DAY, today=DAY)
    assert other.violations() == []
    return world(other)


def bill(shop):
    shop.run(DAY, today=DAY)
    assert shop.violations() == []
    with shop.seen():
        assert not Subscription.objects.exclude(held_by=None).exists()
    return world(shop)


def test_a_new_price_waits_for_what_is_held_and_goes_on_then(shop, expected):
    plan = aligned(shop)
    job = repriced(shop)
    work_on_alignment(shop.actor, plan.job_id, now=NOW)
    held = reprice_on(shop, job, turns=3)
    align_on(shop, plan)

    assert held[0] == Job.Status.WAITING
    assert held[1] < 7
    with shop.seen():
        plan.refresh_from_db()
        assert plan.status == ChangePlan.Status.APPLIED
    assert reprice_on(shop, job) == (Job.Status.DONE, 7)
    assert bill(shop) == expected


def test_it_waits_while_the_alignment_is_stopped(shop, expected):
    plan = aligned(shop)
    work_on_alignment(shop.actor, plan.job_id, now=NOW)
    stop_alignment(shop.actor, plan.pk, now=NOW)
    job = repriced(shop)
    assert reprice_on(shop, job, turns=2)[0] == Job.Status.WAITING

    resume_alignment(shop.actor, plan.pk, now=NOW)
    align_on(shop, plan)
    assert reprice_on(shop, job) == (Job.Status.DONE, 7)
    assert bill(shop) == expected


def test_an_alignment_in_the_middle_of_a_new_price_sees_what_is_written_by_then(shop):
    job = repriced(shop)
    work_on_repricing(shop.actor, job.pk, now=NOW)
    plan = aligned(shop)
    work_on_repricing(shop.actor, job.pk, now=NOW)
    align_on(shop, plan)
    assert reprice_on(shop, job) == (Job.Status.DONE, 7)

    first = bill(shop)
    other = fill(make_vendor("third"))
    assert reprice_on(other, repriced(other)) == ("done", 7)
    align_on(other, aligned(other))
    second = bill(other)
    assert {name: first[name] for name in ("items", "periods", "terms")} == {
        name: second[name] for name in ("items", "periods", "terms")
    }
    # What is split twice is rounded twice.
    for (name, one), (_name, another) in zip(first["standing"], second["standing"], strict=True):
        assert abs(one - another) <= 2, name


@pytest.mark.parametrize("workers", [1, 2])
def test_both_jobs_at_once_come_to_the_same(shop, expected, workers):
    plan = aligned(shop)
    job = repriced(shop)

    answers = at_once(
        lambda work: work(),
        [
            *(lambda: align_on(shop, plan) for _one in range(workers)),
            *(lambda: reprice_on(shop, job, turns=20) for _one in range(workers)),
        ],
    )

    assert [one for one in answers if isinstance(one, Exception)] == []
    align_on(shop, plan)
    assert reprice_on(shop, job) == (Job.Status.DONE, 7)
    assert bill(shop) == expected


@pytest.mark.parametrize("step", ["write_all_terms", "store_charges", "_change"])
def test_killed_at_a_step_it_goes_on_with_the_same_piece(shop, expected, step):
    plan = aligned(shop)
    align_on(shop, plan)
    job = repriced(shop)
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            _DYING.format(step=step, tenant=str(shop.tenant_id), job=str(job.pk)),
        ],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    with shop.seen():
        assert Job.objects.get(pk=job.pk).done == 0
        # It is taken up again once its worker has not been heard of for a while.
        Job.objects.filter(pk=job.pk).update(beat_at="2026-01-01T00:00:00Z")

    assert reprice_on(shop, job) == (Job.Status.DONE, 7)
    assert bill(shop) == expected
