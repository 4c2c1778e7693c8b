"""A customer's tree as a table: who is invoiced, who pays, what it brings in and owes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries import trees
from accounts.queries.trees import Branch
from accounts.tree import MAX_DEPTH
from dashboard.pages.customers.doors import add_url
from dashboard.pages.customers.tree_file import save_tree
from dashboard.pages.customers.tree_reading import Tree, entries, tree_on
from dashboard.pages.customers.tree_table import TABLE, TODAY_ONLY, Entry, cells, payer_note
from dashboard.pages.plans.planned import Planned
from invoicing.models import ChangePlan
from invoicing.queries.plans.listing import open_plans_of
from tenancy.formats import date_text
from tenancy.ids import key_of, public_id
from web.accounts import (
    account_url,
    invoices_pattern,
    steps_to,
    tabs_of,
    views_of,
)
from web.list_pages import day_of, one_of
from web.requests import whole_number
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_PASSED_ON: Final = ("columns", "as_of", "closed")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    day: date
    closed: bool
    text: str
    start: int
    wanted: str


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One account of the tree; ``opened`` is None where nothing lies below it."""

    key: str
    url: str
    tree_url: str
    name: str
    is_archived: bool
    level: int
    position: int
    siblings: int
    opened: bool | None
    opener: str
    cells: SafeString
    paid: SafeString
    is_hit: bool
    is_dimmed: bool
    planned: Planned | None


