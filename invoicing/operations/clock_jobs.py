"""Moving a sandbox's clock in the background, one eventful day at a time."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.operations.job_actors import actor_of
from accounts.queries.jobs import clock_shown, open_job_ids
from accounts.versions import require_version
from invoicing.operations.clock import ClockMoves, advance_clock, require_movable
from invoicing.queries.run_preview import next_due_date
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError
from tenancy.models import Job, Tenant
from tenancy.operations.jobs import claim_job, fail_job, finish_job, give_back, note_request
from tenancy.operations.jobs import request_job as put_into_queue

RUNS_NAMED: Final = 100
"""So many runs of a move are named in its result; of all others their number is said."""


@operation
def request_clock_move(actor: Actor, *, to_date: date, version: str = "", now: datetime) -> UUID:
    """Put a move of the clock into the queue; one to the same day that is under way is joined.

    Args:
        actor: who moves it.
        to_date: the day it shows afterwards.
        version: of what was shown, ``version_of(clock_shown(actor))``; empty moves it anyway.
            Whoever asks for the same day as a move under way joins it, whatever they saw.
        now: the real instant.

    Raises:
        Forbidden, NotSandbox, ClockBackwards, ClockTooFar: as ``advance_clock`` has them.
        ChangedMeanwhile: the clock stands elsewhere than shown, or is moving to another day.
        ClockMoves: it is moving to another day, and no version was named.
    """
    access.require_everywhere(actor, Action.MOVE_CLOCK)
    Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    shown = clock_shown(actor)
    if shown["moving_to"] != to_date.isoformat():
        require_version(version, shown)
    start = require_movable(actor, to_date)
    if shown["moving_to"] not in ("", to_date.isoformat()):
        raise ClockMoves(to=date.fromisoformat(shown["moving_to"]))
    if under_way := open_job_ids(actor, Job.Kind.CLOCK):
        job = Job.objects.get(tenant_id=actor.tenant_id, pk=under_way[0])
        note_request(actor, job, "job.joined", now=now)
        return job.pk
    job = put_into_queue(
        actor,
        Job.Kind.CLOCK,
        params={"from": start.isoformat(), "to": to_date.isoformat()},
        total=(to_date - start).days,
        now=now,
    )
    return job.pk


def work_on_clock_move(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Move the clock to the next day with something due, or to the end of a job.

    Each step is complete before it is noted, so that a move that was broken off goes on where it
    stood. Two at once share the work.

    Returns:
        Whether there is a next step.
    """
    job = claim_job(actor, job_id, now=now)
    if job is None:
        return False
    mover = actor_of(actor, job)
    start, to_date = (date.fromisoformat(job.params[name]) for name in ("from", "to"))
    try:
        # Every step but the last ends on a day that it has billed.
        billed_until = start + timedelta(days=job.done) if job.done else None
        day = _next_stop(mover, to_date, billed_until)
        moved = advance_clock(mover, to_date=day, now=now, billed_until=billed_until)
    except BillingError as refusal:
        fail_job(actor, job.pk, code=refusal.code, detail=refusal.detail, now=now)
        return False
    result = {
        "runs": job.result.get("runs", 0) + moved.runs,
        "invoices": job.result.get("invoices", 0) + moved.invoices,
        "plans": job.result.get("plans", 0) + moved.plans,
        "run_ids": [*job.result.get("run_ids", ()), *map(str, moved.run_ids)][:RUNS_NAMED],
    }
    if day < to_date:
        give_back(actor, job.pk, done=(day - start).days, result=result, now=now)
        return True
    finish_job(actor, job.pk, result=result, changes={"done": job.total}, now=now)
    return False


@operation
def _next_stop(actor: Actor, to_date: date, billed_until: date | None) -> date:
    """Return the next day with something due, the last day of the move at the latest."""
    today = require_movable(actor, to_date)
    due = next_due_date(actor, after=billed_until)
    return to_date if due is None else min(to_date, max(due, today + timedelta(days=1)))
