"""Number series of sellers: what comes next, and whether anything is missing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from accounts import access
from accounts.access import Action
from tenancy.actor import Actor

GAPS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """One seller's numbers of one kind and year; ``missing`` names the first that nothing has."""

    seller_id: UUID
    kind: str
    year: int
    issued: int
    last_number: int
    last_issue_date: date | None
    missing: tuple[int, ...]


_REPORT = """
    SELECT series.seller_id, series.kind, series.year, count(invoice.id), series.last_number,
        series.last_issue_date, ARRAY(
            SELECT number FROM generate_series(1, series.last_number) AS number
            WHERE series.last_number > count(invoice.id)
            EXCEPT SELECT series_number FROM invoicing_invoice AS had
            WHERE had.tenant_id = series.tenant_id AND had.seller_id = series.seller_id
            AND had.kind = series.kind AND had.series_year = series.year
            AND had.series_number IS NOT NULL
            ORDER BY 1 LIMIT %(limit)s)
    FROM invoicing_numberseries AS series
    LEFT JOIN invoicing_invoice AS invoice
        ON invoice.tenant_id = series.tenant_id AND invoice.seller_id = series.seller_id
        AND invoice.kind = series.kind AND invoice.series_year = series.year
        AND invoice.series_number IS NOT NULL
    WHERE series.tenant_id = %(tenant)s AND series.seller_id = ANY(%(sellers)s::uuid[])
    GROUP BY series.id, series.tenant_id, series.seller_id, series.kind, series.year,
        series.last_number, series.last_issue_date
    ORDER BY series.seller_id, series.kind = 'credit_note', series.year DESC
"""


def series_of(actor: Actor, seller_ids: Collection[UUID]) -> list[SeriesReport]:
    """Return the number series of sellers, those of invoices first, the latest year first.

    One statement.

    Raises:
        Forbidden: the actor may not see the tenant's settings.
    """
    access.require_everywhere(actor, Action.VIEW_SETTINGS)
    with connection.cursor() as cursor:
        cursor.execute(
            _REPORT,
            {
                "tenant": actor.tenant_id,
                "sellers": [str(key) for key in seller_ids],
                "limit": GAPS_SHOWN,
            },
        )
        rows = cursor.fetchall()
    return [
        SeriesReport(key, kind, year, issued, last, day, tuple(missing))
        for key, kind, year, issued, last, day, missing in rows
    ]