@require_safe
@staff_only
@vary_on_headers("HX-Request")
def tree_page(request: ActorRequest, account_id: str) -> HttpResponseBase:
    """Show a tree, save it, or answer a page that is open already with some more of its rows.

    At most nine statements beside those of the frame, whatever the size and depth of the tree;
    two more for another day than today.
    """
    key, asked, state = (
        key_of("acc", account_id),
        _asked(request),
        TABLE.state(request.GET, request.COOKIES),
    )
    tree = tree_on(request.actor, key, asked.day, closed=asked.closed)
    columns = [
        one for one in TABLE.chosen(state) if _is_today(request, asked) or one.key not in TODAY_ONLY
    ]
    if request.headers.get("HX-Request"):
        return _more_rows(request, tree, asked, columns)
    if asked.wanted and tree.size <= MOST_ROWS:
        return save_tree(request, asked.wanted, tree, columns)
    branch = _branch(tree, asked)
    rows = _rows(request, tree, branch, columns)
    main = request.tenant.currency
    totals = {one.key: Amounts({}, main) for one in columns if one.kind == Kind.MONEY}
    context = {
        "account": tree.path[-1],
        "steps": steps_to(tree.path, page="tree"),
        "tabs": tabs_of(key, "tree"),
        "views": views_of(key, "tree", _day_of(request, asked)),
        "rows": rows,
        "table": TABLE.shown([], state, totals, ""),
        "heads": _heads(columns, main),
        "asked": asked,
        "day": "" if _is_today(request, asked) else date_text(asked.day),
        "today": request.actor.today,
        "hits": _hits(branch) if asked.text else "",
        "is_alone": not asked.text and tree.size == 1,
        "more": _more(request, key, branch, level=2),
        "kept": state.kept("q", "as_of", "closed", "from", "level"),
        "clear_url": state.url(q=None, **{"from": None}),
        "today_url": state.url(as_of=None),
        "too_many": quantity(MOST_ROWS) if asked.wanted else "",
        "invoices_pattern": invoices_pattern(),
        "can_plan": _can_plan(request),
        "scope_name": tree.path[-1].name,
        "add_url": add_url(request.actor, tree.path[-1]),
        "may_edit": access.allows_everywhere(request.actor, Action.EDIT_ACCOUNT),
        "can_pick": _can_pick(request),
        "size_to_pick": tree.size if _is_today(request, asked) and tree.size > 1 else 0,
        "kept_by_bulk": [("in", public_id("acc", key))],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if asked.wanted else HTTPStatus.OK
    return render(request, "customers/tree.html", context, status=status)


def _can_plan(request: ActorRequest) -> bool:
    return access.allows_everywhere(request.actor, Action.EDIT_SETTINGS)


def _can_pick(request: ActorRequest) -> bool:
    return _can_plan(request) or access.allows_everywhere(request.actor, Action.EDIT_ACCOUNT)


def _asked(request: ActorRequest) -> Asked:
    query, wanted = request.GET, request.GET.get("format", "")
    return Asked(
        day=day_of(query, "as_of") or request.actor.today,
        closed=one_of(query, "closed", {"1"}) == "1",
        text=query.get("q", "").strip()[:200],
        start=whole_number(query.get("from", "")),
        wanted=wanted if wanted in FORMATS else "",
    )


def _is_today(request: ActorRequest, asked: Asked) -> bool:
    return asked.day == request.actor.today


def _day_of(request: ActorRequest, asked: Asked) -> dict[str, str]:
    return {} if _is_today(request, asked) else {"as_of": asked.day.isoformat()}


def _branch(tree: Tree, asked: Asked) -> Branch:
    if asked.text:
        return tree.matching(asked.text)
    return tree.children(asked.start) if asked.start else tree.opened()


def _more_rows(
    request: ActorRequest, tree: Tree, asked: Asked, columns: Sequence[Column[Entry]]
) -> HttpResponse:
    """Answer with the children of an account that was just opened, as rows at their level."""
    level = min(max(whole_number(request.GET.get("level", "")), 2), MAX_DEPTH)
    branch = tree.children(asked.start)
    context = {
        "rows": _rows(request, tree, branch, columns, deeper=level - 2),
        "more": _more(request, tree.path[-1].pk, branch, level=level),
        "heads": columns,
        "can_pick": _can_pick(request),
    }
    return render(request, "customers/_tree_rows.html", context)


def _rows(
    request: ActorRequest,
    tree: Tree,
    branch: Branch,
    columns: Sequence[Column[Entry]],
    *,
    deeper: int = 0,
) -> list[TreeRow]:
    found = entries(tree, branch.rows, request.tenant.currency)
    passed_on, others = _passed_on(request), columns[1:]
    is_past = tree.day < request.actor.today
    planned = {} if is_past else open_plans_of(request.actor, [row.id for row in branch.rows])
    return [
        _row(entry, entry.level + deeper, branch, others, passed_on, planned.get(entry.place.id))
        for entry in found
    ]


def _row(
    entry: Entry,
    level: int,
    branch: Branch,
    columns: Sequence[Column[Entry]],
    passed_on: str,
    plan: ChangePlan | None,
) -> TreeRow:
    place = entry.place
    return TreeRow(
        key=public_id("acc", place.id),
        url=account_url(place.id),
        tree_url=f"{account_url(place.id, 'tree')}?{passed_on}",
        name=place.name,
        is_archived=place.status == Account.Status.ARCHIVED,
        level=level,
        position=place.position,
        siblings=place.siblings,
        opened=place.is_open if place.below else None,
        opener=_opener(place.name, place.below),
        cells=cells(columns, entry),
        paid=payer_note(entry),
        is_hit=place.id in branch.hits,
        is_dimmed=bool(branch.hits) and place.id not in branch.hits,
        planned=Planned.of(plan) if plan else None,
    )


def _passed_on(request: ActorRequest) -> str:
    """Return what rows that are asked for later have to be told, to look like these."""
    return urlencode([(k, v) for k in _PASSED_ON for v in request.GET.getlist(k)])


def _heads(columns: Sequence[Column[Entry]], main: str) -> list[Mapping[str, Any]]:
    return [
        {
            "title": f"{one.title}, {main}" if one.kind == Kind.MONEY else str(one.title),
            "is_numeric": one.is_numeric,
            "tip": str(one.tip),
        }
        for one in columns
    ]


def _opener(name: str, below: int) -> str:
    """Return what the button that opens a row says."""
    text = _("Accounts below %(name)s: %(count)s")
    return text % {"name": name, "count": quantity(below)} if below else ""


def _more(
    request: ActorRequest, key: UUID, branch: Branch, *, level: int
) -> dict[str, object] | None:
    """Return where the children of an account that are not shown yet begin."""
    if branch.next_start is None:
        return None
    left = branch.rows[-1].siblings - branch.next_start
    count = min(left, trees.CHILDREN_AT_ONCE)
    label = ngettext("Show %(count)s more of %(left)s", "Show %(count)s more of %(left)s", count)
    passed_on = _passed_on(request)
    url = f"{account_url(key, 'tree')}?from={branch.next_start}"
    url = f"{url}&{passed_on}" if passed_on else url
    return {
        "url": url,
        "rows_url": f"{url}&level={level}",
        "label": label % {"count": quantity(count), "left": quantity(left)},
        "level": level,
    }


def _hits(branch: Branch) -> str:
    """Say how many were found, and that of many the first are shown."""
    count, shown = branch.found, len(branch.hits)
    if count > shown:
        text = ngettext(
            "The first %(shown)s of %(count)s account found. Type more to see others.",
            "The first %(shown)s of %(count)s accounts found. Type more to see others.",
            count,
        )
        return text % {"shown": quantity(shown), "count": quantity(count)}
    text = ngettext("%(count)s account found", "%(count)s accounts found", count)
    return text % {"count": quantity(count)}
