"""Alignments that get in each other's way, and processes that die while they align."""

import os
import signal
import subprocess
import sys
from datetime import date

import pytest

from accounts.models import SettingInterval
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import ChangePlan
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.renewals import align_renewals
from invoicing.queries.plans.wanted import Alignment, Wanted
from subscriptions.models import EarlierTerms, Item, Subscription
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 1)
# Dies by the hardest signal right after a step of carrying an alignment out.
_DYING = """
import os, signal
from datetime import UTC, date, datetime
from uuid import UUID
import django
django.setup()
from invoicing.operations.plans import aligning_jobs, applying
from tenancy.actor import Actor
step = getattr({module}, {step!r})
def die(*args, **kwargs):
    step(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr({module}, {step!r}, die)
actor = Actor.system(UUID({tenant!r}))
applying.carry_out_due_plans(actor, day=date(2026, 12, 1), now=datetime.now(UTC))
"""


@pytest.fixture
def shop(committed_vendor):
    vendor = committed_vendor
    vendor.has("accounts", account("G"), account("A", "G"), account("B", "G", billing_day=3))
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-11-20"),
        subscription("S2", "B", "ten", "2026-11-10"),
    )
    vendor.run("2026-11-20")
    return vendor


def align(shop, key, billing_day, day=TODAY):
    wanted = Wanted(
        "alignment", shop.id_of(key), day, alignment=Alignment(billing_day, method="free")
    )
    return align_renewals(shop.actor, wanted, today=TODAY, now=NOW)[0]


def world(shop):
    with shop.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (Subscription, Item, EarlierTerms, SettingInterval)
        ]


@pytest.mark.parametrize("pairs", [(("G", 15), ("G", 7)), (("G", 15), ("A", 7))])
def test_two_at_once_are_done_one_after_the_other(shop, pairs):
    answers = at_once(lambda pair: align(shop, *pair), pairs)

    assert [getattr(one, "status", one) for one in answers] == ["applied", "applied"]
    with shop.seen():
        days = SettingInterval.objects.filter(
            name="billing_day", account_id=shop.id_of("G"), valid_to=None
        )
        assert days.count() == 1
    shop.run("2027-02-15", today=date(2027, 2, 15))
    assert shop.violations() == []


def test_an_alignment_and_a_run_at_once_disturb_each_other_in_nothing(shop):
    align(shop, "G", 15, DAY)

    at_once(
        lambda work: work(),
        [
            lambda: carry_out_due_plans(shop.actor, day=DAY, now=NOW),
            lambda: shop.run(DAY),
        ],
    )
    shop.run("2027-02-15", today=date(2027, 2, 15))

    with shop.seen():
        assert ChangePlan.objects.get().status == "applied"
    assert shop.violations() == []


@pytest.mark.parametrize(
    ("module", "step"),
    [("applying", "write_changes"), ("aligning_jobs", "let_begin"), ("applying", "align")],
)
def test_dies_at_a_step_and_nothing_is_half_done(shop, module, step):
    align(shop, "G", 15, DAY)
    before = world(shop)

    code = _DYING.format(module=module, step=step, tenant=str(shop.tenant_id))
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
    (done,) = carry_out_due_plans(shop.actor, day=DAY, now=NOW)
    assert done.status == "applied"
    assert world(shop) != before
