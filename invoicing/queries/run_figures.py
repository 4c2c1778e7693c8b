"""What the documents of runs add up to."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from accounts import access
from accounts.access import Action
from invoicing.models import Invoice
from tenancy.actor import Actor


@dataclass(frozen=True, slots=True)
class RunSum:
    """What the documents of a run add up to in one currency, in minor units."""

    currency: str
    count: int
    net_minor: int
    gross_minor: int
    drafts: int
    draft_net_minor: int
    draft_gross_minor: int


def sums_of(actor: Actor, run_ids: Iterable[UUID]) -> dict[UUID, list[RunSum]]:
    """Return what each run's documents add up to, by currency. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = Invoice.objects.filter(tenant_id=actor.tenant_id, run_id__in=list(run_ids))
    found: dict[UUID, list[RunSum]] = {}
    for run_id, *values in _summed(invoices, "run_id", "currency"):
        found.setdefault(run_id, []).append(RunSum(*values))
    return found


def sums_of_all(actor: Actor) -> list[RunSum]:
    """Return what the documents of all runs add up to, by currency. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = Invoice.objects.filter(tenant_id=actor.tenant_id, run_id__isnull=False)
    return [RunSum(*row) for row in _summed(invoices, "currency")]


def sums_of_drafts(actor: Actor, run_id: UUID, invoice_ids: Iterable[UUID]) -> list[RunSum]:
    """Return what some drafts of a run add up to, by currency. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = Invoice.objects.filter(
        tenant_id=actor.tenant_id,
        run_id=run_id,
        pk__in=list(invoice_ids),
        status__in=Invoice.UNISSUED,
    )
    return [RunSum(*row) for row in _summed(invoices, "currency")]


def drafts_seen(
    actor: Actor, run_id: UUID, invoice_ids: Iterable[UUID] | None = None
) -> dict[UUID, str]:
    """Return the drafts of a run, or some of them, each with its content's digest. One statement.

    Raises:
        Forbidden: the actor may neither issue invoices nor see runs.
    """
    if not access.allows_everywhere(actor, Action.ISSUE_INVOICE):
        access.require_everywhere(actor, Action.VIEW_RUNS)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status__in=Invoice.UNISSUED
    )
    if invoice_ids is not None:
        drafts = drafts.filter(pk__in=list(invoice_ids))
    return dict(drafts.order_by("id").values_list("id", "content_hash"))


def digest_of(seen: Mapping[UUID, str]) -> str:
    """Return one short text for drafts and their contents: equal where the same was seen."""
    text = "\n".join(f"{key}:{seen[key]}" for key in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _summed(found: QuerySet[Invoice], *key: str) -> QuerySet[Any, Any]:
    is_draft = Q(status__in=Invoice.UNISSUED)
    return (
        found.order_by(*key)
        .values_list(*key)
        .annotate(
            count=Count("id"),
            net=Sum("net_minor"),
            gross=Sum("gross_minor"),
            drafts=Count("id", filter=is_draft),
            draft_net=Sum("net_minor", filter=is_draft, default=0),
            draft_gross=Sum("gross_minor", filter=is_draft, default=0),
        )
    )
