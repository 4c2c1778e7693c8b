"""What an agreed quantity costs at least: the price of the period, from which all follows."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from invoicing.documents.calculation import calculation_text
from invoicing.documents.formats import Formats
from invoicing.models import Charge, InvoiceLine
from invoicing.operations.prices.beginning import begin_version
from invoicing.operations.prices.working import work_on_repricing
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.discounting import discount_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from invoicing.queries.foreseeing import foresee_invoices
from invoicing.queries.invoice_parts import explanation
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.catalogue import NewVersion
from subscriptions.operations.discounts.checking import WantedDiscount
from tenancy.models import Tenant
from tests.scenes import scene
from tests.world import NOW, account, lines_of, price, subscription
from web.invoices.explaining import steps_of

D = date.fromisoformat
TODAY = D("2026-11-01")


@scene
def shop(vendor):
    """10.00 a seat and month, at least 100.00; A has five, B twelve, C five in arrears."""
    vendor.has("accounts", account("G", billing_day=1), *(account(key, "G") for key in "ABC"))
    seat = {"model": "per_unit", "minimum_amount": "100", "tax_rate": 19}
    vendor.has(
        "prices", price("seat", "10", **seat), price("later", "10", timing="arrears", **seat)
    )
    vendor.has(
        "subscriptions",
        subscription("A", "A", "seat", "2026-11-01", 5),
        subscription("B", "B", "seat", "2026-11-01", 12),
        subscription("C", "C", "later", "2026-11-01", 0),
    )
    return vendor


def changed(shop, key, quantity, day):
    with shop.seen():
        item = Item.objects.get(subscription__external_id=key)
    wanted = [ItemChange(item.pk, quantity=Decimal(quantity))]
    return change_subscription(
        shop.actor, item.subscription_id, wanted, day=D(day), today=TODAY, now=NOW
    )


def foreseen(shop, first, last):
    with shop.seen():
        found = foresee_invoices(
            shop.actor,
            [shop.id_of("G")],
            first=D(first),
            last=D(last),
            tenant=Tenant.objects.get(pk=shop.tenant_id),
        )
    return [one.net_minor for one in found.stored]


def test_seats_cost_the_minimum_where_they_come_to_less(shop):
    expected = foreseen(shop, "2026-11-01", "2026-12-01")
    bills = [shop.bills(day, today=D(day))[0] for day in ("2026-11-01", "2026-12-01")]

    assert [one["net_minor"] for one in bills] == expected == [22000, 32000]
    assert [one[3] for one in lines_of(bills[1])] == [10000, 12000, 10000]
    with shop.seen():
        monthly = dict(Item.objects.values_list("subscription__external_id", "monthly_minor"))
        shown = InvoiceLine.objects.order_by("position").values_list("quantity", "unit_amount")
        assert list(shown.filter(period_start=TODAY, invoice__issue_date=TODAY)) == [
            (Decimal(5), None), (Decimal(12), Decimal(10)),
        ]  # fmt: skip
    # Whoever agreed on no seat pays as much.
    assert monthly == {"A": 10000, "B": 12000, "C": 10000}
    assert shop.violations() == []


def test_a_change_inside_a_period_credits_and_charges_parts_of_it(shop):
    shop.run("2026-11-01", today=TODAY)
    made = changed(shop, "A", 12, "2026-11-16")

    assert [one.net_minor for one in made.charges] == [-5000, 6000]
    with pytest.raises(Exception, match="already"):
        changed(shop, "A", 12, "2026-11-16")
    assert [one.net_minor for one in changed(shop, "B", 3, "2026-11-16").charges] == [-6000, 5000]
    shop.run("2026-12-01", today=D("2026-12-01"))
    assert shop.violations() == []


def test_a_first_part_has_its_part_of_it(shop):
    shop.has("subscriptions", subscription("P", "A", "seat", "2026-11-22", 1))
    shop.run("2026-11-22", today=D("2026-11-22"))

    with shop.seen():
        # 9 of 30 days of 100.00.
        assert Charge.objects.get(subscription__external_id="P").net_minor == 3000
    assert shop.violations() == []


def test_a_discount_takes_off_it(shop):
    with shop.seen():
        key = Subscription.objects.get(external_id="A").pk
    wanted = WantedDiscount(name="Loyal", percent=Decimal(10), reason="Long with us")
    discount_subscription(shop.actor, key, wanted, day=TODAY, today=TODAY, now=NOW)
    shop.run("2026-11-01", today=TODAY)

    with shop.seen():
        charge = Charge.objects.get(subscription__external_id="A")
    assert charge.net_minor == 9000
    assert charge.calculation["minimum"] == {"amount": "100", "before": "50"}
    assert charge.calculation["discount"]["before"] == "100"
    said = calculation_text(charge.calculation, Formats.of("en", "EUR")).replace("\xa0", " ")
    assert said == "(5 × €10.00, at least €100.00) less 10% (Loyal)"
    assert shop.violations() == []


def test_another_version_of_the_price_has_another_one(shop):
    shop.run("2026-11-01", today=TODAY)
    with shop.seen():
        key = Price.objects.get(external_id="seat").pk
    wanted = NewVersion(D("2026-12-01"), {"minimum_amount": Decimal(110)})
    _version, job = begin_version(shop.actor, key, wanted, today=TODAY, now=NOW)
    work_on_repricing(shop.actor, job.pk, now=NOW)

    (december,) = shop.bills("2026-12-01", today=D("2026-12-01"))
    assert [one[3] for one in lines_of(december)] == [11000, 12000, 10000]
    assert shop.violations() == []


def test_page_api_and_document_say_it(shop, alice):
    shop.run("2026-11-01", today=TODAY)
    with shop.seen():
        line = InvoiceLine.objects.select_related("charge").get(subscription__external_id="A")
        steps = explanation(alice, line.pk).steps
        told = steps_of(steps, "EUR")
    rules = {one.rule: one for one in steps}

    assert rules["price"].result["full_amount"] == "50"
    assert rules["minimum"].inputs == {"amount": "100", "before": "50"}
    assert rules["minimum"].result == {"full_amount": "100", "currency": "EUR"}
    (said,) = [one for one in told if one.formulas == ("€50.00 is less: €100.00",)]
    assert said.text == "A full period costs €100.00 at least, in any quantity."
    with translation.override("de"):
        text = calculation_text(line.charge.calculation, Formats.of("de", "EUR"))
    assert text.replace("\xa0", " ") == "5 × 10,00 €, mindestens 100,00 €"
