"""Files of events are read by column where every row is plain, and come to the same by the row."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random

import pytest

from subscriptions.models import LateUsage, Period, UsageDay, UsageEvent, UsageKey
from subscriptions.operations.catalogue.meters import NewMeter, create_meter
from subscriptions.operations.importing import usage
from subscriptions.operations.importing.columns import USAGE_COLUMNS
from tenancy.files import RowFile
from tests.scenes import scene
from tests.world import NOW, account, price, subscription

TODAY = date(2026, 12, 1)
HEADER = ("event_id", "subscription_external_id", "meter", "quantity", "at", "unique_key")
# America/St_Johns went back at one minute past midnight, Pacific/Apia has left out a day.
ZONES = ("Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "UTC")


@scene
def shop(vendor):
    vendor.has("accounts", *(account(f"A{n}", time_zone=zone) for n, zone in enumerate(ZONES)))
    create_meter(vendor.actor, NewMeter("calls", "Calls", "sum"), now=NOW)
    create_meter(vendor.actor, NewMeter("users", "Users", "unique_count"), now=NOW)
    terms = {"model": "per_unit", "timing": "arrears", "tax_rate": 19}
    vendor.has("prices", *(price(key, "0.02", meter=key, **terms) for key in ("calls", "users")))
    vendor.has("subscriptions", *(
        subscription(f"{key}{n}", f"A{n}", key, "2005-01-01")
        for n in range(len(ZONES)) for key in ("calls", "users")
    ))  # fmt: skip
    return vendor


def plain_rows(random: Random, count: int) -> Iterator[list[str]]:
    for number in range(count):
        key = random.choice(("calls", "users"))
        year, month = random.choice((2006, 2011, 2026)), random.randrange(1, 12)
        minute = random.choice(("00:00", "00:30", "02:30", "23:59", "10:07"))
        offset = random.choice(("Z", "+00:00", "+02:00", "-03:30", ".250000+05:45"))
        yield [
            f"e{number}",
            f"{key}{random.randrange(len(ZONES))}",
            key,
            random.choice(("1", "0", "2.5", "0.000001", "999999999999", "007")),
            f"{year}-{month:02}-{random.randrange(1, 29):02}T{minute}"
            f":{random.randrange(60):02}{offset}",
            f"u{random.randrange(4)}" if key == "users" else "",
        ]


ODD = (
    ("event_id", ("", "x" * 201, "größe", " e0 ", "e\x07", "e\u200b")),
    ("subscription_external_id", ("", "nobody")),
    ("meter", ("", "nothing")),
    ("quantity", ("", "-1", "NaN", "1e400", "1.0000001", "1" * 13, "1,5", " 3 ")),
    ("at", ("", "2026-11-05", "2026-11-05 10:00:00+00:00", "2026-11-05T10:00:00",
            "1969-11-05T10:00:00Z", "2200-01-01T00:00:00Z", "2026-02-30T10:00:00Z", "T",
            "2026-W45-4T10:00:00Z")),
    ("unique_key", ("", "x", "y" * 201)),
)  # fmt: skip
CASES = [(HEADER.index(name), cell) for name, cells in ODD for cell in cells]


def file_of(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def understood(shop, content: bytes, *, by_column: bool, size: int):
    """Return the events of a file, what is wrong with it, and how many pieces were plain."""
    entries, plain = [], 0
    file = RowFile(content, USAGE_COLUMNS)
    with shop.seen():
        reader = usage._Reader(shop.actor)
        for piece in file.pieces(size):
            plain += piece.columns is not None
            if not by_column:
                piece.columns = None
            entries += [
                (one.place, one.event_id, one.subscription.id, *one[3:])
                for one in reader.entries(piece)
            ]
    return entries, file.problems.in_order(), file.count, plain


@pytest.mark.parametrize("seed", range(8))
def test_events_read_by_column_are_those_read_by_the_row(shop, seed):
    random = Random(seed)
    rows = list(plain_rows(random, 200))
    # The first pieces stay as they are; in those behind anything may stand.
    for _turn in range(random.randrange(12)):
        at, cell = random.choice(CASES)
        rows[random.randrange(60, 200)][at] = cell
    if seed % 3 == 0:
        rows[random.randrange(60, 200)] = [""] * len(HEADER)
        rows[random.randrange(60, 200)].append("more")
    content = file_of(rows)

    at_once = understood(shop, content, by_column=True, size=20)
    one_by_one = understood(shop, content, by_column=False, size=20)

    assert at_once == one_by_one
    assert at_once[3] >= 3
    assert len(at_once[0]) > 150


@pytest.mark.parametrize(("at", "cell"), CASES)
def test_a_row_that_is_not_plain_says_what_it_says_by_itself(shop, at, cell):
    rows = list(plain_rows(Random(1), 12))
    rows[5][at] = cell
    content = file_of(rows)

    assert understood(shop, content, by_column=True, size=50) == understood(
        shop, content, by_column=False, size=50
    )


def test_columns_may_stand_in_any_order_and_the_key_may_be_missing(shop):
    rows = [row for row in plain_rows(Random(2), 80) if row[2] == "calls"]
    content = file_of([row[4::-1] for row in rows], HEADER[4::-1])

    entries, problems, count, plain = understood(shop, content, by_column=True, size=1_000)

    assert (problems, count, plain) == ([], len(rows), 1)
    assert [one[1] for one in entries] == [row[0] for row in rows]


def stored(shop):
    with shop.seen():
        events = UsageEvent.objects.order_by("event_id").values_list(
            "event_id", "subscription_id", "meter_id", "at", "day", "quantity", "unique_key"
        )
        days = UsageDay.objects.order_by("subscription_id", "day").values_list(
            "subscription_id", "meter_id", "day", "events", "total", "highest", "last_at",
            "last_event", "last_quantity",
        )  # fmt: skip
        return list(events), list(days), UsageKey.objects.count()


def test_a_file_in_many_pieces_is_stored_as_in_one(shop, monkeypatch):
    rows = list(plain_rows(Random(3), 300))
    # Some come twice, one of them says something else.
    rows += [rows[7], [*rows[8][:3], "77", *rows[8][4:]]]

    monkeypatch.setattr(usage, "_AT_ONCE", 40)
    report = shop.load("usage", file_of(rows), today=TODAY)

    assert (report.created, report.unchanged, report.errors) == (300, 2, ())
    assert [(one.row, one.code) for one in report.warnings] == [(303, "event_reused")]
    in_pieces = stored(shop)
    assert len(in_pieces[0]) == 300
    assert shop.violations() == []

    monkeypatch.setattr(usage, "_AT_ONCE", 7)
    again = shop.load("usage", file_of(rows), today=TODAY)
    assert (again.created, again.unchanged, again.warning_count) == (0, 302, 1)
    assert stored(shop) == in_pieces


def test_a_fault_in_the_last_piece_stores_nothing_of_the_first(shop, monkeypatch):
    monkeypatch.setattr(usage, "_AT_ONCE", 10)
    rows = list(plain_rows(Random(4), 40))
    rows[33][4] = "2004-12-31T10:00:00Z"

    report = shop.load("usage", file_of(rows), today=TODAY)

    assert [(one.row, one.column, one.code) for one in report.errors] == [
        (35, "at", "before_subscription")
    ]
    assert stored(shop) == ([], [], 0)


def test_what_is_held_once_tells_late_usage_in_every_piece(shop, monkeypatch):
    """Items are held, and their periods looked at, with the first piece that names them."""
    monkeypatch.setattr(usage, "_AT_ONCE", 2)
    shop.run("2005-02-01", today=date(2005, 2, 1))
    days = ("2005-02-03", "2005-01-31", "2005-01-30", "2005-02-01", "2005-01-01", "2005-01-02")
    rows = [[f"e{n}", "calls4", "calls", "1", day, ""] for n, day in enumerate(days)]

    report = shop.load("usage", file_of(rows), today=date(2005, 2, 5))

    assert (report.created, report.errors) == (6, ())
    with shop.seen():
        [late] = LateUsage.objects.all()
        assert Period.objects.get(pk=late.period_id).starts == date(2005, 1, 1)
    closed = [[f"f{n}", *row[1:]] for n, row in enumerate(rows)]
    report = shop.load("usage", file_of(closed), today=date(2005, 4, 1))
    assert [(one.row, one.code) for one in report.errors] == [
        (row, "usage_period_closed") for row in (3, 4, 6, 7)
    ]
    assert len(stored(shop)[0]) == 6
