"""The subscriptions of an account, or of it and all below it, as of any day."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Final, TypedDict
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.past_trees import path_then, stood_still
from accounts.queries.paths import path_of
from billing_rules.subscription_states import State
from dashboard.pages.customers.subscription_table import TABLE, SubscriptionRow, rows_of
from subscriptions.models import Subscription
from subscriptions.queries.subscriptions import StateSum, subscriptions, sums_by_state
from tenancy.actor import Actor
from tenancy.formats import date_text
from tenancy.ids import key_of
from tenancy.queries import paging
from web.accounts import steps_to, tabs_of
from web.list_pages import Chip, day_of, one_of, save
from web.page_heads import Tab
from web.prices import STATES
from web.session_checks import staff_only
from web.tables import Amounts
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; ``stood_on`` is the day of another tree than that of now."""

    path: Sequence[Account]
    below: bool
    status: str
    text: str
    day: date
    stood_on: date | None

    @property
    def account(self) -> Account:
        """Whose subscriptions."""
        return self.path[-1]


class Which(TypedDict):
    """Which subscriptions are listed, whatever their state."""

    within: UUID | None
    account: UUID | None
    text: str
    stood_on: date | None
    today: date


@require_safe
@staff_only
def subscriptions_page(request: ActorRequest, account_id: str) -> HttpResponseBase:
    """Show subscriptions of an account, or save them.

    Nine statements beside those of the frame, two more for a day on which the tree stood otherwise.
    """
    actor, state = request.actor, TABLE.state(request.GET, request.COOKIES)
    asked = _asked(request, key_of("acc", account_id))
    which = _which(asked)
    sums = sums_by_state(actor, **which)
    counts = Counter[str]()
    for one in sums:
        counts[one.status] += one.count
    found = subscriptions(actor, status=asked.status or None, **which)
    count = counts[asked.status] if asked.status else counts.total()
    wanted, main = request.GET.get("format", ""), request.tenant.currency
    totals = {"mrr": Amounts(_monthly(sums, asked.status), main)}
    if wanted in FORMATS and count <= MOST_ROWS:
        rows = _batches(actor, paging.batches(found, TABLE.order(state), size=_BATCH), asked, main)
        filters = [_whose(asked), *(chip.label for chip in _chips(asked, state))]
        name = asked.account.name
        return save(request, wanted, TABLE, state, rows, totals, filters, owner=name, day=asked.day)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    shown = _rows(actor, page.rows, asked, main)
    context = {
        "account": asked.account,
        "steps": steps_to(asked.path, page="subscriptions"),
        "tabs": tabs_of(asked.account.pk, "subscriptions"),
        "whose": _whose_tabs(asked, state),
        "states": _state_tabs(counts, asked, state),
        "table": TABLE.shown(shown, state, totals, _foot_title(asked, count)),
        "page": page,
        "asked": asked,
        "chips": _chips(asked, state),
        "kept": state.kept("q", "as_of"),
        "clear_url": state.url(q=None, status=None, as_of=None),
        "below_url": "" if asked.below else state.url(below="1"),
        "is_narrowed": bool(asked.text or asked.status or asked.day != actor.today),
        "new_url": _new_url(actor, asked),
        "discounts_url": reverse("customers:discounts", args=[asked.account.public_id]),
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
        "scope_name": asked.account.name,
    }
    answer = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "customers/subscriptions.html", context, status=answer)


def _asked(request: ActorRequest, key: UUID) -> Asked:
    actor, query = request.actor, request.GET
    day = day_of(query, "as_of") or actor.today
    is_still = stood_still(actor, actor.today, day)
    return Asked(
        path=path_of(actor, key) if is_still else path_then(actor, key, day),
        below=one_of(query, "below", {"1"}) == "1",
        status=one_of(query, "status", set(State)),
        text=query.get("q", "").strip()[:200],
        day=day,
        stood_on=None if is_still else day,
    )


def _which(asked: Asked) -> Which:
    key = asked.account.pk
    return Which(
        within=key if asked.below else None,
        account=None if asked.below else key,
        text=asked.text,
        stood_on=asked.stood_on,
        today=asked.day,
    )


def _rows(
    actor: Actor, found: Sequence[Subscription], asked: Asked, main: str
) -> list[SubscriptionRow]:
    return rows_of(actor, found, asked.day, main, stood_then=asked.stood_on is not None)


def _batches(
    actor: Actor, found: Iterable[Sequence[Subscription]], asked: Asked, main: str
) -> Iterator[list[SubscriptionRow]]:
    for some in found:
        yield _rows(actor, some, asked, main)


def _monthly(sums: Iterable[StateSum], status: str) -> dict[str, int]:
    """Return what the filter brings in a month, by currency."""
    found = Counter[str]()
    for one in sums:
        if one.monthly_minor and status in ("", one.status):
            found[one.currency] += one.monthly_minor
    return dict(found)


def _whose(asked: Asked) -> str:
    """Return whose subscriptions are listed, in words: own ones are no sums over a tree."""
    name = {"account": asked.account.name}
    return (_("%(account)s and below") if asked.below else _("%(account)s alone")) % name


def _foot_title(asked: Asked, count: int) -> str:
    below = ngettext(
        "Sum of %(count)s subscription with sub-accounts",
        "Sum of all %(count)s subscriptions with sub-accounts",
        count,
    )
    own = ngettext(
        "Sum of %(count)s subscription of this account",
        "Sum of all %(count)s subscriptions of this account",
        count,
    )
    return (below if asked.below else own) % {"count": quantity(count)}


def _whose_tabs(asked: Asked, state: TableState) -> list[Tab]:
    return [
        Tab(_("This account"), state.url(below=None), not asked.below),
        Tab(_("With sub-accounts"), state.url(below="1"), asked.below),
    ]


def _state_tabs(counts: Counter[str], asked: Asked, state: TableState) -> list[Tab]:
    everything = Tab(_("All"), state.url(status=None), not asked.status, quantity(counts.total()))
    return [
        everything,
        *(
            Tab(
                str(word),
                state.url(status=one.value),
                asked.status == one,
                quantity(counts[one.value]),
            )
            for one, (word, _tone) in STATES.items()
        ),
    ]


def _chips(asked: Asked, state: TableState) -> list[Chip]:
    chips = []
    if asked.status:
        chips.append(Chip(str(STATES[State(asked.status)][0]), state.url(status=None)))
    if asked.text:
        label = _("Search: %(text)s") % {"text": asked.text}
        chips.append(Chip(label, state.url(q=None)))
    if state.query.get("as_of"):
        label = _("As of %(date)s") % {"date": date_text(asked.day)}
        chips.append(Chip(label, state.url(as_of=None)))
    return chips


def _new_url(actor: Actor, asked: Asked) -> str:
    """Return where the account is subscribed to something, empty where that is not possible."""
    is_open = asked.account.status != Account.Status.ARCHIVED
    if not is_open or not access.allows_everywhere(actor, Action.EDIT_SUBSCRIPTION):
        return ""
    return f"{reverse('subscriptions:new')}?account={asked.account.public_id}"
