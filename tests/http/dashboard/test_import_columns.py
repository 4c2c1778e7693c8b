"""What people read about the columns is what the reader goes by; each example file is sound."""

from decimal import Decimal
from http import HTTPStatus

import pytest

from subscriptions.models import Item
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.discounts.checking import NewCoupon
from subscriptions.operations.discounts.coupons import create_coupon
from tenancy.files.kinds import import_kinds
from tests.world import NOW, TODAY, account, csv_of, price, subscription

COLUMNS = {name: kind.columns for name, kind in import_kinds().items()}
KINDS = tuple(COLUMNS)
METERS = {"api-calls": "sum", "agents": "unique_count"}
REQUIRED = [
    (kind, column.name, column.is_required)
    for kind, columns in COLUMNS.items()
    for column in columns.all
]
NUMBERS = {"de": ";", "en": ","}


def prepare(vendor):
    """Make the meters and the coupon that the example files name: no file makes one."""
    for key, aggregation in METERS.items():
        create_meter(vendor.actor, NewMeter(key, key, aggregation), now=NOW)
    coupon = NewCoupon(code="SPRING", name="Spring", percent=Decimal(10))
    create_coupon(vendor.actor, coupon, today=TODAY, now=NOW)


def speaking(client, language):
    client.cookies["django_language"] = language
    return client


@pytest.mark.parametrize("language", ["de", "en"])
def test_each_example_file_can_be_imported_as_it_is(vendor, alice, visit, language):
    client = speaking(visit(alice), language)
    prepare(vendor)

    for kind in KINDS:
        answer = client.get(f"/import/examples/{kind}.csv")
        header = answer.content.decode("utf-8-sig").splitlines()[0]
        assert header.split(NUMBERS[language])[0] == COLUMNS[kind].in_order[0].name
        checked = vendor.load(kind, answer.content, dry=True)
        assert checked.errors == ()
        assert checked.created == checked.rows == len(COLUMNS[kind].examples)
        assert vendor.load(kind, answer.content).created == checked.rows

    with vendor.seen():
        assert [f"{one:f}" for one in Item.objects.order_by("quantity").values_list(
            "quantity", flat=True
        )] == ["1.000000", "1.000000", "12.000000", "250.500000"]  # fmt: skip


def test_writes_examples_as_german_spreadsheets_save_them(vendor, alice, visit):
    client = visit(alice)

    german = speaking(client, "de").get("/import/examples/subscriptions.csv").content.decode()
    assert "muster-storage;muster;storage;250,5;01.01.2026;01.01.2028" in german
    english = speaking(client, "en").get("/import/examples/subscriptions.csv").content.decode()
    assert "muster-storage,muster,storage,250.5,2026-01-01,2028-01-01" in english


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_fill_every_column(kind):
    columns = COLUMNS[kind]

    assert [column.name for column in columns.all if not columns.example(column.name)] == []
    assert {name for row in columns.examples for name in row} <= {c.name for c in columns.all}


@pytest.mark.parametrize(("kind", "column", "is_required"), REQUIRED)
def test_a_cell_may_be_empty_where_the_columns_say_so(vendor, kind, column, is_required):
    vendor.has("accounts", account("muster"), account("muster-bremen", "muster"))
    vendor.has("prices", price("desk", "9"), price("storage", "9"))
    prepare(vendor)
    if kind == "usage":
        by_call = price("calls", "9", model="per_unit", timing="arrears", meter="api-calls")
        vendor.has("prices", by_call)
        vendor.has("subscriptions", subscription("muster-calls", "muster", "calls", "2026-11-01"))
    columns = COLUMNS[kind]
    row = {**dict.fromkeys((one.name for one in columns.all), ""), **columns.examples[0]}
    row |= {columns.all[0].name: "new"} | {column: ""}

    codes = {
        error.code
        for error in vendor.load(kind, csv_of([row]), dry=True).errors
        if error.column == column
    }
    # What a price needs beside depends on its model.
    assert codes - {"unit_amount_required"} == ({"required"} if is_required else set())
    absent = csv_of([{name: value for name, value in row.items() if name != column}])
    found = {error.code for error in vendor.load(kind, absent, dry=True).errors}
    assert ("missing_column" in found) is is_required


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ["Spalten von Importdateien", "Beispieldatei", "Pflicht", "1234,50"]),
        ("en", ["Columns of import files", "Example file", "Required", "1234.50"]),
    ],
)
def test_explains_every_column_in_the_readers_language(vendor, alice, visit, language, words):
    page = speaking(visit(alice), language).get("/import/columns/").content.decode()

    assert [word for word in words if word not in page] == []
    for kind, columns in COLUMNS.items():
        assert [c.name for c in columns.all if f'id="{kind}-{c.name}"' not in page] == []
        assert f"/import/examples/{kind}.csv" in page


def test_leads_there_from_the_import_and_from_its_errors(vendor, alice, visit):
    from tests.http.dashboard.test_imports import send

    client = visit(alice)
    assert 'href="/import/columns/"' in client.get("/import/").content.decode()
    page = client.get(send(client, [account("a", kind="nothing")]).url).content.decode()
    assert 'href="/import/columns/#accounts"' in page
    assert 'href="/import/columns/#accounts-kind"' in page


@pytest.mark.parametrize("address", ["columns/", "examples/accounts.csv", "templates/accounts.csv"])
def test_is_for_staff(vendor, bob, visit, address):
    vendor.has("accounts", account("top"))

    assert visit(bob("top")).get(f"/import/{address}").status_code == HTTPStatus.FORBIDDEN


def test_knows_no_other_kinds(vendor, alice, visit):
    assert visit(alice).get("/import/examples/x.csv").status_code == HTTPStatus.NOT_FOUND
