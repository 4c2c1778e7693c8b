"""The documents that exist already and have a plan's accounts on them."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from invoicing.models import Invoice, InvoiceLine, InvoiceSection
from invoicing.queries import invoice_states
from invoicing.queries.plans.standing import Standing, one_of
from invoicing.queries.visibility import visible_to, with_shown_amounts


def unpaid_of(standing: Standing, *, only: Collection[UUID] | None = None) -> list[dict[str, Any]]:
    """Return what is unpaid of the plan's accounts: it stays as it is. One statement.

    Args:
        standing: the accounts.
        only: of these alone; None for all.
    """
    found: dict[str, list[int]] = defaultdict(list)
    invoices = with_shown_amounts(standing.actor, visible_to(standing.actor)).filter(
        invoice_states.is_unpaid(), pk__in=_with_sections(standing, only)
    )
    rows = invoices.annotate(owed=invoice_states.owed()).order_by("id")
    for currency, owed in rows.values_list("currency", "owed"):
        found[currency].append(owed)
    return [
        {"currency": currency, "count": len(sums), "open_minor": sum(sums)}
        for currency, sums in sorted(found.items())
    ]


def drafts_of(standing: Standing, *, only: Collection[UUID] | None = None) -> int:
    """Return how many drafts have the plan's accounts on them, or some. One statement."""
    return drafts_with(standing, only=only).count()


def drafts_with(standing: Standing, *, only: Collection[UUID] | None = None) -> QuerySet[Invoice]:
    """Return the drafts that have the plan's accounts on them, or some of them."""
    return Invoice.objects.filter(
        tenant_id=standing.actor.tenant_id,
        status__in=Invoice.UNISSUED,
        pk__in=_with_sections(standing, only),
    )


def _with_sections(standing: Standing, only: Collection[UUID] | None) -> QuerySet[Any, Any]:
    if standing.subscription is not None:
        lines = InvoiceLine.objects.filter(
            tenant_id=standing.actor.tenant_id, subscription_id=standing.subscription.pk
        )
        return lines.order_by().values("invoice_id")
    sections = InvoiceSection.objects.filter(
        tenant_id=standing.actor.tenant_id,
        account_id__in=one_of(standing.scope if only is None else only),
    )
    return sections.order_by().values("invoice_id")
