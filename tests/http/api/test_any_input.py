"""No input whatever makes the API answer 500."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenancy.ids import public_id, uuid7

ADDRESSES = [
    "/api/v1/me",
    "/api/v1/accounts",
    "/api/v1/accounts/{}",
    "/api/v1/accounts/{}/subtree",
    "/api/v1/accounts/{}/settings",
    "/api/v1/contacts",
    "/api/v1/contacts/{}",
    "/api/v1/grants",
    "/api/v1/grants/{}",
    "/api/v1/invoices",
    "/api/v1/invoices/{}",
    "/api/v1/invoices/{}/pdf",
    "/api/v1/lines/{}/explanation",
    "/api/v1/charges",
    "/api/v1/calendar",
    "/api/v1/accounts/{}/discounts",
    "/api/v1/coupons",
    "/api/v1/coupons/{}",
    "/api/v1/discounts/{}",
    "/api/v1/subscriptions/{}/discounts",
    "/api/v1/products",
    "/api/v1/products/{}",
    "/api/v1/meters",
    "/api/v1/meters/{}",
    "/api/v1/usage",
    "/api/v1/prices",
    "/api/v1/prices/{}",
    "/api/v1/subscriptions",
    "/api/v1/subscriptions/{}",
    "/api/v1/billing-runs",
    "/api/v1/billing-runs/{}",
    "/api/v1/{}",
    "/api/{}",
]
NAMES = [
    *("limit", "cursor", "in", "parent", "kind", "status", "q", "as_of", "depth", "bill_to"),
    *("payer", "run", "currency", "expand", "format", "page", "product", "account"),
    *("from", "to", "kinds"),
]
NASTY = [
    "\x00",
    "ext:",
    "ext:\x00",
    "acc_",
    "-1",
    "1e400",
    "NaN",
    "9" * 400,
    "2026-02-30",
    "\ud7ff",
]
known = st.sampled_from(["ext:G", "ext:A1", "10", "open", "draft", "2026-12-01", "sections,lines"])
values = st.one_of(known, st.sampled_from(NASTY), st.text(max_size=40))
references = st.one_of(
    values,
    st.sampled_from(["acc", "inv", "lin", "run", "prd", "prc", "sub"]).map(
        lambda p: public_id(p, uuid7())
    ),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | known
bodies = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(known, inner, max_size=3)
)
# One world for all examples: none of them is meant to store anything.
lenient = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def authorized(api):
    return {"Authorization": f"Bearer {api.secret}"}


@lenient
@given(
    address=st.sampled_from(ADDRESSES),
    reference=references,
    query=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), values, max_size=4),
)
def test_of_a_query(api, authorized, address, reference, query):
    path = address.replace("{}", _quoted(reference))
    answer = api.client.get(path, query, headers=authorized)

    assert answer.status_code < 500, (path, query)


@lenient
@given(
    body=st.one_of(
        bodies,
        st.fixed_dictionaries({"date": leaves}, optional={"in": leaves, "issue": leaves}),
    )
)
def test_of_a_body(api, monkeypatch, body):
    monkeypatch.setattr("invoicing.tasks.work_on_run.delay", lambda **kwargs: None)

    answer = api.post("/api/v1/billing-runs", json.dumps(body))

    assert answer.status_code < 500, body


words = st.text(max_size=10) | st.sampled_from(["department", "ext:G", "DE", "EUR", "viewer"])


@lenient
@given(
    body=st.one_of(
        bodies,
        st.fixed_dictionaries(
            {"name": words | leaves, "kind": st.sampled_from(["company", 1])},
            optional={
                "parent": words | leaves,
                "address": st.dictionaries(st.sampled_from(["city", "country"]), words | leaves),
                "tags": st.lists(words | leaves, max_size=3) | leaves,
                "metadata": bodies,
                "vat_id": words | leaves,
                "time_zone": words | leaves,
                "external_id": words | leaves,
                "email": words | leaves,
            },
        ),
        st.fixed_dictionaries({"account": words, "name": words, "email": words}),
        st.fixed_dictionaries({"account": words, "contact": words, "role": words}),
    ),
    path=st.sampled_from(["accounts", "contacts", "grants"]),
)
def test_of_a_new_account_or_person(api, body, path):
    assert api.post(f"/api/v1/{path}?dry_run=true", json.dumps(body)).status_code < 500, body


@lenient
@given(
    address=st.sampled_from(
        ["products", "prices", "subscriptions", "subscriptions/ext:x/cancellation"]
    ),
    body=st.one_of(
        bodies,
        st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "product",
                    "model",
                    "currency",
                    "unit_amount",
                    "tiers",
                    "interval",
                    "account",
                    "items",
                    "start_date",
                    "end_date",
                    "bill_to",
                    "effective",
                ]
            ),
            leaves | bodies,
            max_size=8,
        ),
    ),
)
def test_of_a_body_with_parts(api, address, body):
    answer = api.post(f"/api/v1/{address}", json.dumps(body))

    assert answer.status_code < 500, (address, body)


@lenient
@given(body=st.binary(max_size=200))
def test_of_bytes(api, body):
    assert api.post("/api/v1/billing-runs", body).status_code < 500


@lenient
@given(key=st.text(max_size=60))
def test_of_a_key(caller, db, key):
    usable = key.encode("latin-1", "ignore").decode("latin-1").replace("\n", "").replace("\r", "")

    answer = caller(None).get("/api/v1/me", Authorization=f"Bearer sk_{usable}")

    assert answer.status_code == 401


def _quoted(text: str) -> str:
    return quote(text, safe="")
