"""Subscriptions and the catalogue on screen. Today is 23 November 2026; December is billed."""

import re
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from accounts.operations.account_settings import WantedSettings, change_settings
from subscriptions.models import Item, Price, Subscription
from tenancy.ids import public_id
from tests.http.dashboard.conftest import version_in
from tests.world import NOW, TODAY, price

MOST_STATEMENTS = 13
"""One more than other pages have: what waits for its invoice decides when the next one comes."""


def text_of(response):
    page = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def found(vendor, key):
    with vendor.seen():
        return Subscription.objects.get(external_id=key)


def count(vendor):
    with vendor.seen():
        return Subscription.objects.count(), Item.objects.count()


def price_id(vendor, key):
    with vendor.seen():
        return Price.objects.get(external_id=key).public_id


def test_lists_what_runs_for_whom(billed, alice, visit):
    text = text_of(visit(alice).get("/subscriptions/"))

    assert "All 4 Active 4 Trial 0 Begins later 0 Paused 0 Ends 0 Ended 0" in text
    assert "Seats Product Zweig Süd Active 8 72.00" in text


def test_keeps_to_a_state_and_to_a_subtree(billed, alice, visit):
    address = public_id("acc", billed.id_of("group"))
    client = visit(alice)
    assert "No subscription has all" in text_of(client.get("/subscriptions/?status=future"))
    below = text_of(client.get(f"/subscriptions/?in={address}"))
    assert "Gruppe Nord and below" in below
    assert "All 3 Active 3" in below
    assert "Firma Allein" not in below


@pytest.mark.parametrize("query", ["status=odd", "in=acc_nothing"])
def test_refuses_a_filter_that_means_nothing(billed, alice, visit, query):
    assert visit(alice).get(f"/subscriptions/?{query}").status_code in {404, 422}


def test_saves_the_list(billed, alice, visit):
    answer = visit(alice).get("/subscriptions/?format=csv")

    text = b"".join(answer).decode("utf-8-sig")
    assert text.count("\n") == 5
    assert "Zweig Süd" in text


def test_shows_a_subscription(billed, alice, visit):
    response = visit(alice).get(f"/subscriptions/{found(billed, 's2').public_id}/")

    text = text_of(response)
    assert "Seats Product 8 €9.00 monthly in advance €72.00" in text
    assert "Used by Zweig Süd" in text
    assert "Subscription begun" in text
    assert "/catalogue/prices/" in response.content.decode()


def test_needs_few_statements(billed, alice, visit, statements):
    one = found(billed, "s2").public_id
    for url in (
        "/subscriptions/",
        f"/subscriptions/{one}/",
        f"/subscriptions/{one}/end/",
        f"/subscriptions/{one}/contract/",
        "/subscriptions/new/",
        "/catalogue/",
        f"/catalogue/prices/{price_id(billed, 'seats')}/",
    ):
        assert len(statements(visit(alice), url)) <= MOST_STATEMENTS, url


def test_ends_a_subscription_and_goes_on(billed, alice, visit):
    client, one = visit(alice), found(billed, "s2")
    address = f"/subscriptions/{one.public_id}/"
    assert "With its period, on 1 Jan 2027" in text_of(client.get(f"{address}end/"))

    values = {"when": "period_end", "version": version_in(client.get(f"{address}end/"))}
    ended = client.post(f"{address}end/", values, follow=True)

    assert "The first day no longer served is 1 Jan 2027." in ended.content.decode()
    assert found(billed, "s2").end_date.isoformat() == "2027-01-01"
    back = client.post(f"{address}go-on/", follow=True)
    assert "It goes on without an end." in back.content.decode()
    assert found(billed, "s2").end_date is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"when": "day"}, "Please name the day."),
        ({"when": "day", "day": "31.13.2026"}, "Enter a valid date."),
        ({"when": "day", "day": "9999-01-01"}, "A date before 2200 is expected."),
        ({"when": "never"}, "Select a valid choice"),
    ],
)
def test_refuses_an_end(billed, alice, visit, values, message):
    address = f"/subscriptions/{found(billed, 's2').public_id}/end/"

    client = visit(alice)

    response = client.post(address, {**values, "version": version_in(client.get(address))})

    assert response.status_code == 422
    assert message in response.content.decode()
    assert found(billed, "s2").end_date is None


def key_of_form(client):
    page = client.get("/subscriptions/new/").content.decode()
    return re.findall(r'name="key" value="([^"]*)"', page)[0]


