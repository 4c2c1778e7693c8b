"""What the address of an org chart asks for, and the addresses that its folds and lines lead to."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from dashboard.pages.customers.chart_reading import Opened
from tenancy.ids import key_of, public_id
from web.accounts import account_url
from web.charts.org_chart import Line
from web.list_pages import UnknownFilter, day_of, one_of
from web.requests import whole_number

_MOST_FOLDS: Final = 100
_FILES: Final = frozenset({"svg"})
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an org chart shows: its top, the day, folds, lines; ``day`` is None for today."""

    top_id: UUID
    day: date | None = None
    closed: bool = False
    folds: Opened = field(default_factory=Opened)
    lines: frozenset[Line] = frozenset(Line)
    file: str = ""

    def url(self) -> str:
        """Return the address that asks for it."""
        query = urlencode(self.passed_on())
        url = account_url(self.top_id, "chart")
        return f"{url}?{query}" if query else url

    def passed_on(self) -> list[tuple[str, str]]:
        """Return what the address carries."""
        folds = self.folds
        pairs = [("as_of", self.day.isoformat())] if self.day else []
        pairs += [("closed", "1")] if self.closed else []
        pairs += [("from", str(folds.start))] if folds.start else []
        pairs += [("open", public_id("acc", key)) for key in sorted(folds.opened)]
        pairs += [("shut", public_id("acc", key)) for key in sorted(folds.shut)]
        if self.lines != frozenset(Line):
            pairs += [("lines", line.value) for line in Line if line in self.lines] or [
                ("lines", _NONE)
            ]
        return pairs

    def folded(self, account_id: UUID, *, is_open: bool) -> "Asked":
        """Return the same with one account opened or shut."""
        opened, shut = self.folds.opened - {account_id}, self.folds.shut - {account_id}
        if is_open:
            opened |= {account_id}
        else:
            shut |= {account_id}
        return replace(self, folds=replace(self.folds, opened=opened, shut=shut))

    def begun_at(self, account_id: UUID, start: int = 0) -> "Asked":
        """Return a chart of another account, or of the same from another child on."""
        return replace(self, top_id=account_id, folds=Opened(start=start))


def asked(query: QueryDict, top_id: UUID, today: date) -> Asked:
    """Return what an address asks for.

    Raises:
        UnknownFilter: it says something that means nothing.
        NotFound: it names what is no account.
    """
    day = day_of(query, "as_of")
    lines = query.getlist("lines")
    if unknown := set(lines) - {*(line.value for line in Line), _NONE}:
        raise UnknownFilter(value=min(unknown)[:100])
    return Asked(
        top_id=top_id,
        day=None if day == today else day,
        closed=one_of(query, "closed", {"1"}) == "1",
        folds=Opened(
            _accounts(query.getlist("open")),
            _accounts(query.getlist("shut")),
            whole_number(query.get("from", "")),
        ),
        lines=frozenset(line for line in Line if line.value in lines or not lines),
        file=one_of(query, "format", _FILES),
    )


def _accounts(ids: Iterable[str]) -> frozenset[UUID]:
    return frozenset(key_of("acc", one) for one in list(ids)[:_MOST_FOLDS])
