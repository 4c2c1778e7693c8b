"""A customer's org chart: who belongs to whom, who is invoiced, who pays, on any day."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.middleware import ActorRequest
from accounts.queries.responsibilities import responsibilities
from dashboard.pages.customers.chart_address import Asked, asked
from dashboard.pages.customers.chart_cards import Known, cards, ties
from dashboard.pages.customers.chart_file import save_chart
from dashboard.pages.customers.chart_reading import MOST, Selection, selection
from dashboard.pages.customers.tree_reading import Tree, mrrs_in, tree_on
from tenancy.formats import date_text
from tenancy.ids import key_of
from web.accounts import steps_to, tabs_of, views_of
from web.charts.org_chart import Line, miniature, org_chart
from web.session_checks import staff_only
from web.templatetags.figures import quantity


@require_safe
@staff_only
@vary_on_headers("HX-Request")
def chart_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show a tree as a chart, save it, or answer an open page with the chart after a fold.

    At most nine statements beside those of the frame, whatever the size and depth of the tree;
    three more for another day than today.
    """
    actor = request.actor
    wanted = asked(request.GET, key_of("acc", account_id), actor.today)
    tree = tree_on(actor, wanted.top_id, wanted.day or actor.today, closed=wanted.closed)
    chosen = selection(tree, wanted.folds)
    known = _known(request, tree, chosen)
    drawn = cards(chosen.rows, known, wanted)
    title = _("Org chart of %(name)s") % {"name": tree.top.name}
    lines = ties(chosen.rows, known)
    if wanted.file:
        return save_chart(request, tree, drawn, lines, wanted, title)
    hidden = " ".join(f"no-{line.value}" for line in Line if line not in wanted.lines)
    context = {
        "chart": org_chart(drawn, lines, title, hidden),
        "miniature": miniature(drawn),
        "is_cut": chosen.is_cut,
        "most": quantity(MOST),
        "svg_url": _file_url(wanted),
        "main": request.tenant.currency,
    }
    if request.headers.get("HX-Request"):
        answer = render(request, "customers/_chart.html", context)
        answer["HX-Push-Url"] = wanted.url()
        return answer
    return render(request, "customers/chart.html", {**context, **_frame(request, tree, wanted)})


def _known(request: ActorRequest, tree: Tree, chosen: Selection) -> Known:
    by_level = sorted(chosen.rows, key=lambda row: row.level)
    held = responsibilities(tree.actor, tree.path, by_level, tree.day)
    return Known(held.by_account, mrrs_in(tree, chosen.rows), request.tenant.currency)


def _file_url(wanted: Asked) -> str:
    url = wanted.url()
    return f"{url}{'&' if '?' in url else '?'}format=svg"


def _frame(request: ActorRequest, tree: Tree, wanted: Asked) -> dict[str, Any]:
    """Return what stands around the chart."""
    account = tree.path[-1]
    kept = [pair for pair in wanted.passed_on() if pair[0] in {"open", "shut", "from"}]
    then = {"as_of": wanted.day.isoformat()} if wanted.day else {}
    return {
        "account": account,
        "steps": steps_to(tree.path, page="chart"),
        "tabs": tabs_of(account.pk, "tree"),
        "views": views_of(account.pk, "chart", then),
        "day": date_text(wanted.day) if wanted.day else "",
        "shown_day": tree.day,
        "closed": wanted.closed,
        "kept": kept,
        "switches": [
            (Line.INVOICED.value, _("Who is invoiced"), Line.INVOICED in wanted.lines),
            (Line.PAYS.value, _("Who pays"), Line.PAYS in wanted.lines),
        ],
        "today_url": Asked(wanted.top_id, closed=wanted.closed, lines=wanted.lines).url(),
        "is_alone": tree.size == 1,
        "scope_name": account.name,
    }
