"""Plans: what begins with them, what another plan makes good, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest

from billing_rules.periods import Interval, Unit
from invoicing.models import Charge
from invoicing.operations.subscriptions.changing import NothingChanges
from invoicing.operations.subscriptions.opening import InvalidChange
from invoicing.operations.subscriptions.replanning import change_plan
from subscriptions.models import Item, Plan, Price, Subscription, Uncharged
from subscriptions.operations.catalogue.naming import ExternalIdTaken
from subscriptions.operations.plans.checking import InvalidPlan, NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import (
    PlanNameTaken,
    archive_plan,
    create_plan,
    edit_plan,
    reopen_plan,
)
from subscriptions.operations.plans.starting import PlanChoice
from subscriptions.operations.subscriptions.contracting import Contract
from subscriptions.operations.subscriptions.creating import (
    InvalidSubscription,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.plans import get_plan, subscriptions_with, variants_of
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, account, make_vendor, price

D = date.fromisoformat
MONTH = Interval(Unit.MONTH)
YEARLY = Contract(12, 12, notice_months=3)


@scene
def shop(vendor):
    """G is invoiced on the 1st for A; prices by month and by year, in two currencies."""
    vendor.has("accounts", account("G", billing_day=1), account("A", "G"))
    vendor.has(
        "prices",
        price("base", "31", tax_rate=19, product="Base"),
        price("base-year", "310", interval="year", tax_rate=19, product="Base"),
        price("base-chf", "35", currency="CHF", tax_rate=19, product="Base"),
        price("pro", "62", tax_rate=19, product="Base"),
        price("seat", "3.10", model="per_unit", tax_rate=19, product="Seats"),
        price("support", "15.50", tax_rate=19, product="Support"),
    )
    return vendor


def keys(shop):
    with shop.seen():
        return dict(Price.objects.values_list("external_id", "pk"))


def small(shop, **values):
    known = keys(shop)
    items = [
        NewPlanItem(known["base"]),
        NewPlanItem(known["seat"], Decimal(5), minimum=Decimal(2), maximum=Decimal(10)),
        NewPlanItem(known["support"], is_addon=True),
        NewPlanItem(known["base-year"]),
        NewPlanItem(known["base-chf"]),
    ]
    wanted = {"items": items, "external_id": "small", "contract": YEARLY, "trial_days": 31}
    return NewPlan(**{"name": "Small", **wanted, **values})


@pytest.fixture
def plan(shop):
    return create_plan(shop.actor, small(shop), now=NOW)


def begun(shop, plan, quantities=(), currency="EUR", interval=MONTH, **values):
    known = keys(shop)
    chosen = {known[key]: amount and Decimal(amount) for key, amount in dict(quantities).items()}
    choice = PlanChoice(plan.pk, currency, interval, chosen)
    with shop.seen():
        account_id = shop.id_of("A")
    wanted = NewSubscription(
        items=(), plan=choice, start_date=values.pop("start_date", D("2026-12-01")), **values
    )
    return create_subscription(shop.actor, account_id, wanted, now=NOW)


def had(shop, made):
    with shop.seen():
        items = Item.objects.filter(subscription=made).select_related("price")
        return sorted(
            (item.price.external_id, f"{item.quantity.normalize():f}")
            for item in items
            if item.uncharged != Uncharged.ABSENT
        )


def test_a_plan_has_a_variant_for_each_currency_and_interval(shop, plan):
    with shop.seen():
        found = get_plan(shop.actor, "ext:small")
        variants = [(one.currency, one.interval.unit.value) for one in variants_of(found)]

    assert variants == [("EUR", "month"), ("EUR", "year"), ("CHF", "month")]


def test_what_begins_with_a_plan_has_its_items_its_trial_and_its_terms(shop, plan):
    made = begun(shop, plan, {"seat": "7", "support": None})

    assert had(shop, made) == [("base", "1"), ("seat", "7"), ("support", "1")]
    assert made.trial_end == D("2027-01-01")
    assert (made.minimum_term_months, made.renewal_months, made.notice_months) == (12, 12, 3)
    with shop.seen():
        assert Subscription.objects.get(pk=made.pk).plan_id == plan.pk
        assert subscriptions_with(shop.actor, [plan.pk]) == {plan.pk: 1}


def test_what_is_said_comes_before_what_the_plan_says(shop, plan):
    made = begun(shop, plan, currency="CHF", trial_days=10, contract=Contract())

    assert had(shop, made) == [("base-chf", "1")]
    assert made.trial_end == D("2026-12-11")
    assert made.contract_terms is None


@pytest.mark.parametrize(
    ("quantities", "currency", "interval", "code"),
    [
        ({"seat": "1"}, "EUR", MONTH, "below_minimum"),
        ({"seat": "11"}, "EUR", MONTH, "above_maximum"),
        ({"seat": "NaN"}, "EUR", MONTH, "out_of_range"),
        ({"pro": "1"}, "EUR", MONTH, "unknown_variant"),
        ({}, "USD", MONTH, "unknown_variant"),
        ({}, None, None, "ambiguous_variant"),
    ],
)
def test_refuses_what_the_plan_does_not_have(shop, plan, quantities, currency, interval, code):
    with pytest.raises(InvalidSubscription) as refused:
        begun(shop, plan, quantities, currency, interval)

    assert [error.code for error in refused.value.errors] == [code]
    with shop.seen():
        assert not Subscription.objects.exists()


def test_nothing_begins_with_an_archived_plan_and_what_runs_goes_on(shop, plan):
    made = begun(shop, plan)
    archive_plan(shop.actor, plan.pk, now=NOW)

    with pytest.raises(InvalidSubscription) as refused:
        begun(shop, plan)
    assert [error.code for error in refused.value.errors] == ["plan_archived"]
    assert had(shop, made) == [("base", "1"), ("seat", "5")]
    reopen_plan(shop.actor, plan.pk, now=NOW)
    assert begun(shop, plan).plan_id == plan.pk


def test_a_changed_plan_leaves_what_has_begun_as_it_is(shop, plan):
    made = begun(shop, plan)
    known = keys(shop)

    edit_plan(shop.actor, plan.pk, NewPlan("Smaller", [NewPlanItem(known["pro"])]), now=NOW)

    assert had(shop, made) == [("base", "1"), ("seat", "5")]
    assert had(shop, begun(shop, plan)) == [("pro", "1")]


def test_another_plan_credits_the_rest_of_the_old_and_charges_that_of_the_new(shop, plan):
    made = begun(shop, plan, {"support": None}, start_date=D("2026-11-01"), trial_days=None)
    with shop.seen():
        Subscription.objects.filter(pk=made.pk).update(trial_end=None)
        Item.objects.filter(subscription=made).update(next_action_date=D("2026-11-01"))
    shop.run("2026-11-01", today=D("2026-11-01"))
    known = keys(shop)
    large = create_plan(
        shop.actor,
        NewPlan("Large", [NewPlanItem(known["pro"]), NewPlanItem(known["seat"], Decimal(10))]),
        now=NOW,
    )
    choice = PlanChoice(large.pk)
    common = {"day": D("2026-11-16"), "today": TODAY, "now": NOW}

    tried = change_plan(shop.actor, made.pk, choice, is_dry_run=True, **common)
    assert had(shop, made) == [("base", "1"), ("seat", "5"), ("support", "1")]
    done = change_plan(shop.actor, made.pk, choice, **common)

    # 15 of 30 days: 31.00 to 62.00, 15.50 to 31.00, and support of 15.50 goes.
    amounts = sorted(one.net_minor for one in done.charges)
    assert amounts == [-1550, -775, -775, 1550, 3100]
    assert [one.net_minor for one in tried.charges] == [one.net_minor for one in done.charges]
    assert had(shop, made) == [("pro", "1"), ("seat", "10")]
    with shop.seen():
        stored = Subscription.objects.get(pk=made.pk)
        assert (stored.plan_id_on(D("2026-11-15")), stored.plan_id_on(D("2026-11-16"))) == (
            plan.pk,
            large.pk,
        )
        assert Charge.objects.filter(subscription=made, status="pending").count() == 5
    with pytest.raises(NothingChanges):
        change_plan(shop.actor, made.pk, choice, **common)
    assert shop.violations() == []


@pytest.mark.parametrize("day", ["2026-12-01", "2026-12-16"], ids=["from its start", "later"])
def test_a_plan_of_just_these_items_is_had_and_costs_nothing(shop, plan, day):
    made = begun(shop, plan)
    shop.run("2027-01-01", today=D("2027-01-01"))
    known = keys(shop)
    same = create_plan(
        shop.actor,
        NewPlan("Team", [NewPlanItem(known["base"]), NewPlanItem(known["seat"], Decimal(5))]),
        now=NOW,
    )
    common = {"day": D(day), "today": D("2027-01-01"), "now": NOW}

    tried = change_plan(shop.actor, made.pk, PlanChoice(same.pk), is_dry_run=True, **common)
    with shop.seen():
        assert Subscription.objects.get(pk=made.pk).plan_id == plan.pk
        charges = Charge.objects.count()
    done = change_plan(shop.actor, made.pk, PlanChoice(same.pk), **common)

    assert (tried.charges, done.charges, done.after) == ((), (), {})
    with shop.seen():
        stored = Subscription.objects.get(pk=made.pk)
        assert (stored.plan_id_on(D(day)), Charge.objects.count()) == (same.pk, charges)
        if day != "2026-12-01":
            assert stored.plan_id_on(D("2026-12-15")) == plan.pk
        [said] = AuditEntry.objects.filter(action="subscription.plan_changed")
        assert said.after["plan"] == same.public_id
        assert not AuditEntry.objects.filter(action="subscription.changed").exists()
    assert had(shop, made) == [("base", "1"), ("seat", "5")]
    with pytest.raises(NothingChanges):
        change_plan(shop.actor, made.pk, PlanChoice(same.pk), **common)
    assert shop.violations() == []


def test_refuses_a_plan_in_another_currency_and_changes_nothing(shop, plan):
    made = begun(shop, plan)
    before = had(shop, made)

    with pytest.raises(InvalidChange):
        change_plan(
            shop.actor,
            made.pk,
            PlanChoice(plan.pk, "CHF"),
            day=D("2027-01-01"),
            today=TODAY,
            now=NOW,
        )

    assert had(shop, made) == before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"trial_days": 0}, "/trial_days"),
        ({"items": []}, "/items"),
        ({"contract": Contract(None, 12)}, "/contract/renewal_months"),
    ],
)
def test_refuses_a_plan_that_cannot_be_sold(shop, change, pointer):
    with pytest.raises(InvalidPlan) as refused:
        create_plan(shop.actor, small(shop, **change), now=NOW)

    assert [error.pointer for error in refused.value.errors] == [pointer]
    with shop.seen():
        assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"quantity": Decimal(-1)}, "out_of_range"),
        ({"quantity": Decimal("1E400")}, "out_of_range"),
        ({"maximum": Decimal("Infinity")}, "out_of_range"),
        ({"minimum": Decimal(3)}, "below_minimum"),
        ({"maximum": Decimal("0.5")}, "above_maximum"),
        ({"is_addon": True}, "only_addons"),
    ],
)
def test_refuses_quantities_that_cannot_be(shop, values, code):
    item = NewPlanItem(keys(shop)["base"], **values)

    with pytest.raises(InvalidPlan) as refused:
        create_plan(shop.actor, NewPlan("Odd", [item]), now=NOW)

    assert [error.code for error in refused.value.errors] == [code]


def test_names_and_prices_are_there_once(shop, plan):
    base = NewPlanItem(keys(shop)["base"])

    with pytest.raises(PlanNameTaken):
        create_plan(shop.actor, NewPlan("Small", [base]), now=NOW)
    with pytest.raises(ExternalIdTaken):
        create_plan(shop.actor, NewPlan("Other", [base], external_id="small"), now=NOW)
    with pytest.raises(InvalidPlan):
        create_plan(shop.actor, NewPlan("Twice", [base, base]), now=NOW)


def test_is_out_of_sight_for_another_tenant_and_closed_to_readers(shop, plan):
    stranger = make_vendor("other")
    wanted = small(shop)

    with pytest.raises(InvalidPlan):
        create_plan(stranger.actor, wanted, now=NOW)
    with pytest.raises(NotFound):
        archive_plan(stranger.actor, plan.pk, now=NOW)
    with pytest.raises(Forbidden):
        archive_plan(shop.staff("Rita", "support"), plan.pk, now=NOW)
