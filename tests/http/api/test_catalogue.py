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
    assert crm == {
        "id": crm["id"],
        "external_id": "crm",
        "name": "CRM",
        "archived_at": None,
    }
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
        "first": made["id"],
        "account": None,
        "number": 1,
        "valid_from": None,
        "ends_on": None,
        "product": crm["id"],
        "name": "CRM",
        "model": "per_unit",
        "currency": "EUR",
        "unit": "",
        "unit_amount": "12.5",
        "tiers": [],
        "package_size": None,
        "setup_fee": None,
        "minimum_amount": None,
        "meter": None,
        "interval": "month",
        "interval_count": 1,
        "timing": "advance",
        "tax_category": "S",
        "tax_class": "standard",
        "archived_at": None,
    }
    rows = api.get("/api/v1/prices?product=ext:crm").json()["data"]
    assert [row["external_id"] for row in rows] == ["seats"]
    assert api.get("/api/v1/prices?currency=CHF").json()["data"] == []


def test_adds_a_price_that_costs_something_at_least(api, crm):
    made = api.post("/api/v1/prices", {**PRICE, "minimum_amount": "100.00"}).json()

    assert (made["model"], made["minimum_amount"], made["meter"]) == ("per_unit", "100", None)


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
        ({"model": "matrix"}, "/model", "invalid_choice"),
        ({"model": "flat", "minimum_amount": "5"}, "/minimum_amount", "minimum_of_flat"),
        ({"minimum_amount": "-5"}, "/minimum_amount", "amount_negative"),
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


@pytest.fixture
def seats(api, crm):
    """The price of seats, and how to ask for a change of what was seen of it."""
    made = api.post("/api/v1/prices", PRICE).json()
    return made, f"/api/v1/prices/{made['id']}"


def test_changes_a_price_that_nobody_has(api, seats):
    _made, url = seats
    tag = api.get(url).headers["ETag"]
    tiers = [{"up_to": "10", "unit_amount": "5"}, {"up_to": None, "unit_amount": "4"}]
    change = {"model": "volume", "unit_amount": None, "tiers": tiers}

    tried = api.patch(f"{url}?dry_run=true", change, tag)
    kept = api.get(url).json()
    answer = api.patch(url, change, tag)

    assert (tried.status_code, kept["model"]) == (200, PRICE["model"])
    assert answer.json() == tried.json()
    assert [tier["up_to"] for tier in api.get(url).json()["tiers"]] == ["10", None]


def test_demands_to_know_what_was_seen_of_a_price(api, seats):
    _made, url = seats

    blind = api.patch(url, {"name": "Other"})
    late = api.patch(url, {"name": "Other"}, '"old"')

    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert api.get(url).json()["name"] == "CRM"


def test_a_price_that_is_used_changes_its_name_alone(api):
    url = "/api/v1/prices/ext:desk"
    items = {"account": "ext:A", "items": [{"price": "ext:desk"}], "start_date": "2026-12-01"}
    assert api.post("/api/v1/subscriptions", items).status_code == 201
    seen = api.get(url).headers["ETag"]

    dearer = api.patch(url, {"unit_amount": "99"}, seen)
    renamed = api.patch(url, {"name": "Desk, seat"}, seen)

    assert (dearer.status_code, dearer.json()["code"]) == (409, "price_used")
    assert (renamed.json()["name"], renamed.json()["unit_amount"]) == ("Desk, seat", "9")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"unit_amount": "-1"}, "/unit_amount", "amount_negative"),
        ({"unit_amount": None}, "/unit_amount", "unit_amount_required"),
        ({"unit_amount": "1" * 400}, "/unit_amount", None),
        ({"unit_amount": "NaN"}, "/unit_amount", "invalid"),
        ({"unit_amount": "1e400"}, "/unit_amount", "invalid"),
        ({"currency": "XXX"}, "/currency", "invalid"),
        ({"name": " "}, "/name", None),
    ],
)
def test_refuses_a_change_that_cannot_be(api, seats, change, pointer, code):
    made, url = seats

    answer = api.patch(url, change, "*")

    [wrong] = answer.json()["errors"]
    assert (answer.status_code, wrong["pointer"]) == (422, pointer)
    assert code is None or wrong["code"] == code
    assert api.get(url).json() == made


def test_renames_a_product_once(api, crm):
    api.post("/api/v1/products", {"name": "Other"})
    url = f"/api/v1/products/{crm['id']}"

    taken = api.patch(url, {"name": "Other"})
    renamed = api.patch(url, {"name": "CRM 2", "external_id": "crm2"})

    assert (taken.status_code, taken.json()["code"]) == (409, "product_name_taken")
    assert (renamed.json()["name"], renamed.json()["external_id"]) == ("CRM 2", "crm2")


def test_sells_nothing_new_at_what_is_archived(api):
    wanted = {"account": "ext:A", "items": [{"price": "ext:desk"}], "start_date": "2026-12-01"}
    product = api.get("/api/v1/prices/ext:desk").json()["product"]
    running = api.post("/api/v1/subscriptions", wanted).json()
    of_product, of_price = f"/api/v1/products/{product}", "/api/v1/prices/ext:desk"

    for url in (of_price, of_product):
        assert api.post(f"{url}/archival").json()["archived_at"] is not None
        refused = api.post("/api/v1/subscriptions", wanted)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["code"] == "price_archived"
        assert api.post(f"{url}/reopening").json()["archived_at"] is None
    api.post(f"{of_product}/archival")
    terms = {"product": product, "model": "flat", "unit_amount": "1", "currency": "EUR"}
    price = api.post("/api/v1/prices", {**terms, "interval": "month"})
    more = {"items": [{"id": running["items"][0]["id"], "quantity": "7"}], "effective": "now"}
    changed = api.post(f"/api/v1/subscriptions/{running['id']}/changes", more)

    assert (price.status_code, price.json()["code"]) == (409, "product_archived")
    assert changed.status_code == 200
    assert api.get(f"/api/v1/subscriptions/{running['id']}").json()["items"][0]["quantity"] == "7"


def test_tries_out_to_add(api, crm):
    tried = api.post("/api/v1/prices?dry_run=true", PRICE)

    assert (tried.status_code, "Location" in tried.headers) == (200, False)
    assert api.get("/api/v1/prices?product=ext:crm").json()["data"] == []


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
