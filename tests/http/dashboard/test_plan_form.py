"""The form of a plan: made, changed, refused at its fields, and foretold before it is saved."""

import pytest

from subscriptions.models import Plan, PlanItem, Price
from tenancy.models import AuditEntry
from tests.http.dashboard.conftest import version_in
from tests.http.dashboard.test_plans_sold import key_in_page, team  # noqa: F401 - a fixture
from tests.http.dashboard.test_subscription_life import PREVIEW, text_of
from tests.world import price

NEW = "/catalogue/plans/new/"


@pytest.fixture
def shop(billed):
    """Seats, and support by the month in another currency too."""
    billed.has("prices", price("support", "31", tax_rate=19))
    billed.has("prices", price("support-chf", "33", currency="CHF", tax_rate=19, product="support"))
    return billed


@pytest.fixture
def ids(shop):
    with shop.seen():
        return {one.external_id: one.public_id for one in Price.objects.all()}


def written(*rows, **values):
    """Return what a form sends with rows of price, part, quantity and bounds."""
    names = ("item_price", "item_part", "item_quantity", "item_minimum", "item_maximum")
    cells = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return {"name": "Team", **cells, **values}


def plans_of(shop):
    with shop.seen():
        return list(Plan.objects.order_by("name"))


def items_of(shop, plan):
    with shop.seen():
        found = PlanItem.objects.filter(plan=plan).select_related("price").order_by("position")
        return [
            (
                one.price.external_id,
                one.is_addon,
                f"{one.quantity.normalize():f}",
                one.minimum,
                one.maximum,
            )
            for one in found
        ]


def test_makes_a_plan_once(shop, ids, alice, visit):
    client = visit(alice)
    key = key_in_page(client.get(NEW))
    values = written(
        (ids["seats"], "always", "5", "2", "50"),
        (ids["support"], "addon", "", "", ""),
        (ids["support-chf"], "always", "1", "", ""),
        external_id="team",
        trial_days="14",
        minimum_term_months="12",
        renewal_months="12",
        notice_months="3",
        key=key,
    )

    done = text_of(client.post(NEW, values, follow=True))
    again = text_of(client.post(NEW, values, follow=True))

    assert "“Team” is in the catalogue." in done
    assert "Always 5 2 to 50" in done
    assert "nothing was created twice" in again.lower()
    [plan] = plans_of(shop)
    assert (plan.external_id, plan.trial_days) == ("team", 14)
    assert (plan.minimum_term_months, plan.renewal_months, plan.notice_months) == (12, 12, 3)
    assert items_of(shop, plan) == [
        ("seats", False, "5", 2, 50),
        ("support", True, "1", None, None),
        ("support-chf", False, "1", None, None),
    ]


def test_rows_come_and_go_without_script_and_nothing_is_stored(shop, ids, alice, visit):
    client = visit(alice)
    first = (ids["seats"], "always", "5", "2", "50")

    more = client.post(NEW, written(first, step="add", new_price=ids["support"]))
    content = more.content.decode()
    assert more.status_code == 200
    assert content.count('name="item_price"') == 2
    assert content.count("autofocus") == 1
    assert f'<option value="{ids["support"]}"' not in content

    second = (ids["support"], "addon", "1", "", "")
    raised = client.post(NEW, {**written(first, second), "raise": "1"}).content.decode()
    assert raised.index(f'value="{ids["support"]}"') < raised.index(f'value="{ids["seats"]}"')
    fewer = client.post(NEW, {**written(first, second), "remove": "0"}).content.decode()
    assert fewer.count('name="item_price"') == 1
    assert "selected>Add-on" in fewer
    assert plans_of(shop) == []


def test_a_price_that_is_chosen_and_not_added_yet_is_saved_too(shop, ids, alice, visit):
    client = visit(alice)
    key = key_in_page(client.get(NEW))

    client.post(NEW, {"name": "Team", "new_price": ids["seats"], "key": key})

    [plan] = plans_of(shop)
    assert items_of(shop, plan) == [("seats", False, "1", None, None)]


