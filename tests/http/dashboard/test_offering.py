"""What is offered in a form ends somewhere: then it says so, and never just stops."""

from importlib import import_module

import pytest

from subscriptions.models import Subscription
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from tenancy.ids import public_id
from tests.world import NOW, price

SAID = "Only the first 1 are offered here; what is archived makes room for others."


@pytest.fixture
def shop(billed):
    create_meter(billed.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    metered = {"model": "per_unit", "timing": "arrears", "meter": "calls", "tax_rate": 19}
    others = price("calls-2", "0.03", **metered) | {"product": "Another product"}
    billed.has("prices", price("calls-1", "0.02", **metered), others)
    return billed


@pytest.mark.parametrize(
    ("module", "bound", "path"),
    [
        ("catalogue.plan_form", "_MOST_PRICES", "/catalogue/plans/new/"),
        ("catalogue.coupon_form", "_MOST_PRODUCTS", "/catalogue/coupons/new/"),
        ("subscriptions.starting", "_MOST_PRICES", "/subscriptions/new/"),
        ("subscriptions.items", "_MOST_PRICES", "/subscriptions/{subscription}/items/new/"),
        ("customers.charging", "_MOST_PRICES", "/customers/{account}/charges/new/"),
        ("customers.pools", "MOST_PRICES", "/customers/{account}/pools/new/"),
        ("customers.prices", "_MOST_PRICES", "/customers/{account}/prices/"),
    ],
)
def test_says_that_there_are_more(shop, alice, visit, monkeypatch, module, bound, path):
    with shop.seen():
        one = Subscription.objects.get(external_id="s1").public_id
    account = public_id("acc", shop.id_of("group"))
    url = path.format(account=account, subscription=one)
    client = visit(alice)

    assert "are offered here" not in client.get(url).content.decode()
    monkeypatch.setattr(import_module(f"dashboard.pages.{module}"), bound, 1)
    assert SAID in client.get(url).content.decode()
