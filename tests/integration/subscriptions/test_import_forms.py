"""Files as Excel saves them: forms, encodings, workbooks, and columns that are not there."""

import io
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter

from accounts.models import Account, Contact, SettingInterval
from subscriptions.models import Item, Price, Subscription
from tests.scenes import scene
from tests.world import DATA, account, price, subscription

CASES = DATA / "cases"


def case(vendor, folder, *kinds):
    for kind in kinds:
        assert vendor.load(kind, (CASES / folder / f"{kind}.csv").read_bytes()).errors == ()


@scene
def shop(vendor):
    vendor.has("accounts", account("A"))
    vendor.has("prices", price("p", "10"))
    return vendor


def subscriptions(quantity, sign=";"):
    head = sign.join(["external_id", "account_external_id", "price_external_id", "quantity",
                      "start_date"])  # fmt: skip
    return f"{head}\ns{sign}A{sign}p{sign}{quantity}{sign}2026-12-01\n".encode()


def test_refuses_a_number_that_can_be_read_in_two_ways(vendor):
    case(vendor, "thousands", "accounts", "prices")

    report = vendor.load("subscriptions", (CASES / "thousands" / "subscriptions.csv").read_bytes())

    (error,) = report.errors
    assert (error.row, error.column, error.code) == (2, "quantity", "ambiguous_number")
    assert error.detail == "“2.500” can be read as 2500 or as 2,5. Write one of these."
    with vendor.seen():
        assert not Subscription.objects.exists()


@pytest.mark.parametrize("sign", [";", "\t"])
@pytest.mark.parametrize(
    ("typed", "read"),
    [("2.500,00", "2500"), ("2,5", "2.5"), ("2.5", "2.5"), ("2500", "2500"),
     ("1.234.567", "1234567"), ("1.234.567,5", "1234567.5"), (",5", "0.5"), ("10.25", "10.25")],
)  # fmt: skip
def test_reads_numbers_as_german_excel_writes_them(shop, typed, read, sign):
    assert shop.load("subscriptions", subscriptions(typed, sign)).errors == ()

    with shop.seen():
        assert Item.objects.get().quantity == Decimal(read)


@pytest.mark.parametrize("typed", ["1.000", "1.234", "12.345", "0.125", "1234.500"])
def test_refuses_the_brothers_of_two_thousand_five_hundred(shop, typed):
    report = shop.load("subscriptions", subscriptions(typed))

    assert [error.code for error in report.errors] == ["ambiguous_number"]


@pytest.mark.parametrize("typed", ["1,5,0", "2,500.00", "1.23,4", "1'000", "1 000", "1,"])
def test_refuses_what_is_no_number_in_any_form(shop, typed):
    report = shop.load("subscriptions", subscriptions(typed))

    (error,) = report.errors
    assert error.code == "not_a_number"
    assert error.detail == f"“{typed}” is not a number. Write it like 1234,50."


def test_comma_files_keep_the_decimal_point(shop):
    report = shop.load("subscriptions", subscriptions("2.500", ","))

    assert report.errors == ()
    with shop.seen():
        assert Item.objects.get().quantity == Decimal("2.5")
    report = shop.load(
        "subscriptions",
        b"external_id,account_external_id,price_external_id,quantity,start_date\n"
        b't,A,p,"2,5",01.12.2026\n',
    )
    assert [(error.column, error.code) for error in report.errors] == [
        ("quantity", "not_a_number"),
        ("start_date", "not_a_date"),
    ]
    assert report.errors[1].detail == "“01.12.2026” is not a date. Write it like 2026-12-31."


KINDS = {"decimal-comma-prices": "prices", "german-date-subscriptions": "subscriptions"}


@pytest.mark.parametrize("file", sorted(path.name for path in (CASES / "excel-shapes").iterdir()))
def test_reads_what_excel_saves(vendor, file):
    name = file.removesuffix(".csv")
    content = (CASES / "excel-shapes" / file).read_bytes()
    vendor.has("accounts", account("A"))
    if name == "german-date-subscriptions":
        vendor.has("prices", price("p", "10"))

    report = vendor.load(KINDS.get(name, "accounts"), content, dry=True)

    assert (report.errors, report.rows, report.created) == ((), 1, 1)
    assert report.encoding == {"windows-1252": "windows-1252", "utf-16": "utf-16"}.get(
        name, "utf-8"
    )


def test_reads_umlauts_dates_and_truth_of_excel(shop):
    shapes = CASES / "excel-shapes"
    shop.load("accounts", (shapes / "windows-1252.csv").read_bytes())
    with shop.seen():
        assert Account.objects.get(external_id="1").name == "Müller"
    shop.load("accounts", (shapes / "true-written-back.csv").read_bytes())
    shop.load("subscriptions", (shapes / "german-date-subscriptions.csv").read_bytes())
    with shop.seen():
        assert SettingInterval.objects.get(name="split_by_po", account__external_id="1").value
        found = Subscription.objects.get(external_id="s")
        assert found.start_date == date(2026, 12, 1)
        assert Item.objects.get(subscription=found).quantity == Decimal("1.5")


