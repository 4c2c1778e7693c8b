"""The company's defaults on screen: shown to staff, changed by the owner."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from tests.http.dashboard.conftest import version_in
from tests.http.dashboard.test_setting_change import text_of
from tests.world import TODAY, account

URL = "/settings/defaults/"
LATER = TODAY + timedelta(days=30)


@pytest.fixture
def owner(vendor, visit):
    vendor.has("accounts", account("T"), account("D", "T", payment_terms_days=7))
    return visit(vendor.staff("Olga", "owner"))


def send(client, setting, **values):
    url = f"{URL}{setting}/"
    held = {"way": "own", "day": TODAY.isoformat(), "version": version_in(client.get(url))}
    return client.post(url, {**held, **values})


def test_shows_what_it_does_then_stores_it(owner):
    shown = text_of(send(owner, "payment_terms_days", value="21"))

    assert "1 account has this default." in shown
    assert "1 account sets its own value" in shown
    assert "14 days net" in text_of(owner.get(URL))
    saved = send(owner, "payment_terms_days", value="21", step="save")
    assert saved.status_code == HTTPStatus.FOUND
    assert "21 days net" in text_of(owner.get(URL))


def test_plans_and_takes_back(owner):
    send(owner, "payment_terms_days", value="60", day=LATER.isoformat(), step="save")
    assert "60 days net" in text_of(owner.get(URL))

    url = f"{URL}payment_terms_days/recall/"
    assert owner.post(url, {"day": LATER.isoformat()}).status_code == HTTPStatus.FOUND
    assert "60 days net" not in text_of(owner.get(URL))


@pytest.mark.parametrize(
    ("setting", "values", "said"),
    [
        ("payment_terms_days", {"value": "999"}, "does not lie between"),
        ("payment_terms_days", {"way": "inherit"}, "Select a valid choice"),
        ("seller", {"value": "nobody"}, "Choose one."),
    ],
)
def test_says_what_is_wrong(owner, setting, values, said):
    answer = send(owner, setting, **values)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in text_of(answer)


def test_a_default_that_need_not_be_can_be_taken_away(owner):
    send(owner, "billing_day", value="15", step="save")
    assert "Day 15 of the month" in text_of(owner.get(URL))
    send(owner, "billing_day", way="inherit", step="save")
    assert "Day 15 of the month" not in text_of(owner.get(URL))


def test_others_look_only(vendor, visit):
    client = visit(vendor.staff("Adam", "auditor"))

    assert "Change : Seller" not in text_of(client.get(URL))
    assert client.get(f"{URL}seller/").status_code == HTTPStatus.FORBIDDEN
    sent = client.post(f"{URL}billing_day/recall/", {"day": LATER.isoformat()})
    assert sent.status_code == HTTPStatus.FORBIDDEN


def test_costs_few_statements(owner, statements):
    assert len(statements(owner, URL)) <= 12
    assert len(statements(owner, f"{URL}seller/")) <= 12
    assert owner.get(f"{URL}time_zone/").status_code == HTTPStatus.NOT_FOUND
