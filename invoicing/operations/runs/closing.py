"""Closing a run whose queue is empty, and earlier ones whose drafts it has taken up."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from invoicing.models import BillingRun, Invoice, RunFamily, RunProblem
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events import Happening, record_event


@operation
def close_run(
    actor: Actor, run_id: UUID, *, taken_from: Collection[UUID] = (), now: datetime
) -> BillingRun:
    """Say where the run stands now that its queue is empty; whoever comes second changes nothing.

    Parked: something is out of bounds and no number was used for it. To approve: drafts wait.
    An earlier run whose drafts were taken up says by which run, and is done when none is left.

    Args:
        actor: who works on it.
        run_id: the run.
        taken_from: earlier runs whose drafts the caller took up.
        now: the instant.

    Source: docs/billing-rules.md, R8, R27.
    """
    run = _close(actor, run_id, now)
    _close_earlier(actor, run, taken_from, now)
    return run


def _close_earlier(
    actor: Actor, run: BillingRun, taken_from: Collection[UUID], now: datetime
) -> None:
    """Close the earlier runs that wait for nothing any more.

    Whoever took up their last drafts may have died before it came to this; so all of them are
    looked at, not only those of this call.
    """
    mine = BillingRun.objects.filter(tenant_id=actor.tenant_id)
    if taken_from:
        mine.filter(pk__in=taken_from).exclude(taken_by_id=run.pk).update(taken_by_id=run.pk)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=OuterRef("pk"), status__in=Invoice.UNISSUED
    )
    waiting = RunFamily.objects.filter(
        tenant_id=actor.tenant_id, run_id=OuterRef("pk"), status=RunFamily.Status.WAITING
    )
    empty = mine.filter(
        ~Exists(drafts), ~Exists(waiting), date__lt=run.date, status=BillingRun.Status.TO_APPROVE
    )
    for earlier in empty.order_by("date"):
        if earlier.taken_by_id is None:
            mine.filter(pk=earlier.pk).update(taken_by_id=run.pk)
        _close(actor, earlier.pk, now)


def _close(actor: Actor, run_id: UUID, now: datetime) -> BillingRun:
    # Not locked against references: workers that add documents need not wait for it.
    runs = BillingRun.objects.select_for_update(no_key=True)
    run = runs.get(tenant_id=actor.tenant_id, pk=run_id)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status__in=Invoice.UNISSUED
    )
    out_of_bounds = RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, code="out_of_bounds"
    )
    # Asked under the lock: what the statement that took it saw may be older.
    own = BillingRun.objects.filter(tenant_id=actor.tenant_id, pk=run_id)
    is_parked, is_waiting = own.values_list(Exists(out_of_bounds), Exists(drafts)).get()
    if is_parked:
        status = BillingRun.Status.PARKED
    elif is_waiting:
        status = BillingRun.Status.TO_APPROVE
    else:
        status = BillingRun.Status.DONE
    if status == run.status and run.finished_at is not None:
        return run
    run.status, run.finished_at = status, now
    run.save(update_fields=["status", "finished_at"])
    said = {"status": status.value, "date": run.date.isoformat()}
    record_event(actor, Happening("run.closed", run.id, after=said, data=said), now=now)
    return run
