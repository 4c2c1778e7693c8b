"""Long files: read and stored a slice at a time, all of it or nothing."""

from datetime import date

import pytest

from accounts.models import Account, Contact, SettingName
from accounts.operations.importing import _spooling
from accounts.operations.settings import Change, write_changes
from subscriptions.models import Item, Price, Subscription
from tenancy.database import scope
from tenancy.files import cells, files
from tenancy.files.sources import spooled
from tests.world import TODAY, account, csv_of, price, subscription

START = "2026-12-01"


@pytest.fixture
def two_at_a_time(monkeypatch):
    """Make slices so short that a small file has several."""
    monkeypatch.setattr(files.RowFile.slices, "__defaults__", (2,))
    monkeypatch.setattr(_spooling, "SLICE", 2)


def counts(vendor):
    with vendor.seen():
        return [model.objects.count() for model in (Account, Contact, Price, Subscription, Item)]


FAMILY = [
    account("leaf", "branch"),
    account("branch", "top", bill_to="top"),
    account("twig", "leaf", bill_to="leaf"),
    account("top"),
    account("other"),
]
ROWS = {
    "accounts": FAMILY,
    "prices": [price(f"p{number}", "9") for number in range(5)],
    "subscriptions": [subscription(f"s{n}", "top", "p0", START, n) for n in range(5)],
    "contacts": [
        {"external_id": f"c{n}", "account_external_id": "top", "name": "C", "email": "c@d.example"}
        for n in range(5)
    ],
}


@pytest.mark.usefixtures("two_at_a_time")
def test_a_file_of_several_slices_is_stored_whole(vendor):
    for kind, rows in ROWS.items():
        assert vendor.load(kind, rows, dry=True).created == 5
        assert vendor.load(kind, rows).created == 5
        again = vendor.load(kind, rows)
        assert (again.created, again.updated, again.unchanged, again.errors) == (0, 0, 5, ())

    assert counts(vendor) == [5, 5, 5, 5, 5]
    assert vendor.faults() == []
    with vendor.seen():
        parties = Account.objects.values_list("external_id", "contract_party__external_id")
        assert dict(parties) == {
            "top": "top", "branch": "top", "leaf": "top", "twig": "leaf", "other": "other",
        }  # fmt: skip


@pytest.mark.usefixtures("two_at_a_time")
@pytest.mark.parametrize("kind", [*ROWS])
def test_an_error_in_the_last_slice_undoes_the_first(vendor, kind):
    if kind in ("subscriptions", "contacts"):
        vendor.has("accounts", *ROWS["accounts"])
        vendor.has("prices", *ROWS["prices"])
    before = counts(vendor)

    report = vendor.load(kind, [*ROWS[kind], {**ROWS[kind][0]}])

    assert [(error.row, error.code) for error in report.errors] == [(7, "duplicate")]
    assert (report.rows, report.created) == (6, 0)
    assert counts(vendor) == before


@pytest.mark.usefixtures("two_at_a_time")
def test_a_changed_row_is_undone_by_an_error_further_down(vendor):
    vendor.has("accounts", *FAMILY)

    report = vendor.load(
        "accounts", [account("top", name="New"), *FAMILY[:3], account("lost", "nowhere")]
    )

    assert [error.code for error in report.errors] == ["unknown_account"]
    with vendor.seen():
        assert Account.objects.get(external_id="top").name == "top"


def test_lists_the_first_errors_and_counts_all(vendor, monkeypatch):
    monkeypatch.setattr(cells, "ERRORS_LISTED", 3)

    report = vendor.load("accounts", [account(f"a{n}", kind="nothing") for n in range(5)])

    assert (len(report.errors), report.error_count) == (3, 5)


def test_reads_a_file_from_the_disk(vendor):
    content = csv_of(ROWS["accounts"])
    with spooled(content[n : n + 7] for n in range(0, len(content), 7)) as path:
        from accounts.operations.importing import import_accounts
        from tests.world import NOW

        report = import_accounts(
            vendor.actor, path, is_dry_run=False, today=date(2026, 12, 1), now=NOW
        )
        assert (report.created, report.errors) == (5, ())
    assert not path.exists()


def test_takes_as_many_rows_as_it_says(vendor, monkeypatch):
    monkeypatch.setattr(files, "MAX_ROWS", 5)

    assert vendor.load("accounts", FAMILY, dry=True).errors == ()
    more = vendor.load("accounts", [*FAMILY, account("sixth")], dry=True)
    assert [(error.row, error.code) for error in more.errors] == [(7, "too_many_rows")]


def test_warns_of_a_price_in_another_currency(vendor):
    vendor.has("accounts", account("top", currency="CHF"), account("below", "top"))
    vendor.has("prices", price("eur", "9"), price("chf", "9", currency="CHF"))
    rows = [
        subscription("a", "below", "eur", START),
        subscription("b", "below", "chf", START),
    ]

    report = vendor.load("subscriptions", rows, dry=True)

    assert (report.errors, report.created, report.warning_count) == ((), 2, 1)
    [warning] = report.warnings
    assert (warning.row, warning.column, warning.code) == (2, "price_external_id", "other_currency")
    assert warning.detail == (
        "The price is in EUR, the account's currency is CHF. It is invoiced in EUR."
    )
    assert vendor.load("subscriptions", rows).created == 2


def test_warns_of_what_is_there_once_its_account_has_another_currency(vendor):
    vendor.has("accounts", account("top"), account("below", "top"))
    vendor.has("prices", price("eur", "9"), price("chf", "9", currency="CHF"))
    rows = [
        subscription("a", "below", "eur", START),
        subscription("b", "below", "chf", START),
    ]
    vendor.has("subscriptions", *rows)
    assert vendor.load("subscriptions", rows, dry=True).warning_count == 1
    vendor.has("accounts", account("top", currency="USD"))

    report = vendor.load("subscriptions", rows, dry=True)

    assert (report.errors, report.unchanged) == ((), 2)
    assert [(one.row, one.code, one.detail) for one in report.warnings] == [
        (
            row,
            "other_currency",
            f"The price is in {sold_in}, the account's currency is USD. It is invoiced in"
            f" {sold_in}.",
        )
        for row, sold_in in ((2, "EUR"), (3, "CHF"))
    ]


def test_asks_for_the_currency_that_holds_when_a_subscription_begins(vendor):
    vendor.has("accounts", account("top", currency="EUR"), account("below", "top"))
    vendor.has("prices", price("eur", "9"), price("chf", "9", currency="CHF"))
    with scope(vendor.tenant_id):
        for value, since in (("CHF", date(2027, 1, 1)), ("EUR", date(2027, 3, 1))):
            change = Change(vendor.id_of("top"), SettingName.CURRENCY, None, value)
            write_changes(vendor.actor, [change], today=since)
    starts = ("2026-10-01", "2026-12-31", "2027-01-01", "2027-02-28", "2027-03-01")

    reports = [
        vendor.load(
            "subscriptions",
            [subscription(start, "below", key, start) for start in starts],
            dry=True,
            today=TODAY,
        )
        for key in ("eur", "chf")
    ]

    assert [[one.row for one in report.warnings] for report in reports] == [[4, 5], [2, 3, 6]]
