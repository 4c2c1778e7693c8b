"""What an account is charged once, on screen: added with a preview, listed with why, taken back."""

import re
from datetime import date
from decimal import Decimal

import pytest

from invoicing.models import Charge
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.wanting import NewCharge
from tenancy.ids import public_id
from tests.http.dashboard.conftest import version_in
from tests.world import NOW, TODAY, account, price, subscription

PREVIEW = {"HX-Request": "true"}
FORM = {
    "description": "Training",
    "quantity": "2",
    "unit_amount": "400",
    "currency": "EUR",
    "tax_class": "standard",
    "first_day": "2026-12-01",
}


def text_of(response):
    text = response.content.decode()
    page = text.partition("<main")[2].partition("</main>")[0] or text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def shop(vendor):
    vendor.has(
        "accounts", account("A", billing_day=1), account("A1", "A"), account("B", billing_day=1)
    )
    vendor.has("prices", price("desk", "10"), price("steps", "1", model="package", package_size=10))
    vendor.has("subscriptions", subscription("S", "A1", "desk", "2026-11-15"))
    return vendor


def page_of(shop, owner, path=""):
    return f"/customers/{public_id('acc', shop.id_of(owner))}/charges/{path}"


def add(shop, owner, **values):
    wanted = NewCharge(
        date(2026, 12, 1), description="Training", unit_amount=Decimal(400), currency="EUR",
        **values,
    )  # fmt: skip
    return add_charge(shop.actor, shop.id_of(owner), wanted, today=TODAY, now=NOW).charge


def key_in(response):
    return re.search(r'name="key" value="([^"]+)"', response.content.decode())[1]


def test_says_on_which_document_it_comes_before_it_is_added(shop, alice, visit):
    client = visit(alice)

    shown = text_of(client.get(page_of(shop, "A1", "new/"), FORM, headers=PREVIEW))

    for said in ("Net €800.00", "Invoice of 1 Dec 2026", "Invoiced to A", "Gross €952.00",
                 "That invoice, gross €970.24"):  # fmt: skip
        assert said in shown, shown
    with shop.seen():
        assert not Charge.objects.exists()


def test_adds_it_once_however_often_the_form_is_sent(shop, alice, visit):
    client, url = visit(alice), page_of(shop, "A1", "new/")
    values = {**FORM, "key": key_in(client.get(url))}

    done = text_of(client.post(url, values, follow=True))
    again = text_of(client.post(url, values, follow=True))

    assert "Training" in done
    assert "On no invoice yet" in done
    assert "Cancel …" in done
    assert "Training" in again
    with shop.seen():
        (charge,) = Charge.objects.all()
    assert (charge.net_minor, str(charge.invoice_on)) == (80_000, "2026-12-01")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"unit_amount": "-1"}, "greater than or equal to 0"),
        ({"unit_amount": ""}, "An amount is needed where no price is named."),
        ({"quantity": "0"}, "A quantity above 0 is expected"),
        ({"quantity": "NaN"}, "Enter a number."),
        ({"description": ""}, "Please say what is charged."),
        ({"last_day": "2026-11-01"}, "It ends before it begins."),
        ({"first_day": "9999-12-31"}, "A date between 1970 and 2200 is expected."),
    ],
)
def test_refuses_what_cannot_be_and_keeps_the_form(shop, alice, visit, values, said):
    client, url = visit(alice), page_of(shop, "A", "new/")

    answer = client.post(url, {**FORM, "key": key_in(client.get(url)), **values})

    assert answer.status_code == 422
    assert said in text_of(answer)
    with shop.seen():
        assert not Charge.objects.exists()


def test_takes_amount_and_currency_from_a_price(shop, alice, visit):
    client, url = visit(alice), page_of(shop, "A", "new/")
    form = client.get(url)
    assert "Steps" not in text_of(form)
    name = re.search(r'value="(prc_[^"]+)"', form.content.decode())[1]

    client.post(url, {**FORM, "key": key_in(form), "price": name, "description": "",
                      "unit_amount": ""})  # fmt: skip

    with shop.seen():
        assert Charge.objects.get().net_minor == 1_000


def test_lists_an_account_or_all_below_it_with_sums(shop, alice, visit):
    client = visit(alice)
    add(shop, "A1")
    add(shop, "A", quantity=Decimal(2))

    own = text_of(client.get(page_of(shop, "A")))
    below = text_of(client.get(page_of(shop, "A", "?below=1")))
    shop.run("2026-12-01")
    invoiced = text_of(client.get(page_of(shop, "A", "?below=1&status=invoiced&kind=one_off")))

    assert "€800.00" in own
    assert "€1,200.00" not in own
    assert "€1,200.00" in below
    assert "waits for the run of 1 Dec 2026" in below
    assert "€1,200.00" in invoiced
    assert "Cancel …" not in invoiced


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_is_saved_as_a_file(shop, alice, visit, form):
    add(shop, "A1")

    answer = visit(alice).get(page_of(shop, "A", f"?below=1&format={form}"))

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    content = b"".join(answer) if answer.streaming else answer.content
    assert form == "xlsx" or b"Training" in content
    answer.close()


def test_is_taken_back_after_it_was_looked_at(shop, alice, visit):
    client, made = visit(alice), add(shop, "A1")
    url = page_of(shop, "A1", f"{made.public_id}/cancel/")
    asked = client.get(url)
    assert "waits for the run of 1 Dec 2026" in text_of(asked)

    done = text_of(client.post(url, {"version": version_in(asked)}, follow=True))

    assert "“Training” is not charged any more." in done
    with shop.seen():
        assert not Charge.objects.exists()
    assert client.get(url).status_code == 404


def test_is_not_taken_back_by_who_has_seen_something_else(shop, alice, visit):
    client, made = visit(alice), add(shop, "A1")
    url = page_of(shop, "A1", f"{made.public_id}/cancel/")
    seen = version_in(client.get(url))
    shop.run("2026-12-01", issue=False)

    late, without = client.post(url, {"version": seen}), client.post(url)

    for answer in (late, without):
        assert answer.status_code == 409
        assert "Somebody has changed this" in text_of(answer)
    with shop.seen():
        assert Charge.objects.filter(kind="one_off").count() == 1


def test_says_why_what_stands_on_a_draft_stays(shop, alice, visit):
    client, made = visit(alice), add(shop, "A1")
    shop.run("2026-12-01", issue=False)

    asked = client.get(page_of(shop, "A1", f"{made.public_id}/cancel/"))

    assert "Only what is charged once and stands on no document can be cancelled." in text_of(asked)


@pytest.mark.parametrize("role", ["support", "auditor"])
def test_who_may_not_is_not_led_there(shop, visit, role):
    client, made = visit(shop.staff("Nora", role)), add(shop, "A1")

    shown = text_of(client.get(page_of(shop, "A1")))

    assert "Training" in shown
    assert "Cancel …" not in shown
    assert "Add a charge" not in shown
    for path in ("new/", f"{made.public_id}/cancel/"):
        assert client.get(page_of(shop, "A1", path)).status_code == 403


def test_a_charge_of_another_account_is_nobodys_there(shop, alice, visit):
    made = add(shop, "A1")

    assert visit(alice).get(page_of(shop, "B", f"{made.public_id}/cancel/")).status_code == 404


def test_in_german(shop, alice, visit):
    add(shop, "A1")
    client = visit(alice, "de")

    listed = text_of(client.get(page_of(shop, "A1")))
    asked = text_of(client.get(page_of(shop, "A1", "new/")))

    assert "Noch auf keiner Rechnung" in listed
    assert "Posten hinzufügen" in asked
