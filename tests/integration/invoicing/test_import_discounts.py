"""Importing discounts of accounts: one file is what its rows are one after the other."""

import io
from collections import defaultdict
from datetime import date
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.exports.import_files import write_import_file
from accounts.models import Account
from invoicing.models import Charge
from invoicing.operations.account_discounts import working
from invoicing.operations.account_discounts.giving import discount_account, end_account_discount
from invoicing.operations.account_discounts.working import work_on_discount
from invoicing.operations.importing import discounts as importing
from subscriptions.models import Discount, DiscountedItem, Item
from subscriptions.operations.discounts.checking import NewCoupon, WantedDiscount
from subscriptions.operations.discounts.coupons import archive_coupon, create_coupon
from subscriptions.operations.subscriptions.creating import (
    NewItem,
    NewSubscription,
    create_subscription,
)
from subscriptions.queries.terms import timelines_of
from tenancy.database import scope
from tenancy.files.kinds import import_kinds
from tenancy.models import AuditEntry, Job
from tests.scenes import scene
from tests.world import NOW, TODAY, account, csv_of, price, subscription

D = date.fromisoformat


@scene
def shop(vendor):
    """Below G are A and B, below A is A1; X is a tree of its own; all have something, billed."""
    vendor.has(
        "accounts",
        account("G", billing_day=1),
        account("A", "G"),
        account("A1", "A"),
        account("B", "G"),
        account("X", billing_day=1),
        account("Y"),
    )
    vendor.has("prices", price("base", "300", tax_rate=19), price("small", "100", tax_rate=19))
    vendor.has(
        "subscriptions",
        subscription("SA", "A", "base", "2026-11-01"),
        subscription("S1", "A1", "small", "2026-11-01"),
        subscription("SB", "B", "base", "2026-11-01"),
        subscription("SX", "X", "small", "2026-11-11"),
    )
    vendor.run("2026-11-23")
    coupon(vendor, "SPRING", percent=Decimal(50), max_redemptions=2, max_per_root=1)
    return vendor


def coupon(shop, code, **values):
    wanted = NewCoupon(code=code, name=code.title(), **values)
    return create_coupon(shop.actor, wanted, today=TODAY, now=NOW)


def row(owner, day="2026-11-20", percent="10", **cells):
    own = {"name": f"Goodwill {percent}", "percent": percent, "reason": "An outage"}
    plain = {"account_external_id": owner, "valid_from": day}
    return {**plain, **({} if "coupon" in cells else own), **cells}


def found(report):
    return [(error.row, error.column, error.code) for error in report.errors]


def carried_out(shop) -> int:
    """Do the work of all jobs, and return how many there were."""
    with shop.seen():
        jobs = list(Job.objects.filter(kind=Job.Kind.DISCOUNT).exclude(status=Job.Status.DONE))
    for job in jobs:
        while work_on_discount(shop.actor, job.pk, now=NOW):
            pass
    with shop.seen():
        assert not Job.objects.filter(kind=Job.Kind.DISCOUNT).exclude(status="done").exists()
    return len(jobs)


def stored(shop):
    with shop.seen():
        rows = Discount.objects.order_by("account_id", "starts").values()
        return [{k: v for k, v in one.items() if k not in ("id", "created_at")} for one in rows]


def had(shop):
    """Return what each subscription costs from day to day, and what it was charged in all."""
    with shop.seen():
        items = list(Item.objects.select_related("price", "subscription", "discount"))
        owed = defaultdict(int)
        for item_id, net in Charge.objects.values_list("item_id", "net_minor"):
            owed[item_id] += net
        held = defaultdict(list)
        for item_id, name, *days in DiscountedItem.objects.order_by("starts").values_list(
            "item_id", "discount__name", "starts", "ends"
        ):
            held[item_id].append((name, *days))
        return {
            item.subscription.external_id: (
                [
                    (one.start, one.end, one.value.discount and one.value.discount.name,
                     one.value.monthly_minor)
                    for one in timelines_of(shop.actor, [item], None)[item.pk]
                ],
                sorted(map(str, held[item.pk])),
                owed[item.pk],
            )
            for item in items
        }  # fmt: skip


def file_of(shop, ending="csv"):
    file, kind = io.BytesIO(), import_kinds()["discounts"]
    with scope(shop.tenant_id):
        rows = kind.rows(shop.actor, within=None, today=TODAY)
        write_import_file(file, ending, kind.columns, rows, sheet="x")
    return file.getvalue()


