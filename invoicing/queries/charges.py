"""Charges: what is owed, where it stands and why."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from accounts import access, tree
from accounts.access import Action
from invoicing.models import Charge, Invoice, InvoiceLine
from invoicing.queries._explaining import Explanation, ExplanationStep, deciders, explain
from invoicing.queries.visibility import visible_to
from invoicing.words.charges import Named, name_of
from tenancy.actor import Actor
from tenancy.errors import NotFound
from tenancy.ids import public_id

__all__ = [
    "ChargeSum",
    "Explanation",
    "ExplanationStep",
    "Place",
    "charges",
    "explanation_of",
    "get_charge",
    "sums_of",
    "waiting",
    "waiting_sums",
]


class Place(StrEnum):
    """Where a charge waits that is not invoiced yet."""

    FREE = "free"
    """On no document."""
    DRAFT = "draft"
    HELD = "held"
    """On no document until somebody releases it."""


@dataclass(frozen=True, slots=True)
class ChargeSum:
    """How many charges there are in a currency, and their net in its minor units."""

    currency: str
    count: int
    net_minor: int


def charges(
    actor: Actor,
    *,
    within: UUID | None = None,
    alone: bool = False,
    status: str | None = None,
    kind: str | None = None,
) -> QuerySet[Charge]:
    """Return the charges of accounts in reach, the latest first. One statement.

    Each carries ``line_id`` and ``invoice_id``, None where it stands on no document in sight.

    Args:
        actor: who asks.
        within: only those of this account and what lies below it.
        alone: not of what lies below it.
        status: only ``pending``, only ``invoiced`` or only ``offset`` ones.
        kind: only those of a kind.
    """
    return _shown(actor, _found(actor, within, alone=alone, status=status, kind=kind))


def sums_of(
    actor: Actor,
    *,
    within: UUID | None = None,
    alone: bool = False,
    status: str | None = None,
    kind: str | None = None,
) -> list[ChargeSum]:
    """Return how many the charges are that ``charges`` returns, and their sums. One statement."""
    found = _found(actor, within, alone=alone, status=status, kind=kind)
    rows = found.order_by("currency").values_list("currency")
    return [ChargeSum(*row) for row in rows.annotate(Count("pk"), Sum("net_minor"))]


def waiting(
    actor: Actor, *, within: UUID | None = None, place: Place | None = None
) -> QuerySet[Charge]:
    """Return the charges in reach that wait for their invoice, as ``charges`` has them.

    One statement. ``within`` keeps to an account and what lies below it, ``place`` to one place.
    """
    found = _placed(_found(actor, within, alone=False, status=Charge.Status.PENDING, kind=None))
    return _shown(actor, found if place is None else found.filter(place=place))


def waiting_sums(actor: Actor, *, within: UUID | None = None) -> dict[Place, list[ChargeSum]]:
    """Return how many charges wait at each place, and their sums. One statement."""
    found = _placed(_found(actor, within, alone=False, status=Charge.Status.PENDING, kind=None))
    rows = found.order_by("place", "currency").values_list("place", "currency")
    sums: dict[Place, list[ChargeSum]] = {place: [] for place in Place}
    for place, currency, count, net_minor in rows.annotate(Count("pk"), Sum("net_minor")):
        sums[Place(place)].append(ChargeSum(currency, count, net_minor))
    return sums


def _placed(found: QuerySet[Charge]) -> QuerySet[Any]:
    lines = InvoiceLine.objects.filter(tenant_id=OuterRef("tenant_id"), charge=OuterRef("pk"))
    place = Case(
        When(is_held=True, then=Value(Place.HELD)),
        When(Exists(lines), then=Value(Place.DRAFT)),
        default=Value(Place.FREE),
        output_field=CharField(),
    )
    return found.annotate(place=place)


def get_charge(actor: Actor, charge_id: UUID) -> Any:
    """Return a charge as ``charges`` returns it. One statement.

    Raises:
        NotFound: it is not there, out of sight or another tenant's.
    """
    found = charges(actor).filter(pk=charge_id).first()
    if found is None:
        raise NotFound
    return found


def _found(
    actor: Actor, within: UUID | None, *, alone: bool, status: str | None, kind: str | None
) -> QuerySet[Charge]:
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by()
    found = Charge.objects.filter(tenant_id=actor.tenant_id, account__in=reached.values("pk"))
    if within is not None and alone:
        found = found.filter(account_id=within)
    elif within is not None:
        tops = reached.filter(pk=within).values("pk")
        found = found.filter(tree.lies_below(actor.tenant_id, tops, field="account"))
    if status is not None:
        found = found.filter(status=status)
    return found if kind is None else found.filter(kind=kind)


def _shown(actor: Actor, found: QuerySet[Charge]) -> QuerySet[Charge]:
    seen = Invoice.objects.filter(visible_to(actor)).order_by().values("pk")
    lines = InvoiceLine.objects.filter(
        tenant_id=actor.tenant_id, charge=OuterRef("pk"), invoice__in=seen
    )
    return (
        found.annotate(
            line_id=Subquery(lines.values("pk")[:1]),
            invoice_id=Subquery(lines.values("invoice_id")[:1]),
        )
        .select_related("account")
        .order_by("-id")
    )


def explanation_of(
    actor: Actor, charge: Charge, *, written: Callable[[Named], str] = name_of
) -> Explanation:
    """Return how a charge came about and, in the reader's language, why it is where it is.

    ``written`` names an account in the sentence. No statement. Who pays, and what other accounts
    decided, is left to the explanation of a line, where it is known who may see it, unless the
    actor sees the whole tenant.
    """
    whole = access.allows_everywhere(actor, Action.VIEW_INVOICE)
    known = deciders(charge) if whole else {public_id("acc", charge.account_id)}
    return explain(charge, whole=whole, known=known, written=written)
