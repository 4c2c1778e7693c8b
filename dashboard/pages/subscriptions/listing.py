"""The list of subscriptions: what runs for whom, and when it is invoiced next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.queries.accounts import get_account
from billing_rules.subscription_states import State
from dashboard.pages.subscriptions import columns
from subscriptions.models import Subscription
from subscriptions.queries.renewals import Renewal, renewals
from subscriptions.queries.subscriptions import (
    mrr_sums,
    state_counts,
    state_of,
    subscriptions,
)
from tenancy.actor import Actor
from tenancy.ids import key_of
from tenancy.queries import paging
from web.list_pages import Chip, one_of, save
from web.page_heads import Tab
from web.prices import STATES
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind, Table
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription with what comes next."""

    subscription: Subscription
    renewal: Renewal
    on: date
    main: str

    @property
    def state(self) -> State:
        """Where in its life it is."""
        return state_of(self.subscription, self.on)


TABLE: Final[Table[SubscriptionRow]] = Table(
    name="subscriptions",
    title=gettext_lazy("Subscriptions"),
    default_sort="-start",
    columns=(
        columns.NAME,
        columns.EXTERNAL_ID,
        columns.ACCOUNT,
        columns.STATUS,
        columns.QUANTITY,
        columns.MRR,
        columns.START,
        columns.END,
        Column(
            "renews",
            gettext_lazy("Period until"),
            Kind.DATE,
            lambda row: row.renewal.period.end if row.renewal.period else None,
            is_default=False,
        ),
        Column(
            "next",
            gettext_lazy("Next invoice"),
            Kind.DATE,
            lambda row: row.renewal.next_invoice_date,
        ),
    ),
)


@require_safe
@staff_only
def subscription_list(request: ActorRequest) -> HttpResponseBase:
    """Show the subscriptions, or save them. Nine statements beside those of the frame."""
    actor, state = request.actor, TABLE.state(request.GET, request.COOKIES)
    status = one_of(request.GET, "status", set(State)) or None
    within, within_name = _within(actor, request.GET.get("in", ""))
    counts = state_counts(actor, within=within, today=actor.today)
    found = subscriptions(actor, within=within, status=status, today=actor.today)
    count = counts[status] if status else sum(counts.values())
    wanted, main = request.GET.get("format", ""), request.tenant.currency
    sums = mrr_sums(actor, within=within, status=status, today=actor.today)
    totals = {"mrr": Amounts(sums, main)}
    if wanted in FORMATS and count <= MOST_ROWS:
        pages = paging.batches(found, TABLE.order(state), size=_BATCH)
        filters = [one.label for one in _chips(status, within_name, state)]
        rows = _batches(actor, pages, main)
        return save(request, wanted, TABLE, state, rows, totals, filters)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    title = ngettext("Sum of %(count)s subscription", "Sum of all %(count)s subscriptions", count)
    context = {
        "table": TABLE.shown(
            _rows(actor, page.rows, main), state, totals, title % {"count": quantity(count)}
        ),
        "page": page,
        "tabs": _tabs(counts, status, state),
        "chips": _chips(None, within_name, state),
        "is_empty": not sum(counts.values()) and within is None,
        "scope_name": within_name,
        "may_subscribe": access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
    }
    answer = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "subscriptions/list.html", context, status=answer)


def _within(actor: Actor, text: str) -> tuple[UUID | None, str]:
    """Return the account that the list keeps to, and its name.

    Raises:
        NotFound: it is out of sight.
    """
    if not text:
        return None, ""
    account = get_account(actor, key_of("acc", text))
    return account.pk, account.name


def _tabs(counts: dict[str, int], status: str | None, state: TableState) -> list[Tab]:
    everything = Tab(
        _("All"), state.url(status=None), status is None, quantity(sum(counts.values()))
    )
    return [
        everything,
        *(
            Tab(str(word), state.url(status=one.value), status == one, quantity(counts[one.value]))
            for one, (word, _tone) in STATES.items()
        ),
    ]


def _chips(status: str | None, within_name: str, state: TableState) -> list[Chip]:
    chips = []
    if within_name:
        label = _("%(account)s and below") % {"account": within_name}
        chips.append(Chip(label, state.url(**{"in": None})))
    if status:
        chips.append(Chip(str(STATES[State(status)][0]), state.url(status=None)))
    return chips


def _batches(
    actor: Actor, found: Iterable[Sequence[Subscription]], main: str
) -> Iterator[Sequence[SubscriptionRow]]:
    for some in found:
        yield _rows(actor, some, main)


def _rows(actor: Actor, found: Sequence[Subscription], main: str) -> list[SubscriptionRow]:
    coming = renewals(actor, found, actor.today)
    return [SubscriptionRow(one, coming[one.pk], actor.today, main) for one in found]