ROWS = [
    row("G"),
    row("A", "2026-11-10", "20", valid_until="2026-12-15"),
    row("A1", "2026-11-23", coupon="spring"),
    row("X", "2026-12-01", "", amount="2.125", currency="EUR", name="Two off"),
    row("A", "2027-01-01", "5"),
    row("Y"),
]


def test_one_file_comes_to_what_its_rows_come_to_one_after_the_other(shop):
    with transaction.atomic():
        for one in ROWS:
            said = {key: one.get(key, "") for key in ("coupon", "name", "currency", "reason")}
            numbers = {key: Decimal(one[key]) for key in ("percent", "amount") if one.get(key)}
            until = D(one["valid_until"]) if "valid_until" in one else None
            discount_account(
                shop.actor, shop.id_of(one["account_external_id"]),
                WantedDiscount(**said, **numbers, until=until),
                day=D(one["valid_from"]), today=TODAY, now=NOW,
            )  # fmt: skip
            carried_out(shop)
        expected, given = had(shop), stored(shop)
        transaction.set_rollback(True)
    assert stored(shop) == []

    report = shop.load("discounts", ROWS)

    assert (report.errors, report.created) == ((), 6)
    assert stored(shop) == given
    assert carried_out(shop) == 1
    assert had(shop) == expected
    assert shop.violations() == []
    again = shop.load("discounts", ROWS)
    assert (again.errors, again.unchanged) == ((), 6)
    assert carried_out(shop) == 0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_job_goes_through_many_in_pieces_of_any_size(shop, size):
    with transaction.atomic():
        shop.has("discounts", *ROWS)
        carried_out(shop)
        expected = had(shop)
        transaction.set_rollback(True)
    shop.has("discounts", *ROWS)
    with patch.object(working, "PIECE", size):
        assert carried_out(shop) == 1

    assert had(shop) == expected
    with shop.seen():
        job = Job.objects.get(kind=Job.Kind.DISCOUNT)
        assert (job.done, job.total, "after" in job.result) == (6, 6, False)


def test_what_begins_before_the_job_does_takes_it_once(shop):
    shop.has("discounts", row("G", "2026-12-01"))
    with shop.seen():
        price_id = Item.objects.get(subscription__external_id="SB").price_id
    new = NewSubscription([NewItem(price_id, Decimal(1))], D("2026-12-01"), external_id="NEW")
    create_subscription(shop.actor, shop.id_of("B"), new, now=NOW)

    assert carried_out(shop) == 1
    assert [one[2:] for one in had(shop)["NEW"][0]] == [("Goodwill 10", 27_000)]
    with shop.seen():
        assert DiscountedItem.objects.filter(item__subscription__external_id="NEW").count() == 1


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_exported_comes_back_unchanged(shop, ending):
    shop.has("discounts", *ROWS)
    carried_out(shop)
    with shop.seen():
        redeemed = Discount.objects.get(account__external_id="A1")
    end_account_discount(shop.actor, redeemed.pk, day=D("2027-02-01"), today=TODAY, now=NOW)
    carried_out(shop)
    with shop.seen():
        Account.objects.filter(external_id="Y").update(external_id=None)
    there, costs = stored(shop), had(shop)

    report = shop.load("discounts", file_of(shop, ending))

    assert (report.errors, report.rows, report.unchanged) == ((), 6, 6)
    assert carried_out(shop) == 0
    assert (stored(shop), had(shop)) == (there, costs)


def test_a_later_file_may_end_one_and_no_more(shop):
    shop.has("discounts", *ROWS)
    carried_out(shop)
    ends = {**ROWS[0], "valid_until": "2026-12-01"}

    report = shop.load("discounts", [ends, ROWS[1]])

    assert (report.errors, report.updated, report.unchanged) == ((), 1, 1)
    assert [dict(one.values) for one in report.changes] == [
        {"valid_until": (None, D("2026-12-01"))}
    ]
    carried_out(shop)
    assert [one[1:3] for one in had(shop)["SB"][0]] == [
        (D("2026-11-20"), None), (D("2026-12-01"), "Goodwill 10"), (None, None),
    ]  # fmt: skip
    assert shop.violations() == []
    assert shop.load("discounts", [ends]).unchanged == 1
    for cells, code in (
        ({"valid_until": "2027-01-01"}, "discount_over"),
        ({"percent": "11"}, "already_exists_different"),
        ({"reason": "Other"}, "already_exists_different"),
    ):
        assert [one[2] for one in found(shop.load("discounts", [{**ends, **cells}]))] == [code]
    slim = [{"account_external_id": "G", "valid_from": "2026-11-20"}]
    assert shop.load("discounts", slim).unchanged == 1


