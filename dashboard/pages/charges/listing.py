"""What waits for its invoice, of all customers: for which day, where, and why."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import ActorRequest
from accounts.queries.accounts import get_account
from dashboard.pages.charges.table import COLUMNS, ChargeRow, batches_of, rows_of
from invoicing.queries.charges import ChargeSum, Place, waiting, waiting_sums
from tenancy.actor import Actor
from tenancy.ids import key_of
from tenancy.queries import paging
from web.list_pages import Chip, one_of, save
from web.page_heads import Tab
from web.session_checks import staff_only
from web.tables import Amounts, Table
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500
PLACES: Final[Mapping[Place, Promise]] = {
    Place.FREE: gettext_lazy("On no invoice yet"),
    Place.DRAFT: gettext_lazy("On a draft"),
    Place.HELD: gettext_lazy("Held back"),
}
TABLE: Final[Table[ChargeRow]] = Table(
    name="charges",
    title=gettext_lazy("Charges that wait"),
    default_sort="invoice_on",
    columns=COLUMNS,
)


@require_safe
@staff_only
def charge_list(request: ActorRequest) -> HttpResponseBase:
    """Show the charges that wait, or save them. Five statements beside those of the frame."""
    actor, state = request.actor, TABLE.state(request.GET, request.COOKIES)
    place = Place(at) if (at := one_of(request.GET, "place", set(Place))) else None
    within, within_name = _within(actor, request.GET.get("in", ""))
    by_place, main = waiting_sums(actor, within=within), request.tenant.currency
    sums = by_place[place] if place else _together(by_place)
    count = sum(one.count for one in sums)
    totals = {"net": Amounts({one.currency: one.net_minor for one in sums}, main)}
    found = waiting(actor, within=within, place=place)
    wanted = request.GET.get("format", "")
    if wanted in FORMATS and count <= MOST_ROWS:
        rows = batches_of(actor, paging.batches(found, TABLE.order(state), size=_BATCH), main)
        filters = [chip.label for chip in _chips(place, within_name, state)]
        return save(request, wanted, TABLE, state, rows, totals, filters)
    page = paging.page_of(found, TABLE.order(state), after=state.after, before=state.before)
    title = ngettext("Sum of %(count)s charge", "Sum of all %(count)s charges", count)
    context = {
        "table": TABLE.shown(
            rows_of(actor, page.rows, main), state, totals, title % {"count": quantity(count)}
        ),
        "page": page,
        "tabs": _tabs(by_place, place, state),
        "chips": _chips(None, within_name, state),
        "scope_name": within_name,
        "clear_url": reverse("charges:list"),
        "is_narrowed": within is not None or place is not None,
        "too_many": quantity(MOST_ROWS) if wanted in FORMATS else "",
    }
    answer = HTTPStatus.UNPROCESSABLE_ENTITY if wanted in FORMATS else HTTPStatus.OK
    return render(request, "charges/list.html", context, status=answer)


def _within(actor: Actor, text: str) -> tuple[UUID | None, str]:
    """Return the account that the list keeps to, and its name.

    Raises:
        NotFound: it is out of sight.
    """
    if not text:
        return None, ""
    account = get_account(actor, key_of("acc", text))
    return account.pk, account.name


def _together(by_place: Mapping[Place, Sequence[ChargeSum]]) -> list[ChargeSum]:
    """Return the sums of all places, by currency."""
    found: dict[str, ChargeSum] = {}
    for one in chain.from_iterable(by_place.values()):
        so_far = found.get(one.currency, ChargeSum(one.currency, 0, 0))
        found[one.currency] = ChargeSum(
            one.currency, so_far.count + one.count, so_far.net_minor + one.net_minor
        )
    return list(found.values())


def _tabs(
    by_place: Mapping[Place, Sequence[ChargeSum]], place: Place | None, state: TableState
) -> list[Tab]:
    counts = {one: sum(part.count for part in sums) for one, sums in by_place.items()}
    everything = quantity(sum(counts.values()))
    return [
        Tab(_("All that wait"), state.url(place=None), place is None, everything),
        *(
            Tab(str(word), state.url(place=one.value), place is one, quantity(counts[one]))
            for one, word in PLACES.items()
        ),
    ]


def _chips(place: Place | None, within_name: str, state: TableState) -> list[Chip]:
    chips = []
    if within_name:
        label = _("%(account)s and below") % {"account": within_name}
        chips.append(Chip(label, state.url(**{"in": None})))
    if place:
        chips.append(Chip(str(PLACES[place]), state.url(place=None)))
    return chips
