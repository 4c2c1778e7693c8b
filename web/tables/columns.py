"""Columns: what a cell holds, how it reads on the page, and what it is in a spreadsheet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tenancy.formats import reader
from web.templatetags.figures import money

Row = TypeVar("Row")
NOTHING: Final = "–"
_MIXED: Final = (
    '<details class="amounts"><summary><span class="more">{}</span> {}</summary>{}</details>'
)


class Kind(StrEnum):
    """What the cells of a column hold; it decides alignment and the type in a spreadsheet.

    An ``ANSWER`` is a link of which only the head says what it is, so both stand together on a
    phone as well.
    """

    LINK = "link"
    ANSWER = "answer"
    TEXT = "text"
    PERIOD = "period"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    MONEY = "money"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads somewhere, if it has an address, and what stands small below it.

    ``plain`` is what a file holds instead of the text: a day, where the text is one.
    """

    text: str
    url: str = ""
    second: str | SafeString = ""
    plain: Any = None


@dataclass(frozen=True, slots=True)
class Label:
    """Text on a coloured ground, a tip with what it leaves out, and where it leads."""

    text: str
    tone: str = ""
    tip: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Money in one or more currencies; the main one is shown, of the others that they exist.

    ``minor`` holds minor units by currency; what is zero is left out. Where a list ``is_mixed``,
    every amount bears its currency, because the head of the column names none.
    """

    minor: Mapping[str, int]
    main: str
    tone: str = ""
    is_mixed: bool = False

    @property
    def shown(self) -> str:
        """The main currency's amount without its sign; of a single other one the whole."""
        if self.main in self.minor:
            written = reader()
            write = written.money if self.is_mixed else written.amount
            return write(self.minor[self.main], self.main)
        only = self._others
        return money(self.minor[only[0]], only[0]) if len(only) == 1 else NOTHING

    @property
    def more(self) -> str:
        """How many currencies are not shown, as ``+2``; empty where none is hidden."""
        hidden = len(self._others) - (self.main not in self.minor and len(self._others) == 1)
        return f"+{hidden}" if hidden else ""

    @property
    def ordered(self) -> list[tuple[str, int]]:
        """Currencies with their amounts, the main one first."""
        return sorted(self.minor.items(), key=lambda pair: (pair[0] != self.main, pair[0]))

    @property
    def all(self) -> str:
        """Every amount in its currency."""
        return ", ".join(self._each)

    @property
    def cell(self) -> str:
        """What stands in a cell: the main amount, before it a mark that opens the others.

        Written here and not by a template, because a tree has a thousand of them.
        """
        if not self.minor:
            return NOTHING
        shown, more = self.shown, self.more
        if not more:
            return shown
        each = format_html_join("", '<span class="each">{}</span>', ((one,) for one in self._each))
        return format_html(_MIXED, more, shown.strip(NOTHING), each)

    @property
    def _each(self) -> list[str]:
        return [money(minor, code) for code, minor in self.ordered]

    @property
    def _others(self) -> list[str]:
        return sorted(code for code in self.minor if code != self.main)


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a table.

    Attributes:
        key: its name in the address.
        title: its head.
        kind: what its cells hold.
        value: how a cell is read from a row; None is an empty cell.
        sort: the fields of the query by which it can be sorted, the most important first,
            separated by blanks; empty where it cannot.
        is_default: whether it is shown until something else is chosen.
        is_summed: whether the foot shows the sum of the whole filter.
        tip: what the head means, where two words don't say it.
    """

    key: str
    title: str | Promise
    kind: Kind
    value: Callable[[Row], Any]
    sort: str = ""
    is_default: bool = True
    is_summed: bool = False
    tip: str | Promise = ""

    @property
    def is_numeric(self) -> bool:
        """Whether its cells stand at the end of the line."""
        return self.kind in {Kind.NUMBER, Kind.MONEY}
