"""What is charged once belongs to no item: which kind needs what, and how it is billed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from invoicing.documents.annex import get_annex
from invoicing.engine.rows import ChargeRow
from invoicing.models import Charge, Invoice, InvoiceLine
from invoicing.operations.subscriptions.settling import store_charges
from invoicing.queries.charges import charges, explanation_of
from invoicing.queries.invoice_parts import explanation
from tenancy.ids import uuid7
from tests.world import NOW, Vendor, account, price, subscription


def charge(vendor: Vendor, owner: str, net_minor: int = 5_000, **values: Any) -> ChargeRow:
    """Return a charge for a day's work at an account, which is not stored."""
    amount = str(Decimal(net_minor) / 100)
    step = {"up_to": None, "quantity": "1", "unit_amount": amount, "flat_amount": "0",
            "amount": amount}  # fmt: skip
    row = ChargeRow(
        id=uuid7(),
        item_id=None,
        period_id=None,
        subscription=None,
        account_id=vendor.id_of(owner),
        period_start=date(2026, 11, 20),
        period_end=date(2026, 11, 21),
        due_date=date(2026, 11, 20),
        invoice_on=date(2026, 12, 1),
        currency="EUR",
        net_minor=net_minor,
        kind="one_off",
        calculation={
            "price": {"id": None, "name": "Training", "model": "per_unit", "unit": "day",
                      "unit_amount": amount, "interval": None, "tax_class": "standard"},
            "quantity": "1",
            "steps": [step],
            "full_amount": amount,
            "period": {"start": "2026-11-20", "end": "2026-11-21"},
            "net_minor": net_minor,
        },
    )  # fmt: skip
    return replace(row, **values)


@pytest.fixture
def shop(vendor: Vendor) -> Vendor:
    """Return a vendor with a company that is invoiced on the first, and one that buys nothing."""
    vendor.has("accounts", account("A", billing_day=1), account("A1", "A", cost_centre="K1"),
               account("B", billing_day=1))  # fmt: skip
    vendor.has("prices", price("desk", "10"))
    vendor.has("subscriptions", subscription("S", "A1", "desk", "2026-11-15", po_number="PO-1"))
    return vendor


def test_goes_on_the_document_of_its_account_with_what_recurs(shop):
    with shop.seen():
        store_charges(shop.actor, [charge(shop, "A1"), charge(shop, "B")], NOW)

    shop.run("2026-12-01")

    with shop.seen():
        of_a, of_b = Invoice.objects.order_by("recipient_key")
        lines = InvoiceLine.objects.filter(invoice=of_a).order_by("position")
        assert [(line.description, line.net_minor, line.subscription_id is None)
                for line in lines] == [
            ("Desk", 533, False), ("Desk", 1_000, False), ("Training", 5_000, True),
        ]  # fmt: skip
        assert (of_b.net_minor, of_b.tax_minor, of_b.gross_minor) == (5_000, 950, 5_950)
        assert (of_b.period_start, of_b.period_end) == (date(2026, 11, 20), date(2026, 11, 21))
        (line,) = InvoiceLine.objects.filter(invoice=of_b)
        found = explanation(shop.actor, line.pk)
    assert [step.rule for step in found.steps] == [
        "price", "rounding", "bill_to", "payer", "invoice_on", "consolidation", "tax",
    ]  # fmt: skip
    assert "own invoice" in found.sentence
    annex = "".join(get_annex(shop.actor, of_b.pk, today=date(2026, 12, 1)).pieces)
    assert ";;;Training;20.11.2026;21.11.2026;1;50;50,00;EUR;S;19" in annex
    assert shop.violations() == []


def test_the_tax_is_that_of_its_service_day_and_class(shop):
    reduced = charge(shop, "B")
    reduced.calculation["price"]["tax_class"] = "reduced"
    with shop.seen():
        store_charges(shop.actor, [reduced], NOW)

    shop.run("2026-12-01")

    with shop.seen():
        of_b = Invoice.objects.get(bill_to_id=shop.id_of("B"))
        assert (of_b.net_minor, of_b.tax_minor) == (5_000, 350)


def test_waits_with_a_reason_and_is_listed(shop):
    with shop.seen():
        store_charges(shop.actor, [charge(shop, "B", po_number="PO-9")], NOW)
        (found,) = charges(shop.actor, within=shop.id_of("B"))
        assert (found.kind, found.subscription_id, found.po_number) == ("one_off", None, "PO-9")
        assert explanation_of(shop.actor, found).sentence == (
            "It falls due on 20 Nov 2026 and waits for the run of 1 Dec 2026."
        )


def test_its_own_purchase_order_decides_where_invoices_are_split_by_it(shop):
    shop.has("accounts", account("A", billing_day=1, split_by_po="true", po_number="PO-A"))
    with shop.seen():
        store_charges(
            shop.actor, [charge(shop, "A"), charge(shop, "A", 700, po_number="PO-9")], NOW
        )

    shop.run("2026-12-01")

    with shop.seen():
        found = Invoice.objects.filter(bill_to_id=shop.id_of("A"))
        assert sorted(found.values_list("po_number", "net_minor")) == [
            ("PO-1", 1_533), ("PO-9", 700), ("PO-A", 5_000),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "keeps"),
    [
        ("recurring", ""),
        ("recurring", "item subscription"),
        ("recurring", "period subscription"),
        ("one_off", "item subscription"),
        ("one_off", "period"),
        ("setup", "item"),
        ("setup", "subscription"),
        ("usage", "item subscription period"),
        ("usage", "subscription"),
        ("commitment", ""),
    ],
)
def test_the_database_says_which_kind_needs_what(shop, kind, keeps):
    shop.run("2026-12-01")
    with shop.seen():
        known = Charge.objects.first()
        row = charge(shop, "A1", kind=kind)
        values = {name: getattr(known, f"{name}_id") for name in keeps.split()}
        made = Charge(
            tenant_id=shop.tenant_id, account_id=row.account_id, kind=kind, net_minor=1,
            period_start=row.period_start, period_end=row.period_end, due_date=row.due_date,
            invoice_on=row.invoice_on, currency="EUR", calculation={}, reason={},
            **{f"{name}_id": value for name, value in values.items()},
        )  # fmt: skip
        with pytest.raises(IntegrityError, match="charge_of_what"), transaction.atomic():
            made.save()


@pytest.mark.parametrize(
    ("kind", "revisions", "refused_by"),
    [
        ("setup", (0, 1), "charge_setup_once"),
        ("usage", (0, 0), "charge_once"),
        ("commitment", (2, 2), "charge_once"),
    ],
)
def test_nothing_of_an_item_is_charged_twice(shop, kind, revisions, refused_by):
    shop.run("2026-12-01")
    with shop.seen():
        known = Charge.objects.first()
        rows = [
            charge(shop, "A1", kind=kind, item_id=known.item_id, revision=revision)
            for revision in revisions
        ]
        of_it = [
            Charge(
                tenant_id=shop.tenant_id, account_id=row.account_id, kind=kind, net_minor=1,
                period_start=row.period_start, period_end=row.period_end, revision=row.revision,
                due_date=row.due_date, invoice_on=row.invoice_on, currency="EUR", calculation={},
                reason={}, item_id=known.item_id, subscription_id=known.subscription_id,
            )
            for row in rows
        ]  # fmt: skip
        of_it[0].save()
        with pytest.raises(IntegrityError, match=refused_by), transaction.atomic():
            of_it[1].save()