def test_subscribes_once_however_often_a_form_is_sent(billed, alice, visit):
    client = visit(alice)
    values = {**NEW, "price": price_id(billed, "seats"), "key": key_of_form(client)}
    first = client.post("/subscriptions/new/", values)
    after = count(billed)
    again = client.post("/subscriptions/new/", values, follow=True)

    assert "Nothing was created twice." in again.content.decode()
    assert again.redirect_chain[-1][0] == first.url
    assert count(billed) == after


@pytest.mark.parametrize("key", ["", "made-up:signature"])
def test_asks_again_where_a_form_has_no_key(billed, alice, visit, key):
    before = count(billed)
    values = {**NEW, "price": price_id(billed, "seats"), "key": key}
    response = visit(alice).post("/subscriptions/new/", values)

    assert response.status_code == 422
    assert "This form is too old." in response.content.decode()
    assert count(billed) == before


NEW = {"account": "ext:branch", "quantity": "3", "start_date": "2026-12-10"}


def test_subscribes_an_account(billed, alice, visit):
    client, values = visit(alice), {**NEW, "price": price_id(billed, "seats")}

    preview = client.get("/subscriptions/new/", values, headers={"HX-Request": "true"})
    values["key"] = key_of_form(client)
    response = client.post("/subscriptions/new/", values, follow=True)

    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", preview.content.decode()))
    assert "Used by Zweig Süd In a month €27.00" in text
    assert "First period until 1 Jan 2027 First invoice 1 Jan 2027" in text
    assert "Subscribed. The next run bills what is due." in response.content.decode()
    with billed.seen():
        made = Subscription.objects.latest("id")
        assert made.account_id == billed.id_of("branch")
        assert [item.quantity for item in made.items.all()] == [Decimal(3)]


def sets(vendor, key, **values):
    wanted = WantedSettings(values, TODAY)
    change_settings(vendor.actor, vendor.id_of(key), wanted, today=TODAY, now=NOW)


def made_with(vendor, client, **values):
    sent = {**NEW, "price": price_id(vendor, "seats"), "key": key_of_form(client), **values}
    return client.post("/subscriptions/new/", sent, follow=True)


def test_what_begins_without_terms_says_whose_defaults_bind_it(billed, alice, visit):
    sets(billed, "branch", minimum_term_months=12, renewal_months=12, notice_months=3)
    client, values = visit(alice), {**NEW, "price": price_id(billed, "seats")}

    preview = client.get("/subscriptions/new/", values, headers={"HX-Request": "true"})
    page = made_with(billed, client)

    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", preview.content.decode()))
    assert "Minimum term 1 year After the term renews by 1 year Notice period 3 months" in text
    assert "Terms come from Zweig Süd" in text
    assert "the defaults of the account when it began" in page.content.decode()
    with billed.seen():
        made = Subscription.objects.latest("id")
    assert (made.minimum_term_months, made.contract_source) == (12, "default")


def test_what_begins_can_be_bound_by_nothing(billed, alice, visit):
    sets(billed, "branch", minimum_term_months=12)
    client = visit(alice)
    both = made_with(billed, client, is_unbound="on", notice_days="7")
    assert both.status_code == 422
    assert "Please leave the contract terms empty, then." in both.content.decode()

    made_with(billed, client, is_unbound="on")
    with billed.seen():
        made = Subscription.objects.latest("id")
    assert (made.minimum_term_months, made.contract_source) == (None, "")


def later_version(vendor):
    """Let seats cost 12.00 from 1 January on, without a job that changes what runs."""
    with vendor.seen():
        first = Price.objects.get(external_id="seats")
        copied = {
            field.attname: getattr(first, field.attname)
            for field in Price._meta.concrete_fields
            if field.name not in ("id", "external_id", "created_at")
        }
        later = {"unit_amount": 12, "first": first, "number": 2, "valid_from": date(2027, 1, 1)}
        copied.pop("first_id", None)
        return Price.objects.create(**{**copied, **later})


def test_exactly_one_version_begins_where_that_is_said(billed, alice, visit):
    assert "Exactly this version" not in visit(alice).get("/subscriptions/new/").content.decode()
    later, client = later_version(billed), visit(alice)

    refused = made_with(billed, client, price=later.public_id)
    made = made_with(billed, client, price=later.public_id, exact="on")

    assert refused.status_code == 422
    assert "This version does not hold now." in refused.content.decode()
    assert made.status_code == 200
    with billed.seen():
        item = Subscription.objects.latest("id").items.get()
    assert (item.price_id, item.terms_since) == (later.pk, None)


