"""The table of an invoice: the sections with their lines, as rows, and page by page."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from invoicing.documents.naming import Names
from invoicing.models import InvoiceLine, InvoiceSection
from web.accounts import account_url
from web.requests import whole_number

LINES_AT_ONCE: Final = 200
SECTIONS_PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line as the table shows it."""

    id: str
    description: str
    period_start: date
    period_end: date
    quantity: Decimal
    unit_amount: Decimal | None
    tax_rate: Decimal
    net_minor: int


@dataclass(frozen=True, slots=True)
class SectionRow:
    """The part of one account; ``lines`` is None while only its subtotal is shown."""

    position: int
    name: str
    above: str
    cost_centre: str
    po_number: str
    net_minor: int
    lines: Sequence[LineRow] | None = None
    next_line: int | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class SectionPage:
    """Which sections are on the page; ``last`` counts from 1, 0 where there are none."""

    first: int
    last: int
    total: int
    previous: int | None
    next: int | None


def section_row(
    section: InvoiceSection,
    lines: Sequence[InvoiceLine] | None,
    *,
    start: int = 0,
    names: Names | None = None,
    opens_accounts: bool = False,
) -> SectionRow:
    """Return a section as the table shows it.

    Args:
        section: the part of one account.
        lines: its lines from ``start`` on, one more than are shown where there are more; None to
            show its subtotal alone.
        start: how many of its lines come before these.
        opens_accounts: whether the reader has pages of accounts to be led to.
        names: of the whole document, if all of it is in sight: who shares a name bears a number.
    """
    named = names.of(section, section.position) if names and section.path else None
    has_more = lines is not None and len(lines) > LINES_AT_ONCE
    return SectionRow(
        position=section.position,
        name=named.name if named else section.path[-1] if section.path else section.account.name,
        above=" › ".join(named.above if named else section.path[:-1]),
        cost_centre=section.cost_centre,
        po_number=section.po_number,
        net_minor=section.net_minor,
        lines=None if lines is None else [line_row(one) for one in lines[:LINES_AT_ONCE]],
        next_line=start + LINES_AT_ONCE if has_more else None,
        url=account_url(section.account_id) if opens_accounts else "",
    )


def line_row(line: InvoiceLine) -> LineRow:
    """Return a line as the table shows it."""
    return LineRow(
        id=line.public_id,
        description=line.description,
        period_start=line.period_start,
        period_end=line.period_end,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        tax_rate=line.tax_rate,
        net_minor=line.net_minor,
    )


def by_section(lines: Iterable[InvoiceLine]) -> dict[UUID, list[InvoiceLine]]:
    """Return lines by the section they stand in, in the same order."""
    sections: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        sections[line.section_id].append(line)
    return sections


def section_page(
    sections: Sequence[InvoiceSection], wanted: str
) -> tuple[Sequence[InvoiceSection], SectionPage]:
    """Return the sections of one page, and which of how many they are.

    Args:
        sections: all of them.
        wanted: the page's number in the address; without sense it is the first.
    """
    total = len(sections)
    last_page = max(1, -(-total // SECTIONS_PER_PAGE))
    page = min(max(whole_number(wanted, 1), 1), last_page)
    first = (page - 1) * SECTIONS_PER_PAGE
    shown = sections[first : first + SECTIONS_PER_PAGE]
    return shown, SectionPage(
        first=first + 1 if shown else 0,
        last=first + len(shown),
        total=total,
        previous=page - 1 if page > 1 else None,
        next=page + 1 if page < last_page else None,
    )
