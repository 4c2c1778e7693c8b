"""Subscriptions over the API. Today is 10 December 2026; December is billed."""

from datetime import date

import pytest

from accounts.models import SettingInterval
from invoicing.models import Invoice
from subscriptions.models import Item, Subscription
from tenancy.models import AuditEntry
from tests.http.api import world
from tests.http.api.world import PRICE
from tests.world import price

NEW = {
    "external_id": "new",
    "account": "ext:A1",
    "items": [{"price": "ext:desk", "quantity": "2.5"}],
    "start_date": "2026-12-20",
}
ADDRESS = "/api/v1/subscriptions"


def billed_in_january(shop):
    """Bill what is due by 1 January, and return the lines of the group's invoice of that day."""
    day = date(2027, 1, 1)
    world.bill(shop, run_date=day)
    with shop.seen():
        return Invoice.objects.get(bill_to=shop.accounts["G"], issue_date=day).lines


def rows(shop):
    with shop.seen():
        return Subscription.objects.count(), Item.objects.count()


def test_subscribes_an_account(api, nordlicht):
    answer = api.post(ADDRESS, NEW)

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"{ADDRESS}/{made['id']}")
    assert made.pop("created_at")
    (item,) = made.pop("items")
    assert item.pop("id").startswith("itm_")
    assert item.pop("price").startswith("prc_")
    assert item == {"name": PRICE["name"], "quantity": "2.5", "discount": None}
    assert made == {
        "id": made["id"],
        "external_id": "new",
        "account": {
            "id": nordlicht.accounts["A1"].public_id,
            "external_id": "A1",
            "name": "Niederlassung Kiel",
        },
        "status": "future",
        "start_date": "2026-12-20",
        "end_date": None,
        "billed_until": None,
        "trial_end": None,
        "billing_day": None,
        "bill_to": None,
        "po_number": "",
        "contract": None,
        "plan": None,
        "current_period": None,
        # It falls due on the 20th; the group's billing day is the first.
        "next_invoice_date": "2027-01-01",
        "currency": "EUR",
        "mrr_minor": 0,
    }
    assert api.get(f"{ADDRESS}/ext:new").json()["id"] == made["id"]
    with nordlicht.seen():
        entry = AuditEntry.objects.filter(action="subscription.created").latest("id")
        assert entry.after["items"] == [
            {"price": Item.objects.get(subscription__external_id="new").price.public_id,
             "quantity": "2.5"}
        ]  # fmt: skip


def test_shows_the_running_period_and_what_it_brings(api):
    (row,) = api.get(f"{ADDRESS}?account=ext:A").json()["data"]

    assert row["status"] == "active"
    assert row["current_period"] == {"start": "2026-12-01", "end": "2027-01-01"}
    assert row["next_invoice_date"] == "2027-01-01"
    assert row["mrr_minor"] == 1800


def test_shows_the_period_that_is_not_billed_yet(api):
    made = api.post(ADDRESS, {**NEW, "start_date": "2026-12-05"}).json()

    assert made["status"] == "active"
    assert made["current_period"] == {"start": "2026-12-05", "end": "2027-01-01"}
    assert made["mrr_minor"] == 2250


def test_is_billed_by_the_next_run(api, nordlicht):
    api.post(ADDRESS, {**NEW, "start_date": "2026-12-20"})

    found = billed_in_january(nordlicht)

    with nordlicht.seen():
        lines = list(
            found.filter(subscription__external_id="new")
            .order_by("period_start")
            .values_list("period_start", "period_end", "net_minor")
        )
    # 9.00 x 2.5 = 22.50 a month; 12 of 31 days, then January.
    assert lines == [
        (date(2026, 12, 20), date(2027, 1, 1), 871),
        (date(2027, 1, 1), date(2027, 2, 1), 2250),
    ]


def test_tries_out_and_stores_nothing(api, nordlicht):
    before = rows(nordlicht)

    answer = api.post(f"{ADDRESS}?dry_run=true", NEW)

    assert answer.status_code == 200
    assert answer.json()["next_invoice_date"] == "2027-01-01"
    assert rows(nordlicht) == before
    assert api.get(f"{ADDRESS}/ext:new").status_code == 404


