"""The rules, put together, give the expected invoices of the example customers."""

import csv
import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billing_rules.consolidation import key_of
from billing_rules.drafting import ChargeIn, draft_document
from billing_rules.inheritance import bill_tos, payers, resolve
from billing_rules.periods import (
    Interval,
    Unit,
    anchor_of,
    first_billing_day,
    full_period,
    next_period,
)
from billing_rules.pricing import Model, PriceTerms, Tier, price_of
from billing_rules.proration import prorate
from billing_rules.tax import decide, group_key, vat_id_valid
from billing_rules.tax_rates import class_of_percent, rate_on, rates_of

DATA = Path(__file__).parents[2] / "data"


def rows(customer, name):
    with (DATA / customer / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def terms_of(row):
    return PriceTerms(
        Model(row["model"]),
        Decimal(row["unit_amount"]) if row["unit_amount"] else None,
        tuple(
            Tier(None if up_to == "inf" else Decimal(up_to), Decimal(unit), Decimal(flat))
            for up_to, unit, flat in (t.split(":") for t in row["tiers"].split("|") if t)
        ),
        Decimal(row["package_size"]) if row["package_size"] else None,
    )


def parents_first(accounts):
    parents = {a["external_id"]: a["parent_external_id"] or None for a in accounts}

    def depth(node):
        return 0 if node is None else 1 + depth(parents[node])

    return sorted(parents.items(), key=lambda item: depth(item[0]))


def charges_until(run_date, subscription, price, billing_day, invoicing_day):
    start = date.fromisoformat(subscription["start_date"])
    end = date.fromisoformat(subscription["end_date"]) if subscription["end_date"] else None
    interval = Interval(Unit(price["interval"]), int(price["interval_count"]))
    anchor = anchor_of(start, interval, billing_day=billing_day)
    amount = price_of(terms_of(price), Decimal(subscription["quantity"])).amount
    while end is None or start < end:
        part, full = next_period(anchor, start, end=end), full_period(anchor, start)
        due_on = part.end if price["timing"] == "arrears" else part.start
        if first_billing_day(due_on, invoicing_day) > run_date:
            return
        yield part, prorate(amount, part, full, price["currency"])
        start = part.end


@pytest.mark.parametrize(
    ("customer", "run_date"), [("msp", date(2026, 12, 1)), ("group", date(2026, 12, 15))]
)
def test_a_run_gives_the_expected_invoices(customer, run_date):
    accounts = {row["external_id"]: row for row in rows(customer, "accounts")}
    prices = {row["external_id"]: row for row in rows(customer, "prices")}
    order = parents_first(accounts.values())
    own = {
        node: {name: int(row[name]) for name in ("billing_day", "payment_terms_days") if row[name]}
        for node, row in accounts.items()
    }
    defaults = {"billing_day": None, "payment_terms_days": 14}
    resolved = resolve(order, own, defaults)
    own_bill_to = {n: row["bill_to"] for n, row in accounts.items() if row["bill_to"]}
    own_payer = {n: row["payer"] for n, row in accounts.items() if row["payer"]}
    bill_to_of, payer_of = bill_tos(order, own_bill_to), payers(order, own_payer)

    documents = defaultdict(list)
    for subscription in rows(customer, "subscriptions"):
        owner = subscription["account_external_id"]
        price = prices[subscription["price_external_id"]]
        bill_to = bill_to_of[owner][0]
        buyer = accounts[bill_to]
        decision = decide("DE", buyer["country"], vat_id_valid(buyer["country"], buyer["vat_id"]))
        tax_class = class_of_percent(rates_of("DE"), Decimal(price["tax_rate"]), run_date)
        key = key_of(
            seller="vendor",
            bill_to=bill_to,
            payer=payer_of[bill_to][0],
            service_owner=owner,
            currency=price["currency"],
            payment_terms_days=resolved[bill_to].value("payment_terms_days"),
            collection="send",
            consolidation=accounts[owner]["consolidation"],
        )
        for part, net_minor in charges_until(
            run_date,
            subscription,
            price,
            resolved[owner].value("billing_day"),
            resolved[bill_to].value("billing_day"),
        ):
            rate = rate_on(rates_of("DE"), tax_class, part.last_day)
            documents[key].append(
                ChargeIn(
                    f"{subscription['external_id']} {part.start}",
                    owner,
                    net_minor,
                    group_key(decision, rate.category, rate.percent),
                )
            )

    tree = {node: place for place, (node, _) in enumerate(order)}
    found = {
        (key.bill_to, key.payer, key.currency, key.payment_terms_days): draft_document(lines, tree)
        for key, lines in documents.items()
    }

    expected = json.loads((DATA / customer / f"expected-{run_date}.json").read_text("utf-8"))
    issued = expected["date"]
    assert len(found) == len(documents) == len(expected["invoices"])
    for invoice in expected["invoices"]:
        terms = (date.fromisoformat(invoice["due_date"]) - date.fromisoformat(issued)).days
        draft = found[invoice["bill_to"], invoice["payer"], invoice["currency"], terms]
        assert draft.net_minor == invoice["net_minor"]
        assert draft.tax_minor == invoice["tax_minor"]
        assert draft.gross_minor == invoice["gross_minor"]
        assert [(g.key.category, g.key.rate, g.base_minor, g.tax_minor) for g in draft.groups] == [
            (t["category"], Decimal(t["rate"]), t["base_minor"], t["tax_minor"])
            for t in invoice["tax"]
        ]
        assert {section.account_id for section in draft.sections} == invoice["sections"].keys()
        for section in draft.sections:
            wanted = invoice["sections"][section.account_id]
            assert section.net_minor == wanted["net_minor"]
            assert len(section.charges) == len(wanted["lines"])
            assert section.tax_minor == wanted["tax_minor"]
