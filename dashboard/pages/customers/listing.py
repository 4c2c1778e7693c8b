"""The list of customers: what each brings in a month, owes, and when it is billed next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.declarations.particulars import KINDS
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries import trees
from accounts.queries.tags import tags_in_use
from invoicing.queries.balances import Balance, balance_total, balances
from subscriptions.queries.mrr import Mrr, mrr_of, mrr_total
from tenancy.actor import Actor
from tenancy.queries import paging
from web.accounts import account_url, kind_name
from web.list_pages import Chip, one_of, save
from web.naming import linked
from web.page_heads import Tab
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind, Link, Mark, State, Table, Totals
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for."""

    flat: bool = False
    kind: str | None = None
    text: str = ""
    tag: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether something may be left out that is there."""
        return bool(self.kind or self.text or self.tag)


@dataclass(frozen=True, slots=True)
class Customer:
    """One row: an account and its figures."""

    account: Account
    mrr: Mrr
    balance: Balance
    main: str

    @property
    def accounts(self) -> int:
        """How many accounts its tree has, itself included."""
        return int(self.account.below) + 1  # type: ignore[attr-defined]

    @property
    def parent(self) -> str:
        """The name of the account above it, empty at the top of a tree."""
        return self.account.above or ""  # type: ignore[attr-defined]


def _name(row: Customer) -> Link:
    above: str | SafeString = row.parent
    if above:
        above = linked(above, {above: account_url(row.account.above_id)})  # type: ignore[attr-defined]
    return Link(row.account.name, account_url(row.account.pk), above)


def _mark(row: Customer) -> Mark:
    return Mark(row.account.public_id, row.account.name)


TABLE: Final[Table[Customer]] = Table(
    name="customers",
    mark=_mark,
    title=gettext_lazy("Customers"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Account"), Kind.LINK, _name, sort="sort_key"),
        Column(
            "kind",
            gettext_lazy("Type"),
            Kind.TEXT,
            lambda row: kind_name(row.account.kind),
            sort="kind",
        ),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda row: row.account.external_id,
            is_default=False,
        ),
        Column(
            "vat_id",
            gettext_lazy("VAT ID"),
            Kind.TEXT,
            lambda row: row.account.vat_id or None,
            is_default=False,
        ),
        Column(
            "country",
            gettext_lazy("Country"),
            Kind.TEXT,
            lambda row: row.account.country or None,
            sort="country",
            is_default=False,
        ),
        Column(
            "accounts",
            gettext_lazy("Accounts"),
            Kind.NUMBER,
            lambda row: row.accounts,
            sort="below",
            tip=gettext_lazy("How many accounts the tree has, this one included"),
        ),
        Column(
            "mrr_own",
            gettext_lazy("MRR of this account"),
            Kind.MONEY,
            lambda row: Amounts(row.mrr.own, row.main),
            is_default=False,
        ),
        Column(
            "mrr",
            gettext_lazy("MRR with sub-accounts"),
            Kind.MONEY,
            lambda row: Amounts(row.mrr.tree, row.main),
            is_summed=True,
            tip=gettext_lazy("Monthly recurring revenue of the account and all below it"),
        ),
        Column(
            "open",
            gettext_lazy("Open with sub-accounts"),
            Kind.MONEY,
            lambda row: Amounts(row.balance.tree_open, row.main),
            is_summed=True,
        ),
        Column(
            "overdue",
            gettext_lazy("Overdue with sub-accounts"),
            Kind.MONEY,
            lambda row: Amounts(row.balance.tree_overdue, row.main, "negative"),
            is_summed=True,
        ),
        Column(
            "next",
            gettext_lazy("Next billing with sub-accounts"),
            Kind.DATE,
            lambda row: row.mrr.next_date,
        ),
    ),
)


@require_safe
@staff_only
def customer_list(request: ActorRequest) -> HttpResponseBase:
    """Show customers, or save them. Six statements beside those of the frame."""
    actor, filters, state = (
        request.actor,
        filters_of(request.GET),
        TABLE.state(request.GET, request.COOKIES),
    )
    found = trees.customers(
        actor,
        flat=filters.flat,
        kind=filters.kind,
        text=filters.text or None,
        tag=filters.tag or None,
    )
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    count = page.rows[0].found if page.rows else found.count()  # type: ignore[attr-defined]
    totals = _totals(actor, found if filters.is_narrowed else None, request.tenant.currency)
    wanted = request.GET.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        return _save(request, wanted, found, state, totals, filters)
    rows = _rows(actor, page.rows, request.tenant.currency)
    may_edit = access.allows_everywhere(actor, Action.EDIT_ACCOUNT)
    context = {
        "table": TABLE.shown(rows, state, totals, _foot_title(count), with_marks=may_edit),
        "page": page,
        "filters": filters,
        "kinds": KINDS.items(),
        "tags": tags_in_use(actor),
        "kept_by_filters": state.kept("tag", "kind"),
        "chips": _chips(filters, state),
        "tabs": _tabs(filters, state),
        "summary": _summary(count),
        "is_empty": not (count or filters.is_narrowed),
        "everywhere_url": state.url(all="1"),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
        "kept": state.kept("q"),
        "may_create": may_edit,
        "count": count,
        "kept_by_bulk": state.kept("ids", "everything"),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "customers/list.html", context, status=status)


def filters_of(query: QueryDict) -> Filters:
    """Return what an address asks for."""
    return Filters(
        flat=one_of(query, "all", {"1"}) == "1",
        kind=one_of(query, "kind", KINDS) or None,
        text=query.get("q", "").strip()[:200],
        tag=query.get("tag", "").strip()[:40],
    )


def _totals(actor: Actor, found: Any, main: str) -> Totals:
    """Return the sums of the whole filter, what lies below two rows once; None filters nothing."""
    ids = None if found is None else found.order_by().values("pk")
    owed = balance_total(actor, ids, today=actor.today)
    return {
        "mrr": Amounts(mrr_total(actor, ids, actor.today), main),
        "mrr_own": Amounts({}, main),
        "open": Amounts(owed.tree_open, main),
        "overdue": Amounts(owed.tree_overdue, main, "negative"),
    }


def _rows(actor: Actor, found: Sequence[Account], main: str) -> list[Customer]:
    if not found:
        return []
    ids = [account.pk for account in found]
    mrrs = mrr_of(actor, ids, actor.today)
    owed = balances(actor, ids, today=actor.today)
    return [Customer(account, mrrs[account.pk], owed[account.pk], main) for account in found]


def _save(
    request: ActorRequest,
    wanted: str,
    found: Any,
    state: State,
    totals: Totals,
    filters: Filters,
) -> HttpResponseBase:
    actor, main = request.actor, request.tenant.currency
    order = TABLE.order(state)
    batches: Iterator[list[Customer]] = (
        _rows(actor, rows, main) for rows in paging.batches(found, order, size=_BATCH)
    )
    kind = _("All accounts") if filters.flat else _("Customers")
    chips = [chip.label for chip in _chips(filters, state)]
    return save(request, wanted, TABLE, state, batches, totals, chips, rows=kind)


def _chips(filters: Filters, state: State) -> list[Chip]:
    chips = []
    if filters.kind:
        label = _("Type: %(kind)s") % {"kind": kind_name(filters.kind)}
        chips.append(Chip(label, state.url(kind=None)))
    if filters.tag:
        label = _("Tag: %(tag)s") % {"tag": filters.tag}
        chips.append(Chip(label, state.url(tag=None)))
    if filters.text:
        label = _("Search: %(text)s") % {"text": filters.text}
        chips.append(Chip(label, state.url(q=None)))
    return chips


def _tabs(filters: Filters, state: State) -> list[Tab]:
    return [
        Tab(_("Customers"), state.url(all=None), not filters.flat),
        Tab(_("All accounts"), state.url(all="1"), filters.flat),
    ]


def _summary(count: int) -> str:
    return ngettext("%(count)s account", "%(count)s accounts", count) % {"count": quantity(count)}


def _foot_title(count: int) -> str:
    text = ngettext("Sum of %(count)s account", "Sum of all %(count)s accounts", count)
    return text % {"count": quantity(count)}