def test_a_dry_run_counts_redemptions_and_stores_nothing(shop):
    with shop.seen():
        entries = AuditEntry.objects.count()
    rows = [row("A", coupon="SPRING"), row("X", coupon="Spring"), row("Y", coupon="SPRING")]

    assert found(shop.load("discounts", rows, dry=True)) == [(4, "coupon", "coupon_used_up")]
    assert found(shop.load("discounts", [rows[0], row("B", coupon="SPRING")], dry=True)) == [
        (3, "coupon", "coupon_used_up_here")
    ]
    assert shop.load("discounts", rows[:2], dry=True).created == 2
    assert stored(shop) == []
    with shop.seen():
        assert AuditEntry.objects.count() == entries
    shop.has("discounts", *rows[:2])
    assert found(shop.load("discounts", rows[2:])) == [(2, "coupon", "coupon_used_up")]


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"account_external_id": "Z"}, "account_external_id", "unknown_account"),
        ({"account_external_id": "Y"}, "account_external_id", "account_archived"),
        ({"valid_from": ""}, "valid_from", "required"),
        ({"valid_from": "2026-11-25", "account_external_id": "G"}, "valid_from", "discount_held"),
        ({"valid_until": "2026-11-20"}, "valid_until", "end_before_start"),
        ({"percent": ""}, "percent", "percent_or_amount"),
        ({"percent": "0"}, "percent", "out_of_range"),
        ({"percent": "101"}, "percent", "out_of_range"),
        ({"percent": "1.00001"}, "percent", "too_many_decimals"),
        ({"percent": "", "amount": "1"}, "currency", "unknown_currency"),
        ({"currency": "EUR"}, "currency", "not_allowed"),
        ({"name": ""}, "name", "required"),
        ({"reason": ""}, "reason", "required"),
        ({"coupon": "NONE"}, "coupon", "unknown_coupon"),
        ({"coupon": "GONE"}, "coupon", "coupon_archived"),
        ({"coupon": "SPRING", "name": "x"}, "name", "not_allowed"),
        ({"coupon": "SPRING", "valid_until": "2027-01-01"}, "valid_until", "not_allowed"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_names_what_is_wrong_and_stores_nothing(shop, cells, column, code):
    archive_coupon(shop.actor, coupon(shop, "GONE", percent=Decimal(1)).pk, now=NOW)
    with shop.seen():
        Account.objects.filter(external_id="Y").update(status="archived")

    report = shop.load("discounts", [row("G"), {**row("X", **cells), **cells}])

    assert found(report) == [(3, column, code)]
    assert stored(shop) == []


def test_refuses_what_comes_twice_and_stays_below_an_account(shop):
    assert found(shop.load("discounts", [row("G"), row("G")])) == [(3, "valid_from", "duplicate")]
    run = import_kinds()["discounts"].run_below
    report = run(shop.actor, csv_of(ROWS[:3]), is_dry_run=True, today=TODAY,
                 within=shop.id_of("A"), now=NOW)  # fmt: skip
    assert found(report) == [(2, "account_external_id", "outside_import")]


def test_is_bounded_in_statements_however_many_rows(shop):
    counts = []
    for size in (5, 150):
        shop.has("accounts", *(account(f"N{size}-{n}", "G" if n % 2 else "") for n in range(size)))
        rows = [row(f"N{size}-{n}", "2026-12-01", 1 + n % 90) for n in range(size)]
        with scope(shop.tenant_id), CaptureQueriesContext(connection) as asked:
            report = importing.import_discounts(
                shop.actor, csv_of(rows), is_dry_run=False, today=TODAY, now=NOW
            )
        assert (report.errors, report.created) == ((), size)
        counts.append(len(asked))
        assert carried_out(shop) == 1
    assert counts[1] <= counts[0] + 1
