"""What the address says of a table: order, columns, page. And addresses with some of it changed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

ADDRESS_OF_PAGE: Final = ("after", "before", "format")


@dataclass(frozen=True, slots=True)
class State:
    """Order, columns and page of a table, read from the query string; nonsense is left out.

    ``is_usual`` says that the columns are those that the table shows to everybody.
    """

    query: QueryDict
    sort: str
    is_falling: bool
    columns: tuple[str, ...]
    after: str
    before: str
    is_usual: bool = True

    def url(self, **changes: str | None) -> str:
        """Return the address of the same table with something changed, from its first page."""
        wanted = self.query.copy()
        for name, value in {**dict.fromkeys(ADDRESS_OF_PAGE), **changes}.items():
            if value is None:
                wanted.pop(name, None)
            else:
                wanted[name] = value
        return f"?{wanted.urlencode()}"

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """Return what a form has to carry along, its own fields and the page left out."""
        return [
            (name, value)
            for name, values in self.query.lists()
            if name not in {*without, *ADDRESS_OF_PAGE}
            for value in values
        ]


def columns_cookie(table: str) -> str:
    """Return the name of the cookie that remembers the columns of a table."""
    return f"columns-{table}"


def state_of(
    query: QueryDict,
    kept: str = "",
    *,
    sortable: Collection[str],
    columns: Iterable[str],
    chosen: Iterable[str],
    default_sort: str,
) -> State:
    """Read the state of a table.

    Args:
        query: the query string.
        kept: the columns that were remembered, with points between; the query goes before them.
        sortable: keys of the columns that can be sorted by.
        columns: keys of all columns, in their order.
        chosen: keys of those shown by default.
        default_sort: the key to sort by, with ``-`` before it for the other direction.
    """
    wanted = query.get("sort", "")
    sort = wanted if wanted.lstrip("-") in sortable else default_sort
    columns, chosen = tuple(columns), tuple(chosen)
    asked = set(query.getlist("columns") or kept.split("."))
    shown = tuple(key for key in columns if key in asked)
    return State(
        query=query,
        sort=sort.lstrip("-"),
        is_falling=sort.startswith("-"),
        columns=shown or chosen,
        # The first column is shown in any case, so it is not among those that are chosen.
        is_usual=not shown or {*shown, *columns[:1]} == {*chosen, *columns[:1]},
        after=query.get("after", ""),
        before=query.get("before", ""),
    )
