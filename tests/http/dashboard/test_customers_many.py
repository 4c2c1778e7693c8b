"""Changing the accounts that are selected: shown before, done in one go or not at all."""

from http import HTTPStatus

import pytest

from accounts.models import Account, AccountTag, SettingInterval
from accounts.operations import account_settings
from accounts.operations.accounts import edit_account, editing_many
from accounts.operations.accounts.editing_many import WantedOfMany, edit_many
from tenancy.errors import Forbidden, NotFound
from tenancy.ids import public_id, uuid7
from tenancy.models import AuditEntry
from tests.markup import tight
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account

URL = "/customers/change/"


@scene
def shop(vendor: Vendor) -> Vendor:
    vendor.has(
        "accounts",
        account("top", name="Top"),
        account("left", "top", name="Left"),
        account("right", "top", name="Right", payment_terms_days=60),
        account("deep", "left", name="Deep", payment_terms_days=7),
        account("other", name="Other"),
    )
    return vendor


def named(vendor, *keys):
    return [public_id("acc", vendor.id_of(key)) for key in keys]


def ask(client, vendor, keys=("top", "other"), **values):
    return client.post(URL, {"account": named(vendor, *keys), "step": "preview", **values})


def save(client, shown, vendor, keys=("top", "other"), **values):
    return ask(client, vendor, keys, **values, seen=shown.context["seen"], step="save")


def tags(vendor, key):
    with vendor.seen():
        rows = AccountTag.objects.filter(account_id=vendor.id_of(key))
        return sorted(rows.values_list("name", flat=True))


def stored(vendor):
    with vendor.seen():
        return [
            sorted(map(str, model.objects.values_list()))
            for model in (AccountTag, SettingInterval, AuditEntry)
        ]


def tag(vendor, actor, key, *names):
    edit_account(actor, vendor.id_of(key), today=TODAY, now=NOW, tags=names)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("add", (["North", "old", "vip"], ["north", "vip"])),
        ("remove", (["old"], [])),
        ("replace", (["North", "vip"], ["north", "vip"])),
    ],
)
def test_adds_takes_away_and_replaces_tags(shop, alice, visit, way, expected):
    tag(shop, alice, "top", "North", "old")
    client, wanted = visit(alice), {"tags_way": way, "tags": "north, vip"}
    shown = ask(client, shop, **wanted)

    assert shown.status_code == HTTPStatus.OK
    count = shown.context["counts"]["changing"]
    assert f'value="save">Change {count} account' in shown.content.decode()
    assert tags(shop, "top") == ["North", "old"]
    assert save(client, shown, shop, **wanted).url == "/customers/"
    assert (tags(shop, "top"), tags(shop, "other")) == expected
    assert tags(shop, "left") == []
    there = stored(shop)
    # The button pressed twice.
    assert save(client, shown, shop, **wanted).status_code == HTTPStatus.FOUND
    assert stored(shop) == there


def test_says_who_follows_who_keeps_and_who_must_not(shop, alice, visit):
    terms = account_settings.WantedSettings({"payment_terms_days": 14}, TODAY, {})
    lock = {"payment_terms_days": True}
    locked = account_settings.WantedSettings({"payment_terms_days": 14}, TODAY, lock)
    account_settings.change_settings(alice, shop.id_of("left"), locked, today=TODAY, now=NOW)
    account_settings.change_settings(alice, shop.id_of("other"), terms, today=TODAY, now=NOW)
    keys = ("top", "left", "deep", "other")
    wanted = {"setting": "payment_terms_days", "way": "own", "value": "14"}
    client = visit(alice)
    shown = ask(client, shop, keys, **wanted)
    page = tight(shown.content.decode())

    assert shown.context["counts"] == {"changing": "1", "same": "2", "refused": "1"}
    assert "The setting is locked above it." in page
    assert [one.name for one in shown.context["keepers"]] == ["Right"]
    assert "14 days net" in page
    assert save(client, shown, shop, keys, **wanted).status_code == HTTPStatus.FOUND
    with shop.seen():
        own = SettingInterval.objects.filter(name="payment_terms_days", valid_to=None)
        own = own.exclude(account=None)
        values = dict(own.values_list("account__external_id", "value"))
    assert values == {"top": 14, "left": 14, "right": 60, "deep": 7, "other": 14}