def test_invoices_one_subscription_to_an_account_above(api, nordlicht):
    made = api.post(ADDRESS, {**NEW, "bill_to": "ext:A"}).json()

    assert made["bill_to"]["external_id"] == "A"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"account": "ext:nobody"}, "/account", "not_found"),
        ({"items": []}, "/items", "out_of_range"),
        ({"items": [{"price": "ext:desk"}] * 101}, "/items", "out_of_range"),
        ({"items": [{"price": "ext:no"}]}, "/items/0/price", "not_found"),
        ({"items": [{"quantity": 1}]}, "/items/0/price", "required"),
        ({"items": {"price": "ext:desk"}}, "/items", "invalid"),
        ({"items": ["ext:desk"]}, "/items/0", "invalid"),
        ({"items": [{"price": "ext:desk", "quantity": 1.5}]}, "/items/0/quantity", "invalid"),
        ({"items": [{"price": "ext:desk", "quantity": "-1"}]}, "/items/0/quantity", "out_of_range"),
        ({"items": [{"price": "ext:desk", "quantity": "1e9"}]}, "/items/0/quantity", "invalid"),
        (
            {"items": [{"price": "ext:desk", "quantity": "1234567890123"}]},
            "/items/0/quantity",
            "out_of_range",
        ),
        ({"start_date": "2026-13-01"}, "/start_date", "invalid"),
        ({"start_date": "9999-12-31"}, "/start_date", "out_of_range"),
        ({"start_date": "0001-01-01"}, "/start_date", "out_of_range"),
        ({"end_date": "2026-12-20"}, "/end_date", "end_before_start"),
        ({"billed_until": "2026-12-01"}, "/billed_until", "billed_before_start"),
        ({"billing_day": 32}, "/billing_day", "max_value"),
        ({"bill_to": "ext:B"}, "/bill_to", "bill_to_outside_path"),
        ({"bill_to": "ext:nobody"}, "/bill_to", "not_found"),
        ({"po_number": "x" * 101}, "/po_number", "max_length"),
        ({"trial_weeks": 2}, "/trial_weeks", "unknown_name"),
    ],
)
def test_refuses_a_subscription(api, nordlicht, change, pointer, code):
    before = rows(nordlicht)

    answer = api.post(ADDRESS, {**NEW, **change})

    assert answer.status_code == 422
    assert (pointer, code) in [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert rows(nordlicht) == before


def test_names_no_recipient_where_that_is_locked_above(api, nordlicht):
    group = nordlicht.accounts["G"]
    with nordlicht.seen():
        lock = SettingInterval.objects.create(
            tenant_id=group.tenant_id, account=group, name="bill_to", target=group, is_locked=True
        )
    before, wanted = rows(nordlicht), {**NEW, "bill_to": "ext:A1"}

    refused = api.post(ADDRESS, wanted)

    assert refused.status_code == 422
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("/bill_to", "setting_locked")
    ]
    assert rows(nordlicht) == before
    assert api.post(ADDRESS, NEW).status_code == 201
    with nordlicht.seen():
        # Whoever locks is free itself.
        lock.delete()
        SettingInterval.objects.create(
            tenant_id=group.tenant_id, account=nordlicht.accounts["A1"], name="bill_to",
            target=group, is_locked=True,
        )  # fmt: skip
    assert api.post(ADDRESS, {**wanted, "external_id": "other"}).status_code == 201


def test_refuses_two_currencies_in_one(api, nordlicht):
    nordlicht.has("prices", price("franken", "5", currency="CHF"))
    items = [{"price": "ext:desk"}, {"price": "ext:franken"}]

    answer = api.post(ADDRESS, {**NEW, "items": items})

    assert [one["code"] for one in answer.json()["errors"]] == ["mixed_currencies"]


def test_refuses_an_external_id_twice(api, nordlicht):
    api.post(ADDRESS, NEW)
    before = rows(nordlicht)

    answer = api.post(ADDRESS, NEW)

    assert (answer.status_code, answer.json()["code"]) == (409, "external_id_taken")
    assert rows(nordlicht) == before


@pytest.mark.parametrize(
    ("query", "accounts"),
    [
        ("", ["A", "A1", "B", "G", "S"]),
        ("in=ext:A", ["A", "A1"]),
        ("account=ext:A", ["A"]),
        ("status=active", ["A", "A1", "B", "G", "S"]),
        ("status=future", []),
        ("status=paused", []),
    ],
)
def test_filters(api, query, accounts):
    found = api.get(f"{ADDRESS}?{query}").json()["data"]

    assert sorted(row["account"]["external_id"] for row in found) == accounts


def test_shows_what_is_in_reach(api, nordlicht, andere, caller):
    made = api.post(ADDRESS, {**NEW, "account": "ext:B"}).json()

    bound = caller(nordlicht.key(reach="A"))
    assert sorted(one["account"]["external_id"] for one in bound.get(ADDRESS).json()["data"]) == [
        "A",
        "A1",
    ]
    for secret in (nordlicht.key(reach="A"), andere.secret):
        stranger = caller(secret)
        assert stranger.get(f"{ADDRESS}/{made['id']}").status_code == 404
        assert stranger.post(f"{ADDRESS}/{made['id']}/cancellation", {}).status_code == 404
        assert stranger.post(f"{ADDRESS}/{made['id']}/reactivation", {}).status_code == 404
    answer = bound.post(ADDRESS, {**NEW, "external_id": "x", "account": "ext:B"})
    assert answer.json()["errors"][0]["pointer"] == "/account"


def test_refuses_to_change_without_the_scope(api, nordlicht, caller):
    api.post(ADDRESS, NEW)
    reading = caller(nordlicht.key(scopes=["subscriptions:read", "accounts:read"]))

    assert reading.post(ADDRESS, {**NEW, "external_id": "x"}).status_code == 403
    assert reading.post(f"{ADDRESS}/ext:new/cancellation", {}).status_code == 403


