"""The next invoices of everybody whom a plan concerns, as things are and as planned."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from invoicing.engine.crediting import Transfer
from invoicing.queries.foreseeing import (
    ForeseenInvoice,
    Foresight,
    TreesTooLarge,
    foresee_invoices,
)
from invoicing.queries.plans.aligning import Alignings
from invoicing.queries.plans.standing import Standing
from invoicing.queries.plans.wanted import world_of
from tenancy.models import Tenant

_NEAR: Final = timedelta(days=35)
_FAR: Final = timedelta(days=370)
_MOST_FAR: Final = 1_000
"""So many accounts are foreseen for a year while somebody waits."""
_MOST_REALIGNED: Final = 1_000
"""Beyond, what becomes of the days up to the common date is computed, and no invoices."""


@dataclass(frozen=True, slots=True)
class Side:
    """The next invoices of one recipient in one currency, of one day, in one world.

    ``sections`` are the gross amounts of accounts on them.
    """

    day: date
    payer_id: UUID
    net_minor: int
    tax_minor: int
    gross_minor: int
    documents: int
    due_date: date
    tax_reason: str
    sections: dict[UUID, int]


@dataclass(frozen=True, slots=True)
class Billing:
    """What one recipient is billed next, before and after; None where nothing comes."""

    bill_to_id: UUID
    currency: str
    before: Side | None
    after: Side | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes for everybody concerned.

    Attributes:
        billing: the recipients whose next invoices differ, and those of the plan's account.
        until: so far was looked.
        is_too_large: the trees are too large to compute it while somebody waits.
        made_over: what is credited, and charged instead.
        waiting: recipient and currency of documents that are kept back, their sum being negative.
        knows_credits: whether all that is credited was computed.
    """

    billing: tuple[Billing, ...]
    until: date | None
    is_too_large: bool = False
    made_over: Sequence[Transfer] = ()
    waiting: Set[tuple[UUID, str]] = frozenset()
    knows_credits: bool = True


def outlook_of(
    standing: Standing, alignings: Alignings | None = None, *, today: date, tenant: Tenant
) -> Outlook:
    """Return the next invoices from the plan's day on, as they are and as planned.

    The engine of the runs computes them. At most 32 statements, however many accounts.

    Args:
        standing: the accounts concerned.
        alignings: what becomes of subscriptions that are aligned.
        today: the tenant's date: runs before the day are foreseen as well.
        tenant: the actor's.

    Raises:
        Forbidden: the actor may not see the invoices of one of the trees.
    """
    day = standing.wanted.day
    recipients, subject = _recipients(standing), standing.wanted.account_id
    changes = () if alignings is None else alignings.realignments
    if len(changes) > _MOST_REALIGNED:
        return _UNKNOWN
    for ahead in _horizons(standing, alignings):
        try:
            foresight = foresee_invoices(
                standing.actor,
                [standing.wanted.account_id, *recipients],
                first=today,
                last=day + ahead,
                what_if=world_of(standing.wanted, standing.moves, changes, scope=standing.scope),
                tenant=tenant,
            )
        except TreesTooLarge:
            return _UNKNOWN
        own = {standing.invoiced_before.get(subject), standing.invoiced_after.get(subject)}
        billing = _billing(foresight, day, recipients, own)
        is_known = any(one.before or one.after for one in billing)
        if is_known or len(foresight.accounts) > _MOST_FAR:
            break
    return Outlook(
        tuple(billing),
        foresight.until,
        made_over=foresight.made_over,
        waiting={
            (one.bill_to_id, one.currency)
            for one in foresight.changed
            if one.waits_for == "negative_total"
        },
        knows_credits=not foresight.is_cut,
    )


_UNKNOWN: Final = Outlook((), None, is_too_large=True, knows_credits=False)


def _horizons(standing: Standing, alignings: Alignings | None) -> Sequence[timedelta]:
    """Return how far to look: up to what a change is about, else further if nothing comes."""
    if alignings is None:
        return (_NEAR, _FAR)
    days = [row.invoice_on or row.first.new_date for row in alignings.rows]
    last = max(days, default=standing.wanted.day) - standing.wanted.day
    return (min(max(_NEAR, last), _FAR),)


def _recipients(standing: Standing) -> list[UUID]:
    """Return who is invoiced for the plan's accounts, before and after."""
    found: dict[UUID, None] = {}
    for invoiced in (standing.invoiced_before, standing.invoiced_after):
        found |= dict.fromkeys(invoiced[key] for key in standing.scope)
    return list(found)


def _billing(
    foresight: Foresight, day: date, recipients: Sequence[UUID], always: Collection[UUID | None]
) -> list[Billing]:
    """Return whose next invoices differ, and those of ``always``; first who is concerned most."""
    before = _next_of(foresight.stored, day)
    after = _next_of(foresight.changed, day)
    first = {key: place for place, key in enumerate(recipients)}
    keys = sorted(
        before.keys() | after.keys(),
        key=lambda key: (first.get(key[0], len(first)), str(key[0]), key[1]),
    )
    return [
        Billing(bill_to_id, currency, before.get(key), after.get(key))
        for key in keys
        for bill_to_id, currency in [key]
        if bill_to_id in always or before.get(key) != after.get(key)
    ]


def _next_of(invoices: Iterable[ForeseenInvoice], day: date) -> dict[tuple[UUID, str], Side]:
    """Return each recipient's first invoices from a day on, those of one day together."""
    firsts: dict[tuple[UUID, str], list[ForeseenInvoice]] = defaultdict(list)
    for invoice in invoices:
        if invoice.waits_for or invoice.day < day:
            continue
        found = firsts[invoice.bill_to_id, invoice.currency]
        if not found or found[0].day == invoice.day:
            found.append(invoice)
    return {key: _side(found) for key, found in firsts.items()}


def _side(invoices: Sequence[ForeseenInvoice]) -> Side:
    sections: dict[UUID, int] = defaultdict(int)
    for invoice in invoices:
        for section in invoice.sections:
            sections[section.account_id] += section.gross_minor
    first = invoices[0]
    return Side(
        day=first.day,
        payer_id=first.payer_id,
        net_minor=sum(one.net_minor for one in invoices),
        tax_minor=sum(one.tax_minor for one in invoices),
        gross_minor=sum(one.gross_minor for one in invoices),
        documents=len(invoices),
        due_date=first.due_date,
        tax_reason=first.tax_reason,
        sections=dict(sections),
    )
