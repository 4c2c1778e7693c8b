"""Meters on screen, metered prices, and the usage of an account."""

import pytest
from django.test import Client

from accounts.models import Person
from subscriptions.models import Meter, Price, Subscription
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

TERMS = {
    "name": "By use", "model": "per_unit", "currency": "EUR", "unit_amount": "5",
    "interval": "month", "interval_count": "1", "tax_class": "standard",
}  # fmt: skip


@scene
def shop(vendor):
    vendor.has("accounts", account("A"), account("B", "A"))
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum", "call"), now=NOW)
    vendor.has(
        "prices",
        price("calls", "0.02", model="per_unit", timing="arrears", meter="calls", tax_rate=19),
    )
    vendor.has("subscriptions", subscription("S", "B", "calls", "2026-11-01"))
    rows = [
        {"event_id": f"e{day}", "subscription_external_id": "S", "meter": "calls",
         "quantity": day, "at": f"2026-11-{day:02}"}
        for day in range(1, 20)
    ]  # fmt: skip
    vendor.has("usage", *rows)
    return vendor


@pytest.fixture
def client(shop):
    client = Client()
    client.force_login(Person.objects.get(pk=str(shop.staff("Olga", "owner").person_id)))
    return client


def meter_of(shop):
    with shop.seen():
        return Meter.objects.get()


def sent(client, url, **values):
    page = client.get(url)
    hidden = {name: page.context[name] for name in ("key", "version") if name in page.context}
    return client.post(url, {**hidden, **values})


def test_makes_a_meter_and_refuses_the_same_id(client, shop):
    values = {"name": "Users", "external_id": "users", "aggregation": "unique_count"}

    made = sent(client, "/catalogue/meters/new/", **values)
    again = sent(client, "/catalogue/meters/new/", **values)

    assert made.status_code == 302
    assert again.status_code == 422
    assert "users" in again.content.decode()


def test_a_used_meter_keeps_what_it_measures(client, shop):
    url = f"/catalogue/meters/{meter_of(shop).public_id}/edit/"
    values = {"name": "Requests", "external_id": "calls", "unit": "call"}

    refused = sent(client, url, aggregation="max", **values)
    changed = sent(client, url, aggregation="sum", **values)

    assert (refused.status_code, changed.status_code) == (422, 302)
    assert (meter_of(shop).name, meter_of(shop).aggregation) == ("Requests", "sum")


def test_shows_who_changed_it_first(client, shop):
    url = f"/catalogue/meters/{meter_of(shop).public_id}/edit/"
    version = client.get(url).context["version"]
    values = {"external_id": "calls", "unit": "call", "aggregation": "sum"}

    client.post(url, {"name": "One", "version": version, **values})
    late = client.post(url, {"name": "Two", "version": version, **values})

    assert late.status_code == 409
    assert meter_of(shop).name == "One"


def test_a_price_is_made_that_is_charged_by_a_meter(client, shop):
    with shop.seen():
        product = Price.objects.select_related("product").get().product.public_id
    url, meter = f"/catalogue/products/{product}/prices/new/", meter_of(shop)
    terms = {**TERMS, "meter": meter.public_id}

    refused = sent(client, url, **{**terms, "timing": "advance"})
    made = sent(client, url, **{**terms, "timing": "arrears"})

    assert (refused.status_code, made.status_code) == (422, 302)
    with shop.seen():
        assert Price.objects.get(name="By use").meter_id == meter.pk
    assert "Calls" in client.get(made.headers["Location"]).content.decode()


def test_usage_is_shown_by_node_and_day_and_saved(client, shop):
    url = f"/customers/{public_id('acc', shop.id_of('A'))}/usage/"
    own = client.get(url)
    below = client.get(f"{url}?below=1&since=2026-11-01&last=2026-11-30")
    file = client.get(f"{url}?below=1&since=2026-11-01&last=2026-11-30&format=csv")

    assert "Nothing was used" in own.content.decode()
    assert below.content.decode().count('class="used"') == 19
    assert "190 call" in below.content.decode()
    body = b"".join(file.streaming_content) if file.streaming else file.content
    assert len(body.splitlines()) == 20


@pytest.mark.parametrize(
    "query",
    ["since=2026-12-01&last=2026-11-01", "since=2020-01-01&last=2026-11-01", "last=0001-01-01",
     "since=x", "meter=mtr_x", "below=7"],
)  # fmt: skip
def test_refuses_days_and_meters_that_mean_nothing(client, shop, query):
    url = f"/customers/{public_id('acc', shop.id_of('B'))}/usage/"

    assert client.get(f"{url}?{query}").status_code == 422


def test_a_subscription_says_what_was_used_so_far_and_costs(client, shop):
    with shop.seen():
        key = Subscription.objects.get().public_id

    page = client.get(f"/subscriptions/{key}/").content.decode()
    coming = client.get(f"/subscriptions/{key}/next/", headers={"HX-Request": "true"})

    assert "190 call for €3.80 net, before discounts" in page.replace("\xa0", " ")
    assert "as used" in page
    assert "estimate" in coming.content.decode()
