"""Importing what accounts are charged once: as one by one, at once, all or nothing."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.exports.import_files import TakenForFormula, TooManyRows, write_import_file
from invoicing.models import Charge, InvoiceLine
from invoicing.operations.charges.adding import add_charge
from invoicing.operations.charges.cancelling import cancel_charge
from invoicing.operations.charges.wanting import NewCharge
from invoicing.operations.importing import charges as importing
from invoicing.operations.importing.columns import CHARGE_COLUMNS
from invoicing.queries.file_rows import charge_file_rows
from subscriptions.models import Price, Subscription
from tenancy.database import scope
from tenancy.models import AuditEntry
from tests.scenes import scene
from tests.world import NOW, TODAY, Vendor, account, csv_of, price, subscription


@scene
def shop(vendor: Vendor) -> Vendor:
    """Return a vendor with a company that is invoiced on the 1st, and a branch on the 15th."""
    vendor.has(
        "accounts",
        account("A", billing_day=1),
        account("A1", "A"),
        account("A2", "A", bill_to="A2", billing_day=15),
        account("B"),
    )
    vendor.has(
        "prices",
        price("desk", "10"),
        price("seat", "7.50", model="per_unit", unit="Platz"),
        price("steps", model="volume", unit_amount="", tiers="inf:1:0"),
    )
    vendor.has("subscriptions", subscription("S", "A1", "desk", "2026-11-15", po_number="PO-1"))
    return vendor


def row(key: str, owner: str = "A", **cells: object) -> dict[str, object]:
    plain = {"external_id": key, "account_external_id": owner, "first_day": "2026-11-20"}
    own = {"description": "Training", "unit_amount": "400", "currency": "EUR"}
    return {**plain, **({} if "price_external_id" in cells else own), **cells}


def found(report):
    return [(error.row, error.column, error.code) for error in report.errors]


def stored(shop: Vendor) -> list[dict[str, object]]:
    """Return the charges without what differs between any two of them."""
    with shop.seen():
        rows = Charge.objects.order_by("external_id").values()
        return [{k: v for k, v in one.items() if k not in ("id", "created_at")} for one in rows]


def file_of(shop: Vendor, ending: str = "csv", within: str | None = None) -> bytes:
    file, key = io.BytesIO(), None if within is None else shop.id_of(within)
    with scope(shop.tenant_id):
        rows = charge_file_rows(shop.actor, within=key, today=TODAY)
        write_import_file(file, ending, CHARGE_COLUMNS, rows, sheet="Charges")
    return file.getvalue()


WANTED = {
    "a": ("A", NewCharge(date(2026, 11, 20), description="Training", unit_amount=Decimal(400),
                         currency="EUR", quantity=Decimal("2.5"), unit="day")),
    "b": ("A1", NewCharge(date(2026, 12, 10), date(2026, 12, 12), description="Fair",
                          unit_amount=Decimal("0.125"), currency="CHF", tax_class="reduced",
                          po_number="PO-9", is_billed_now=True)),
    "c": ("A2", NewCharge(date(2026, 12, 1), quantity=Decimal(3), description="Seats, fair")),
    "d": ("A1", NewCharge(date(2026, 12, 2))),
}  # fmt: skip
ROWS = [
    row("a", quantity="2.5", unit="day"),
    row("b", "A1", first_day="2026-12-10", last_day="2026-12-12", description="Fair",
        unit_amount="0.125", currency="CHF", tax_class="reduced", po_number="PO-9",
        bill_now="true"),
    row("c", "A2", first_day="2026-12-01", quantity="3", price_external_id="seat",
        description="Seats, fair"),
    row("d", "A1", first_day="2026-12-02", price_external_id="desk",
        subscription_external_id="S"),
]  # fmt: skip


def test_makes_the_very_charges_that_the_screen_makes(shop):
    with shop.seen():
        keys = {one.external_id: one.pk for one in Price.objects.all()}
        sub = Subscription.objects.get().pk
    named = {"c": {"price_id": keys["seat"]}, "d": {"price_id": keys["desk"],
                                                    "subscription_id": sub}}  # fmt: skip
    for key, (owner, wanted) in WANTED.items():
        values = {"external_id": key, **named.get(key, {})}
        one = NewCharge(**{**{f: getattr(wanted, f) for f in wanted.__slots__}, **values})
        add_charge(shop.actor, shop.id_of(owner), one, today=TODAY, now=NOW)
    one_by_one = stored(shop)
    with shop.seen():
        events = AuditEntry.objects.filter(action="charge.added").values_list("after", flat=True)
        said = sorted(map(str, events))
        for charge in Charge.objects.all():
            cancel_charge(shop.actor, charge.pk, now=NOW)

    report = shop.load("charges", ROWS)

    assert (report.errors, report.created, report.unchanged) == ((), 4, 0)
    assert stored(shop) == one_by_one
    assert [str(one["invoice_on"]) for one in one_by_one] == [
        "2026-12-01", "2026-12-10", "2026-12-15", "2027-01-01",
    ]  # fmt: skip
    with shop.seen():
        again = AuditEntry.objects.filter(action="charge.added").order_by("-id")[:4]
        assert sorted(str(one.after) for one in again) == said


def test_the_same_file_again_changes_nothing(shop):
    shop.has("charges", *ROWS)
    there = stored(shop)

    again = shop.load("charges", ROWS)

    assert (again.errors, again.created, again.unchanged) == ((), 0, 4)
    assert stored(shop) == there


def test_a_dry_run_stores_nothing_and_counts_the_same(shop):
    report = shop.load("charges", ROWS, dry=True)

    assert (report.errors, report.created) == ((), 4)
    assert stored(shop) == []


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_exported_comes_back_unchanged(shop, ending):
    shop.has("charges", *ROWS)
    add_charge(shop.actor, shop.id_of("B"), NewCharge(
        date(2026, 12, 1), description="By hand", unit_amount=Decimal("1.125"), currency="EUR",
        quantity=Decimal("1.500"),
    ), today=TODAY, now=NOW)  # fmt: skip
    there, content = stored(shop), file_of(shop, ending)

    report = shop.load("charges", content)

    assert (report.errors, report.rows, report.unchanged) == ((), 5, 5)
    assert stored(shop) == there
    bounded = shop.load("charges", file_of(shop, ending, within="A1"))
    assert (bounded.errors, bounded.rows) == ((), 2)


def test_an_export_of_what_was_cancelled_since_charges_it_by_its_own_key_alone(shop):
    shop.has("charges", row("mine"))
    add_charge(shop.actor, shop.id_of("B"), NewCharge(
        date(2026, 12, 1), description="By hand", unit_amount=Decimal(1), currency="EUR",
    ), today=TODAY, now=NOW)  # fmt: skip
    content = file_of(shop)
    with shop.seen():
        for charge in Charge.objects.all():
            cancel_charge(shop.actor, charge.pk, now=NOW)

    report = shop.load("charges", content)

    assert found(report) == [(3, "external_id", "unknown_charge")]


def test_a_csv_holds_no_formula_and_no_more_rows_than_asked_for(shop):
    shop.has("charges", row("a", description="=1+1"), row("b"))

    with pytest.raises(TakenForFormula), scope(shop.tenant_id):
        write_import_file(io.BytesIO(), "csv", CHARGE_COLUMNS,
                          charge_file_rows(shop.actor, within=None, today=TODAY),
                          sheet="x")  # fmt: skip
    with pytest.raises(TooManyRows), scope(shop.tenant_id):
        write_import_file(io.BytesIO(), "xlsx", CHARGE_COLUMNS,
                          charge_file_rows(shop.actor, within=None, today=TODAY),
                          sheet="x", most=1)  # fmt: skip
    assert shop.load("charges", file_of(shop, "xlsx")).unchanged == 2


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"account_external_id": "Z"}, "account_external_id", "unknown_account"),
        ({"account_external_id": ""}, "account_external_id", "required"),
        ({"first_day": ""}, "first_day", "required"),
        ({"first_day": "1.2.2026"}, "first_day", "not_a_date"),
        ({"last_day": "2026-11-19"}, "last_day", "end_before_start"),
        ({"last_day": "2036-12-31"}, "last_day", "out_of_range"),
        ({"quantity": "0"}, "quantity", "out_of_range"),
        ({"quantity": "-1"}, "quantity", "negative"),
        ({"quantity": "999999999999", "unit_amount": "999999999999"}, "unit_amount",
         "amount_out_of_range"),
        ({"unit_amount": ""}, "unit_amount", "required"),
        ({"description": ""}, "description", "required"),
        ({"description": "x" * 201}, "description", "too_long"),
        ({"currency": ""}, "currency", "invalid"),
        ({"currency": "EURO"}, "currency", "unknown_currency"),
        ({"tax_class": "none"}, "tax_class", "unknown_value"),
        ({"bill_now": "perhaps"}, "bill_now", "unknown_value"),
        ({"subscription_external_id": "Z"}, "subscription_external_id", "unknown_subscription"),
        ({"subscription_external_id": "S"}, "subscription_external_id", "unknown_subscription"),
        ({"price_external_id": "nothing"}, "price_external_id", "unknown_price"),
        ({"price_external_id": "steps"}, "price_external_id", "wrong_model"),
        ({"price_external_id": "desk", "unit_amount": "1"}, "unit_amount", "not_allowed"),
        ({"price_external_id": "desk", "currency": "CHF"}, "currency", "mixed_currencies"),
        ({"external_id": "chg_01m84qkz7afv8sajqffk8qd29a"}, "external_id", "unknown_charge"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)  # fmt: skip
def test_names_what_is_wrong_and_stores_nothing(shop, cells, column, code):
    report = shop.load("charges", [row("fine"), row("x", **cells)])

    assert found(report) == [(3, column, code)]
    assert stored(shop) == []


@pytest.mark.parametrize("cells", [
    {"quantity": "2"}, {"unit_amount": "401"}, {"description": "Other"}, {"currency": "CHF"},
    {"first_day": "2026-11-21"}, {"last_day": "2026-11-30"}, {"account_external_id": "B"},
    {"po_number": "PO-2"}, {"unit": "h"}, {"tax_class": "zero"}, {"price_external_id": "desk"},
], ids=lambda cells: next(iter(cells)))  # fmt: skip
def test_what_is_charged_does_not_change(shop, cells):
    shop.has("charges", row("a"))
    there = stored(shop)

    report = shop.load("charges", [row("new"), row("a", **cells)])

    assert found(report) == [(3, "external_id", "already_exists_different")]
    assert stored(shop) == there


def test_a_column_that_is_absent_says_nothing_of_what_is_there(shop):
    shop.has("charges", ROWS[0])

    slim = [{"external_id": "a", "account_external_id": "A", "first_day": "2026-11-20"}]

    assert shop.load("charges", slim).unchanged == 1


def test_reads_what_german_excel_saves(shop):
    content = (
        "sep=;\nexternal_id;account_external_id;first_day;description;quantity;unit_amount;"
        "currency;bill_now\na;A;20.11.2026;Schulung für Büro;2,5;1.200,50;EUR;WAHR\n"
    ).encode("cp1252")

    report = shop.load("charges", content)

    assert (report.errors, report.encoding) == ((), "windows-1252")
    (one,) = stored(shop)
    assert (one["net_minor"], str(one["invoice_on"])) == (300_125, "2026-11-23")
    refused = shop.load("charges", content.replace(b";2,5;", b";2.500;").replace(b"\na;", b"\nb;"))
    assert found(refused) == [(2, "quantity", "ambiguous_number")]


def test_warns_of_a_currency_that_the_account_does_not_have(shop):
    report = shop.load("charges", [row("a", currency="CHF"), row("b")])

    assert [(one.row, one.column, one.code) for one in report.warnings] == [
        (2, "currency", "other_currency")
    ]
    assert report.created == 2


def test_is_bounded_in_statements_however_many_rows(shop, monkeypatch):
    monkeypatch.setattr("invoicing.operations.runs.loading.load_families", None)
    counts = []
    for size in (10, 400):
        rows = [row(f"{size}-{n}", ("A", "A1", "A2", "B")[n % 4]) for n in range(size)]
        with (
            scope(shop.tenant_id),
            CaptureQueriesContext(
                connection,
            ) as asked,
        ):
            report = importing.import_charges(
                shop.actor, csv_of(rows), is_dry_run=False, today=TODAY, now=NOW
            )
        assert report.created == size
        counts.append(len(asked))
    assert counts[1] <= counts[0]
    assert counts[1] <= 32


def test_a_run_puts_them_on_invoices(shop):
    shop.has("charges", row("a"), row("b", "A1", quantity="2"), row("c", "A2"))

    shop.run("2026-12-01")

    with shop.seen():
        lines = InvoiceLine.objects.filter(charge__kind=Charge.Kind.ONE_OFF)
        assert sorted(lines.values_list("charge__external_id", "invoice__bill_to__name")) == [
            ("a", "A"), ("b", "A"),
        ]  # fmt: skip
    assert shop.violations() == []
