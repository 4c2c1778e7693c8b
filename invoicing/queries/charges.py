"""Charges: what is owed, where it stands and why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

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
    "charges",
    "explanation_of",
    "get_charge",
    "sums_of",
]


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
