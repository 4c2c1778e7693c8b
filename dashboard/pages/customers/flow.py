"""A customer's money flow: who uses, who is invoiced, who pays, as a picture and as a table."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.queries import trees
from accounts.queries.paths import path_of
from dashboard.pages.customers.flow_reading import MOST_ACCOUNTS, Basis, Flow, Flows, flows
from tenancy.ids import key_of
from web.accounts import account_url, invoices_url, steps_to, tabs_of, views_of
from web.charts.flow import Band, Stop, flow_chart
from web.list_pages import one_of
from web.page_heads import Tab
from web.session_checks import staff_only
from web.templatetags.figures import money, quantity

_STOPS: Final = 12
"""How many marks a column has at most; what is smaller is drawn as one."""
_PICTURES: Final = 3
_MOST_ROWS: Final = 200
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One row of the table."""

    names: Sequence[tuple[str, str]]
    count: int
    net_minor: int
    currency: str


@require_safe
@staff_only
def flow_page(request: ActorRequest, account_id: str) -> HttpResponse:
    """Show how money flows within a subtree. At most six statements beside those of the frame."""
    actor, key = request.actor, key_of("acc", account_id)
    path = path_of(actor, key)
    top = trees.row_of(actor, path[-1])
    basis = Basis(one_of(request.GET, "of", set(Basis)) or Basis.MONTHLY)
    is_too_large = top.below > MOST_ACCOUNTS
    found = Flows([], {}) if is_too_large else flows(actor, top, basis)
    currencies = _currencies(found.rows, request.tenant.currency)
    url = account_url(key, "flow")
    context = {
        "account": path[-1],
        "steps": steps_to(path, page="flow"),
        "tabs": tabs_of(key, "tree"),
        "views": views_of(key, "flow", {}),
        "bases": [
            Tab(_("Each month, as it runs now"), url, basis == Basis.MONTHLY),
            Tab(_("Invoiced in the last twelve months"), f"{url}?of=invoiced",
                basis == Basis.INVOICED),
        ],
        "is_monthly": basis == Basis.MONTHLY,
        "is_too_large": is_too_large,
        "most": quantity(MOST_ACCOUNTS),
        "pictures": [_picture(found, one, basis) for one in currencies[:_PICTURES]],
        "rows": [_row(one, found.names, basis) for one in found.rows[:_MOST_ROWS]],
        "more": quantity(len(found.rows) - _MOST_ROWS) if len(found.rows) > _MOST_ROWS else "",
        "totals": [(code, _sum(found.rows, code)) for code in currencies],
        "responsibilities_url": account_url(key, "responsibilities"),
        "tree_url": account_url(key, "tree"),
        "scope_name": path[-1].name,
    }  # fmt: skip
    return render(request, "customers/flow.html", context)


def _currencies(rows: Iterable[Flow], main: str) -> list[str]:
    """Return the currencies that flow, the company's own first, then those with most ways."""
    ways: dict[str, int] = defaultdict(int)
    for row in rows:
        ways[row.currency] += 1
    return sorted(ways, key=lambda code: (code != main, -ways[code], code))


def _sum(rows: Iterable[Flow], currency: str) -> int:
    return sum(row.net_minor for row in rows if row.currency == currency)


def _url_of(row: Flow, basis: Basis) -> str:
    if basis == Basis.INVOICED:
        return invoices_url(row.branch_id)
    return account_url(row.branch_id, "responsibilities")


def _row(row: Flow, names: Mapping[UUID, str], basis: Basis) -> FlowRow:
    keys = (row.branch_id, row.bill_to_id, row.payer_id)
    urls = (_url_of(row, basis), account_url(row.bill_to_id), account_url(row.payer_id))
    named = [(names[key], url) for key, url in zip(keys, urls, strict=True)]
    return FlowRow(named, row.count, row.net_minor, row.currency)


def _picture(found: Flows, currency: str, basis: Basis) -> SafeString:
    rows = [row for row in found.rows if row.currency == currency]
    columns = [
        _kept(rows, [row.branch_id for row in rows]),
        _kept(rows, [row.bill_to_id for row in rows]),
        _kept(rows, [row.payer_id for row in rows]),
    ]
    sums: dict[tuple[str, str, str], list[Flow]] = defaultdict(list)
    for row in rows:
        ids = (row.branch_id, row.bill_to_id, row.payer_id)
        first, second, third = (
            str(key) if key in kept else _OTHERS for key, kept in zip(ids, columns, strict=True)
        )
        sums[first, second, third].append(row)
    bands = [_band(keys, parts, found.names, currency, basis) for keys, parts in sums.items()]
    stops = [
        _stops(column, sums, found.names, currency, kept) for column, kept in enumerate(columns)
    ]
    heads = (_("Uses"), _("Is invoiced"), _("Pays"))
    title = _("Money flow in %(currency)s") % {"currency": currency}
    return flow_chart(heads, stops, bands, title)


def _kept(rows: Sequence[Flow], keys: Sequence[UUID]) -> list[UUID]:
    """Return the marks that are drawn: all, or the largest where there are too many."""
    sums: dict[UUID, int] = defaultdict(int)
    for row, key in zip(rows, keys, strict=True):
        sums[key] += row.net_minor
    ordered = sorted(sums, key=lambda key: (-sums[key], str(key)))
    return ordered if len(ordered) <= _STOPS else ordered[: _STOPS - 1]


def _stops(
    column: int,
    sums: Mapping[tuple[str, str, str], Sequence[Flow]],
    names: Mapping[UUID, str],
    currency: str,
    kept: Sequence[UUID],
) -> list[Stop]:
    amounts: dict[str, int] = defaultdict(int)
    for keys, parts in sums.items():
        amounts[keys[column]] += sum(part.net_minor for part in parts)
    found = [
        Stop(str(key), names[key], account_url(key), money(amounts[str(key)], currency))
        for key in kept
    ]
    if _OTHERS in amounts:
        others = Stop(_OTHERS, _("Others"), "#flow-table", money(amounts[_OTHERS], currency))
        found.append(others)
    return found


def _band(
    keys: tuple[str, str, str],
    parts: Sequence[Flow],
    names: Mapping[UUID, str],
    currency: str,
    basis: Basis,
) -> Band:
    net, first = sum(part.net_minor for part in parts), parts[0]
    ids = (first.branch_id, first.bill_to_id, first.payer_id)
    user, bill_to, payer = (
        _("Others") if key == _OTHERS else names[named]
        for key, named in zip(keys, ids, strict=True)
    )
    text = ngettext(
        "%(user)s: %(amount)s, invoiced to %(bill_to)s, paid by %(payer)s (%(count)s item)",
        "%(user)s: %(amount)s, invoiced to %(bill_to)s, paid by %(payer)s (%(count)s items)",
        sum(part.count for part in parts),
    )
    label = text % {
        "user": user,
        "amount": money(net, currency),
        "bill_to": bill_to,
        "payer": payer,
        "count": quantity(sum(part.count for part in parts)),
    }
    url = "#flow-table" if _OTHERS in keys else _url_of(first, basis)
    return Band(keys, net, label, url)