@pytest.mark.parametrize(
    ("content", "row", "code"),
    [
        (b"external_id,name,kind\n1,M\xfcller,company\n", 1, "not_utf8"),
        (b"\xff\xfee\x00x", 1, "not_utf16"),
        (b"\nexternal_id;name;kind\n1;M;company\n", 1, "empty_first_line"),
        (b";;;\nexternal_id;name;kind\n", 1, "empty_first_line"),
        (b"\xd0\xcf\x11\xe0old", 1, "old_excel_file"),
        (b"PK\x03\x04nothing", 1, "not_a_workbook"),
        (b"", 1, "empty_file"),
        (b"sep=;\n", 1, "empty_file"),
        ("external_id;na\u200bme;kind\n".encode(), 1, "invisible_character"),
        (b"External_ID;name;kind\n", 1, "unknown_column"),
        (b"external_id;;name;kind\n1;;M;company\n", 1, "unnamed_column"),
        ("external_id;name;kind\nA\ufeff1;M;company\n".encode(), 2, "invisible_character"),
        (b"external_id;name;kind\n1;" + b"x" * 140_000 + b";company\n", 2, "cell_too_large"),
        (b"external_id;name;kind;;\n1;M;company;;extra\n", 2, "too_many_fields"),
    ],
)
def test_says_truly_what_is_wrong_with_a_file(vendor, content, row, code):
    report = vendor.load("accounts", content)

    assert (report.errors[0].row, report.errors[0].code) == (row, code)
    assert report.created == 0


def test_counts_records_and_not_line_ends(vendor):
    report = vendor.load("accounts", b'external_id,name,kind\n1,"two\nlines",company\n2,M,club\n')

    assert (report.rows, report.errors[-1].row, report.errors[-1].column) == (2, 3, "kind")


def workbook(rows, *, above=0):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.add_worksheet("Leer")
    sheet = book.add_worksheet("Daten")
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write_datetime(row + above, column, cell, day)
            else:
                sheet.write(row + above, column, cell)
    book.close()
    return file.getvalue()


def test_reads_a_workbook_as_it_is(shop):
    head = ["external_id", "account_external_id", "price_external_id", "quantity", "start_date"]
    content = workbook(
        [[*head, "", ""], ["s", "A", "p", 2.125, date(2026, 12, 1)],
         ["t", "A", "p", 3, "01.01.2027"], ["u", "A", "p", "1.234,5", "2027-01-01"]]
    )  # fmt: skip

    report = shop.load("subscriptions", content)

    assert (report.errors, report.created, report.encoding) == ((), 3, "xlsx")
    with shop.seen():
        assert list(
            Item.objects.order_by("subscription__external_id").values_list(
                "quantity", "subscription__start_date"
            )
        ) == [
            (Decimal("2.125"), date(2026, 12, 1)),
            (Decimal(3), date(2027, 1, 1)),
            (Decimal("1234.5"), date(2027, 1, 1)),
        ]


def test_counts_the_rows_of_a_workbook_as_excel_does(vendor):
    head = ["external_id", "name", "kind"]
    report = vendor.load("accounts", workbook([head, ["1", "M", "company"], ["2", "N", "club"]]))
    assert [(error.row, error.column) for error in report.errors] == [(3, "kind")]
    report = vendor.load("accounts", workbook([head], above=1))
    assert [error.code for error in report.errors] == ["empty_first_line"]


def test_a_missing_column_leaves_values_alone(vendor):
    case(vendor, "partial-update", "accounts", "prices", "subscriptions")
    content = (CASES / "partial-update" / "accounts-update.csv").read_bytes()
    with vendor.seen():
        before = Account.objects.values().get()

    dry = vendor.load("accounts", content, dry=True)
    report = vendor.load("accounts", content)

    assert (report.updated, report.errors) == (1, ())
    (change,) = dry.changes
    assert change.as_json() == {
        "row": 2,
        "external_id": "A",
        "values": [{"column": "name", "before": "Alpha", "after": "Alpha Neu"}],
    }
    with vendor.seen():
        after = Account.objects.values().get()
        assert {name for name in after if after[name] != before[name]} == {
            "name", "search_key", "sort_key", "version",
        }  # fmt: skip
        assert SettingInterval.objects.get(name="billing_day", account_id=after["id"]).value == 1
    assert vendor.violations() == []


def test_an_empty_cell_clears_or_goes_back_to_inheriting(vendor):
    case(vendor, "partial-update", "accounts")
    content = b"external_id,name,kind,vat_id,billing_day\nA,Alpha,company,,\n"

    report = vendor.load("accounts", content)

    assert dict(report.changes[0].values) == {
        "vat_id": ("DE136695976", ""),
        "billing_day": (1, None),
    }
    with vendor.seen():
        assert Account.objects.get().vat_id == ""


def test_leaves_parent_and_recipient_alone_where_the_file_names_none(vendor):
    vendor.has("accounts", account("top"), account("low", "top", bill_to="low"))

    report = vendor.load("accounts", b"external_id,name,kind\nlow,Tief,company\n")

    assert (report.updated, report.errors) == (1, ())


def test_leaves_out_columns_of_prices_subscriptions_and_contacts(shop):
    shop.has("prices", price("q", "5", tax_rate="7", interval_count="3"))
    shop.has("subscriptions", subscription("s", "A", "p", "2026-12-01", po_number="7"))
    report = shop.load(
        "prices",
        b"external_id,product,name,model,currency,unit_amount,interval,timing\n"
        + ",".join(str(price("q", "5")[name]) for name in (
            "external_id", "product", "name", "model", "currency", "unit_amount", "interval",
            "timing")).encode(),
    )  # fmt: skip
    assert (report.unchanged, report.errors) == (1, ())
    with shop.seen():
        assert Price.objects.get(external_id="q").interval_count == 3
    report = shop.load("subscriptions", subscriptions("1", ","))
    assert (report.unchanged, report.errors) == (1, ())
    head = "external_id,account_external_id,name,email"
    shop.load("contacts", f"{head},language\nc,A,Ada,ada@a.example,de\n".encode())

    report = shop.load("contacts", f"{head}\nc,A,Ada B,ada@a.example\n".encode())

    assert (report.updated, report.errors) == (1, ())
    assert dict(report.changes[0].values) == {"name": ("Ada", "Ada B")}
    with shop.seen():
        assert Contact.objects.get().language == "de"
