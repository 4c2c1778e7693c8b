"""Closing a run whose queue is empty, and earlier ones whose drafts it has taken up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateField, Exists, OuterRef, QuerySet

from invoicing.models import BillingRun, Invoice, RunFamily, RunProblem
from tenancy.actor import Actor, Requester
from tenancy.database import operation
from tenancy.database.prepared import Given, Prepared
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
    run = _locked(actor, run_id)
    _close(actor, run, _held_by(actor, run), now)
    _close_earlier(actor, run, taken_from, now)
    return run


@operation
def close_run_if_empty(
    actor: Actor, run_id: UUID, *, taken_from: Collection[UUID], now: datetime
) -> BillingRun | None:
    """Close a run as ``close_run``, in the name of whoever asked for it last.

    Returns:
        The run; None while something waits in its queue.
    """
    run = _locked(actor, run_id)
    held = _held_by(actor, run)
    if held.is_queued:
        return None
    asked = run.requested_by
    doer = actor.acting_for(Requester.read(asked[-1]) if asked else None)
    _close(doer, run, held, now)
    _close_earlier(doer, run, taken_from, now)
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
    for (earlier_id,) in _EMPTY.rows(tenant=actor.tenant_id, day=run.date):
        earlier = _locked(actor, earlier_id)
        if earlier.taken_by_id is None:
            mine.filter(pk=earlier.pk).update(taken_by_id=run.pk)
        _close(actor, earlier, _held_by(actor, earlier), now)


def _drafts_of(run_id: Any) -> QuerySet[Invoice]:
    return Invoice.objects.filter(
        tenant_id=Given("tenant"), run_id=run_id, status__in=Invoice.UNISSUED
    )


def _queue_of(run_id: Any) -> QuerySet[RunFamily]:
    return RunFamily.objects.filter(
        tenant_id=Given("tenant"), run_id=run_id, status=RunFamily.Status.WAITING
    )


_EMPTY = Prepared(
    lambda: (
        BillingRun.objects.filter(
            ~Exists(_drafts_of(OuterRef("pk"))),
            ~Exists(_queue_of(OuterRef("pk"))),
            tenant_id=Given("tenant"),
            date__lt=Given("day", DateField()),
            status=BillingRun.Status.TO_APPROVE,
        )
        .order_by("date")
        .values_list("id")
    )
)

# Not locked against references: workers that add documents need not wait for it.
_LOCKED = Prepared(
    lambda: BillingRun.objects.select_for_update(no_key=True).filter(
        tenant_id=Given("tenant"), pk=Given("run")
    )
)


def _locked(actor: Actor, run_id: UUID) -> BillingRun:
    return _LOCKED.one(tenant=actor.tenant_id, run=run_id)


@dataclass(frozen=True, slots=True)
class _Held:
    """What of a run is left to be done, and by whom."""

    is_queued: bool
    is_parked: bool
    has_drafts: bool


def _held_by(actor: Actor, run: BillingRun) -> _Held:
    """Return what holds a run open.

    Asked under its lock: what the statement that took it saw may be older.
    """
    return _Held(*_HELD.rows(tenant=actor.tenant_id, run=run.id)[0])


def _what_holds() -> QuerySet[BillingRun, Any]:
    out_of_bounds = RunProblem.objects.filter(
        tenant_id=Given("tenant"), run_id=Given("run"), code="out_of_bounds"
    )
    return BillingRun.objects.filter(tenant_id=Given("tenant"), pk=Given("run")).values_list(
        Exists(_queue_of(Given("run"))), Exists(out_of_bounds), Exists(_drafts_of(Given("run")))
    )


_HELD = Prepared(_what_holds)


def _close(actor: Actor, run: BillingRun, held: _Held, now: datetime) -> None:
    if held.is_parked:
        status = BillingRun.Status.PARKED
    elif held.has_drafts:
        status = BillingRun.Status.TO_APPROVE
    else:
        status = BillingRun.Status.DONE
    if status == run.status and run.finished_at is not None:
        return
    run.status, run.finished_at = status, now
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [status.value, now, actor.tenant_id, run.id])
    said = {"status": status.value, "date": run.date.isoformat()}
    record_event(actor, Happening("run.closed", run.id, after=said, data=said), now=now)


_STORE = """
    UPDATE invoicing_billingrun SET status = %s, finished_at = %s WHERE tenant_id = %s AND id = %s
"""
