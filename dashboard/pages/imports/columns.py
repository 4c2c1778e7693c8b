"""What may stand in an import file, column by column; an empty and a filled file of each kind."""

import csv
from collections.abc import Iterable, Mapping

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from tenancy.files.columns import DAY, NUMBER, Column, Columns
from tenancy.files.kinds import ImportKind, import_kinds
from web.page_heads import Crumb
from web.session_checks import staff_only
from web.tables.file_names import attachment, file_name
from web.templatetags.figures import locale


@require_safe
@staff_only
def columns_page(request: ActorRequest) -> HttpResponse:
    """Show every column of every kind: whether it must be there, what may stand in it."""
    is_german = _has_decimal_comma()
    kinds = [
        {
            "kind": kind.name,
            "label": kind.label,
            "rows": [
                {"column": column, "example": _written(kind.columns, column, is_german=is_german)}
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
    return _file(found.columns, (), str(found.label))


@require_safe
@staff_only
def example_file(request: ActorRequest, kind: str) -> HttpResponse:
    """Return a filled file of a kind, as the spreadsheets of the reader's language save it."""
    found = _named(kind)
    return _file(found.columns, found.columns.examples, str(found.label), _("example"))


def _named(kind: str) -> ImportKind:
    if kind not in import_kinds():
        raise Http404
    return import_kinds()[kind]


def _file(columns: Columns, rows: Iterable[Mapping[str, str]], *words: str) -> HttpResponse:
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = attachment(file_name(*words, ending="csv"))
    is_german = _has_decimal_comma()
    writer = csv.writer(response, delimiter=";" if is_german else ",", lineterminator="\r\n")
    writer.writerow([column.name for column in columns.in_order])
    for row in rows:
        cells = ((column, row.get(column.name, "")) for column in columns.in_order)
        writer.writerow([_cell(column, plain, is_german=is_german) for column, plain in cells])
    return response


def _written(columns: Columns, column: Column, *, is_german: bool) -> str:
    return _cell(column, columns.example(column.name), is_german=is_german)


def _cell(column: Column, plain: str, *, is_german: bool) -> str:
    """Return a cell of an example as the file's form has it (R30)."""
    if not is_german or not plain:
        return plain
    if column.shape == DAY:
        year, month, day = plain.split("-")
        return f"{day}.{month}.{year}"
    return plain.replace(".", ",") if column.shape == NUMBER else plain


def _has_decimal_comma() -> bool:
    """Return whether the spreadsheets of the reader's language save semicolons and commas."""
    return bool(locale().number_symbols["latn"]["decimal"] == ",")
