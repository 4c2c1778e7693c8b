"""Closing a run whose queue is empty."""

from datetime import datetime
from uuid import UUID

from accounts.actor import Actor
from accounts.events import Happening, record_event
from accounts.tenancy import operation
from invoicing.models import BillingRun, Invoice, RunProblem


@operation
def close_run(actor: Actor, run_id: UUID, *, now: datetime) -> BillingRun:
    """Say where the run stands now that its queue is empty; whoever comes second changes nothing.

    Parked: something is out of bounds and no number was used for it. To approve: drafts wait.
    """
    # Not locked against references: workers that add documents need not wait for it.
    runs = BillingRun.objects.select_for_update(no_key=True)
    run = runs.get(tenant_id=actor.tenant_id, pk=run_id)
    drafts = Invoice.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status__in=Invoice.UNISSUED
    )
    out_of_bounds = RunProblem.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, code="out_of_bounds"
    )
    if out_of_bounds.exists():
        status = BillingRun.Status.PARKED
    elif drafts.exists():
        status = BillingRun.Status.TO_APPROVE
    else:
        status = BillingRun.Status.DONE
    if status == run.status and run.finished_at is not None:
        return run
    run.status, run.finished_at = status, now
    run.save(update_fields=["status", "finished_at"])
    record_event(
        actor,
        Happening("run.closed", run.id, after={"status": status, "date": run.date.isoformat()}),
        now=now,
    )
    return run
