"""The pool of charges on screen: what waits for its invoice, of all customers, where and why."""

import re
from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Charge, Invoice
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.wanting import NewCharge
from invoicing.operations.runs.discarding import discard_drafts
from invoicing.queries.charges import ChargeSum, Place, waiting, waiting_sums
from tenancy.ids import public_id
from tests.scenes import scene
from tests.world import NOW, TODAY, account, price, subscription

URL = "/charges/"


@scene
def shop(vendor):
    """A's training waits, B's subscription stands on a draft, C's is held back, D's is invoiced."""
    vendor.has(
        "accounts",
        *(account(key, billing_day=1) for key in "ABCD"),
        account("A1", "A"),
    )
    vendor.has("prices", price("desk", "10", tax_rate=19))
    vendor.has(
        "subscriptions",
        *(subscription(f"S{key}", key, "desk", "2026-12-01") for key in "BCD"),
    )
    vendor.run("2026-12-01", issue=True, within="D")
    vendor.run("2026-12-01", issue=False, within="B")
    vendor.run("2026-12-01", issue=False, within="C")
    with vendor.seen():
        draft = Invoice.objects.get(bill_to=vendor.id_of("C")).pk
    discard_drafts(
        vendor.actor, [draft], reason="Not yet", hold=True, until=None, today=TODAY, now=NOW
    )
    wanted = NewCharge(
        date(2026, 12, 3), description="Training", unit_amount=Decimal(400), currency="EUR"
    )
    add_charge(vendor.actor, vendor.id_of("A1"), wanted, today=TODAY, now=NOW)
    return vendor


def rows_in(response):
    text = response.content.decode()
    body = text.partition("<tbody")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def names_in(response):
    return [re.search(r"Account (\w+)|(\w+)", row)[0] for row in rows_in(response)]


def test_tells_where_each_charge_waits(shop):
    with shop.seen():
        sums = waiting_sums(shop.actor)
        kept = {
            place: [one.account.external_id for one in waiting(shop.actor, place=place)]
            for place in Place
        }

    assert sums == {
        Place.FREE: [ChargeSum("EUR", 1, 40_000)],
        Place.DRAFT: [ChargeSum("EUR", 1, 1_000)],
        Place.HELD: [ChargeSum("EUR", 1, 1_000)],
    }
    assert kept == {Place.FREE: ["A1"], Place.DRAFT: ["B"], Place.HELD: ["C"]}


def test_keeps_to_what_lies_below_an_account(shop):
    with shop.seen():
        found = waiting(shop.actor, within=shop.id_of("A"))
        assert [one.account.external_id for one in found] == ["A1"]
        assert waiting_sums(shop.actor, within=shop.id_of("B"))[Place.FREE] == []


def test_lists_what_waits_the_first_day_first_with_a_sum(shop, alice, visit):
    response = visit(alice).get(URL)

    rows = rows_in(response)
    assert len(rows) == 3
    assert "Training" in rows[-1], "it is invoiced on 1 January, the others on 1 December"
    assert "On a draft" in " ".join(rows)
    assert "Held back" in " ".join(rows)
    text = response.content.decode()
    assert "420.00" in text.partition("<tfoot")[2]
    assert "Sum of all 3 charges" in text


@pytest.mark.parametrize(("place", "name"), [("free", "Training"), ("draft", "B"), ("held", "C")])
def test_a_place_shows_its_own_alone(shop, alice, visit, place, name):
    (row,) = rows_in(visit(alice).get(URL, {"place": place}))
    assert name in row


def test_says_why_each_waits(shop, alice, visit):
    text = visit(alice).get(URL, {"place": "free"}).content.decode()
    assert "waits" in text.lower()


def test_a_scope_keeps_to_it_and_another_tenants_is_not_found(shop, other_vendor, alice, visit):
    client = visit(alice)
    mine = public_id("acc", shop.id_of("A"))
    other_vendor.has("accounts", account("X"))
    theirs = public_id("acc", other_vendor.id_of("X"))

    assert len(rows_in(client.get(URL, {"in": mine}))) == 1
    assert client.get(URL, {"in": theirs}).status_code == 404
    assert client.get(URL, {"in": "acc_nothing"}).status_code == 404


def test_a_place_that_is_none_is_refused(shop, alice, visit):
    assert visit(alice).get(URL, {"place": "elsewhere"}).status_code == 422


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_saves_what_is_listed(shop, alice, visit, kind):
    response = visit(alice).get(URL, {"format": kind, "place": "free"})
    assert response.status_code == 200
    content = b"".join(response)
    response.close()
    assert content.startswith(b"PK") == (kind == "xlsx")
    if kind == "csv":
        assert b"Training" in content
        assert b"Held back" not in content


def test_says_when_nothing_waits(vendor, alice, visit):
    assert "Nothing waits" in visit(alice).get(URL).content.decode()


def test_pages_and_asks_no_more_of_many(shop, alice, visit, django_assert_max_num_queries):
    wanted = NewCharge(
        date(2026, 12, 3), description="Training", unit_amount=Decimal(400), currency="EUR"
    )
    for _n in range(60):
        add_charge(shop.actor, shop.id_of("A1"), wanted, today=TODAY, now=NOW)
    client = visit(alice)
    client.get(URL)

    with django_assert_max_num_queries(12):
        response = client.get(URL)

    assert len(rows_in(response)) == 50
    assert "Sum of all 63 charges" in response.content.decode()


def test_is_for_staff(shop, visit):
    client = visit(shop.customer("Carl", "admin", "A"))
    assert client.get(URL).status_code in {302, 403, 404}
    with shop.seen():
        assert Charge.objects.filter(status="pending").count() == 3