@pytest.mark.parametrize(
    ("row", "values", "said"),
    [
        (("seats", "always", "1", "2", ""), {}, "At least 2 is expected."),
        (("seats", "always", "9", "", "8"), {}, "At most 8 is expected."),
        (("seats", "always", "NaN", "", ""), {}, "Enter a number."),
        (("seats", "always", "1e400", "", ""), {}, "Ensure that there are no more than"),
        (("seats", "always", "-1", "", ""), {}, "greater than or equal to 0"),
        (("seats", "addon", "1", "", ""), {}, "one item is no add-on"),
        (("prc_x", "always", "1", "", ""), {}, "There is no such price."),
        (("seats", "always", "1", "", ""), {"name": " "}, "This field is required."),
        (("seats", "always", "1", "", ""), {"trial_days": "3651"}, "less than or equal to 3650"),
        (("seats", "always", "1", "", ""), {"renewal_months": "12"}, "id_renewal_months_error"),
        (("seats", "always", "1", "", ""), {"key": "old"}, "This form is too old."),
    ],
)
def test_refuses_at_its_field_and_makes_nothing(shop, ids, alice, visit, row, values, said):
    client = visit(alice)
    key = key_in_page(client.get(NEW))
    sent = written((ids.get(row[0], row[0]), *row[1:]), **{"key": key, **values})

    answer = client.post(NEW, sent)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert plans_of(shop) == []


def test_a_name_and_a_price_are_there_once(shop, ids, team, alice, visit):
    client = visit(alice)
    key = key_in_page(client.get(NEW))
    row = (ids["seats"], "always", "1", "", "")

    taken = client.post(NEW, written(row, key=key))
    twice = client.post(NEW, written(row, row, key=key, name="Twice"))

    assert "There is a plan “Team” already." in text_of(taken)
    assert 'id="id_name_error"' in taken.content.decode()
    assert "A plan has each price once." in text_of(twice)
    assert [one.name for one in plans_of(shop)] == ["Team"]


def test_a_change_is_foretold_and_leaves_who_has_it_alone(shop, ids, team, alice, visit):
    client, url = visit(alice), f"/catalogue/plans/{team.public_id}/edit/"
    page = client.get(url)
    values = written(
        (ids["seats"], "always", "6", "2", ""),
        name="Team 2027",
        minimum_term_months="24",
        renewal_months="12",
        notice_months="3",
    )

    shown = text_of(client.post(url, values, headers=PREVIEW))
    assert "No subscription has it." in shown
    assert "Minimum term in months (optional) 12 24" in shown
    assert "Name Team Team 2027" in shown
    assert "A full period without add-ons, net €54.00" in shown
    assert [one.name for one in plans_of(shop)] == ["Team"]

    saved = client.post(url, {**values, "version": version_in(page)}, follow=True)
    assert "Saved. Who has the plan already keeps what was begun with." in text_of(saved)
    [plan] = plans_of(shop)
    assert (plan.name, plan.minimum_term_months) == ("Team 2027", 24)
    assert items_of(shop, plan) == [("seats", False, "6", 2, None)]


def test_two_who_change_one_plan_overwrite_nothing(shop, ids, team, alice, visit):
    client, url = visit(alice), f"/catalogue/plans/{team.public_id}/edit/"
    seen = version_in(client.get(url))
    common = {"minimum_term_months": "12", "renewal_months": "12", "notice_months": "3"}
    mine = written((ids["seats"], "always", "7", "", ""), version=seen, **common)
    theirs = written((ids["seats"], "always", "8", "", ""), version=seen, **common)

    assert client.post(url, theirs).status_code == 302
    late = client.post(url, mine)

    assert late.status_code == 409
    shown = text_of(late)
    assert "Nothing was overwritten." in shown
    assert "Items 7 × Seats 8 × Seats" in shown
    assert items_of(shop, team)[0][2] == "8"
    # Sent once more it has seen what is stored; sent twice it is stored once.
    again = {**mine, "version": version_in(late)}
    with shop.seen():
        before = AuditEntry.objects.count()
    assert [client.post(url, again).status_code for _ in range(2)] == [302, 302]
    with shop.seen():
        assert AuditEntry.objects.count() == before + 1
    assert items_of(shop, team)[0][2] == "7"


def test_keeps_an_item_of_which_the_price_is_archived(shop, ids, team, alice, visit):
    client = visit(alice)
    client.post(f"/catalogue/prices/{ids['support']}/archive/")

    page = client.get(f"/catalogue/plans/{team.public_id}/edit/").content.decode()

    assert f'name="item_price" value="{ids["support"]}"' in page
    assert f'<option value="{ids["support"]}"' not in page


@pytest.mark.parametrize("path", ["new/", "{plan}/edit/"])
def test_readers_find_no_door(shop, team, visit, path):
    client = visit(shop.staff("Sam", "support"))
    url = f"/catalogue/plans/{path.format(plan=team.public_id)}"

    assert client.get(url).status_code == 403
    assert client.post(url, {"name": "x"}).status_code == 403
    assert "New plan" not in client.get("/catalogue/plans/").content.decode()
    assert "Change …" not in client.get(f"/catalogue/plans/{team.public_id}/").content.decode()
