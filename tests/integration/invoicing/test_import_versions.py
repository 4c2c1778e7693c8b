"""Importing versions of prices: one file is what they are one after the other, and no less."""

import io
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.exports.import_files import write_import_file
from accounts.models import Account
from billing_rules.pricing import Tier
from invoicing.models import Charge
from invoicing.operations.importing import versions as importing
from invoicing.operations.prices.beginning import begin_version, end_version, packed, unpacked
from invoicing.operations.prices.working import work_on_repricing
from invoicing.queries.repricing import Beside, Way
from subscriptions.models import Item, Price
from subscriptions.operations.catalogue import NewVersion
from subscriptions.queries.terms import timelines_of
from tenancy.database import scope
from tenancy.files.kinds import import_kinds
from tenancy.ids import uuid7
from tenancy.models import AuditEntry, Job
from tests.scenes import scene
from tests.world import NOW, TODAY, account, csv_of, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """Two families, billed: A and BB have the price, BB below B; X alone."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("B", "G"),
        account("BB", "B"),
        account("X", billing_day=1),
    )
    vendor.has(
        "prices",
        price("old", "100", tax_rate=19),
        price("seat", "10", model="per_unit", unit="Platz", tax_rate=19, setup_fee="5"),
        price("steps", model="graduated", tiers="10:2:0|inf:1:0", tax_rate=19),
    )
    vendor.has(
        "subscriptions",
        subscription("S", "A", "old", "2026-11-01"),
        subscription("T", "BB", "old", "2026-11-11"),
        subscription("U", "X", "old", "2026-11-01"),
        subscription("V", "B", "old", "2026-11-01"),
        subscription("SEATS", "A", "seat", "2026-11-01", 10),
        subscription("STEPS", "BB", "steps", "2026-11-01", 15),
    )
    vendor.run("2026-11-23")
    return vendor


def negotiated(owner, key, day, amount="", **cells):
    return {
        "account_external_id": owner,
        "price_external_id": key,
        "valid_from": day,
        "unit_amount": amount,
        **cells,
    }


def version(key, day, amount="", **cells):
    return {"price_external_id": key, "valid_from": day, "unit_amount": amount, **cells}


def found(report):
    return [(error.row, error.column, error.code) for error in report.errors]


def carried_out(shop) -> int:
    """Do the work of all jobs, and return how many there were."""
    with shop.seen():
        jobs = list(Job.objects.filter(kind=Job.Kind.PRICES).exclude(status=Job.Status.DONE))
    for job in jobs:
        while work_on_repricing(shop.actor, job.pk, now=NOW):
            pass
    with shop.seen():
        assert not Job.objects.filter(kind=Job.Kind.PRICES).exclude(status="done").exists()
    return len(jobs)


def had(shop):
    """Return what each item costs from day to day, and what it was charged in all."""
    with shop.seen():
        items = list(Item.objects.select_related("price", "subscription", "discount"))
        owed = defaultdict(int)
        for item_id, net in Charge.objects.values_list("item_id", "net_minor"):
            owed[item_id] += net
        return {
            item.subscription.external_id: (
                [
                    (one.start, one.end, one.value.price.unit_amount, one.value.price.name,
                     one.value.price.tiers, one.value.monthly_minor)
                    for one in timelines_of(shop.actor, [item], None)[item.pk]
                ],
                owed[item.pk],
            )
            for item in items
        }  # fmt: skip


def stored(shop):
    with shop.seen():
        rows = Price.objects.filter(first__isnull=False).order_by("first_id", "number", "id")
        return [
            {k: v for k, v in one.items() if k not in ("id", "created_at")} for one in rows.values()
        ]


def file_of(shop, kind, ending="csv"):
    file, found = io.BytesIO(), import_kinds()[kind]
    with scope(shop.tenant_id):
        rows = found.rows(shop.actor, within=None, today=TODAY)
        write_import_file(file, ending, found.columns, rows, sheet="x")
    return file.getvalue()


ROWS = [
    negotiated("G", "old", "2026-11-10", "90", name="Frame"),
    negotiated("BB", "old", "2026-11-15", "80"),
    negotiated("B", "old", "2026-11-05", "70", valid_until="2026-12-20"),
    negotiated("X", "old", "2026-12-05", "60", external_id="x-own"),
    negotiated("BB", "old", "2027-02-01", "75"),
    negotiated("A", "seat", "2026-11-01", "9", setup_fee="0"),
    negotiated("G", "steps", "2026-11-20", tiers="5:2:0|inf:0.5:0"),
]


def test_one_file_comes_to_what_its_rows_come_to_one_after_the_other(shop):
    def one_by_one():
        with shop.seen():
            keys = dict(Price.objects.filter(first=None).values_list("external_id", "pk"))
        for row in ROWS:
            changes = {}
            if row["unit_amount"]:
                changes["unit_amount"] = Decimal(row["unit_amount"])
            if "tiers" in row:
                changes["tiers"] = (Tier(Decimal(5), Decimal(2), Decimal(0)),
                                    Tier(None, Decimal("0.5"), Decimal(0)))  # fmt: skip
            changes |= {"name": row["name"]} if "name" in row else {}
            changes |= {"setup_fee": Decimal(0)} if "setup_fee" in row else {}
            changes |= {"external_id": row["external_id"]} if "external_id" in row else {}
            wanted = NewVersion(D(row["valid_from"]), changes,
                                shop.id_of(row["account_external_id"]))  # fmt: skip
            made, _job = begin_version(shop.actor, keys[row["price_external_id"]], wanted,
                                       today=TODAY, now=NOW)  # fmt: skip
            carried_out(shop)
            if "valid_until" in row:
                end_version(shop.actor, made.pk, D(row["valid_until"]), today=TODAY, now=NOW)
                carried_out(shop)
        return had(shop), stored(shop)

    with transaction.atomic():
        expected, versions = one_by_one()
        transaction.set_rollback(True)
    assert stored(shop) == []

    report = shop.load("negotiated_prices", ROWS)
    assert (report.errors, report.created) == ((), 7)
    assert carried_out(shop) == 3

    assert stored(shop) == versions
    assert had(shop) == expected
    assert shop.violations() == []
    again = shop.load("negotiated_prices", ROWS)
    assert (again.errors, again.unchanged) == ((), 7)
    assert carried_out(shop) == 0


def test_versions_for_everybody_follow_each_other(shop):
    rows = [
        version("old", "2026-11-20", "110"),
        version("seat", "2027-01-01", "11", name="Seat 2027", external_id="seat-2027"),
        version("old", "2027-01-01", "120"),
        version("steps", "2027-01-01", "1.5", model="per_unit"),
    ]
    report = shop.load("price_versions", rows)

    assert (report.errors, report.created) == ((), 4)
    assert [(one.row, dict(one.values)) for one in report.changes][:3] == [
        (2, {"unit_amount": ("100", "110")}),
        (3, {"name": ("Seat", "Seat 2027"), "unit_amount": ("10", "11")}),
        (4, {"unit_amount": ("110", "120")}),
    ]
    assert dict(report.changes[3].values) == {
        "model": ("graduated", "per_unit"),
        "unit_amount": (None, "1.5"),
        "tiers": ("10:2:0|inf:1:0", None),
    }
    assert carried_out(shop) == 3
    # For 11 of 30 days 36.67 are credited, and 40.33 charged.
    assert had(shop)["U"][1] == 10_000 - 3_667 + 4_033
    assert [one[2] for one in had(shop)["U"][0]] == [100, 110, 120]
    assert shop.violations() == []


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_exported_comes_back_unchanged(shop, ending):
    shop.has("negotiated_prices", *ROWS)
    carried_out(shop)
    shop.has("price_versions", version("old", "2027-01-01", "111.125"),
             version("seat", "2027-01-01", setup_fee="7.5"))  # fmt: skip
    carried_out(shop)
    with shop.seen():
        Account.objects.filter(external_id="X").update(external_id=None)
        Price.objects.filter(external_id="steps").update(external_id=None)
    there, costs = stored(shop), had(shop)

    for kind, count in (("negotiated_prices", 7), ("price_versions", 2)):
        report = shop.load(kind, file_of(shop, kind, ending))
        assert (report.errors, report.rows, report.unchanged) == ((), count, count)
    assert carried_out(shop) == 0
    assert (stored(shop), had(shop)) == (there, costs)


def test_a_dry_run_says_what_differs_and_stores_nothing(shop):
    with shop.seen():
        entries = AuditEntry.objects.count()
    report = shop.load("negotiated_prices", ROWS, dry=True)

    assert (report.errors, report.created) == ((), 7)
    assert dict(report.changes[2].values) == {
        "unit_amount": ("100", "70"), "ends_on": (None, D("2026-12-20")),
    } or dict(report.changes[2].values) == {
        "unit_amount": ("100", "70"), "valid_until": (None, D("2026-12-20")),
    }  # fmt: skip
    assert report.changes[3].external_id == "x-own"
    assert report.changes[1].external_id == "BB · old"
    assert stored(shop) == []
    with shop.seen():
        assert AuditEntry.objects.count() == entries
        assert not Job.objects.exists()


def test_a_later_file_may_end_a_price_and_no_more(shop):
    shop.has("negotiated_prices", ROWS[0])
    carried_out(shop)
    ends = {**ROWS[0], "valid_until": "2026-12-01"}

    report = shop.load("negotiated_prices", [ends])

    assert (report.errors, report.updated, report.created) == ((), 1, 0)
    assert dict(report.changes[0].values) == {"valid_until": (None, D("2026-12-01"))}
    carried_out(shop)
    assert [one[2] for one in had(shop)["S"][0]] == [100, 90, 100]
    assert shop.load("negotiated_prices", [ends]).unchanged == 1
    assert shop.load("negotiated_prices", [ROWS[0]]).unchanged == 1
    for cells in ({"valid_until": "2027-01-01"}, {"unit_amount": "91"}, {"name": "Other"}):
        refused = shop.load("negotiated_prices", [{**ends, **cells}])
        assert [code for _row, _column, code in found(refused)] in (
            ["already_exists_different"], ["price_version_ended"],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"account_external_id": "Z"}, "account_external_id", "unknown_account"),
        ({"account_external_id": ""}, "account_external_id", "required"),
        ({"account_external_id": "GONE"}, "account_external_id", "account_archived"),
        ({"price_external_id": "Z"}, "price_external_id", "unknown_price"),
        ({"price_external_id": "away"}, "price_external_id", "price_archived"),
        ({"valid_from": ""}, "valid_from", "required"),
        ({"valid_from": "soon"}, "valid_from", "not_a_date"),
        ({"valid_until": "2027-01-01"}, "valid_until", "end_before_start"),
        ({"unit_amount": "-1"}, "unit_amount", "negative"),
        ({"tiers": "inf:1:0"}, "unit_amount", "unit_amount_not_allowed"),
        ({"tiers": "x"}, "tiers", "malformed_tiers"),
        ({"model": "graduated"}, "unit_amount", "unit_amount_not_allowed"),
        ({"model": "flat-ish"}, "model", "unknown_value"),
        ({"tax_class": "none"}, "tax_class", "unknown_value"),
        ({"minimum_amount": "5"}, "minimum_amount", "minimum_of_flat"),
        ({"external_id": "seat"}, "external_id", "external_id_taken"),
        ({"name": "x" * 201}, "name", "too_long"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)  # fmt: skip
def test_names_what_is_wrong_and_stores_nothing(shop, cells, column, code):
    shop.has("accounts", account("GONE"))
    shop.has("prices", price("away", "1"))
    with shop.seen():
        Account.objects.filter(external_id="GONE").update(status="archived")
        Price.objects.filter(external_id="away").update(archived_at=NOW)
    fine = negotiated("A", "old", "2027-01-01", "1")

    report = shop.load(
        "negotiated_prices", [fine, negotiated("B", "old", "2027-01-01", "2") | cells]
    )

    if code == "unit_amount_not_allowed":
        assert {column for _row, column, _code in found(report)} <= {"unit_amount", "tiers"}
        assert report.errors
    else:
        assert found(report) == [(3, column, code)]
    assert stored(shop) == []


def test_refuses_what_comes_twice_or_out_of_order_or_is_the_same(shop):
    rows = [
        version("old", "2027-03-01", "110"),
        version("old", "2027-03-01", "110"),
        version("old", "2027-01-01", "120"),
        version("seat", "2027-01-01", "10"),
    ]

    assert found(shop.load("price_versions", rows)) == [
        (3, "valid_from", "duplicate"),
        (4, "valid_from", "price_versions_overlap"),
        (5, "price_external_id", "nothing_to_change"),
    ]


def test_waits_for_the_change_before_to_be_through(shop):
    shop.has("price_versions", version("old", "2027-01-01", "110"))

    refused = shop.load("negotiated_prices", [ROWS[0]])

    assert found(refused) == [(2, "price_external_id", "price_change_under_way")]
    carried_out(shop)
    assert shop.load("negotiated_prices", [ROWS[0]]).created == 1


def test_stays_below_an_account(shop):
    run = import_kinds()["negotiated_prices"].run_below
    within = shop.id_of("B")

    report = run(
        shop.actor, csv_of(ROWS[:3]), is_dry_run=False, today=TODAY, within=within, now=NOW
    )

    assert found(report) == [(2, "account_external_id", "outside_import")]
    report = run(shop.actor, csv_of(ROWS[1:3]), is_dry_run=False, today=TODAY, within=within,
                 now=NOW)  # fmt: skip
    assert (report.errors, report.created) == ((), 2)


def test_is_bounded_in_statements_and_jobs_however_many_rows(shop):
    counts = []
    for size in (5, 100):
        shop.has("accounts", *(account(f"N{size}-{n}", "G") for n in range(size)))
        shop.has("subscriptions", *(subscription(f"N{size}-{n}", f"N{size}-{n}", "old",
                                                 "2026-11-01") for n in range(size)))  # fmt: skip
        rows = [negotiated(f"N{size}-{n}", "old", "2026-12-01", n) for n in range(size)]
        with scope(shop.tenant_id), CaptureQueriesContext(connection) as asked:
            report = importing.import_negotiated_prices(
                shop.actor, csv_of(rows), is_dry_run=False, today=TODAY, now=NOW
            )
        assert (report.errors, report.created) == ((), size)
        with CaptureQueriesContext(connection) as working:
            assert carried_out(shop) == 1
        counts.append((len(asked), len(working)))
    assert counts[1][0] <= counts[0][0] + 2
    assert counts[1][1] <= counts[0][1] + 2
    assert [one[2] for one in had(shop)["N100-7"][0]] == [100, 7]


def test_what_a_job_keeps_of_versions_comes_back():
    some = [
        Beside(uuid7(), uuid7(), D("2026-12-01"), Way.BEGIN),
        Beside(uuid7(), None, D("1970-01-01"), Way.END),
    ]

    assert unpacked(packed(some)) == some
