"""Contract terms and plans of subscriptions: two at once, twice the same, and killed at a step."""

import os
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from accounts.versions import ChangedMeanwhile
from billing_hierarchy.embedded.folders import project_folder
from invoicing.models import Charge
from invoicing.operations.subscriptions.binding import ContractUnchanged, change_contract
from invoicing.operations.subscriptions.changing import NothingChanges
from invoicing.operations.subscriptions.ending import cancel_subscription
from invoicing.operations.subscriptions.replanning import change_plan
from subscriptions.models import EarlierTerms, Item, Period, Price, Subscription
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import create_plan
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.subscriptions.contracting import Contract
from tenancy.models import AuditEntry, Event
from tests.integration.accounts.test_tree_concurrency import at_once
from tests.world import NOW, account, price, subscription

DAY, TODAY = date(2026, 11, 16), date(2026, 11, 23)
YEAR = Contract(12, 12, notice_months=3)
ENDING = Contract(2)
"""Two months from 1 November, and no longer: what is charged for January goes back."""
# Dies by the hardest signal right after a step.
_DYING = """
import os, signal
from datetime import UTC, date, datetime
from uuid import UUID
import django
django.setup()
from invoicing.operations.subscriptions import binding, changing, replanning
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.subscriptions.contracting import Contract
from tenancy.actor import Actor
step = getattr({module}, {step!r})
def die(*args, **kwargs):
    step(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr({module}, {step!r}, die)
actor = Actor.system(UUID({tenant!r}))
today, now = date(2026, 11, 23), datetime.now(UTC)
{call}
"""
_BIND = "binding.change_contract(actor, UUID({key!r}), Contract(2), today=today, now=now)"
_GIVE = (
    "replanning.change_plan(actor, UUID({key!r}), PlanChoice(UUID({plan!r})),"
    " day=date(2026, 11, 16), today=today, now=now)"
)


@pytest.fixture
def shop(committed_vendor):
    """S has five seats for 15.50 a month and is charged up to 1 February."""
    vendor = committed_vendor
    vendor.has("accounts", account("A", billing_day=1))
    vendor.has(
        "prices",
        price("seat", "3.10", model="per_unit", tax_rate=19),
        price("support", "31", tax_rate=19),
    )
    vendor.has("subscriptions", subscription("S", "A", "seat", "2026-11-01", 5))
    vendor.run("2027-01-01", issue=False, today=date(2027, 1, 1))
    return vendor


@pytest.fixture
def key(shop):
    with shop.seen():
        return Subscription.objects.get().pk


@pytest.fixture
def plans(shop):
    """A small plan and a large one; both have support, which S has not."""
    with shop.seen():
        known = dict(Price.objects.values_list("external_id", "pk"))
    return [
        create_plan(
            shop.actor,
            NewPlan(
                name, [NewPlanItem(known["seat"], Decimal(count)), NewPlanItem(known["support"])]
            ),
            now=NOW,
        )
        for name, count in (("Small", 8), ("Large", 20))
    ]


def bind(shop, key, wanted, require_seen=None):
    return change_contract(shop.actor, key, wanted, require_seen=require_seen, today=TODAY, now=NOW)


def give(shop, key, plan):
    return change_plan(shop.actor, key, PlanChoice(plan.pk), day=DAY, today=TODAY, now=NOW)


def end(shop, key, day):
    return cancel_subscription(
        shop.actor, key, end_date=day, today=TODAY, override_reason="So", now=NOW
    )


def world(shop):
    """Return all that a change of a subscription writes."""
    with shop.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (Subscription, Item, EarlierTerms, Period, Charge, AuditEntry, Event)
        ]


def refusals(answers):
    return [type(one) for one in answers if isinstance(one, Exception)]


def is_sound(shop):
    """Bill on; the books agree, and what is charged is what is owed up to then."""
    shop.run("2027-02-01", today=date(2027, 2, 1))
    assert shop.violations() == []
    with shop.seen():
        return sum(Charge.objects.values_list("net_minor", flat=True))


# -- contract terms ----------------------------------------------------------------------------


def test_the_same_terms_twice_at_once_are_agreed_once(shop, key):
    answers = at_once(lambda wanted: bind(shop, key, wanted), [ENDING, ENDING])

    assert refusals(answers) == [ContractUnchanged]
    with shop.seen():
        stored = Subscription.objects.get()
        assert stored.end_date == date(2027, 1, 1)
        assert AuditEntry.objects.filter(action="subscription.contract_changed").count() == 1
        assert Charge.objects.filter(kind="credit").count() == 1
    assert is_sound(shop) == 2 * 1550


