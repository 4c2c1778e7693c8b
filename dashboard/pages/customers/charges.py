"""The charges of an account, or of it and all below it: what is owed, where it stands and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypedDict
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import Action
from accounts.middleware import ActorRequest
from accounts.models import Account
from accounts.queries.paths import path_of
from dashboard.pages.customers.doors import add_charge_url
from invoicing.models import Charge
from invoicing.queries.charges import charges, explanation_of, sums_of
from invoicing.words.charges import named_as
from tenancy.actor import Actor
from tenancy.formats import period_text
from tenancy.ids import key_of, public_id
from tenancy.queries import paging
from web.accounts import account_url, steps_to, tabs_of
from web.list_pages import Chip, one_of, save
from web.naming import Marks
from web.page_heads import Tab
from web.session_checks import staff_only
from web.tables import Amounts, Column, Kind, Label, Link, Table
from web.tables import State as TableState
from web.tables.exports import FORMATS, MOST_ROWS
from web.templatetags.figures import quantity

_BATCH: Final = 500
STATES: Final[Mapping[str, Promise]] = {
    Charge.Status.PENDING: gettext_lazy("On no invoice yet"),
    Charge.Status.INVOICED: gettext_lazy("Invoiced"),
    Charge.Status.OFFSET: gettext_lazy("Taken back before invoicing"),
}


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge, who looks at it, and where it is cancelled, empty where it is not."""

    charge: Any
    actor: Actor
    cancel_url: str
    main: str


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


def _name(row: ChargeRow) -> Link:
    charge = row.charge
    name = named_as(charge.kind, charge.calculation)
    return Link(name, _invoice_url(charge), linked_why(row.actor, charge))


def linked_why(actor: Actor, charge: Any) -> SafeString:
    """Return why a charge is where it is; the accounts that the sentence names are links."""
    marks = Marks()
    return marks.linked(explanation_of(actor, charge, written=marks.of).sentence)


def _why(row: ChargeRow) -> Link:
    plain = explanation_of(row.actor, row.charge).sentence
    return Link(linked_why(row.actor, row.charge), plain=plain)


def _invoice_url(charge: Any) -> str:
    """Return the address of the document that a charge is on, empty where none is in sight."""
    if charge.invoice_id is None:
        return ""
    return reverse("invoices:page", args=[public_id("inv", charge.invoice_id)])


def _status(row: ChargeRow) -> Label:
    charge = row.charge
    if charge.status == Charge.Status.INVOICED:
        return Label(str(STATES[charge.status]), "ok", url=_invoice_url(charge))
    if charge.status == Charge.Status.OFFSET:
        return Label(str(STATES[charge.status]), "muted")
    if charge.is_held:
        return Label(_("Held back"), "warn")
    if charge.invoice_id is not None:
        return Label(_("On a draft"), "plum", url=_invoice_url(charge))
    return Label(str(STATES[charge.status]), "info")


TABLE: Final[Table[ChargeRow]] = Table(
    name="account-charges",
    title=gettext_lazy("Charges"),
    default_sort="-invoice_on",
    columns=(
        Column("name", gettext_lazy("Charged for"), Kind.LINK, _name),
        Column(
            "account",
            gettext_lazy("Account"),
            Kind.ANSWER,
            lambda row: Link(
                row.charge.account.name, account_url(row.charge.account_id, "charges")
            ),
            sort="account__sort_key",
        ),
        Column(
            "kind",
            gettext_lazy("Type"),
            Kind.TEXT,
            lambda row: row.charge.get_kind_display(),
            sort="kind",
            is_default=False,
        ),
        Column(
            "days",
            gettext_lazy("Days"),
            Kind.TEXT,
            lambda row: period_text(row.charge.period_start, row.charge.period_end),
            sort="period_start",
        ),
        Column(
            "due_date",
            gettext_lazy("Due"),
            Kind.DATE,
            lambda row: row.charge.due_date,
            sort="due_date",
            is_default=False,
        ),
        Column(
            "invoice_on",
            gettext_lazy("To be invoiced on"),
            Kind.DATE,
            lambda row: row.charge.invoice_on,
            sort="invoice_on",
        ),
        Column("status", gettext_lazy("Status"), Kind.LABEL, _status, sort="status"),
        Column(
            "why",
            gettext_lazy("Why here?"),
            Kind.ANSWER,
            _why,
            is_default=False,
        ),
        Column(
            "po_number",
            gettext_lazy("PO number"),
            Kind.TEXT,
            lambda row: row.charge.po_number or None,
            is_default=False,
        ),
        Column(
            "external_id",
            gettext_lazy("External ID"),
            Kind.TEXT,
            lambda row: row.charge.external_id,
            is_default=False,
        ),
        Column(
            "net",
            gettext_lazy("Net"),
            Kind.MONEY,
            lambda row: Amounts({row.charge.currency: row.charge.net_minor}, row.main),
            is_summed=True,
        ),
        Column(
            "cancel",
            gettext_lazy("Take back"),
            Kind.ANSWER,
            lambda row: Link(_("Cancel …"), row.cancel_url) if row.cancel_url else None,
        ),
    ),
)


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
        rows = _batches(actor, paging.batches(found, TABLE.order(state), size=_BATCH), main)
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
        "table": TABLE.shown(_rows(actor, page.rows, main), state, totals, _foot(count)),
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


def _rows(actor: Actor, found: Sequence[Any], main: str) -> list[ChargeRow]:
    may = access.allows_everywhere(actor, Action.EDIT_CHARGE)
    return [
        ChargeRow(
            one,
            actor,
            _cancel_url(one) if may and is_cancellable(one) else "",
            main,
        )
        for one in found
    ]


def is_cancellable(charge: Any) -> bool:
    """Return whether a charge can be taken back as it stands."""
    is_waiting = charge.status == Charge.Status.PENDING and charge.invoice_id is None
    return is_waiting and charge.kind == Charge.Kind.ONE_OFF


def _cancel_url(charge: Any) -> str:
    account_id = public_id("acc", charge.account_id)
    return reverse("customers:cancel_charge", args=[account_id, charge.public_id])


def _batches(actor: Actor, found: Iterable[Sequence[Any]], main: str) -> Iterator[list[ChargeRow]]:
    for some in found:
        yield _rows(actor, some, main)


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
