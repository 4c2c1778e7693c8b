"""Charges in tables: what each is for, where it stands and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.access import Action
from invoicing.models import Charge
from invoicing.queries.charges import explanation_of
from invoicing.words.charges import named_as
from tenancy.actor import Actor
from tenancy.formats import period_text
from tenancy.ids import public_id
from web.accounts import account_url
from web.naming import Marks
from web.tables import Amounts, Column, Kind, Label, Link

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


COLUMNS: Final[tuple[Column[ChargeRow], ...]] = (
    Column("name", gettext_lazy("Charged for"), Kind.LINK, _name),
    Column(
        "account",
        gettext_lazy("Account"),
        Kind.ANSWER,
        lambda row: Link(row.charge.account.name, account_url(row.charge.account_id, "charges")),
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
)


def rows_of(actor: Actor, found: Sequence[Any], main: str) -> list[ChargeRow]:
    """Return charges as rows for somebody; ``main`` is the tenant's own currency. No statement."""
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


def batches_of(
    actor: Actor, found: Iterable[Sequence[Any]], main: str
) -> Iterator[list[ChargeRow]]:
    """Yield the rows of charges that are read some at a time."""
    for some in found:
        yield rows_of(actor, some, main)