def test_a_change_takes_exactly_one_version(billed, alice, visit):
    later, client = later_version(billed), visit(alice)
    one = found(billed, "s2")
    with billed.seen():
        item = one.items.get()
    address = f"/subscriptions/{one.public_id}/items/{item.public_id}/"
    values = {"price": later.public_id, "quantity": "8", "when": "now", "exact": "on"}

    answer = client.post(address, {**values, "version": version_in(client.get(address))})

    assert answer.status_code == 302
    with billed.seen():
        assert Item.objects.get(pk=item.pk).price_id == later.pk


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account": ""}, "This field is required."),
        ({"account": "ext:nobody"}, "There is no such account."),
        ({"price": "prc_nothing"}, "Select a valid choice"),
        ({"quantity": "-1"}, "greater than or equal to 0"),
        ({"quantity": "NaN"}, "Enter a number."),
        ({"quantity": "1e400"}, "Ensure that there are no more than"),
        ({"start_date": "2026-02-30"}, "Enter a valid date."),
        ({"end_date": "2026-12-10"}, "It ends on or before its start."),
        ({"po_number": "x" * 101}, "at most 100 characters"),
    ],
)
def test_refuses_a_new_one(billed, alice, visit, change, message):
    before, client = count(billed), visit(alice)
    key = key_of_form(client)
    values = {**NEW, "price": price_id(billed, "seats"), "key": key, **change}

    response = client.post("/subscriptions/new/", values)

    assert response.status_code == 422
    assert message in response.content.decode()
    assert count(billed) == before


def test_shows_the_catalogue_with_its_use(billed, alice, visit):
    billed.has(
        "prices", price("gb", "", model="graduated", tiers="10:2:0|inf:1.5:3", product="Speicher")
    )
    client = visit(alice)

    text = text_of(client.get("/catalogue/"))
    assert "Seats Product Per unit €9.00 monthly 2 94.50" in text
    narrowed = text_of(client.get("/catalogue/?q=speicher"))
    assert "Gb Speicher" in narrowed
    assert "Seats" not in narrowed
    page = text_of(client.get(f"/catalogue/prices/{price_id(billed, 'gb')}/"))
    assert "0 10 €2.00 €0.00 10 no end €1.50 €3.00" in page


def test_a_reader_is_offered_no_change(billed, visit):
    support = visit(billed.staff("Sam", "support"))
    address = f"/subscriptions/{found(billed, 's2').public_id}/"

    assert "New subscription" not in support.get("/subscriptions/").content.decode()
    assert "End …" not in support.get(address).content.decode()
    for url in ("/subscriptions/new/", f"{address}end/"):
        assert support.get(url).status_code == 403
        assert support.post(url, {"when": "period_end"}).status_code == 403
    assert support.post(f"{address}go-on/").status_code == 403


def test_customers_do_not_come_here(billed, visit):
    bob = visit(billed.customer("Bob", "admin", "group"))

    for url in ("/subscriptions/", "/subscriptions/new/", "/catalogue/"):
        assert bob.get(url).status_code in {302, 403, 404}


def test_another_recipient_is_previewed_planned_and_carried_out(billed, alice, visit, statements):
    client, one = visit(alice), found(billed, "s2")
    address = f"/subscriptions/{one.public_id}/"
    page = client.get(address).content.decode()
    form = re.search(r'href="(/plans/new/\?kind=subscription[^"]*)"', page)[1].replace("&amp;", "&")
    text = text_of(client.get(form))
    assert "As the account is invoiced Zweig Süd Gruppe Nord" in text

    branch = public_id("acc", billed.id_of("branch"))
    values = {"choice": branch, "effective_date": "2027-01-01"}
    shown = text_of(client.get(form, values | dict(parse_qsl(form.partition("?")[2]))))
    assert "Subscription Product, Seats" in shown
    assert "Is invoiced Gruppe Nord → Zweig Süd" in shown

    kept = client.post("/plans/new/", values | dict(parse_qsl(form.partition("?")[2])))
    plan = client.get(kept.url)
    assert "Product, Seats of Zweig Süd: invoiced to Zweig Süd" in text_of(plan)
    client.post(kept.url, {"do": "schedule", "version": version_in(plan)})

    text = text_of(client.get(address))
    assert "Planned Product, Seats of Zweig Süd: invoiced to Zweig Süd from 1 Jan 2027" in text
    assert "Invoiced to Gruppe Nord" in text
    assert len(statements(client, address)) <= MOST_STATEMENTS
    stale = client.post(kept.url, {"do": "withdraw", "version": version_in(plan)})
    assert stale.status_code == 409


def test_a_recipient_is_planned_of_a_subscription_of_the_account_alone(billed, alice, visit):
    client = visit(alice)
    other = {"kind": "subscription", "account": public_id("acc", billed.id_of("firm"))}
    for reference in (found(billed, "s2").public_id, "sub_nothing", ""):
        answer = client.get("/plans/new/", {**other, "subscription": reference})
        assert answer.status_code == 404
