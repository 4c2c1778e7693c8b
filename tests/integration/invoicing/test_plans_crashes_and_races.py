"""Change plans decided on at the same time, and processes that die while they carry one out."""

import os
import signal
import subprocess
import sys
from datetime import date

import pytest

from accounts.models import AccountNode, Placement, SettingInterval
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import ChangePlan
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.locking import OverlappingPlan
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from tenancy.models import AuditEntry
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 15)
STEPS = [
    "place_account",
    "write_changes",
    "readdress",
    "record_events",
    "keep_plan",
    "record_step",
]
# Dies by the hardest signal right before or after a step of carrying a plan out.
_DYING = """
import os, signal
from datetime import UTC, date, datetime
from uuid import UUID
import django
django.setup()
from invoicing.operations.plans import applying
from tenancy.actor import Actor
step = getattr(applying, {step!r})
def die(*args, **kwargs):
    step(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(applying, {step!r}, die)
actor = Actor.system(UUID({tenant!r}))
applying.carry_out_due_plans(actor, day=date(2026, 12, 15), now=datetime.now(UTC))
"""


@pytest.fixture
def shop(committed_vendor):
    vendor = committed_vendor
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("A1", "A", bill_to="A"),
        account("B", "G", bill_to="B"),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has("subscriptions", subscription("S1", "A1", "ten", "2026-12-01"))
    return vendor


def planned(shop, target="B", day=DAY):
    wanted = Wanted(
        "move",
        shop.id_of("A1"),
        day,
        target_id=shop.id_of(target),
        settings={shop.id_of("A1"): {"bill_to": None}},
    )
    return create_plan(shop.actor, wanted, today=TODAY, now=NOW)


def scheduled(shop, **values):
    return submit_plan(shop.actor, planned(shop, **values).pk, today=TODAY, now=NOW)


def world(shop):
    with shop.seen():
        return [
            sorted(AccountNode.objects.values_list("account_id", "parent_id", "lft", "rght")),
            sorted(map(str, Placement.objects.values_list())),
            sorted(map(str, SettingInterval.objects.values_list())),
        ]


def entries(shop, action):
    with shop.seen():
        return AuditEntry.objects.filter(action=action).count()


def test_of_two_plans_for_one_account_asked_for_at_once_one_is_taken(shop):
    plans = [planned(shop), planned(shop, target="G")]

    answers = at_once(lambda plan: submit_plan(shop.actor, plan.pk, today=TODAY, now=NOW), plans)

    refused = [one for one in answers if isinstance(one, OverlappingPlan)]
    assert len(refused) == 1, answers
    with shop.seen():
        assert sorted(ChangePlan.objects.values_list("status", flat=True)) == [
            "draft", "scheduled",
        ]  # fmt: skip


def test_a_plan_asked_for_twice_at_once_is_asked_for_once(shop):
    plan = planned(shop)

    at_once(lambda _n: submit_plan(shop.actor, plan.pk, today=TODAY, now=NOW), [1, 2, 3])

    assert entries(shop, "plan.scheduled") == 1


def test_workers_that_come_at_once_carry_it_out_once(shop):
    scheduled(shop)

    done = at_once(lambda _n: carry_out_due_plans(shop.actor, day=DAY, now=NOW), [1, 2, 3, 4])

    assert sorted(len(one) for one in done) == [0, 0, 0, 1], done
    assert entries(shop, "account.moved") == 1
    assert shop.faults() == []


def test_a_plan_and_a_run_at_once_disturb_each_other_in_nothing(shop):
    scheduled(shop, day=date(2026, 12, 1))
    day = date(2026, 12, 1)

    at_once(
        lambda work: work(),
        [
            lambda: carry_out_due_plans(shop.actor, day=day, now=NOW),
            lambda: shop.run(day),
        ],
    )
    shop.run(day)

    with shop.seen():
        assert ChangePlan.objects.get().status == "applied"
    assert shop.faults() == []
    assert shop.violations() == []


@pytest.mark.parametrize("step", STEPS)
def test_dies_at_a_step_and_nothing_is_half_done(shop, step):
    plan = scheduled(shop)
    before = world(shop)

    code = _DYING.format(step=step, tenant=str(shop.tenant_id))
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert process.returncode == -signal.SIGKILL, process.stderr
    assert world(shop) == before
    with shop.seen():
        assert ChangePlan.objects.get(pk=plan.pk).status == "scheduled"
    (done,) = carry_out_due_plans(shop.actor, day=DAY, now=NOW)
    assert done.status == "applied"
    assert entries(shop, "account.moved") == 1
    assert shop.faults() == []
