"""``/tenant``: the defaults that accounts inherit, shown and changed."""

import json

import pytest
from django.test import Client

from accounts.models import SettingInterval
from tests.scenes import scene
from tests.world import account

URL = "/api/v1/tenant"


@scene
def shop(vendor):
    vendor.has(
        "accounts",
        account("T"),
        account("D", "T", payment_terms_days=7),
        account("E", "D", payment_terms_days=8),
        account("F", "E"),
        account("O"),
    )
    return vendor


@pytest.fixture
def caller(shop):
    return Client(headers={"authorization": f"Bearer {shop.api_key}"})


def patch(caller, *, query="", tag="now", **body):
    if tag == "now":
        tag = caller.get(URL).headers["ETag"]
    headers = {} if tag is None else {"if-match": tag}
    return caller.patch(
        f"{URL}{query}", json.dumps(body), content_type="application/json", headers=headers
    )


def rows(shop):
    with shop.seen():
        return sorted(map(str, SettingInterval.objects.values_list()))


def terms(caller, key, day=""):
    query = f"?as_of={day}" if day else ""
    found = caller.get(f"/api/v1/accounts/ext:{key}/settings{query}").json()
    return found["payment_terms_days"]["value"]


def test_shows_who_the_tenant_is_and_its_defaults(caller):
    found = caller.get(URL).json()

    assert (found["slug"], found["sandbox"], found["currency"]) == ("acme", True, "EUR")
    assert found["settings"]["payment_terms_days"] == 14
    assert found["settings"]["seller"].startswith("sel_")
    assert found["settings"]["billing_day"] is None
    assert "bill_to" not in found["settings"]


def test_changes_now_and_later(shop, caller):
    changed = patch(caller, settings={"payment_terms_days": 21})

    assert changed.status_code == 200
    assert changed.headers["ETag"] == caller.get(URL).headers["ETag"]
    assert (terms(caller, "T"), terms(caller, "D")) == (21, 7)
    later = patch(caller, settings={"payment_terms_days": 60}, effective_date="2027-01-01")
    assert later.json()["settings"]["payment_terms_days"] == 21
    assert terms(caller, "O", "2027-01-01") == 60


def test_says_how_many_accounts_follow_and_stores_nothing(shop, caller):
    before = rows(shop)
    answer = patch(caller, query="?dry_run=true", settings={"payment_terms_days": 21})

    assert answer.json()["changes"] == [
        {
            "setting": "payment_terms_days", "before": 14, "after": 21,
            "accounts_following": 2, "accounts_keeping": 2,
        }
    ]  # fmt: skip
    assert rows(shop) == before


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"settings": {"payment_terms_days": None}}, "invalid_settings", "/payment_terms_days"),
        ({"settings": {"payment_terms_days": "1"}}, "invalid_body", "/settings/payment_terms_days"),
        ({"settings": {"bill_to": "ext:T"}}, "invalid_body", "/settings/bill_to"),
        ({"settings": {"seller": "sel_x"}}, "invalid_body", "/settings/seller"),
        ({"settings": {"time_zone": "UTC"}}, "invalid_body", "/settings/time_zone"),
        ({"nothing": 1}, "invalid_body", "/nothing"),
        (
            {"settings": {"billing_day": 1}, "effective_date": "2020-01-01"},
            "effective_date_passed",
            "/effective_date",
        ),
    ],
)
def test_refuses_what_can_not_be(shop, caller, body, code, pointer):
    before = rows(shop)
    answer = patch(caller, **body)

    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.content
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert rows(shop) == before


def test_demands_what_was_seen(shop, caller):
    before = rows(shop)
    blind = patch(caller, tag=None, settings={"billing_day": 1})
    stale = patch(caller, tag='"old"', settings={"billing_day": 1})

    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert rows(shop) == before
