"""Charges: what is owed, where it stands and why."""

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from accounts import access, tree
from accounts.access import Action
from invoicing.models import Charge, Invoice, InvoiceLine
from invoicing.queries._explaining import Explanation, ExplanationStep, deciders, explain
from invoicing.queries.visibility import visible_to
from tenancy.actor import Actor
from tenancy.ids import public_id

__all__ = ["Explanation", "ExplanationStep", "charges", "explanation_of"]


def charges(
    actor: Actor, *, within: UUID | None = None, status: str | None = None
) -> QuerySet[Charge]:
    """Return the charges of accounts in reach, the latest first. One statement.

    Each carries ``line_id`` and ``invoice_id``, None where it stands on no document in sight.

    Args:
        actor: who asks.
        within: only those of this account and what lies below it.
        status: only ``pending`` or only ``invoiced`` ones.
    """
    reached = access.reach(actor, Action.VIEW_INVOICE).order_by()
    found = Charge.objects.filter(tenant_id=actor.tenant_id, account__in=reached.values("pk"))
    if within is not None:
        tops = reached.filter(pk=within).values("pk")
        found = found.filter(tree.lies_below(actor.tenant_id, tops, field="account"))
    if status is not None:
        found = found.filter(status=status)
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


def explanation_of(actor: Actor, charge: Charge) -> Explanation:
    """Return how a charge came about and, in the reader's language, why it is where it is.

    No statement. Who pays, and what other accounts decided, is left to the explanation of a line,
    where it is known who may see it, unless the actor sees the whole tenant.
    """
    whole = access.allows_everywhere(actor, Action.VIEW_INVOICE)
    known = deciders(charge) if whole else {public_id("acc", charge.account_id)}
    return explain(charge, whole=whole, known=known)
