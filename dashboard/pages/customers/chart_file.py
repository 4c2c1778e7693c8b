"""An org chart as an SVG file: the picture with its colours, a heading and a legend in it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from accounts.middleware import ActorRequest
from dashboard.pages.customers.chart_address import Asked
from dashboard.pages.customers.tree_reading import Tree
from tenancy.formats import date_text
from web.charts.cards import Card
from web.charts.org_chart import Line, Tie, org_chart_file
from web.tables.file_names import attachment, file_name

_STYLE: Final = "documents/org-chart.css"


def save_chart(
    request: ActorRequest,
    tree: Tree,
    cards: Sequence[Card],
    ties: Sequence[Tie],
    wanted: Asked,
    title: str,
) -> HttpResponse:
    """Return what is drawn on the page as a file.

    Args:
        request: who asks.
        tree: the tree.
        cards: what is drawn of it.
        ties: the lines between.
        wanted: which lines are shown, and on which day.
        title: what the picture shows.
    """
    values = {"date": date_text(tree.day), "currency": request.tenant.currency}
    below = _("As of %(date)s. Amounts: MRR with sub-accounts, %(currency)s") % values
    names = {Line.INVOICED: _("Who is invoiced"), Line.PAYS: _("Who pays")}
    legend = [(line, names[line]) for line in Line if line in wanted.lines]
    shown = [tie for tie in ties if tie.line in wanted.lines]
    drawn = org_chart_file(cards, shown, (title, below), legend, _style())
    name = file_name(tree.top.name, _("Org chart"), ending="svg", day=tree.day)
    answer = HttpResponse(
        format_html('<?xml version="1.0" encoding="utf-8"?>\n{}', drawn),
        content_type="image/svg+xml; charset=utf-8",
    )
    answer["Content-Disposition"] = attachment(name)
    return answer


@cache
def _style() -> SafeString:
    found = finders.find(_STYLE)
    if found is None:
        raise FileNotFoundError(_STYLE)
    return mark_safe(Path(found).read_text(encoding="utf-8"))  # noqa: S308 - a file of ours
