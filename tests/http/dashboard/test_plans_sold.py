"""Plans on screen: where they stand, beginning with one, getting another one."""

from decimal import Decimal

import pytest

from subscriptions.models import Item, Plan, Price, Subscription
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import create_plan
from subscriptions.operations.subscriptions.contracting import Contract
from tests.http.dashboard.conftest import version_in
from tests.http.dashboard.test_subscription_life import PREVIEW, text_of
from tests.world import NOW, price


@pytest.fixture
def team(billed):
    """Seats with support as an add-on, for a year at least."""
    billed.has("prices", price("support", "31", tax_rate=19))
    with billed.seen():
        keys = dict(Price.objects.values_list("external_id", "pk"))
    items = [
        NewPlanItem(keys["seats"], Decimal(5), minimum=Decimal(2), maximum=Decimal(50)),
        NewPlanItem(keys["support"], is_addon=True),
    ]
    wanted = NewPlan("Team", items, contract=Contract(12, 12, notice_months=3))
    return create_plan(billed.actor, wanted, now=NOW)


def key_in_page(response):
    return response.content.decode().partition('name="key" value="')[2].partition('"')[0]


def test_shows_plans_and_archives_one(billed, team, alice, visit):
    client, url = visit(alice), f"/catalogue/plans/{team.public_id}/"

    assert "Team" in text_of(client.get("/catalogue/plans/"))
    shown = text_of(client.get(url))
    assert "Always 5 2 to 50" in shown
    assert "Add-on 1 –" in shown
    assert "Minimum term 1 year After the term renews by 1 year" in shown
    assert "No subscription has it." in shown

    done = text_of(client.post(f"{url}archive/", follow=True))
    assert "Archived. What runs goes on." in done
    assert "Begin a subscription" not in done
    assert "Sell it again" in done


def test_an_account_begins_with_a_plan(billed, team, alice, visit):
    client, url = visit(alice), f"/subscriptions/new/?plan={team.public_id}&variant=1"
    page = client.get(url)
    with billed.seen():
        owner = Subscription.objects.get(external_id="s2").account.public_id
    values = {
        "plan": team.public_id,
        "variant": "1",
        "account": owner,
        "item_0": "7",
        "item_1": "1",
        "start_date": "2027-01-01",
        "minimum_term_months": "12",
        "renewal_months": "12",
        "notice_months": "3",
    }

    preview = text_of(client.get("/subscriptions/new/", values, headers=PREVIEW))
    key = key_in_page(page)
    refused = client.post("/subscriptions/new/", {**values, "item_0": "51", "key": key})
    done = text_of(client.post("/subscriptions/new/", {**values, "key": key}, follow=True))

    assert "€94.00" in preview
    assert refused.status_code == 422
    assert "At most 50 is expected." in text_of(refused)
    assert "Plan Team" in done
    with billed.seen():
        made = Subscription.objects.get(plan=team)
        items = list(
            Item.objects.filter(subscription=made).values_list("price__external_id", "quantity")
        )
    assert sorted(items) == [("seats", 7), ("support", 1)]
    assert made.minimum_term_months == 12


@pytest.mark.parametrize(
    "asked", ["plan=pln_nothing", "plan={plan}&variant=2", "plan={plan}&variant=x"]
)
def test_there_is_no_such_plan_to_begin_with(team, alice, visit, asked):
    url = f"/subscriptions/new/?{asked.format(plan=team.public_id)}"

    assert visit(alice).get(url).status_code == 404


def test_gets_another_plan(billed, team, alice, visit):
    with billed.seen():
        found = Subscription.objects.get(external_id="s2")
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    chosen = {"plan": f"{team.public_id}.1", "when": "period_end"}
    version = version_in(client.get(url))

    preview = text_of(client.get(url, chosen, headers=PREVIEW))
    done = text_of(client.post(url, {**chosen, "version": version}, follow=True))

    assert "MRR of these items until then €72.00" in preview
    assert "MRR of these items since then €45.00" in preview
    assert "It has the plan from 1 Jan 2027 on." in done
    with billed.seen():
        assert Plan.objects.get().pk == Subscription.objects.get(pk=found.pk).plan_id
