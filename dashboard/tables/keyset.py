"""Pages of a sorted list by the place of their first and last row: none is slow, none skipped."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

PAGE_SIZE: Final = 50
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows of a list, and the cursors of the pages beside, empty where there is none."""

    rows: list[M]
    newer: str = ""
    older: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """By what rows stand in order; rows of the same value stand in the order of their ids."""

    field: str
    is_falling: bool = False

    def applied(self, found: QuerySet[M], *, reverse: bool = False) -> QuerySet[M]:
        """Return the rows in order, or from the end."""
        sign = "-" if self.is_falling != reverse else ""
        return found.order_by(f"{sign}{self.field}", f"{sign}pk")

    def beyond(self, cursor: tuple[Any, UUID], *, reverse: bool = False) -> Q:
        """Return the condition on what comes after a place, or before it."""
        value, key = cursor
        way = "lt" if self.is_falling != reverse else "gt"
        same = Q(**{self.field: value, f"pk__{way}": key})
        return Q(**{f"{self.field}__{way}": value}) | same

    def cursor(self, row: Model) -> str:
        """Return the place of a row, as an address carries it."""
        text = json.dumps([getattr(row, self.field), UUID(str(row.pk)).hex], ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def parse(self, text: str) -> tuple[Any, UUID] | None:
        """Return the place in an address, None when it cannot be read."""
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            value, key = json.loads(plain)
            if not isinstance(value, str | int) or "\x00" in str(value):
                return None
            return value, UUID(hex=key)
        except (ValueError, TypeError, AttributeError, binascii.Error):
            return None


def page_of(
    found: QuerySet[M], order: Order, *, after: str, before: str, size: int = PAGE_SIZE
) -> Page[M]:
    """Return one page. One statement.

    Args:
        found: the rows, in no order yet.
        order: by what they stand.
        after: the cursor of the last row of the page before, or empty.
        before: the cursor of the first row of the page after, or empty.
        size: the number of rows of a full page.
    """
    if before and (place := order.parse(before)) is not None:
        rows = list(
            order.applied(found, reverse=True).filter(order.beyond(place, reverse=True))[: size + 1]
        )
        has_newer, rows = len(rows) > size, rows[:size][::-1]
        return _page(rows, order, has_newer=has_newer, has_older=True)
    place = order.parse(after) if after else None
    ordered = order.applied(found)
    rows = list((ordered if place is None else ordered.filter(order.beyond(place)))[: size + 1])
    return _page(rows[:size], order, has_newer=place is not None, has_older=len(rows) > size)


def batches(found: QuerySet[M], order: Order, *, size: int) -> Iterator[list[M]]:
    """Yield all rows in order, some at a time. One statement each."""
    after = ""
    while True:
        page = page_of(found, order, after=after, before="", size=size)
        if page.rows:
            yield page.rows
        if not page.older:
            return
        after = page.older


def _page(rows: list[M], order: Order, *, has_newer: bool, has_older: bool) -> Page[M]:
    if not rows:
        return Page([])
    return Page(
        rows,
        newer=order.cursor(rows[0]) if has_newer else "",
        older=order.cursor(rows[-1]) if has_older else "",
    )
