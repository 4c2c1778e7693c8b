"""Changing a setting on its page: shown first, then stored; planned, locked, taken back."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest

from accounts.models import SettingInterval
from accounts.operations.account_settings import WantedSettings, change_settings
from tenancy.ids import public_id
from tests.http.dashboard.conftest import version_in
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

LATER = TODAY + timedelta(days=30)
MOST_STATEMENTS = 12


@scene
def family(vendor):
    vendor.has(
        "accounts",
        account("T", payment_terms_days=30),
        account("D", "T"),
        account("E", "D", payment_terms_days=7),
    )
    return vendor


def url_of(vendor, key, setting=""):
    rest = f"{setting}/" if setting else ""
    return f"/customers/{public_id('acc', vendor.id_of(key))}/settings/{rest}"


def send(client, url, **values):
    page = client.get(url)
    return client.post(
        url, {"way": "own", "day": TODAY.isoformat(), "version": version_in(page), **values}
    )


def rows(vendor):
    with vendor.seen():
        return sorted(map(str, SettingInterval.objects.values_list()))


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def plan(vendor, key="T", day=LATER, **values):
    wanted = WantedSettings(values or {"payment_terms_days": 60}, day)
    change_settings(vendor.actor, vendor.id_of(key), wanted, today=TODAY, now=NOW)


def test_shows_what_it_does_before_it_stores_anything(family, alice, visit):
    client, before = visit(alice), rows(family)
    answer = send(client, url_of(family, "T", "payment_terms_days"), value="45")

    assert answer.status_code == HTTPStatus.OK
    text = text_of(answer)
    for said in ("30 days net", "45 days net", "1 sub-account inherits this.",
                 "1 sub-account keeps its own value."):  # fmt: skip
        assert said in text
    assert rows(family) == before

    held = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode()))
    stored = client.post(
        url_of(family, "T", "payment_terms_days"),
        {name: value for name, value in held.items() if name != "csrfmiddlewaretoken"}
        | {"step": "save"},
    )
    assert stored.status_code == HTTPStatus.FOUND
    page = client.get(stored.url)
    assert "45 days net" in text_of(page)
    assert "holds from today" in text_of(page)


def test_shows_the_next_invoices_of_both_sides(family, alice, visit):
    family.has("prices", price("ten", "10"))
    family.has("subscriptions", subscription("S", "D", "ten", "2026-12-01"))
    client, own = visit(alice), public_id("acc", family.id_of("D"))

    text = text_of(send(client, url_of(family, "D", "bill_to"), value=own))
    assert "1 Dec 2026 D – €11.90" in text
    assert "1 Dec 2026 T €11.90 –" in text
    same = text_of(send(client, url_of(family, "D", "split_by_po"), value="true"))
    assert "the invoices stay as they are" in same
    unread = text_of(send(client, url_of(family, "D", "delivery"), value="zugferd"))
    assert "Next invoices" not in unread


def test_offers_the_account_and_those_above_alone(family, alice, visit):
    client, url = visit(alice), url_of(family, "D", "bill_to")
    page = client.get(url).content.decode()

    options = re.findall(r'<option value="(\w+)"', page)
    assert options == [public_id("acc", family.id_of(key)) for key in ("D", "T")]
    answer = send(client, url, value=options[0], step="save")
    assert answer.status_code == HTTPStatus.FOUND
    outside = public_id("acc", family.id_of("E"))
    refused = send(client, url, value=outside, step="save")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "the account itself or one above it" in text_of(refused)


@pytest.mark.parametrize(
    ("setting", "values", "said"),
    [
        ("billing_day", {"value": "32"}, "does not lie between 1 and 31"),
        ("billing_day", {"value": ""}, "must not be empty"),
        ("currency", {"value": "eur"}, "is no currency"),
        ("payer", {"value": "x"}, "Choose one."),
        ("invoice_recipients", {"value": "a@b.example c"}, "is no e-mail address"),
        ("billing_day", {"value": "1", "day": "2020-01-01"}, "the past stays as it was"),
        ("billing_day", {"value": "1", "day": "soon"}, "valid date"),
    ],
)
def test_says_what_is_wrong_and_keeps_what_was_typed(family, alice, visit, setting, values, said):
    before = rows(family)
    answer = send(visit(alice), url_of(family, "D", setting), **values)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in text_of(answer)
    assert rows(family) == before


@pytest.mark.parametrize(
    ("setting", "value", "stored", "shown"),
    [
        ("split_by_po", "true", True, "Yes"),
        ("language", "en", "en", "English"),
        ("time_zone", "Asia/Tokyo", "Asia/Tokyo", "Asia/Tokyo"),
        ("currency", "CHF", "CHF", "CHF"),
        (
            "invoice_recipients", "a@b.example\r\nc@d.example", ["a@b.example", "c@d.example"],
            "a@b.example, c@d.example",
        ),
        ("delivery", "xrechnung", "xrechnung", "XRechnung"),
    ],
)  # fmt: skip
def test_takes_every_kind_of_value(family, alice, visit, setting, value, stored, shown):
    client = visit(alice)
    answer = send(client, url_of(family, "D", setting), value=value, step="save")

    assert answer.status_code == HTTPStatus.FOUND
    with family.seen():
        assert SettingInterval.objects.get(account__external_id="D", name=setting).value == stored
    assert shown in text_of(client.get(answer.url))


def test_plans_shows_and_takes_back(family, alice, visit):
    client, url = visit(alice), url_of(family, "T", "payment_terms_days")
    answer = send(client, url, value="60", day=LATER.isoformat(), step="save")
    page = client.get(answer.url)

    assert "60 days net" in text_of(page)
    assert "changes on 23 Dec 2026" in text_of(client.get(url_of(family, "D")))
    then = client.get(f"{url_of(family, 'D')}?as_of={LATER}")
    assert "60 days net" in text_of(then)
    assert "Change : Payment terms" not in text_of(then)

    recalled = client.post(f"{url}recall/", {"day": LATER.isoformat()})
    assert recalled.status_code == HTTPStatus.FOUND
    assert "60 days net" not in text_of(client.get(f"{url_of(family, 'D')}?as_of={LATER}"))
    again = client.post(f"{url}recall/", {"day": LATER.isoformat()}, follow=True)
    assert "No change of “Payment terms” is planned" in text_of(again)


def test_a_locked_setting_can_only_be_inherited(family, alice, visit):
    client = visit(alice)
    url = url_of(family, "T", "payment_terms_days")
    assert send(client, url, value="30", lock="on", step="save").status_code == HTTPStatus.FOUND

    page = text_of(client.get(url_of(family, "D")))
    assert "locked by T" in page
    assert "Change : Payment terms" not in page
    refused = send(client, url_of(family, "D", "payment_terms_days"), value="1", step="save")
    assert refused.status_code == HTTPStatus.CONFLICT
    own = url_of(family, "E", "payment_terms_days")
    assert send(client, own, way="inherit", step="save").status_code == HTTPStatus.FOUND


def test_warns_where_it_has_no_effect(family, alice, visit):
    answer = send(visit(alice), url_of(family, "D", "payment_terms_days"), value="9")

    assert "has no effect: no invoices go to this account" in text_of(answer)


def test_goes_back_to_the_form_with_what_was_typed(family, alice, visit):
    answer = send(visit(alice), url_of(family, "D", "po_number"), value="4711", step="edit")

    assert answer.status_code == HTTPStatus.OK
    assert 'value="4711"' in answer.content.decode()


@pytest.mark.parametrize("role", ["support", "auditor", "billing"])
def test_is_not_offered_to_who_may_not(family, visit, role):
    client = visit(family.staff("Somebody", role))

    assert "Change : Billing day" not in text_of(client.get(url_of(family, "D")))
    url = url_of(family, "D", "billing_day")
    before = rows(family)
    assert client.get(url).status_code == HTTPStatus.FORBIDDEN
    sent = client.post(url, {"way": "own", "value": "1", "day": TODAY.isoformat(), "step": "save"})
    assert sent.status_code == HTTPStatus.FORBIDDEN
    assert client.post(f"{url}recall/", {"day": LATER.isoformat()}).status_code == (
        HTTPStatus.FORBIDDEN
    )
    assert rows(family) == before


def test_is_for_staff_and_knows_its_settings(family, alice, bob, visit):
    assert visit(bob("T")).get(url_of(family, "D", "billing_day")).status_code in {403, 404}
    client = visit(alice)
    assert client.get(url_of(family, "D", "nonsense")).status_code == HTTPStatus.NOT_FOUND
    assert client.post(f"{url_of(family, 'D', 'billing_day')}recall/").status_code == 404


@pytest.mark.parametrize("page", ["", "billing_day", "bill_to", "seller"])
def test_costs_few_statements(family, alice, visit, statements, page):
    plan(family)
    sent = statements(visit(alice), url_of(family, "E", page))

    assert len(sent) <= MOST_STATEMENTS, sent
