"""Plans on screen: where they stand, beginning with one, getting another one."""

import re
from decimal import Decimal

import pytest

from invoicing.models import Charge
from subscriptions.models import Item, Plan, Price, Subscription
from subscriptions.operations.plans.checking import NewPlan, NewPlanItem
from subscriptions.operations.plans.keeping import create_plan
from subscriptions.operations.subscriptions.contracting import Contract
from tests.http.dashboard.conftest import version_in
from tests.http.dashboard.test_subscription_life import PREVIEW, text_of
from tests.world import NOW, price
from web.templatetags.figures import money


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


@pytest.fixture
def found(billed):
    """Eight seats at 72.00 a month, charged until the end of the year."""
    with billed.seen():
        return Subscription.objects.get(external_id="s2")


def had(billed, found):
    with billed.seen():
        items = Item.objects.filter(subscription=found, uncharged="")
        return sorted(items.values_list("price__external_id", "quantity"))


def test_is_asked_for_a_plan_then_for_its_quantities_and_add_ons(billed, team, found, alice, visit):
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    chosen = f"{url}?plan={team.public_id}.1"

    first = client.get(url).content.decode()
    second = client.get(chosen).content.decode()

    assert f'href="{chosen}"' in first
    # What it has goes on, an add-on is not taken by itself.
    assert re.search(r'name="item_0"[^>]* value="8"', second)
    assert not re.search(r'name="item_1"[^>]* value="', second)
    assert "Possible: 2 to 50. So far: 8." in second


def test_gets_another_plan(billed, team, found, alice, visit):
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    chosen = {
        "plan": f"{team.public_id}.1",
        "item_0": "10",
        "item_1": "2",
        "when": "day",
        "day": "2026-12-11",
    }
    version = version_in(client.get(f"{url}?plan={team.public_id}.1"))

    preview = text_of(client.get(url, chosen, headers=PREVIEW))
    assert had(billed, found) == [("seats", 8)]
    done = text_of(client.post(url, {**chosen, "version": version}, follow=True))

    assert "MRR of these items until then €72.00" in preview
    assert "It has the plan from 11 Dec 2026 on." in done
    assert had(billed, found) == [("seats", 10), ("support", 2)]
    with billed.seen():
        assert Plan.objects.get().pk == Subscription.objects.get(pk=found.pk).plan_id
        made = Charge.objects.filter(subscription=found, status="pending").order_by("pk")
        total = sum(made.values_list("net_minor", flat=True))
    assert f"To be made good, net {money(total, 'EUR')}" in preview


def test_gets_a_plan_of_just_the_items_that_it_has(billed, team, found, alice, visit):
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    chosen = {"plan": f"{team.public_id}.1", "item_0": "8", "item_1": "", "when": "period_end"}
    version = version_in(client.get(f"{url}?plan={team.public_id}.1"))

    preview = text_of(client.get(url, chosen, headers=PREVIEW))
    done = text_of(client.post(url, {**chosen, "version": version}, follow=True))

    assert "no price changes" in preview
    assert "MRR of these items" not in preview
    assert "It has the plan from 1 Jan 2027 on." in done
    assert had(billed, found) == [("seats", 8)]
    with billed.seen():
        assert Subscription.objects.get(pk=found.pk).plan_id == team.pk


def test_what_is_left_empty_is_as_the_plan_says(billed, team, found, alice, visit):
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    chosen = {"plan": f"{team.public_id}.1", "item_0": "", "item_1": "", "when": "period_end"}
    version = version_in(client.get(f"{url}?plan={team.public_id}.1"))

    done = text_of(client.post(url, {**chosen, "version": version}, follow=True))

    assert "It has the plan from 1 Jan 2027 on." in done
    assert had(billed, found) == [("seats", 5)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"item_0": "51"}, "At most 50 is expected."),
        ({"item_0": "1"}, "At least 2 is expected."),
        ({"item_0": "NaN"}, "Enter a number."),
        ({"item_1": "-1"}, "greater than or equal to 0"),
        ({"item_1": "1e400"}, "Ensure that there are no more than"),
        ({"when": "day"}, "Please name the day."),
        ({"plan": "pln_x.1"}, "This plan is not offered here."),
    ],
)
def test_refuses_a_quantity_at_its_field_and_changes_nothing(
    billed, team, found, alice, visit, values, said
):
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    sent = {"plan": f"{team.public_id}.1", "item_0": "9", "item_1": "", "when": "period_end"}
    version = version_in(client.get(f"{url}?plan={team.public_id}.1"))

    answer = client.post(url, {**sent, "version": version, **values})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert had(billed, found) == [("seats", 8)]


def test_two_who_give_one_subscription_a_plan_do_it_once(billed, team, found, alice, visit):
    client, url = visit(alice), f"/subscriptions/{found.public_id}/plan/"
    sent = {"plan": f"{team.public_id}.1", "item_0": "9", "item_1": "", "when": "period_end"}
    version = version_in(client.get(f"{url}?plan={team.public_id}.1"))

    first = client.post(url, {**sent, "version": version})
    late = client.post(url, {**sent, "item_0": "20", "version": version})

    assert (first.status_code, late.status_code) == (302, 409)
    assert "Nothing was overwritten." in text_of(late)
    assert had(billed, found) == [("seats", 9)]


def test_new_subscriptions_are_led_to_plans(billed, team, alice, visit):
    page = visit(alice).get("/subscriptions/new/").content.decode()

    assert f"/subscriptions/new/?plan={team.public_id}&amp;variant=1" in page


def test_a_subscription_has_few_buttons_and_the_rest_in_a_menu(billed, found, alice, visit):
    page = visit(alice).get(f"/subscriptions/{found.public_id}/").content.decode()

    head, _menu, rest = page.partition('<details class="menu" name="subscription-menu">')
    panel = rest.partition("</details>")[0]
    main = head.partition("<main")[2]
    assert main.count('class="button"') == 2
    assert "Another plan …" in main
    assert "End …" in main
    for word in (
        "Add an item …", "Pause …", "Apply coupon …", "Give a discount …", "Contract terms …",
        "Invoice recipient …",
    ):  # fmt: skip
        assert word in panel
