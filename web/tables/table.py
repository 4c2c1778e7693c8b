"""A declared table, and what the template draws of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from django.http import QueryDict
from django.utils.functional import Promise

from billing_rules.money import exponent
from tenancy.queries.paging import Order
from web.tables.columns import Amounts, Column, Kind
from web.tables.state import State, columns_cookie, state_of

Row = TypeVar("Row")
Totals = Mapping[str, Amounts]
"""The sums of the whole filter, by key of the column."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: its title, and where a click sorts by it."""

    title: str
    is_numeric: bool
    url: str = ""
    direction: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; ``label`` is the head, for screens on which it stands beside the value."""

    kind: str
    value: Any
    label: str
    is_numeric: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What a row is in a selection: its id, its name, and the amount that the bar adds up.

    ``amount_minor`` is in minor units of ``currency``, which has ``digits`` decimals.
    """

    id: str
    label: str
    amount_minor: int = 0
    currency: str = ""

    @property
    def digits(self) -> int:
        """The decimals of its currency."""
        return exponent(self.currency) if self.currency else 0


@dataclass(frozen=True, slots=True)
class ShownRow:
    """The cells of one row; ``mark`` where it can be selected, ``glance`` where to peek at it."""

    cells: list[Cell]
    mark: Mark | None = None
    glance: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that can be shown or left out."""

    key: str
    title: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as the template draws it; ``foot`` is empty where nothing is summed."""

    name: str
    heads: list[Head]
    rows: list[ShownRow]
    foot: list[Cell]
    choices: list[Choice]
    state: State
    csv_url: str
    xlsx_url: str
    has_marks: bool
    has_glances: bool


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """Columns in their order. The first is always shown: it says which row this is.

    Attributes:
        name: the name of an exported file, without its ending.
        title: what it lists.
        columns: all that can be shown.
        default_sort: the key to sort by, with ``-`` before it for the other direction.
        mark: what a row is in a selection, None for a row that cannot be selected.
        glance: the address of the page that the drawer beside the list shows of a row.
    """

    name: str
    title: str | Promise
    columns: tuple[Column[Row], ...]
    default_sort: str
    mark: Callable[[Row], Mark | None] | None = None
    glance: Callable[[Row], str] | None = None

    def state(self, query: QueryDict, cookies: Mapping[str, str] = MappingProxyType({})) -> State:
        """Read order, columns and page from an address, columns else from a cookie."""
        return state_of(
            query,
            cookies.get(columns_cookie(self.name), ""),
            sortable={column.key for column in self.columns if column.sort},
            columns=[column.key for column in self.columns],
            chosen=[column.key for column in self.columns if column.is_default],
            default_sort=self.default_sort,
        )

    def order(self, state: State) -> Order:
        """Return by which fields of the query the rows stand."""
        fields = next(column.sort for column in self.columns if column.key == state.sort)
        return Order(fields, state.is_falling)

    def chosen(self, state: State) -> list[Column[Row]]:
        """Return the columns that are shown, the first in any case."""
        first = self.columns[0]
        return [one for one in self.columns if one is first or one.key in state.columns]

    def shown(
        self,
        rows: Iterable[Row],
        state: State,
        totals: Totals,
        title: str,
        *,
        with_marks: bool = False,
    ) -> Shown:
        """Return the table for its template.

        Args:
            rows: of one page.
            state: order, columns and page.
            totals: the sums of the whole filter.
            title: what the foot says they are the sum of.
            with_marks: whether rows can be selected here.
        """
        columns = self.chosen(state)
        mark = self.mark if with_marks else None
        return Shown(
            name=self.name,
            heads=[_head(column, state, totals) for column in columns],
            rows=[
                ShownRow(
                    [_cell(column, column.value(row), totals) for column in columns],
                    mark(row) if mark else None,
                    self.glance(row) if self.glance else "",
                )
                for row in rows
            ],
            foot=_foot(columns, totals, title),
            choices=[
                Choice(column.key, str(column.title), column in columns)
                for column in self.columns[1:]
            ],
            state=state,
            csv_url=state.url(format="csv"),
            xlsx_url=state.url(format="xlsx"),
            has_marks=mark is not None,
            has_glances=self.glance is not None,
        )


def _title(column: Column[Any], totals: Totals) -> str:
    """Return the head of a column, for money with the currency that its cells leave out."""
    if column.kind == Kind.MONEY and column.key in totals and not _is_mixed(column, totals):
        return f"{column.title}, {totals[column.key].main}"
    return str(column.title)


def _is_mixed(column: Column[Any], totals: Totals) -> bool:
    """Return whether the whole list holds several currencies in a column."""
    return column.kind == Kind.MONEY and column.key in totals and len(totals[column.key].minor) > 1


def _head(column: Column[Any], state: State, totals: Totals) -> Head:
    title = _title(column, totals)
    if not column.sort:
        return Head(title, column.is_numeric, tip=str(column.tip))
    is_current = column.key == state.sort
    falls_next = not state.is_falling if is_current else column.is_numeric
    direction = ("descending" if state.is_falling else "ascending") if is_current else ""
    url = state.url(sort=f"-{column.key}" if falls_next else column.key)
    return Head(title, column.is_numeric, url, direction, str(column.tip))


def _cell(column: Column[Any], value: Any, totals: Totals) -> Cell:
    if isinstance(value, Amounts) and _is_mixed(column, totals):
        value = replace(value, is_mixed=True)
    return Cell(column.kind.value, value, _title(column, totals), column.is_numeric)


def _sum(column: Column[Any], amounts: Amounts | None) -> Cell:
    kind = "nothing" if amounts is None else "sums"
    return Cell(kind, amounts, str(column.title), column.is_numeric)


def _foot(columns: list[Column[Any]], totals: Totals, title: str) -> list[Cell]:
    if not any(column.is_summed and column.key in totals for column in columns):
        return []
    first, *others = columns
    return [
        Cell(Kind.TEXT.value, title, str(first.title), is_numeric=False),
        *(_sum(one, totals.get(one.key) if one.is_summed else None) for one in others),
    ]
