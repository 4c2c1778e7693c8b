"""What may stand in an import file, column by column; an empty and a filled file of each kind."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from tenancy.files.columns import DAY, NUMBER, Column, Columns
from tenancy.files.kinds import ImportKind, import_kinds
from tenancy.formats import SheetFormats, reader_sheets
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.tables.file_names import attachment, file_name


@require_safe
@staff_only
def columns_page(request: ActorRequest) -> HttpResponse:
    """Show every column of every kind: whether it must be there, what may stand in it."""
    sheets = reader_sheets()
    kinds = [
        {
            "kind": kind.name,
            "label": kind.label,
            "rows": [
                {
                    "column": column,
                    "example": _cell(column, kind.columns.example(column.name), sheets),
                }
                for column in kind.columns.in_order
            ],
        }
        for kind in import_kinds().values()
    ]
    crumbs = [Crumb(_("Import"), "../"), Crumb(_("Columns"))]
    return render(request, "imports/columns.html", {"kinds": kinds, "crumbs": crumbs})


@require_safe
@staff_only
def template_file(request: ActorRequest, kind: str) -> HttpResponse:
    """Return an empty file with the columns of a kind, the needed ones first."""
    found = _named(kind)
    return columns_file(found.columns, (), str(found.label))


@require_safe
@staff_only
def example_file(request: ActorRequest, kind: str) -> HttpResponse:
    """Return a filled file of a kind, as the spreadsheets of the reader's language save it."""
    found = _named(kind)
    return columns_file(found.columns, found.columns.examples, str(found.label), _("example"))


def _named(kind: str) -> ImportKind:
    if kind not in import_kinds():
        raise Http404
    return import_kinds()[kind]


def columns_file(columns: Columns, rows: Iterable[Mapping[str, str]], *words: str) -> HttpResponse:
    """Return a file of rows in plain forms, as the spreadsheets of the reader's language save it.

    Args:
        columns: of the file.
        rows: by the names of columns; what is left out stays empty.
        words: of which its name is made.
    """
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = attachment(file_name(*words, ending="csv"))
    sheets = reader_sheets()
    writer = csv.writer(response, delimiter=sheets.separator, lineterminator="\r\n")
    writer.writerow([column.name for column in columns.in_order])
    for row in rows:
        cells = ((column, row.get(column.name, "")) for column in columns.in_order)
        writer.writerow([_cell(column, plain, sheets) for column, plain in cells])
    return response


def _cell(column: Column, plain: str, sheets: SheetFormats) -> str:
    """Return a cell of an example as the file's form has it (R30)."""
    if plain and column.shape == DAY:
        return sheets.cell(date.fromisoformat(plain))
    return sheets.digits(plain) if column.shape == NUMBER else plain
