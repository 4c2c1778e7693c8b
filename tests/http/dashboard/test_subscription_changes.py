"""Price and quantity changed on screen: what it comes to, twice at once, and what is refused."""

import re
from decimal import Decimal

import pytest

from invoicing.models import Charge
from subscriptions.models import EarlierTerms, Item
from tests.http.dashboard.conftest import version_in
from tests.world import price

PREVIEW = {"HX-Request": "true"}


def text_of(response):
    text = response.content.decode()
    page = text.partition("<main")[2].partition("</main>")[0] or text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def item(billed):
    """Eight seats at nine euros, charged for December on the first."""
    billed.has("prices", price("cheaper", "7", model="per_unit", tax_rate=19))
    with billed.seen():
        return Item.objects.select_related("subscription", "price").get(
            subscription__external_id="s2"
        )


def address_of(item):
    return f"/subscriptions/{item.subscription.public_id}/items/{item.public_id}/"


def values(item, **others):
    return {"price": item.price.public_id, "quantity": "8", "when": "now", **others}


def stored(vendor):
    with vendor.seen():
        return (
            list(Item.objects.order_by("pk").values()),
            EarlierTerms.objects.count(),
            Charge.objects.count(),
        )


def test_says_what_a_change_comes_to_before_it_is_made(billed, item, alice, visit):
    before = stored(billed)

    response = visit(alice).get(
        address_of(item), values(item, quantity="10", when="day", day="2026-12-11"), headers=PREVIEW
    )

    text = text_of(response)
    assert "Holds from 11 Dec 2026" in text
    assert "MRR until then €72.00 MRR since then €90.00" in text
    # 21 of 31 days of two seats more.
    assert "To be made good, net €12.20" in text
    assert "Time not used: Seats" in text
    assert "−€48.77" in text
    assert "€60.97" in text
    assert stored(billed) == before


def test_changes_and_shows_price_and_quantity_by_day(billed, item, alice, visit):
    client, address = visit(alice), address_of(item)
    version = version_in(client.get(address))
    sent = values(item, quantity="10", when="period_end", version=version)

    done = text_of(client.post(address, sent, follow=True))

    assert "It holds from 1 Jan 2027 on." in done
    assert "Price and quantity by day" in done
    assert "1 Jan 2027 Seats 10 €90.00" in done
    assert "Price or quantity changed" in done
    # What is had today stands above.
    assert "Seats Product 8 €9.00 monthly in advance €72.00" in done


def test_who_sends_an_old_form_overwrites_nothing_and_sees_both(billed, item, alice, visit):
    client, address = visit(alice), address_of(item)
    old = version_in(client.get(address))
    client.post(address, values(item, quantity="10", version=old))
    there = stored(billed)

    late = client.post(address, values(item, quantity="12", version=old))

    assert late.status_code == 409
    assert "Nothing was overwritten." in late.content.decode()
    assert "12 10" in text_of(late)
    assert stored(billed) == there
    again = client.post(address, values(item, quantity="12", version=version_in(late)))
    assert again.status_code == 302


@pytest.mark.parametrize("carried", [{}, {"version": ""}, {"version": "0" * 32}])
def test_a_form_without_its_version_is_an_old_one(billed, item, alice, visit, carried):
    before = stored(billed)

    answer = visit(alice).post(address_of(item), values(item, quantity="10", **carried))

    assert answer.status_code == 409
    assert stored(billed) == before


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"quantity": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"quantity": "NaN"}, "Enter a number."),
        ({"quantity": "1e400"}, "no more than 18 digits"),
        ({"quantity": "9" * 19}, "no more than 18 digits"),
        ({"price": "prc_0"}, "Select a valid choice"),
        ({"when": "never"}, "Select a valid choice"),
        ({"when": "day"}, "Please name the day."),
        ({"when": "day", "day": "1999-01-01"}, "A change is possible from the start on"),
        ({"when": "day", "day": "9999-01-01"}, "A date before 2200 is expected."),
        ({}, "Price and quantity are the same already."),
    ],
)
def test_refuses_what_cannot_be(billed, item, alice, visit, sent, message):
    client, before = visit(alice), stored(billed)
    version = version_in(client.get(address_of(item)))

    answer = client.post(address_of(item), values(item, version=version, **sent))

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert stored(billed) == before


def test_offers_the_prices_of_its_currency(billed, item, alice, visit):
    billed.has("prices", price("yearly-too", "7", interval="year", tax_rate=19))
    billed.has("prices", price("franc", "7", currency="CHF", tax_rate=19))

    page = visit(alice).get(address_of(item)).content.decode()

    offered = re.findall(r'<option value="prc_[^"]*"[^>]*>([^<·]*) ·', page)
    assert {"Cheaper", "Yearly-too"} <= set(offered)
    assert "Franc" not in offered


def test_who_may_not_change_subscriptions_finds_no_door(billed, item, visit):
    client = visit(billed.staff("Vera", "auditor"))

    page = client.get(f"/subscriptions/{item.subscription.public_id}/").content.decode()

    assert "Change …" not in page
    assert client.get(address_of(item)).status_code == 403


def test_needs_few_statements(billed, item, alice, visit, statements):
    assert len(statements(visit(alice), address_of(item))) <= 12


def test_a_change_to_nothing_leaves_a_quantity_of_zero(billed, item, alice, visit):
    client, address = visit(alice), address_of(item)
    sent = values(item, quantity="0", when="period_end", version=version_in(client.get(address)))

    client.post(address, sent)

    with billed.seen():
        assert Item.objects.get(pk=item.pk).quantity == Decimal(0)
