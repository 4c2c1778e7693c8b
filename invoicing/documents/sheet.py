"""Lays a document out on paper: the only place that knows of HTML and of WeasyPrint's documents."""

import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation
from weasyprint import CSS
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from invoicing.documents.columns import Columns, columns_of
from invoicing.documents.content import PrintedDocument
from invoicing.documents.fitting import fitted
from invoicing.documents.grids import line_tables, summary_table
from invoicing.documents.plan import HEADING_GAP, TOP, Measures, Part, Plan
from invoicing.documents.typesetting.codes import draw_codes_at_once
from invoicing.documents.typesetting.paging import Room
from invoicing.documents.typesetting.painting import Furnished, FurnishedPage
from invoicing.documents.typesetting.parsing import parsed
from invoicing.documents.typesetting.shaping import Fonts, keep_shapes
from invoicing.documents.typesetting.tables import Table, set_table
from invoicing.documents.typesetting.tagging import tag_tables
from invoicing.documents.typesetting.text import MILLIMETRE, Letters, Pen
from invoicing.documents.typesetting.writing import write_numbers_once, write_once
from tenancy.collecting import collecting_afterwards

_VARIANT = "pdf/a-3a"
"""Archival (ISO 19005-3), with room for embedded files, and tagged for screen readers."""


class ResourceRefused(FatalURLFetchingError):
    """A document asked for something from outside of itself: a bug, or an attack."""


class NoResources(URLFetcher):
    """Fetches nothing: no network, no files, so that no name on an invoice can make it ask."""

    def fetch(self, url: str, headers: object = None) -> object:
        """Refuse.

        Raises:
            ResourceRefused: always.
        """
        raise ResourceRefused(f"a document refers to {url[:200]!r}")


@dataclass
class _Layout:
    """Where the parts of a document stand; a part that it does not have is ``None``."""

    summary: Part | None = None
    lines: Part | None = None
    taxes_begin_page: bool = False

    @property
    def places(self) -> tuple[object, ...]:
        """All that the template makes of it: equal ones give equal pages."""
        parts = [part and (part.slots, part.begins_page) for part in (self.summary, self.lines)]
        return (*parts, self.taxes_begin_page)


def page_html(document: PrintedDocument, layout: _Layout | None = None) -> str:
    """Return the document as HTML with rooms for its tables; every name in it is escaped."""
    with translation.override(document.language):
        return render_to_string(
            "documents/invoice.html", {"document": document, "layout": layout or _Layout()}
        )


@collecting_afterwards()
def pdf_bytes(document: PrintedDocument) -> bytes:
    """Return the document as PDF: the same bytes for the same document, fonts and libraries.

    How high it is what stands before and between the tables tells which rows each page has room
    for. So all is laid out with rooms of the heights that follow, the tables are drawn into them,
    and the overview gets the pages where its accounts have come to stand. The heights are first
    taken to be those of the document before; where other rooms follow from those found, all is
    laid out again. Most documents are laid out once.

    Raises:
        ResourceRefused: it refers to something outside of itself.
    """
    resources = _resources()
    letters = Letters(resources.fonts, resources.dictionaries, document.language)
    with translation.override(document.language), warnings.catch_warnings():
        # The library leaves the file of its colour profile to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        document = fitted(document, letters)
        columns = columns_of(document, letters)
        layout, rendered = _laid_out(document, columns, letters)
        pages = _furnished(document, columns, layout, rendered.pages, letters)
        written = rendered.copy(pages).write_pdf(
            pdf_variant=_VARIANT, pdf_identifier=document.id.bytes, finisher=_finish
        )
    return bytes(written)


def _render(html: str) -> Any:
    resources = _resources()
    return parsed(html, NoResources()).render(
        stylesheets=[resources.style], font_config=resources.fonts, pdf_variant=_VARIANT
    )


