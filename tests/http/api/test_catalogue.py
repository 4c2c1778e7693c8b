"""Products and prices over the API."""

import pytest

from subscriptions.models import Price, Product
from tenancy.models import AuditEntry

PRICE = {
    "external_id": "seats",
    "product": "ext:crm",
    "model": "per_unit",
    "currency": "EUR",
    "unit_amount": "12.50",
    "interval": "month",
}


@pytest.fixture
def crm(api):
    answer = api.post("/api/v1/products", {"external_id": "crm", "name": "CRM"})
    assert answer.status_code == 201
    return answer.json()


def count(shop, model):
    with shop.seen():
        return model.objects.count()


def test_adds_a_product_and_says_where_it_is(api, crm, nordlicht):
    assert crm.pop("created_at").endswith("Z")
    assert crm == {"id": crm["id"], "external_id": "crm", "name": "CRM"}
    assert crm["id"].startswith("prd_")
    assert api.get(f"/api/v1/products/{crm['id']}").json()["name"] == "CRM"
    assert api.get("/api/v1/products/ext:crm").json()["id"] == crm["id"]
    assert [one["name"] for one in api.get("/api/v1/products").json()["data"]] == [
        "CRM",
        "Product",
    ]
    with nordlicht.seen():
        assert AuditEntry.objects.filter(action="product.created").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "CRM"}, 409, "product_name_taken"),
        ({"name": "Other", "external_id": "crm"}, 409, "external_id_taken"),
        ({"name": ""}, 422, "invalid_body"),
        ({"name": "  "}, 422, "invalid_body"),
        ({"name": "x" * 201}, 422, "invalid_body"),
        ({"name": 7}, 422, "invalid_body"),
        ({}, 422, "invalid_body"),
    ],
)
def test_refuses_a_product(api, crm, nordlicht, body, status, code):
    before = count(nordlicht, Product)

    answer = api.post("/api/v1/products", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert count(nordlicht, Product) == before


def test_adds_a_price(api, crm):
    answer = api.post("/api/v1/prices", PRICE)

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/api/v1/prices/{made['id']}")
    assert made.pop("created_at")
    assert made == {
        "id": made["id"],
        "external_id": "seats",
        "product": crm["id"],
        "name": "CRM",
        "model": "per_unit",
        "currency": "EUR",
        "unit": "",
        "unit_amount": "12.5",
        "tiers": [],
        "package_size": None,
        "interval": "month",
        "interval_count": 1,
        "timing": "advance",
        "tax_category": "S",
        "tax_class": "standard",
    }
    rows = api.get("/api/v1/prices?product=ext:crm").json()["data"]
    assert [row["external_id"] for row in rows] == ["seats"]
    assert api.get("/api/v1/prices?currency=CHF").json()["data"] == []


def test_adds_a_price_in_tiers(api, crm):
    tiers = [
        {"up_to": "10", "unit_amount": "5"},
        {"up_to": None, "unit_amount": "4.25", "flat_amount": "3"},
    ]

    made = api.post(
        "/api/v1/prices",
        {**PRICE, "model": "graduated", "unit_amount": None, "tiers": tiers, "tax_category": "Z"},
    ).json()

    assert made["tiers"] == [
        {"up_to": "10", "unit_amount": "5", "flat_amount": "0"},
        {"up_to": None, "unit_amount": "4.25", "flat_amount": "3"},
    ]
    assert (made["tax_category"], made["tax_class"]) == ("Z", "zero")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"product": "ext:nothing"}, "/product", "not_found"),
        ({"product": "prd_01"}, "/product", "not_found"),
        ({"model": "percentage"}, "/model", "invalid_choice"),
        ({"currency": "XYZ"}, "/currency", "invalid"),
        ({"currency": "BGN"}, "/currency", "currency_withdrawn"),
        ({"unit_amount": 12.5}, "/unit_amount", "invalid"),
        ({"unit_amount": "NaN"}, "/unit_amount", "invalid"),
        ({"unit_amount": "1e400"}, "/unit_amount", "invalid"),
        ({"unit_amount": "-1"}, "/unit_amount", "amount_negative"),
        ({"unit_amount": "1.123456789"}, "/unit_amount", "out_of_range"),
        ({"unit_amount": "1234567890123"}, "/unit_amount", "out_of_range"),
        ({"unit_amount": None}, "/unit_amount", "unit_amount_required"),
        ({"model": "package"}, "/package_size", "package_size_required"),
        ({"model": "volume", "unit_amount": None}, "/tiers", "tiers_required"),
        ({"tiers": "10"}, "/tiers", "invalid"),
        ({"tiers": [{"up_to": None}]}, "/tiers/0/unit_amount", "required"),
        ({"tiers": [{"up_to": 1, "unit_amount": 1, "odd": 1}]}, "/tiers/0/odd", "unknown_name"),
        ({"tiers": [{"up_to": 1.5, "unit_amount": 1}]}, "/tiers/0/up_to", "invalid"),
        ({"interval": "decade"}, "/interval", "invalid_choice"),
        ({"interval_count": 0}, "/interval_count", "min_value"),
        ({"timing": "never"}, "/timing", "invalid_choice"),
        ({"tax_category": "AE"}, "/tax_category", "invalid_choice"),
        ({"name": "x" * 201}, "/name", "max_length"),
    ],
)
def test_refuses_a_price(api, crm, nordlicht, change, pointer, code):
    before = count(nordlicht, Price)

    answer = api.post("/api/v1/prices", {**PRICE, **change})

    assert answer.status_code == 422
    assert (pointer, code) in [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert count(nordlicht, Price) == before


@pytest.mark.parametrize(
    ("tiers", "code"),
    [
        (
            [{"up_to": up_to, "unit_amount": 1} for up_to in (10, 5, None)],
            "tiers_not_ascending",
        ),
        ([{"up_to": 10, "unit_amount": 1}], "last_tier_not_infinite"),
        ([{"up_to": None, "unit_amount": 1}] * 101, "too_many"),
    ],
)
def test_refuses_tiers_that_leave_gaps(api, crm, tiers, code):
    body = {**PRICE, "model": "volume", "unit_amount": None, "tiers": tiers}

    errors = api.post("/api/v1/prices", body).json()["errors"]

    assert code in [one["code"] for one in errors]


def test_refuses_an_external_id_twice(api, crm, nordlicht):
    api.post("/api/v1/prices", PRICE)

    answer = api.post("/api/v1/prices", {**PRICE, "unit_amount": "1"})

    assert (answer.status_code, answer.json()["code"]) == (409, "external_id_taken")
    with nordlicht.seen():
        assert Price.objects.filter(external_id="seats").count() == 1


def test_keeps_the_catalogue_from_who_reaches_a_part(nordlicht, caller):
    bound = caller(nordlicht.key(reach="A"))

    for address in ("/api/v1/products", "/api/v1/prices"):
        assert bound.get(address).status_code == 403


def test_refuses_to_add_without_the_scope(api, crm, nordlicht, caller):
    reading = caller(nordlicht.key(scopes=["subscriptions:read"]))

    assert reading.get("/api/v1/products").status_code == 200
    assert reading.post("/api/v1/products", {"name": "Other"}).status_code == 403
    assert reading.post("/api/v1/prices", PRICE).status_code == 403


def test_shows_nothing_of_another_vendor(api, crm, andere, caller):
    other = caller(andere.secret)

    assert other.get(f"/api/v1/products/{crm['id']}").status_code == 404
    assert other.get("/api/v1/products/ext:crm").status_code == 404
    assert other.post("/api/v1/prices", PRICE).json()["errors"][0]["pointer"] == "/product"
