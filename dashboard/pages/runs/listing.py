"""The list of billing runs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from dashboard.pages.runs.status import duration_text, run_badge
from invoicing.models import BillingRun
from invoicing.queries import run_figures
from invoicing.queries.held import is_anything_held
from invoicing.queries.run_figures import RunSum
from invoicing.queries.run_problems import problem_counts
from invoicing.queries.runs import runs
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.queries import paging
from web.list_pages import save
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind, Label, Link, Table, Totals
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity, starter

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: what it made, and what has to be looked at."""

    run: BillingRun
    sums: Sequence[RunSum]
    problems: int
    warnings: int
    main: str

    @property
    def net(self) -> Amounts:
        """The net sums of its documents."""
        return Amounts({one.currency: one.net_minor for one in self.sums}, self.main)

    @property
    def gross(self) -> Amounts:
        """The gross sums of its documents."""
        return Amounts({one.currency: one.gross_minor for one in self.sums}, self.main)


def _date(row: RunRow) -> Link:
    url = reverse("runs:page", args=[row.run.public_id])
    return Link(date_text(row.run.date), url, plain=row.run.date)


def _status(row: RunRow) -> Label:
    badge = run_badge(row.run, has_problems=bool(row.problems))
    return Label(badge.label, badge.tone)


TABLE: Final[Table[RunRow]] = Table(
    name="billing-runs",
    title=gettext_lazy("Billing runs"),
    default_sort="-date",
    columns=(
        Column("date", gettext_lazy("Date"), Kind.LINK, _date, sort="date"),
        Column("status", gettext_lazy("Status"), Kind.LABEL, _status, sort="status"),
        Column(
            "documents",
            gettext_lazy("Documents"),
            Kind.NUMBER,
            lambda row: sum(one.count for one in row.sums) or None,
        ),
        Column(
            "drafts",
            gettext_lazy("Drafts"),
            Kind.NUMBER,
            lambda row: sum(one.drafts for one in row.sums) or None,
            is_default=False,
        ),
        Column("net", gettext_lazy("Net"), Kind.MONEY, lambda row: row.net, is_summed=True),
        Column(
            "gross",
            gettext_lazy("Gross"),
            Kind.MONEY,
            lambda row: row.gross,
            is_summed=True,
            is_default=False,
        ),
        Column("problems", gettext_lazy("Problems"), Kind.NUMBER, lambda row: row.problems or None),
        Column(
            "warnings",
            gettext_lazy("Warnings"),
            Kind.NUMBER,
            lambda row: row.warnings or None,
            is_default=False,
        ),
        Column(
            "by",
            gettext_lazy("Started by"),
            Kind.TEXT,
            lambda row: starter(row.run.started_by),
            sort="started_by",
        ),
        Column(
            "started",
            gettext_lazy("Started"),
            Kind.INSTANT,
            lambda row: row.run.started_at,
            sort="started_at",
            is_default=False,
        ),
        Column(
            "duration",
            gettext_lazy("Duration"),
            Kind.TEXT,
            lambda row: duration_text(row.run) or None,
        ),
    ),
)


@require_safe
@staff_only
def run_list(request: ActorRequest) -> HttpResponseBase:
    """Show the runs, or save them. Five statements beside those of the frame."""
    actor, main, state = (
        request.actor,
        request.tenant.currency,
        TABLE.state(request.GET, request.COOKIES),
    )
    found = runs(actor)
    count, totals = found.count(), _totals(run_figures.sums_of_all(actor), main)
    wanted = request.GET.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        batches = _batches(actor, paging.batches(found, TABLE.order(state), size=_BATCH), main)
        return save(request, wanted, TABLE, state, batches, totals, ())
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    title = ngettext("Sum of %(count)s run", "Sum of all %(count)s runs", count)
    rows = _rows(actor, page.rows, main)
    context = {
        "table": TABLE.shown(rows, state, totals, title % {"count": quantity(count)}),
        "page": page,
        "summary": ngettext("%(count)s run", "%(count)s runs", count) % {"count": quantity(count)},
        "is_anything_held": is_anything_held(actor),
        "may_run": access.allows_everywhere(actor, Action.RUN_BILLING),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "runs/list.html", context, status=status)


def _batches(
    actor: Actor, found: Iterable[Sequence[BillingRun]], main: str
) -> Iterator[Sequence[RunRow]]:
    for some in found:
        yield _rows(actor, some, main)


def _rows(actor: Actor, found: Sequence[BillingRun], main: str) -> list[RunRow]:
    ids = [run.pk for run in found]
    sums, problems = run_figures.sums_of(actor, ids), problem_counts(actor, ids)
    return [
        RunRow(run, sums.get(run.pk, ()), *problems.get(run.pk, (0, 0)), main=main) for run in found
    ]


def _totals(sums: Iterable[RunSum], main: str) -> Totals:
    net: dict[str, int] = defaultdict(int)
    gross: dict[str, int] = defaultdict(int)
    for one in sums:
        net[one.currency] += one.net_minor
        gross[one.currency] += one.gross_minor
    return {"net": Amounts(net, main), "gross": Amounts(gross, main)}
