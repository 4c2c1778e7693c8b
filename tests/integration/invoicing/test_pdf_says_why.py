"""Where a product stands on several lines of a section, each says why: terms, tiers, shares."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing_rules.pricing import Tier
from invoicing.documents.making import get_pdf
from invoicing.operations.pools.beginning import NewPool, begin_pool
from invoicing.operations.prices.beginning import begin_version
from invoicing.operations.prices.working import work_on_repricing
from invoicing.operations.subscriptions.changing import change_subscription
from invoicing.operations.subscriptions.discounting import discount_subscription
from invoicing.operations.subscriptions.wanting import ItemChange
from subscriptions.models import Item, Price, Subscription
from subscriptions.operations.catalogue import NewVersion
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.operations.usage import NewUsage, report_usage
from tests.integration.invoicing.test_pdf import text_of
from tests.world import NOW, account, price, subscription

pytestmark = pytest.mark.django_db(transaction=True)
D = date.fromisoformat

WORDS = {
    "de": (
        # Two subscriptions to one product: their tiers.
        "Postfächer 10 × 2,50 € + 5,00 € + 4 × 2,00 € 01.–28.02.2026 14 Stück 19 % 38,00",
        "Postfächer 8 × 2,50 € + 5,00 € 01.–28.02.2026 8 Stück 19 % 25,00",
        # One that has changed: what is taken back, and the rest of the period.
        "Arbeitsplatz nicht genutzte Zeit zurückgenommen: 16 von 31 Tagen 16.–31.01.2026",
        "Arbeitsplatz anteilig: 5 × 9,00 € × 16/31 Tage 16.–31.01.2026 5 Platz 9,00 19 % 23,23",
        "Arbeitsplatz 5 × 9,00 € abzüglich 10 % (Treue) 01.–28.02.2026",
        # Shares of a pool whose price has another version in between; one has a discount.
        "API-Aufrufe Anteil an 11,00 € für zusammen verbrauchte 120 01.–19.01.2026 80 Aufrufe",
        "API-Aufrufe Anteil an 30,00 € für zusammen verbrauchte 200 20.–31.01.2026 200 Aufrufe",
        "Anteil an 11,00 € für zusammen verbrauchte 120 abzüglich 10 % (Treue)",
        # A minimum that its usage does not reach.
        "mindestens 25,00 €, abzüglich 6,00 € für den Verbrauch",
    ),
    "en": (
        "Postfächer 10 × €2.50 + €5.00 + 4 × €2.00 1–28 Feb 2026 14 piece 19% 38.00",
        "Postfächer 8 × €2.50 + €5.00 1–28 Feb 2026 8 piece 19% 25.00",
        "Arbeitsplatz unused time taken back: 16 of 31 days 16–31 Jan 2026",
        "Arbeitsplatz prorated: 5 × €9.00 × 16/31 days 16–31 Jan 2026 5 Platz 9.00 19% 23.23",
        "Arbeitsplatz 5 × €9.00 less 10% (Treue) 1–28 Feb 2026",
        "API-Aufrufe share of €11.00 for 120 used together 1–19 Jan 2026 80 Aufrufe",
        "API-Aufrufe share of €30.00 for 200 used together 20–31 Jan 2026 200 Aufrufe",
        "share of €11.00 for 120 used together less 10% (Treue)",
        "at least €25.00, less €6.00 for what was used",
    ),
}


def used(vendor, of, meter, quantity, day):
    at = datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=UTC)
    one = NewUsage(f"{of} {day}", f"ext:{of}", f"ext:{meter}", Decimal(quantity), at)
    report_usage(vendor.actor, [one], today=D("2026-02-01"), now=NOW)


def billed(vendor, language):
    vendor.has(
        "accounts",
        account("G", name="Gruppe", billing_day=1, language=language),
        account("A", "G", name="Zweig"),
        account("B", "G", name="Werk"),
    )
    create_meter(vendor.actor, NewMeter("calls", "API-Aufrufe", "sum", "Aufrufe"), now=NOW)
    create_meter(vendor.actor, NewMeter("space", "Speicher", "sum", "GB"), now=NOW)
    later = {"timing": "arrears", "tax_rate": 19}
    tiers, least = "100:0.10:0|inf:0.05:0", "25.00"
    vendor.has(
        "prices",
        price("desk", "9.00", name="Arbeitsplatz", model="per_unit", unit="Platz", tax_rate=19),
        price("mail", name="Postfächer", model="graduated", tiers="10:2.50:5|inf:2:0", tax_rate=19),
        price("calls", name="API-Aufrufe", model="graduated", tiers=tiers, meter="calls", **later),
        price("space", "0.10", name="Speicher", model="per_unit", meter="space",
              minimum_amount=least, **later),
    )  # fmt: skip
    vendor.has(
        "subscriptions",
        subscription("desks", "A", "desk", "2026-01-01", 3),
        subscription("mail-1", "A", "mail", "2026-01-01", 14),
        subscription("mail-2", "A", "mail", "2026-01-01", 8),
        subscription("calls-a", "A", "calls", "2026-01-01"),
        subscription("calls-b", "B", "calls", "2026-01-01"),
        subscription("space", "B", "space", "2026-01-01"),
    )
    with vendor.seen():
        keys = dict(Subscription.objects.values_list("external_id", "pk"))
        calls = Price.objects.get(external_id="calls").pk
        desk = Item.objects.get(subscription_id=keys["desks"]).pk
    first = D("2026-01-01")
    pool = NewPool(calls, first)
    begin_pool(vendor.actor, vendor.id_of("G"), pool, today=first, now=NOW)
    for of, day in (("calls-b", first), ("desks", D("2026-02-01"))):
        off = WantedDiscount(name="Treue", percent=Decimal(10), reason="So")
        discount_subscription(vendor.actor, keys[of], off, day=day, today=first, now=NOW)
    used(vendor, "calls-a", "calls", 80, "2026-01-10")
    used(vendor, "calls-b", "calls", 40, "2026-01-10")
    used(vendor, "calls-a", "calls", 200, "2026-01-25")
    used(vendor, "space", "space", 60, "2026-01-10")
    scheme = (
        Tier(Decimal(100), Decimal("0.20"), Decimal(0)),
        Tier(None, Decimal("0.10"), Decimal(0)),
    )
    version = NewVersion(D("2026-01-20"), {"tiers": scheme}, None)
    _price, job = begin_version(vendor.actor, calls, version, today=D("2026-01-15"), now=NOW)
    while work_on_repricing(vendor.actor, job.pk, now=NOW):
        pass
    vendor.run("2026-01-01")
    half = D("2026-01-16")
    more = [ItemChange(desk, quantity=Decimal(5))]
    change_subscription(vendor.actor, keys["desks"], more, day=half, today=half, now=NOW)
    (key,) = vendor.run("2026-02-01").invoice_ids
    return get_pdf(vendor.actor, key, now=NOW).content


@pytest.mark.parametrize("language", list(WORDS))
def test_each_line_says_why_it_stands_there(vendor, language):
    text = text_of(billed(vendor, language)).replace("\xa0", " ").replace("\u202f", " ")

    for words in WORDS[language]:
        assert words in text, text
    assert vendor.violations() == []