def test_of_two_terms_at_once_the_later_holds_and_its_end(shop, key):
    answers = at_once(lambda wanted: bind(shop, key, wanted), [ENDING, YEAR])

    assert refusals(answers) == []
    with shop.seen():
        stored = Subscription.objects.get()
    assert stored.end_date == (date(2027, 1, 1) if stored.minimum_term_months == 2 else None)
    months = 2 if stored.minimum_term_months == 2 else 4
    assert is_sound(shop) == months * 1550


def test_of_two_who_saw_the_same_terms_one_overwrites_nothing(shop, key):
    def require_seen():
        if Subscription.objects.get(pk=key).minimum_term_months is not None:
            raise ChangedMeanwhile

    answers = at_once(lambda wanted: bind(shop, key, wanted, require_seen), [ENDING, YEAR])

    assert refusals(answers) == [ChangedMeanwhile]


def test_terms_and_an_end_at_once_are_done_one_after_the_other(shop, key):
    answers = at_once(
        lambda work: work(),
        [lambda: bind(shop, key, ENDING), lambda: end(shop, key, date(2026, 12, 16))],
    )

    assert refusals(answers) == []
    with shop.seen():
        stored = Subscription.objects.get()
    # Somebody has set the end, before or after.
    assert (stored.end_date, stored.minimum_term_months) == (date(2026, 12, 16), 2)
    assert is_sound(shop) == 1550 + 750


def test_terms_and_a_run_at_once_disturb_each_other_in_nothing(shop, key):
    answers = at_once(
        lambda work: work(),
        [
            lambda: bind(shop, key, ENDING),
            lambda: shop.run("2027-02-01", today=date(2027, 2, 1)),
        ],
    )

    assert refusals(answers) == []
    assert is_sound(shop) == 2 * 1550


@pytest.mark.parametrize("step", ["set_contract", "store_end", "store_charges", "record_event"])
def test_dies_while_it_binds_and_nothing_is_half_done(shop, key, step):
    before = world(shop)

    died(shop, "binding", step, _BIND.format(key=str(key)))

    assert world(shop) == before
    bind(shop, key, ENDING)
    assert is_sound(shop) == 2 * 1550


# -- plans -------------------------------------------------------------------------------------


def test_the_same_plan_twice_at_once_is_given_once(shop, key, plans):
    small, _large = plans

    answers = at_once(lambda plan: give(shop, key, plan), [small, small])

    assert refusals(answers) == [NothingChanges]
    with shop.seen():
        assert Item.objects.filter(uncharged="").count() == 2
        assert AuditEntry.objects.filter(action="subscription.plan_changed").count() == 1
    # Five seats up to the 16th, then eight and support: 15 of 30 days, and three months.
    assert is_sound(shop) == 775 + 1240 + 1550 + 3 * (2480 + 3100)


def test_a_plan_and_terms_at_once_both_hold(shop, key, plans):
    small, _large = plans

    answers = at_once(
        lambda work: work(), [lambda: give(shop, key, small), lambda: bind(shop, key, ENDING)]
    )

    assert refusals(answers) == []
    with shop.seen():
        stored = Subscription.objects.get()
        assert (stored.plan_id, stored.end_date) == (small.pk, date(2027, 1, 1))
    assert is_sound(shop) == 775 + 1240 + 1550 + (2480 + 3100)


def test_a_plan_and_a_run_at_once_disturb_each_other_in_nothing(shop, key, plans):
    small, _large = plans

    answers = at_once(
        lambda work: work(),
        [lambda: give(shop, key, small), lambda: shop.run("2027-02-01", today=date(2027, 2, 1))],
    )

    assert refusals(answers) == []
    assert is_sound(shop) == 775 + 1240 + 1550 + 3 * (2480 + 3100)


@pytest.mark.parametrize(
    ("module", "step"),
    [
        ("changing", "write_terms"),
        ("changing", "_store_added"),
        ("changing", "store_charges"),
        ("changing", "record_event"),
        ("replanning", "carry_out"),
        ("replanning", "record_event"),
    ],
)
def test_dies_while_it_gives_a_plan_and_nothing_is_half_done(shop, key, plans, module, step):
    small, _large = plans
    before = world(shop)

    died(shop, module, step, _GIVE.format(key=str(key), plan=str(small.pk)))

    assert world(shop) == before
    give(shop, key, small)
    assert is_sound(shop) == 775 + 1240 + 1550 + 3 * (2480 + 3100)


def died(shop, module, step, call):
    code = _DYING.format(module=module, step=step, tenant=str(shop.tenant_id), call=call)
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project_folder(),
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_hierarchy.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
