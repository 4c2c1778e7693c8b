"""Plans that two people write at once, and a process that dies while it writes one."""

import os
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from accounts.versions import ChangedMeanwhile, version_of
from billing_hierarchy.embedded.folders import project_folder
from invoicing.operations.subscriptions.replanning import change_plan
from subscriptions.models import Item, Plan, PlanItem, Price, Subscription
from subscriptions.operations.catalogue import AlreadyAdded
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import (
    PlanNameTaken,
    create_plan,
    edit_plan,
    plan_shown,
)
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.subscriptions.creating import NewSubscription, create_subscription
from subscriptions.queries.plans import get_plan
from tenancy.ids import uuid7
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, TODAY, account, price, subscription

DAY = date(2026, 12, 1)
# Dies by the hardest signal once the old items of a plan are gone.
_DYING = """
import os, signal
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID
import django
django.setup()
from subscriptions.operations.plans import keeping
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from tenancy.actor import Actor
keeping._items = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
wanted = NewPlan("Half", [NewPlanItem(UUID({price!r}), Decimal(9))])
actor = Actor.system(UUID({tenant!r}))
keeping.edit_plan(actor, UUID({plan!r}), wanted, now=datetime.now(UTC))
"""


@pytest.fixture
def shop(committed_vendor):
    vendor = committed_vendor
    vendor.has("accounts", account("A", billing_day=1))
    vendor.has(
        "prices",
        price("seat", "3.10", model="per_unit", tax_rate=19),
        price("support", "31", tax_rate=19),
    )
    vendor.has("subscriptions", subscription("S", "A", "seat", "2026-11-01"))
    return vendor


@pytest.fixture
def keys(shop):
    with shop.seen():
        return dict(Price.objects.values_list("external_id", "pk"))


@pytest.fixture
def plan(shop, keys):
    return create_plan(shop.actor, team(keys, 5), now=NOW)


def team(keys, count, name="Team"):
    return NewPlan(name, [NewPlanItem(keys["seat"], Decimal(count)), NewPlanItem(keys["support"])])


def counts(shop):
    with shop.seen():
        return [int(one.quantity) for one in PlanItem.objects.order_by("plan__name", "position")]


def test_of_two_who_change_a_plan_as_they_saw_it_one_overwrites_nothing(shop, keys, plan):
    with shop.seen():
        seen = version_of(plan_shown(get_plan(shop.actor, plan.public_id)))

    def edit(count):
        wanted = team(keys, count)
        return edit_plan(shop.actor, plan.pk, wanted, version=seen, now=NOW)

    answers = at_once(edit, [7, 8])

    late = [one for one in answers if isinstance(one, Exception)]
    assert [type(one) for one in late] == [ChangedMeanwhile]
    won = 8 if answers[0] is late[0] else 7
    assert counts(shop) == [won, 1]


def test_one_form_sent_twice_at_once_makes_one_plan(shop, keys):
    key = uuid7()

    answers = at_once(
        lambda count: create_plan(shop.actor, team(keys, count), key=key, now=NOW), [5, 5]
    )

    assert [type(one) for one in answers if isinstance(one, Exception)] == [AlreadyAdded]
    assert counts(shop) == [5, 1]


def test_of_two_plans_of_one_name_at_once_one_is_made(shop, keys):
    answers = at_once(lambda count: create_plan(shop.actor, team(keys, count), now=NOW), [5, 6])

    assert [type(one) for one in answers if isinstance(one, Exception)] == [PlanNameTaken]
    assert len(counts(shop)) == 2


def test_what_begins_while_the_plan_changes_has_all_of_one_or_of_the_other(shop, keys, plan):
    account_id = shop.id_of("A")

    def begin():
        wanted = NewSubscription(items=(), plan=PlanChoice(plan.pk), start_date=DAY)
        return create_subscription(shop.actor, account_id, wanted, now=NOW)

    def edit():
        wanted = NewPlan("Team", [NewPlanItem(keys["seat"], Decimal(9))])
        return edit_plan(shop.actor, plan.pk, wanted, now=NOW)

    made, changed = at_once(lambda work: work(), [begin, edit])

    assert not isinstance(made, Exception), made
    assert not isinstance(changed, Exception), changed
    with shop.seen():
        found = Item.objects.filter(subscription=made)
        had = sorted(int(one) for one in found.values_list("quantity", flat=True))
    assert had in ([1, 5], [9])


@pytest.mark.parametrize("is_careful", [True, False])
def test_two_who_give_one_subscription_a_plan_leave_one_truth(shop, keys, plan, is_careful):
    large = create_plan(shop.actor, team(keys, 20, "Large"), now=NOW)
    with shop.seen():
        found = Subscription.objects.get()

    def require_seen():
        fresh = Subscription.objects.get(pk=found.pk)
        if is_careful and fresh.plan_id != found.plan_id:
            raise ChangedMeanwhile

    def give(chosen):
        return change_plan(
            shop.actor,
            found.pk,
            PlanChoice(chosen.pk),
            day=DAY,
            require_seen=require_seen,
            today=TODAY,
            now=NOW,
        )

    answers = at_once(give, [plan, large])

    late = [type(one) for one in answers if isinstance(one, Exception)]
    assert late == ([ChangedMeanwhile] if is_careful else [])
    with shop.seen():
        stored = Subscription.objects.get()
        seats = Item.objects.get(subscription=stored, price_id=keys["seat"], uncharged="")
        assert Item.objects.filter(subscription=stored, uncharged="").count() == 2
    assert int(seats.quantity) == {plan.pk: 5, large.pk: 20}[stored.plan_id]
    assert shop.violations() == []


def test_a_process_that_dies_while_it_changes_a_plan_leaves_it_as_it_was(shop, keys, plan):
    code = _DYING.format(price=str(keys["seat"]), tenant=str(shop.tenant_id), plan=str(plan.pk))

    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert process.returncode == -signal.SIGKILL, process.stderr
    assert counts(shop) == [5, 1]
    with shop.seen():
        assert Plan.objects.get().name == "Team"
    edit_plan(shop.actor, plan.pk, team(keys, 9), now=NOW)
    assert counts(shop) == [9, 1]
