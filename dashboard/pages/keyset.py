"""Pages of a long list by the place of their first and last row: none is slow, none is skipped."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from invoicing.models import Invoice

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of an invoice in the list: by issue date, those without one first, then by id."""

    issue_date: date | None
    id: UUID

    def __str__(self) -> str:
        """Return what an address carries."""
        return f"{self.issue_date or ''}_{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Return the cursor in an address, None when there is none that can be read."""
        day, _, key = text.partition("_")
        try:
            return cls(date.fromisoformat(day) if day else None, UUID(hex=key))
        except ValueError:
            return None

    @classmethod
    def of(cls, invoice: Invoice) -> "Cursor":
        """Return the place of ``invoice``."""
        return cls(invoice.issue_date, invoice.pk)

    def older(self) -> Q:
        """Return the condition on what comes after this place."""
        same_day = Q(issue_date=self.issue_date, id__lt=self.id)
        if self.issue_date is None:
            return same_day | Q(issue_date__isnull=False)
        return same_day | Q(issue_date__lt=self.issue_date)

    def newer(self) -> Q:
        """Return the condition on what comes before this place."""
        same_day = Q(issue_date=self.issue_date, id__gt=self.id)
        if self.issue_date is None:
            return same_day
        return same_day | Q(issue_date__gt=self.issue_date) | Q(issue_date=None)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and the cursors of the pages beside, empty where there is none."""

    rows: list[Invoice]
    newer: str = ""
    older: str = ""


def page_of(found: QuerySet[Invoice], *, after: str, before: str, size: int = PAGE_SIZE) -> Page:
    """Return one page of invoices that are ordered as the query orders them. One statement.

    Args:
        found: ordered by issue date, then id, both falling.
        after: the cursor of the last row of the page before, or empty.
        before: the cursor of the first row of the page after, or empty.
        size: the number of rows of a full page.
    """
    if (start := Cursor.parse(before)) is not None:
        rows = list(found.filter(start.newer()).reverse()[: size + 1])
        has_newer, rows = len(rows) > size, rows[:size][::-1]
        return _page(rows, has_newer=has_newer, has_older=True)
    start = Cursor.parse(after)
    rows = list((found if start is None else found.filter(start.older()))[: size + 1])
    return _page(rows[:size], has_newer=start is not None, has_older=len(rows) > size)


def _page(rows: list[Invoice], *, has_newer: bool, has_older: bool) -> Page:
    if not rows:
        return Page([])
    return Page(
        rows,
        newer=str(Cursor.of(rows[0])) if has_newer else "",
        older=str(Cursor.of(rows[-1])) if has_older else "",
    )
