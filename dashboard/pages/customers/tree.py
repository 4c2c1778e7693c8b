"""A customer's tree as a table: who is invoiced, who pays, what it brings in and owes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.actor import Actor
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries import accounts, trees
from accounts.queries.trees import Branch, Responsibility, TreeRow
from dashboard.pages.customers.words import (
    account_id_in,
    account_url,
    kind_name,
    steps_to,
    tabs_of,
)
from dashboard.pages.doors import staff_only
from dashboard.tables import Amounts, Label
from dashboard.templatetags.figures import quantity
from invoicing.queries.balances import Balance, balances
from subscriptions.queries.mrr import Mrr, mrr_of

_DEEPEST: Final = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One account of the tree; ``opened`` is None where nothing lies below it."""

    url: str
    tree_url: str
    name: str
    kind: str
    is_archived: bool
    level: int
    position: int
    siblings: int
    opened: bool | None
    opener: str
    invoiced: Label
    paid: Label
    mrr_own: Amounts
    mrr_tree: Amounts
    open: Amounts
    overdue: Amounts
    is_hit: bool
    is_dimmed: bool


@dataclass(frozen=True, slots=True)
class _Figures:
    """What the rows of a branch need beside themselves, read for all of them at once."""

    responsibilities: Mapping[UUID, Responsibility]
    mrrs: Mapping[UUID, Mrr]
    owed: Mapping[UUID, Balance]
    main: str


@require_safe
@staff_only
@vary_on_headers("HX-Request")
def tree_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show a tree, or, to a page that is open already, some more of its rows.

    At most ten statements beside those of the frame, whatever the size and depth of the tree.
    """
    actor, key = request.actor, account_id_in(account_id)
    path = accounts.path_of(actor, key)
    text, start = request.GET.get("q", "").strip()[:200], _number(request.GET.get("from"))
    if request.headers.get("HX-Request"):
        return _more_rows(request, path, start)
    if text:
        branch = trees.matching(actor, key, text)
    elif start:
        branch = trees.children_of(actor, key, start=start)
    else:
        branch = trees.open_tree(actor, key)
    rows = _rows(request, path, branch, first_level=2 if start and not text else 1)
    context = {
        "account": path[-1],
        "steps": steps_to(path, page="tree"),
        "tabs": tabs_of(key, "tree"),
        "rows": rows,
        "main": request.tenant.currency,
        "text": text,
        "hits": _hits(len(branch.hits)) if text else "",
        "is_alone": not (text or start) and len(rows) == 1,
        "more": _more(key, branch, level=2),
        "clear_url": account_url(key, "tree"),
        "scope_name": path[-1].name,
    }
    return render(request, "customers/tree.html", context)


def _more_rows(request: ActorRequest, path: Sequence[Account], start: int) -> HttpResponse:
    """Answer with the children of an account that was just opened, as rows at their level."""
    key = path[-1].pk
    level = min(max(_number(request.GET.get("level")), 2), _DEEPEST)
    branch = trees.children_of(request.actor, key, start=start)
    context = {
        "rows": _rows(request, path, branch, first_level=level),
        "more": _more(key, branch, level=level),
    }
    return render(request, "customers/_tree_rows.html", context)


def _rows(
    request: ActorRequest, path: Sequence[Account], branch: Branch, *, first_level: int
) -> list[Row]:
    if not branch.rows:
        return []
    figures = _figures(request.actor, path, branch.rows, request.tenant.currency)
    top_level = branch.rows[0].level - first_level
    return [_row(row, row.level - top_level, figures, branch) for row in branch.rows]


def _figures(actor: Actor, path: Sequence[Account], rows: Sequence[TreeRow], main: str) -> _Figures:
    ids = [row.id for row in rows]
    return _Figures(
        trees.responsibilities(actor, path, _parents_first(rows), actor.today),
        mrr_of(actor, ids, actor.today),
        balances(actor, ids, today=actor.today),
        main,
    )


def _parents_first(rows: Iterable[TreeRow]) -> list[TreeRow]:
    return sorted(rows, key=lambda row: row.level)


def _row(row: TreeRow, level: int, figures: _Figures, branch: Branch) -> Row:
    mrr, owed, main = figures.mrrs[row.id], figures.owed[row.id], figures.main
    responsible = figures.responsibilities[row.id]
    return Row(
        url=account_url(row.id),
        tree_url=account_url(row.id, "tree"),
        name=row.name,
        kind=kind_name(row.kind),
        is_archived=row.status == Account.Status.ARCHIVED,
        level=level,
        position=row.position,
        siblings=row.siblings,
        opened=row.is_open if row.below else None,
        opener=_opener(row),
        invoiced=_invoiced(row, responsible),
        paid=_paid(row.id, responsible),
        mrr_own=Amounts(mrr.own, main),
        mrr_tree=Amounts(mrr.tree, main),
        open=Amounts(owed.tree_open, main),
        overdue=Amounts(owed.tree_overdue, main, "negative"),
        is_hit=row.id in branch.hits,
        is_dimmed=bool(branch.hits) and row.id not in branch.hits,
    )


def _opener(row: TreeRow) -> str:
    """Return what the button that opens a row says."""
    text = _("Accounts below %(name)s: %(count)s")
    return text % {"name": row.name, "count": quantity(row.below)} if row.below else ""


def _invoiced(row: TreeRow, responsible: Responsibility) -> Label:
    if responsible.bill_to_id == row.id:
        return Label(_("Own invoice"), "info")
    if responsible.bill_to_id == row.parent_id:
        return Label(_("On parent’s invoice"), "ok", responsible.bill_to_name)
    return Label(_("On invoice of %(name)s") % {"name": responsible.bill_to_name}, "ok")


def _paid(account_id: UUID, responsible: Responsibility) -> Label:
    if responsible.payer_id == account_id:
        return Label(_("Pays itself"), "info")
    return Label(_("Paid by %(name)s") % {"name": responsible.payer_name}, "plum")


def _more(key: UUID, branch: Branch, *, level: int) -> dict[str, object] | None:
    """Return where the children of an account that are not shown yet begin."""
    if branch.next_start is None:
        return None
    left = branch.rows[-1].siblings - branch.next_start
    count = min(left, trees.CHILDREN_AT_ONCE)
    label = ngettext("Show %(count)s more of %(left)s", "Show %(count)s more of %(left)s", count)
    url = f"{account_url(key, 'tree')}?from={branch.next_start}"
    return {
        "url": url,
        "rows_url": f"{url}&level={level}",
        "label": label % {"count": quantity(count), "left": quantity(left)},
        "level": level,
    }


def _hits(count: int) -> str:
    text = ngettext("%(count)s account found", "%(count)s accounts found", count)
    return text % {"count": quantity(count)}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0
