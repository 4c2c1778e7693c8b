"""The charges of an account, or of it and all below it: what is owed, where it stands and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypedDict
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from dashboard.pages.charges.table import COLUMNS, STATES, ChargeRow, batches_of, rows_of
from dashboard.pages.customers.doors import add_charge_url
from invoicing.models import Charge
from invoicing.queries.charges import charges, sums_of
from tenancy.ids import key_of
from tenancy.queries import paging
from web.accounts import steps_to, tabs_of
from web.list_pages import Chip, one_of, save
from web.page_heads import Tab
from web.session_checks import staff_only
from web.tables import Amounts, Table
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500
TABLE: Final[Table[ChargeRow]] = Table(
    name="account-charges",
    title=gettext_lazy("Charges"),
    default_sort="-invoice_on",
    columns=COLUMNS,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    path: Sequence[Account]
    below: bool
    status: str
    kind: str

    @property
    def account(self) -> Account:
        """Whose charges."""
        return self.path[-1]


class Which(TypedDict):
    """Which charges are listed."""

    within: UUID
    alone: bool
    status: str | None
    kind: str | None


@require_safe
@staff_only
def charges_page(request: ActorRequest, account_id: str) -> HttpResponseBase:
    """Show the charges of an account, or save them. Six statements beside those of the frame."""
    actor, state = request.actor, TABLE.state(request.GET, request.COOKIES)
    asked, main = _asked(request, account_id), request.tenant.currency
    which = Which(
        within=asked.account.pk,
        alone=not asked.below,
        status=asked.status or None,
        kind=asked.kind or None,
    )
    found = charges(actor, **which)
    sums = sums_of(actor, **which)
    count = sum(one.count for one in sums)
    totals = {"net": Amounts({one.currency: one.net_minor for one in sums}, main)}
    wanted = request.GET.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        rows = batches_of(actor, paging.batches(found, TABLE.order(state), size=_BATCH), main)
        filters = [_whose(asked), *(chip.label for chip in _chips(asked, state))]
        name = asked.account.name
        return save(request, wanted, TABLE, state, rows, totals, filters, owner=name)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    context = {
        "account": asked.account,
        "steps": steps_to(asked.path, page="charges"),
        "tabs": tabs_of(asked.account.pk, "charges"),
        "whose": [
            Tab(_("This account"), state.url(below=None), not asked.below),
            Tab(_("With sub-accounts"), state.url(below="1"), asked.below),
        ],
        "states": _state_tabs(asked, state),
        "table": TABLE.shown(rows_of(actor, page.rows, main), state, totals, _foot(count)),
        "page": page,
        "chips": _chips(asked, state),
        "clear_url": state.url(status=None, kind=None),
        "below_url": "" if asked.below else state.url(below="1"),
        "is_narrowed": bool(asked.status or asked.kind),
        "add_url": add_charge_url(actor, asked.account),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
        "scope_name": asked.account.name,
    }
    answer = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "customers/charges.html", context, status=answer)


def _asked(request: ActorRequest, account_id: str) -> Asked:
    query = request.GET
    return Asked(
        path=path_of(request.actor, key_of("acc", account_id)),
        below=one_of(query, "below", {"1"}) == "1",
        status=one_of(query, "status", set(Charge.Status.values)),
        kind=one_of(query, "kind", set(Charge.Kind.values)),
    )


def _whose(asked: Asked) -> str:
    name = {"account": asked.account.name}
    return (_("%(account)s and below") if asked.below else _("%(account)s alone")) % name


def _foot(count: int) -> str:
    title = ngettext("Sum of %(count)s charge", "Sum of all %(count)s charges", count)
    return title % {"count": quantity(count)}


def _state_tabs(asked: Asked, state: TableState) -> list[Tab]:
    return [
        Tab(_("All"), state.url(status=None), not asked.status),
        *(
            Tab(str(word), state.url(status=key), asked.status == key)
            for key, word in STATES.items()
        ),
    ]


def _chips(asked: Asked, state: TableState) -> list[Chip]:
    chips = []
    if asked.status:
        chips.append(Chip(str(STATES[asked.status]), state.url(status=None)))
    if asked.kind:
        chips.append(Chip(str(Charge.Kind(asked.kind).label), state.url(kind=None)))
    return chips