def running(api):
    (row,) = api.get(f"{ADDRESS}?account=ext:A").json()["data"]
    return f"{ADDRESS}/{row['id']}"


def test_ends_with_the_period_that_is_charged(api, nordlicht):
    ended = api.post(f"{running(api)}/cancellation", {}).json()

    assert (ended["status"], ended["end_date"]) == ("non_renewing", "2027-01-01")
    assert ended["next_invoice_date"] is None
    lines = billed_in_january(nordlicht)
    with nordlicht.seen():
        assert not lines.filter(section__account__external_id="A").exists()


def test_ends_on_a_later_day_with_a_part_of_a_period(api, nordlicht):
    ended = api.post(f"{running(api)}/cancellation", {"effective": "2027-01-11"}).json()

    assert ended["end_date"] == "2027-01-11"
    lines = billed_in_january(nordlicht)
    with nordlicht.seen():
        # 18.00 x 10 / 31
        assert lines.get(section__account__external_id="A").net_minor == 581


def test_ends_today_and_credits_what_is_not_used(api, nordlicht):
    ended = api.post(f"{running(api)}/cancellation", {"effective": "now"}).json()

    assert (ended["status"], ended["end_date"]) == ("cancelled", "2026-12-10")
    # 22 of 31 days of 18.00.
    assert [(one["kind"], one["net_minor"], one["invoice_on"]) for one in ended["charges"]] == [
        ("credit", -1277, "2027-01-01")
    ]  # fmt: skip
    lines = billed_in_january(nordlicht)
    with nordlicht.seen():
        assert lines.get(section__account__external_id="A").net_minor == -1277


def test_an_end_within_what_is_charged_is_taken_back_with_its_credit(api, nordlicht):
    ended = api.post(f"{running(api)}/cancellation", {"effective": "2026-12-21"}).json()

    back = api.post(f"{running(api)}/reactivation", {}).json()

    assert [one["net_minor"] for one in ended["charges"]] == [-639]
    assert [one["net_minor"] for one in back["charges"]] == [639]
    assert (back["status"], back["next_invoice_date"]) == ("active", "2027-01-01")
    lines = billed_in_january(nordlicht)
    with nordlicht.seen():
        made = lines.filter(section__account__external_id="A")
        assert sum(line.net_minor for line in made) == 1800


def test_ends_what_is_not_billed_yet_with_its_first_period(api):
    api.post(ADDRESS, NEW)

    ended = api.post(f"{ADDRESS}/ext:new/cancellation", {"effective": "period_end"}).json()

    assert (ended["status"], ended["end_date"]) == ("future", "2027-01-01")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"effective": "2026-11-30"}, 422, "end_before_start"),
        ({"effective": "2999-01-01"}, 422, "out_of_range"),
        ({"effective": "soon"}, 422, "invalid_body"),
        ({"effective": "2027-1-1"}, 422, "invalid_body"),
        ({"effective": None}, 422, "invalid_body"),
        ({"when": "now"}, 422, "invalid_body"),
    ],
)
def test_refuses_an_end(api, nordlicht, body, status, code):
    answer = api.post(f"{running(api)}/cancellation", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert api.get(running(api)).json()["end_date"] is None


def test_tries_an_end_out(api):
    body = {"effective": "2026-12-21"}
    tried = api.post(f"{running(api)}/cancellation?dry_run=true", body).json()
    assert [one["net_minor"] for one in tried["charges"]] == [-639]
    answer = api.post(f"{running(api)}/cancellation?dry_run=true", {}).json()

    assert (answer["status"], answer["end_date"]) == ("non_renewing", "2027-01-01")
    assert api.get(running(api)).json()["end_date"] is None


def test_ends_once(api):
    api.post(f"{running(api)}/cancellation", {})

    answer = api.post(f"{running(api)}/cancellation", {"effective": "2028-01-01"})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_cancelled")
    assert api.get(running(api)).json()["end_date"] == "2027-01-01"


def test_takes_an_end_back_and_bills_on(api, nordlicht):
    api.post(f"{running(api)}/cancellation", {})

    back = api.post(f"{running(api)}/reactivation", {}).json()

    assert (back["status"], back["end_date"]) == ("active", None)
    assert back["next_invoice_date"] == "2027-01-01"
    lines = billed_in_january(nordlicht)
    with nordlicht.seen():
        assert lines.get(section__account__external_id="A").net_minor == 1800
    again = api.post(f"{running(api)}/reactivation", {})
    assert (again.status_code, again.json()["code"]) == (409, "not_cancelled")


def test_refuses_a_change_of_what_was_seen_otherwise(api, caller, nordlicht):
    seen = api.get(running(api))
    assert seen.headers["ETag"]
    address = running(api)

    answer = api.client.post(
        f"{address}/cancellation",
        data="{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {nordlicht.secret}", "If-Match": '"other"'},
    )

    assert answer.status_code == 412
    assert api.get(address).json()["end_date"] is None