def test_counts_those_below_that_follow_once_and_nobody_of_whom_must_not(shop, alice, visit):
    rows = [account(f"l{n}", "left") for n in range(3)] + [
        account("r", "right"),
        account("o", "l0"),
    ]
    shop.has("accounts", *rows)
    wanted = {"setting": "payment_terms_days", "way": "own", "value": "21"}
    client = visit(alice)

    assert ask(client, shop, ("top",), **wanted).context["followers"] == 5
    shown = ask(client, shop, ("top", "left", "l0"), **wanted)
    assert shown.context["followers"] == 3
    assert "3 sub-accounts inherit this.</p><p>These set “Payment terms”" in tight(
        shown.content.decode()
    )
    with shop.seen():
        Account.objects.filter(pk=shop.id_of("l0")).update(status="archived")
    assert ask(client, shop, ("top", "left", "l0"), **wanted).context["followers"] == 2


def test_what_changed_meanwhile_is_not_overwritten(shop, alice, visit):
    client, wanted = visit(alice), {"tags_way": "replace", "tags": "mine"}
    shown = ask(client, shop, **wanted)
    tag(shop, alice, "other", "theirs")
    there = stored(shop)
    answer = save(client, shown, shop, **wanted)

    assert answer.status_code == HTTPStatus.CONFLICT
    assert stored(shop) == there
    assert ask(client, shop, **wanted, step="save").status_code == HTTPStatus.CONFLICT


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Say what is to change"),
        ({"tags_way": "add", "tags": " , "}, "Say what is to change"),
        ({"tags_way": "add", "tags": ",".join(map(str, range(21)))}, "at most 20 tags"),
        ({"setting": "payment_terms_days", "value": "soon"}, "whole number"),
        ({"setting": "po_number", "value": "P", "day": "2020-01-01"}, "the past stays"),
        ({"setting": "bill_to", "value": "x"}, "valid choice"),
    ],
)
def test_bad_input_changes_nothing(shop, alice, visit, values, said):
    there = stored(shop)
    answer = ask(visit(alice), shop, **values)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in answer.content.decode()
    assert stored(shop) == there


def test_takes_all_that_match_and_more_than_at_once_in_the_background(
    shop, alice, visit, monkeypatch
):
    client = visit(alice)
    wanted = {"everything": "1", "all": "1", "q": "e", "tags_way": "add", "tags": "x"}
    shown = client.post(URL, {**wanted, "step": "preview"})

    assert shown.context["counts"]["changing"] == "3"
    monkeypatch.setattr("dashboard.pages.customers.many.MOST_AT_ONCE", 2)
    asked = client.post(URL, {**wanted, "step": "preview"})
    assert asked.url.startswith("/customers/change/jobs/")


def test_asks_for_the_value_once_a_setting_is_chosen(shop, alice, visit):
    client = visit(alice)
    page = client.get(URL, {"ids": named(shop, "top"), "q": "To"}).content.decode()
    chosen = ask(client, shop, setting="cost_centre", step="choose").content.decode()

    assert "Change 1 account" in page
    assert 'name="value"' not in page
    assert 'name="value"' in chosen
    assert 'id="form-errors"' not in chosen


def test_is_for_who_may_change_accounts_there(shop, alice, visit, other_vendor):
    stranger = account("strange")
    other_vendor.has("accounts", stranger)
    foreign = public_id("acc", other_vendor.id_of("strange"))
    support, clerk = (visit(shop.staff(*who)) for who in (("Sam", "support"), ("Cleo", "billing")))
    wanted = {"tags_way": "add", "tags": "x"}

    assert ask(support, shop, **wanted).status_code == HTTPStatus.FORBIDDEN
    assert ask(clerk, shop, **wanted).status_code == HTTPStatus.OK
    with pytest.raises(Forbidden):
        edit_many(
            shop.staff("Carl", "billing"),
            [shop.id_of("top")],
            WantedOfMany(TODAY, settings={"po_number": "P"}),
            today=TODAY,
            now=NOW,
        )
    for texts in ([*named(shop, "top"), foreign], [public_id("acc", uuid7())], ["nonsense"], []):
        answer = visit(alice).post(URL, {**wanted, "account": texts, "step": "preview"})
        assert answer.status_code == HTTPStatus.NOT_FOUND


def test_an_account_that_went_takes_the_others_with_it(shop, alice):
    there = stored(shop)
    with pytest.raises(NotFound):
        edit_many(
            alice,
            [shop.id_of("top"), uuid7()],
            WantedOfMany(TODAY, "add", ["x"]),
            today=TODAY,
            now=NOW,
        )
    assert stored(shop) == there


def test_needs_no_more_statements_for_more_accounts(shop, alice, visit, statements):
    client = visit(alice)
    few = statements(client, f"{URL}?account={named(shop, 'top')[0]}")
    query = "&".join(f"account={one}" for one in named(shop, "top", "left", "deep", "other"))

    assert len(statements(client, f"{URL}?{query}")) == len(few) <= 12
    assert editing_many.MOST_AT_ONCE >= 2_000