def _laid_out(document: PrintedDocument, columns: Columns, letters: Letters) -> tuple[_Layout, Any]:
    """Return where the parts of a document stand, and the pages that the library made of that."""
    resources = _resources()
    layout = _planned(document, columns, letters, resources.measures)
    rendered = _render(page_html(document, layout))
    found, is_sure = _measured(document, rendered.pages)
    if not is_sure:
        found, _is_sure = _measured(document, _render(page_html(document)).pages)
    resources.measures = found
    right = _planned(document, columns, letters, found)
    if right.places == layout.places:
        return layout, rendered
    return right, _render(page_html(document, right))


def _planned(
    document: PrintedDocument, columns: Columns, letters: Letters, measures: Measures
) -> _Layout:
    plan = Plan(measures)
    layout = _Layout()
    if document.is_consolidated:
        overview = [set_table(summary_table(document, {}, columns), letters)]
        layout.summary = plan.place_tables(overview, has_heading=True)
        layout.taxes_begin_page = plan.place_taxes()
    if document.has_detail:
        tables = [set_table(table, letters) for table in line_tables(document, columns)]
        layout.lines = plan.place_tables(tables, has_heading=document.is_consolidated)
    if not document.is_consolidated:
        layout.taxes_begin_page = plan.place_taxes()
    return layout


def _measured(document: PrintedDocument, pages: Sequence[Any]) -> tuple[Measures, bool]:
    """Return how high all but the tables came to be, and whether it would be so elsewhere."""
    at = {
        name: (number, place[1])
        for number, page in enumerate(pages)
        for name, place in page.anchors.items()
    }
    ends = ("taxes", "heading") if document.is_consolidated else ("taxes",)
    heights = {name: at[f"{name}-end"][1] - at[name][1] for name in ends}
    # What begins a page, or is parted by its end, is not as high as elsewhere.
    is_sure = not at["front-end"][0] and all(
        at[f"{name}-end"][0] == at[name][0] and at[name][1] > TOP + HEADING_GAP for name in ends
    )
    return Measures(at["front-end"][1], heights.get("heading", 0), heights["taxes"]), is_sure


def _furnished(
    document: PrintedDocument,
    columns: Columns,
    layout: _Layout,
    pages: Sequence[Any],
    letters: Letters,
) -> list[Any]:
    """Return the pages with tables in their rooms, wherever the library has put these."""
    furniture: dict[str, tuple[Room, Sequence[Table]]] = {}
    page_of = {name: number for number, page in enumerate(pages, 1) for name in page.anchors}
    begins: dict[str, int] = {}
    if layout.lines:
        tables = line_tables(document, columns)
        furniture |= layout.lines.furniture(tables)
        begins = layout.lines.first_pages(tables, page_of)
    if layout.summary:
        overview = summary_table(document, begins, columns)
        layout.summary.refill(set_table(overview, letters))
        furniture |= layout.summary.furniture([overview])
    pen = Pen(letters)
    return [
        FurnishedPage(
            page,
            [
                Furnished(room, tables, *page.anchors[name][:2])
                for name, (room, tables) in furniture.items()
                if name in page.anchors
            ],
            pen,
        )
        for page in pages
    ]


def _finish(document: Any, pdf: Any) -> None:
    tag_tables(document, pdf)
    write_once(pdf)


class _Resources(threading.local):
    """What all documents of a thread share: fonts, stylesheet, rules to hyphenate by, heights."""

    def __init__(self) -> None:
        found = finders.find("documents/invoice.css")
        if found is None:
            raise FileNotFoundError("documents/invoice.css")
        text = Path(found).read_text(encoding="utf-8")
        self.fonts = Fonts()
        self.dictionaries: dict[Any, Any] = {}
        self.style = CSS(string=text, url_fetcher=NoResources(), font_config=self.fonts)
        self.measures = Measures(front_end=125 * MILLIMETRE, heading=20, taxes=120)


@cache
def _resources() -> _Resources:
    keep_shapes()
    draw_codes_at_once()
    write_numbers_once()
    return _Resources()
