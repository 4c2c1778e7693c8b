"""A price costs something else from a day on, on screen: shown first, then done or stopped."""

import re
from html import unescape
from http import HTTPStatus

import pytest

from dashboard.pages.catalogue import version_effects
from invoicing.operations.prices import beginning, working
from subscriptions.models import Item, Price
from tenancy.actor import Actor
from tenancy.ids import public_id
from tenancy.models import Job
from tests.markup import tight
from tests.world import NOW

TERMS = {
    "name": "Seats", "model": "per_unit", "unit_amount": "12", "tax_class": "standard",
    "valid_from": "2027-01-01",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("invoicing.tasks.work_on_repricing.delay", lambda **values: None)


def price_id(vendor, key):
    with vendor.seen():
        return Price.objects.get(external_id=key).public_id


def new_url(vendor, key="seats", **more):
    named = "&".join(f"{name}={value}" for name, value in more.items())
    return f"/catalogue/prices/{price_id(vendor, key)}/versions/new/?{named}"


def confirmed(client, url, answer):
    """Send the form below a preview."""
    form = answer.content.decode().partition('id="effect"')[2]
    held = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    }
    return client.post(url.partition("?")[0], {**held, "step": "begin"})


def through(vendor):
    with vendor.seen():
        job = Job.objects.filter(kind="prices").latest("created_at")
    while working.work_on_repricing(Actor.system(vendor.tenant_id), job.pk, now=NOW):
        pass


def test_shows_first_what_changes_then_does_it(billed, alice, visit):
    client, url = visit(alice), new_url(billed, step="preview", **TERMS)
    answer = client.get(url)

    text = tight(answer.content.decode())
    assert answer.status_code == HTTPStatus.OK
    for said in ("2 subscriptions", "€94.50", "€126.00", "€31.50", "Zweig Süd", "Gruppe Nord"):
        assert said in text
    with billed.seen():
        assert not Price.objects.filter(first__isnull=False).exists()
    answer = confirmed(client, url, answer)
    assert answer.status_code == HTTPStatus.FOUND
    assert "0 of 2 subscriptions are through" in tight(client.get(answer.url).content.decode())
    through(billed)
    assert "All subscriptions are through." in client.get(answer.url).content.decode()
    with billed.seen():
        assert Item.objects.filter(price__number=2).count() == 2
    page = tight(client.get(f"/catalogue/prices/{price_id(billed, 'seats')}/").content.decode())
    assert "Version 2" in page
    assert "Everybody" in page


def test_sent_twice_it_is_made_once(billed, alice, visit):
    client, url = visit(alice), new_url(billed, step="preview", **TERMS)
    answer = client.get(url)

    first, second = confirmed(client, url, answer), confirmed(client, url, answer)

    assert first.status_code == second.status_code == HTTPStatus.FOUND
    with billed.seen():
        assert Price.objects.filter(first__isnull=False).count() == 1
        assert Job.objects.count() == 1


def test_what_cannot_be_stands_at_its_field(billed, alice, visit):
    client = visit(alice)
    for changed, said in (
        ({"valid_from": ""}, "This field is required."),
        ({"valid_from": "1950-01-01"}, "A date between 1970 and 2200 is expected."),
        ({"unit_amount": "9"}, "The terms are the same already."),
        ({"unit_amount": "NaN"}, "Enter a number."),
        ({"unit_amount": "-3"}, "greater than or equal to 0"),
    ):
        answer = client.get(new_url(billed, step="preview", **{**TERMS, **changed}))
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert said in answer.content.decode()
        assert 'id="effect"' not in answer.content.decode()


def test_rows_of_tiers_are_added_and_removed_without_being_refused(billed, alice, visit):
    client, terms = visit(alice), {**TERMS, "model": "volume", "valid_from": ""}
    rows = "&tier_up_to=10&tier_up_to=&tier_unit_amount=9&tier_unit_amount=8"

    added = client.get(new_url(billed, step="add", **terms) + rows).content.decode()
    removed = client.get(new_url(billed, remove="0", **terms) + rows).content.decode()

    assert added.count('name="tier_up_to"') == 3
    assert removed.count('name="tier_up_to"') == 2
    assert "This field is required." not in added


def test_it_is_stopped_and_goes_on(billed, alice, visit, monkeypatch):
    for module in (beginning, working):
        monkeypatch.setattr(module, "PIECE", 1)
    client, url = visit(alice), new_url(billed, step="preview", **TERMS)
    job_url = confirmed(client, url, client.get(url)).url

    client.post(job_url, {"do": "stop"})
    text = tight(client.get(job_url).content.decode())
    assert "Stopped: 0 of 2 subscriptions are through." in text
    client.post(job_url, {"do": "resume"})
    through(billed)
    assert "All subscriptions are through." in client.get(job_url).content.decode()


def test_the_list_of_those_concerned_is_paged(billed, alice, visit, monkeypatch):
    monkeypatch.setattr(version_effects, "ROWS", 1)
    client = visit(alice)

    first = client.get(new_url(billed, step="preview", **TERMS)).content.decode()
    [more] = re.findall(r'href="([^"]+after=[^"]+)#concerned"', first)
    second = client.get(unescape(more)).content.decode()

    assert ("s2 ·" in first, "s3 ·" in first) == (True, False)
    assert ("s2 ·" in second, "s3 ·" in second) == (False, True)
    assert "#concerned" not in second


def test_an_account_negotiates_a_price_and_ends_it(billed, alice, visit):
    client = visit(alice)
    group = public_id("acc", billed.id_of("group"))
    branch = public_id("acc", billed.id_of("branch"))
    empty = client.get(f"/customers/{branch}/prices/").content.decode()
    assert "Nothing negotiated" in empty
    chosen = client.get(f"/customers/{group}/prices/", {"price": price_id(billed, "seats")})
    assert chosen.url.endswith(f"/versions/new/?account={group}")
    terms = {**TERMS, "unit_amount": "7", "account": group}
    url = new_url(billed, step="preview", **terms)
    answer = confirmed(client, url, client.get(url))
    through(billed)

    text = tight(client.get(f"/customers/{branch}/prices/").content.decode())
    assert "inherited from" in text
    assert "€7.00" in text
    assert "€9.00" in text
    with billed.seen():
        version = Price.objects.get(account=billed.id_of("group")).public_id
    end = f"/catalogue/prices/{version}/end/"
    shown = client.get(f"{end}?step=preview&ends_on=2027-06-01")
    assert "2 subscriptions" in shown.content.decode()
    answer = confirmed(client, end, shown)
    through(billed)
    assert "First day without it" in client.get(answer.url).content.decode()
    page = tight(client.get(f"/catalogue/prices/{version}/").content.decode())
    assert "1 Jun 2027" in page


def test_who_may_not_change_prices_reads_them_only(billed, visit):
    client = visit(billed.staff("Bea", "billing"))
    group = public_id("acc", billed.id_of("group"))

    assert client.get(new_url(billed)).status_code == HTTPStatus.FORBIDDEN
    page = client.get(f"/catalogue/prices/{price_id(billed, 'seats')}/").content.decode()
    assert "New version" not in page
    assert "Negotiate a price" not in client.get(f"/customers/{group}/prices/").content.decode()
