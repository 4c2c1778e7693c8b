"""Pages of a sorted list by the place of their first and last row: none is slow, none skipped.

The one paging of the product: pages carry a place in their address as it is, the API signs it.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

PAGE_SIZE: Final = 50
M = TypeVar("M", bound=Model)
Place: TypeAlias = Sequence[str | int | None]
"""What the fields of an order hold in one row, and its id: the place that the row has."""


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows of a list, and the cursors of the pages beside, empty where there is none."""

    rows: list[M]
    newer: str = ""
    older: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """By what rows stand in order; rows alike in all of it stand in the order of their ids.

    As in the database, no value counts as greater than any.

    Attributes:
        fields: names as in a query, the most important first, separated by blanks.
        is_falling: whether the greatest comes first, in each of the fields.
    """

    fields: str
    is_falling: bool = False

    @property
    def names(self) -> list[str]:
        """The fields, one by one."""
        return self.fields.split()

    def applied(self, found: QuerySet[M], *, reverse: bool = False) -> QuerySet[M]:
        """Return the rows in order, or from the end."""
        sign = "-" if self.is_falling != reverse else ""
        return found.order_by(*(f"{sign}{name}" for name in self.names), f"{sign}pk")

    def beyond(
        self, found: QuerySet[M], place: Place, *, reverse: bool = False
    ) -> QuerySet[M] | None:
        """Return the ordered rows after a place, or before it; None when the place is nonsense."""
        *values, key = place
        falls = self.is_falling != reverse
        condition = Q(**{f"pk__{'lt' if falls else 'gt'}": key})
        for name, value in reversed([*zip(self.names, values, strict=True)]):
            same = Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
            condition = _further(name, value, falls=falls) | (same & condition)
        try:
            return self.applied(found, reverse=reverse).filter(condition)
        except (ValueError, TypeError, ValidationError):  # a date that is none, and the like
            return None

    def place(self, row: Model) -> Place:
        """Return the place of a row, as plain JSON."""
        key = row.pk.hex if isinstance(row.pk, UUID) else row.pk
        return [*(_plain(_value(row, name)) for name in self.names), key]

    def read(self, stored: Any) -> Place | None:
        """Return the place that plain JSON says; None for what is none of this order."""
        if not isinstance(stored, list) or len(stored) != len(self.names) + 1:
            return None
        try:
            return stored if all(map(_is_plain, stored)) and stored[-1] is not None else None
        except UnicodeEncodeError:
            return None

    def cursor_of(self, row: Model) -> str:
        """Return the place of a row, as an address carries it."""
        text = json.dumps(self.place(row), ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def parse(self, text: str) -> Place | None:
        """Return the place in an address, None when it cannot be read."""
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return self.read(json.loads(plain))
        except (ValueError, binascii.Error):
            return None


def _further(name: str, value: Any, *, falls: bool) -> Q:
    """Return what comes after ``value`` whatever stands in the fields behind."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if falls else Q(pk__in=[])
    if falls:
        return Q(**{f"{name}__lt": value})
    return Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for part in name.split("__"):
        value = getattr(value, part)
    return value


def _plain(value: Any) -> str | int | None:
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        value.encode()  # half a character pair is no text
        return "\x00" not in value
    return value is None or isinstance(value, int)


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
    if (rest := _rest(found, order, before, reverse=True)) is not None:
        rows, has_newer = _some(rest, size)
        return _page(rows[::-1], order, has_newer=has_newer, has_older=True)
    rest = _rest(found, order, after)
    rows, has_older = _some(order.applied(found) if rest is None else rest, size)
    return _page(rows, order, has_newer=rest is not None, has_older=has_older)


def rows_after(
    found: QuerySet[M], order: Order, place: Place | None, *, size: int
) -> tuple[list[M], bool] | None:
    """Return some rows after a place, and whether more follow. One statement.

    Args:
        found: the rows, in no order yet.
        order: by what they stand.
        place: that of the last row seen, None to begin.
        size: how many at most.

    Returns:
        None where the place is nonsense.
    """
    rest = order.applied(found) if place is None else order.beyond(found, place)
    return None if rest is None else _some(rest, size)


def _some(rest: QuerySet[M], size: int) -> tuple[list[M], bool]:
    rows = list(rest[: size + 1])
    return rows[:size], len(rows) > size


def _rest(
    found: QuerySet[M], order: Order, cursor: str, *, reverse: bool = False
) -> QuerySet[M] | None:
    place = order.parse(cursor) if cursor else None
    return None if place is None else order.beyond(found, place, reverse=reverse)


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
        newer=order.cursor_of(rows[0]) if has_newer else "",
        older=order.cursor_of(rows[-1]) if has_older else "",
    )
