"""The list of change plans."""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.accounts import get_account
from invoicing.models import ChangePlan
from invoicing.queries.plans.listing import plans
from invoicing.words import plan_title
from invoicing.words.plans import KINDS
from tenancy.ids import parse_public_id, public_id
from tenancy.queries import paging
from web.accounts import account_url
from web.list_pages import one_of, save
from web.page_heads import Tab
from web.plan_badges import PLAN_STATUSES, plan_badge
from web.session_checks import staff_only
from web.tables import Column, Kind, Label, Link, Table
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500


def _title(plan: ChangePlan) -> Link:
    return Link(plan_title(plan), reverse("plans:page", args=[plan.public_id]))


def _account(plan: ChangePlan) -> Link:
    return Link(plan.account.name, account_url(plan.account_id))


def _status(plan: ChangePlan) -> Label:
    badge = plan_badge(plan)
    return Label(badge.label, badge.tone)


TABLE: Final[Table[ChangePlan]] = Table(
    name="change-plans",
    title=gettext_lazy("Change plans"),
    default_sort="-created",
    columns=(
        Column("title", gettext_lazy("Change"), Kind.LINK, _title),
        Column(
            "effective",
            gettext_lazy("Takes effect"),
            Kind.DATE,
            lambda plan: plan.effective_date,
            sort="effective_date",
        ),
        Column("status", gettext_lazy("Status"), Kind.LABEL, _status, sort="status"),
        Column(
            "kind",
            gettext_lazy("Type"),
            Kind.TEXT,
            lambda plan: str(KINDS[plan.kind]),
            sort="kind",
            is_default=False,
        ),
        Column("account", gettext_lazy("Account"), Kind.LINK, _account, is_default=False),
        Column(
            "author", gettext_lazy("Planned by"), Kind.TEXT, lambda plan: plan.author.get("label")
        ),
        Column(
            "created",
            gettext_lazy("Planned"),
            Kind.INSTANT,
            lambda plan: plan.created_at,
            sort="created_at",
        ),
    ),
)


@require_safe
@staff_only
def plan_list(request: ActorRequest) -> HttpResponseBase:
    """Show the plans, or save them. Four statements beside those of the frame."""
    actor, query = request.actor, request.GET
    state = TABLE.state(query, request.COOKIES)
    status = one_of(query, "status", PLAN_STATUSES)
    within = parse_public_id("acc", query.get("in", ""))
    account = None if within is None else get_account(actor, within)
    found = plans(actor, within=within, status=status or None)
    count = found.count()
    wanted = query.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        batches: Iterator[Sequence[ChangePlan]] = paging.batches(
            found, TABLE.order(state), size=_BATCH
        )
        filters = [str(PLAN_STATUSES[status][0])] if status else []
        return save(request, wanted, TABLE, state, batches, {}, filters)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    context = {
        "table": TABLE.shown(page.rows, state, {}, ""),
        "page": page,
        "summary": ngettext("%(count)s plan", "%(count)s plans", count)
        % {"count": quantity(count)},
        "tabs": [*_tabs(status, public_id("acc", within) if within else None)],
        "account": account,
        "is_filtered": bool(status or within),
        "may_plan": access.allows_everywhere(actor, Action.EDIT_SETTINGS),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
        "scope_name": account.name if account else "",
    }
    answer = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "plans/list.html", context, status=answer)


def _tabs(current: str, within: str | None) -> Iterable[Tab]:
    own = f"&in={within}" if within else ""
    yield Tab(_("All"), f"?{own.removeprefix('&')}" if own else "?", not current)
    for status, (label, _tone) in PLAN_STATUSES.items():
        yield Tab(str(label), f"?status={status}{own}", status == current)
