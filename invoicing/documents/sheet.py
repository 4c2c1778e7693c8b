"""Lays a document out on paper: the only place that knows of HTML and of WeasyPrint."""

import warnings
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import pgettext
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from invoicing.documents.calculation import CONTEXT
from invoicing.documents.content import Document

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


def page_html(document: Document) -> str:
    """Return the document as HTML; every name in it is escaped."""
    with translation.override(document.language):
        return render_to_string("documents/invoice.html", {"document": document})


def pdf_bytes(document: Document) -> bytes:
    """Return the document as PDF: the same bytes for the same document, fonts and libraries.

    Raises:
        ResourceRefused: it refers to something outside of itself.
    """
    with translation.override(document.language):
        continued = pgettext(CONTEXT, "(continued)")
    fonts = FontConfiguration()
    sheet = f'html {{ --continued: "{continued}" }}\n{_stylesheet()}'
    page = HTML(string=page_html(document), base_url=None, url_fetcher=NoResources())
    style = CSS(string=sheet, url_fetcher=NoResources(), font_config=fonts)
    with warnings.catch_warnings():
        # The library leaves the file of its colour profile to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        result = page.write_pdf(
            stylesheets=[style],
            font_config=fonts,
            pdf_variant=_VARIANT,
            pdf_identifier=document.id.bytes,
        )
    return bytes(result)


@cache
def _stylesheet() -> str:
    found = finders.find("documents/invoice.css")
    if found is None:
        raise FileNotFoundError("documents/invoice.css")
    return Path(found).read_text(encoding="utf-8")
