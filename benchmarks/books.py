"""The books of a small tenant, checked beside larger ones that the planner knows better."""

from collections.abc import Iterator

from django.db import connection, connections

from benchmarks.figures import Figure
from benchmarks.processor import processor
from benchmarks.vendors import RUN_DATE, vendor_of_families
from invoicing.operations.runs import run_billing
from invoicing.queries.books import verify_books
from tests.databases import clone
from tests.world import NOW, Vendor

LINES, LINES_BESIDE, SMALL_BESIDE = 2_000, 40_000, 20
_LOOKS = 3


def measure(*, is_quick: bool) -> Iterator[Figure]:
    """Yield what the database takes for the check where its statistics are those of before.

    Twice: where nothing was ever counted, and where everything was but what is checked.
    """
    beside = LINES_BESIDE // (10 if is_quick else 1)
    for name, is_counted in (("never counted", False), ("of another tenant", True)):
        with clone():
            _stop_counting()
            _billed("huge", beside // 100, beside)
            for number in range(SMALL_BESIDE):
                _billed(f"small-{number}", 1, 20)
            with connections["owner"].cursor() as cursor:
                cursor.execute("ANALYZE" if is_counted else "SELECT 1")
            vendor = _billed("checked", LINES // 50, LINES)
            seconds = min(_checked(vendor) for _look in range(_LOOKS))
            size = f"{LINES} lines beside {beside}, statistics {name}"
            yield Figure("books checked, database", size, seconds, "s", bound="value <= 1")
            connection.close()


def _stop_counting() -> None:
    """Keep everybody from counting the tables of this database: nothing but ``ANALYZE`` does."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION tenancy_refresh_outdated_statistics() RETURNS integer"
            " LANGUAGE sql AS 'SELECT 0'"
        )
        cursor.execute(
            "CREATE OR REPLACE FUNCTION accounts_refresh_statistics(tables text[]) RETURNS void"
            " LANGUAGE sql AS ''"
        )
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = false)')


def _billed(slug: str, families: int, lines: int) -> Vendor:
    vendor = vendor_of_families(families, lines, slug)
    run_billing(vendor.actor, run_date=RUN_DATE, issue=True, today=RUN_DATE, now=NOW)
    return vendor


def _checked(vendor: Vendor) -> float:
    """Return what the check takes of the database's processor, in seconds."""
    with processor() as taken, vendor.seen():
        checked, violations = verify_books(vendor.actor, with_files=False)
    assert violations == []
    assert checked["I3"] == LINES, checked
    return taken.database
