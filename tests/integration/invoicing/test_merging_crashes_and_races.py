"""Merges that get in each other's way, and processes that die while they merge."""

import os
import signal
import subprocess
import sys
from datetime import date

import pytest

from accounts.models import Account, AccountNode, Contact, Grant, Placement
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import ChangePlan
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.plans.deciding import submit_plan
from invoicing.operations.plans.duplicates import merge_account
from invoicing.operations.plans.planning import create_plan
from invoicing.queries.plans.wanted import Wanted
from subscriptions.models import EarlierOwner, Item, Subscription
from tenancy.errors import Conflict
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 1)
STEPS = [
    ("merging", "place_children_beside"),
    ("applying", "merge"),
    ("merging", "hand_over"),
    ("merging", "absorb"),
]
# Dies by the hardest signal right after a step of carrying a merge out.
_DYING = """
import os, signal
from datetime import UTC, date, datetime
from uuid import UUID
import django
django.setup()
from invoicing.operations.plans import applying, merging
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
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G", bill_to="A"),
        account("A1", "A", bill_to="A"),
        account("H", billing_day=1),
        account("B", "H", bill_to="B"),
        account("C", "H", bill_to="C"),
    )
    vendor.has("prices", price("ten", "10", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("S1", "A", "ten", "2026-12-01"),
        subscription("S2", "B", "ten", "2026-12-01"),
    )
    vendor.customer("Ada", "admin", "A")
    return vendor


def wanted(shop, key, into, day=TODAY):
    return Wanted("merge", shop.id_of(key), day, target_id=shop.id_of(into))


def merge(shop, key, into):
    return merge_account(shop.actor, wanted(shop, key, into), today=TODAY, now=NOW)


def world(shop):
    with shop.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (
                Account, AccountNode, Placement, Subscription, Item, Contact, Grant, EarlierOwner,
            )
        ]  # fmt: skip


def merged(shop):
    with shop.seen():
        rows = Account.objects.exclude(merged_into=None)
        return [(one.external_id, one.merged_into.external_id) for one in rows]


@pytest.mark.parametrize(
    "pairs", [(("A", "B"), ("B", "A")), (("A", "B"), ("A", "C")), (("A", "B"), ("B", "C"))]
)
def test_of_two_merges_at_once_the_second_sees_the_first(shop, pairs):
    answers = at_once(lambda pair: merge(shop, *pair), pairs)

    refused = [one for one in answers if isinstance(one, Exception)]
    assert all(isinstance(one, Conflict) for one in refused), answers
    # What went up in B may go on to C with it; nothing else happens twice.
    if refused:
        (one,) = refused
        # It sees the first one done, or still under way: a plan that names both.
        assert one.code in {"account_merged", "cannot_merge"}
        assert len(merged(shop)) == 1
    else:
        assert pairs == (("A", "B"), ("B", "C"))
        assert sorted(merged(shop)) == [("A", "C"), ("B", "C")]
    with shop.seen():
        assert ChangePlan.objects.filter(status="applied").count() == 2 - len(refused)
        assert not ChangePlan.objects.exclude(status="applied").exists()
    assert (shop.faults(), shop.violations()) == ([], [])


def test_a_merge_and_a_move_of_the_same_accounts_leave_one_tree(shop):
    move = Wanted("move", shop.id_of("B"), TODAY, target_id=shop.id_of("A1"))
    plan = create_plan(shop.actor, move, today=TODAY, now=NOW)

    at_once(
        lambda work: work(),
        [
            lambda: merge(shop, "A", "B"),
            lambda: submit_plan(shop.actor, plan.pk, today=TODAY, now=NOW),
        ],
    )

    with shop.seen():
        states = list(ChangePlan.objects.values_list("kind", "status"))
    assert states.count(("merge", "applied")) + states.count(("move", "applied")) <= 1
    assert (shop.faults(), shop.violations()) == ([], [])


def test_a_merge_and_a_run_at_once_disturb_each_other_in_nothing(shop):
    plan = create_plan(shop.actor, wanted(shop, "A", "B", DAY), today=TODAY, now=NOW)
    submit_plan(shop.actor, plan.pk, today=TODAY, now=NOW)

    at_once(
        lambda work: work(),
        [
            lambda: carry_out_due_plans(shop.actor, day=DAY, now=NOW),
            lambda: shop.run(DAY),
        ],
    )
    shop.run(DAY)

    with shop.seen():
        assert ChangePlan.objects.get().status == "applied"
    assert (shop.faults(), shop.violations()) == ([], [])


@pytest.mark.parametrize(("module", "step"), STEPS)
def test_dies_at_a_step_and_nothing_is_half_done(shop, module, step):
    plan = create_plan(shop.actor, wanted(shop, "A", "B", DAY), today=TODAY, now=NOW)
    submit_plan(shop.actor, plan.pk, today=TODAY, now=NOW)
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
    assert merged(shop) == [("A", "B")]
    assert (shop.faults(), shop.violations()) == ([], [])
