"""Changing what is said of an account, on its page."""

from http import HTTPStatus

import pytest

from accounts.models import Account, AccountTag
from accounts.queries.particulars import particulars_of
from tenancy.ids import public_id
from tests.http.dashboard.conftest import save
from tests.scenes import scene
from tests.world import account

WHOLE = {
    "name": "Muster Nord", "kind": "subsidiary", "legal_name": "Muster Nord AG",
    "email": "rechnung@muster.example", "line1": "Weg 1", "line2": "Haus B",
    "postal_code": "24103", "city": "Kiel", "region": "SH", "country": "DE",
    "vat_id": "DE136695976", "currency": "CHF", "language": "de", "time_zone": "Europe/Zurich",
    "cost_centre": "K-1", "external_id": "M-1", "tags": "north, key account",
    "metadata": '{"crm": {"id": 4711, "tags": ["ä"]}}',
}  # fmt: skip


@scene
def shop(vendor):
    vendor.has("accounts", account("A"), account("B", "A"))
    return vendor


def url_of(vendor, key):
    return f"/customers/{public_id('acc', vendor.id_of(key))}/edit/"


def stored(vendor, key="B"):
    with vendor.seen():
        return particulars_of(vendor.actor, vendor.id_of(key))


def test_changes_all_that_is_declared(shop, alice, visit):
    key = shop.id_of("B")
    client, url = visit(alice), url_of(shop, "B")
    answer = save(client, url, WHOLE)

    assert answer.url == url.removesuffix("edit/")
    with shop.seen():
        found = particulars_of(shop.actor, key)
    assert found == {
        **WHOLE, "tags": ["key account", "north"], "metadata": {"crm": {"id": 4711, "tags": ["ä"]}}
    }  # fmt: skip
    assert shop.faults() == []


def test_shows_all_that_is_stored_and_changes_nothing_when_sent_back(shop, alice, visit):
    client, url, key = visit(alice), url_of(shop, "B"), shop.id_of("B")
    save(client, url, WHOLE)
    with shop.seen():
        before = Account.objects.get(pk=key).version
    form = client.get(url).context["form"]
    back = {name: form[name].value() for name in form.fields}

    assert back["metadata"].startswith('{\n  "crm"')
    assert save(client, url, back).status_code == HTTPStatus.FOUND
    with shop.seen():
        assert Account.objects.get(pk=key).version == before


def test_takes_settings_back_to_inheriting_and_empties_the_rest(shop, alice, visit):
    client, url, key = visit(alice), url_of(shop, "B"), shop.id_of("B")
    save(client, url, WHOLE)
    save(client, url, {**dict.fromkeys(WHOLE, ""), "name": "B", "kind": "branch"})

    with shop.seen():
        found = particulars_of(shop.actor, key)
        assert not AccountTag.objects.exists()
    assert (found["currency"], found["external_id"], found["metadata"]) == (None, None, {})
    assert (found["vat_id"], found["line1"], found["kind"]) == ("", "", "branch")


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"name": ""}, "name", ""),
        ({"kind": "shed"}, "kind", ""),
        ({"vat_id": "DE136695977"}, "vat_id", "form or check digits are wrong"),
        ({"country": "XX"}, "country", "no country"),
        ({"external_id": "A"}, "external_id", "It is taken."),
        ({"tags": ",".join(f"t{n}" for n in range(21))}, "tags", "at most 20 tags"),
        ({"metadata": "{"}, "metadata", "no object in JSON"),
        ({"metadata": '{"a": NaN}'}, "metadata", "a number that cannot be kept"),
        ({"email": "nobody"}, "email", "no e-mail address"),
    ],
)
def test_says_at_each_field_what_is_wrong(shop, alice, visit, values, field, said):
    before = stored(shop)
    answer = save(visit(alice), url_of(shop, "B"), {**WHOLE, **values})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    (error,) = answer.context["form"].errors[field]
    assert said in error
    assert f'href="#id_{field}"' in answer.content.decode()
    assert stored(shop) == before


def test_clerks_change_particulars_and_no_settings(shop, visit):
    client, url = visit(shop.staff("Cleo", "billing")), url_of(shop, "B")

    assert 'name="currency"' not in client.get(url).content.decode()
    assert save(client, url, {**WHOLE, "external_id": "B"}).status_code == HTTPStatus.FOUND
    assert (stored(shop)["city"], stored(shop)["currency"]) == ("Kiel", None)
