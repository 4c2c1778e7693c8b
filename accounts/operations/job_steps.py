"""Jobs that go step by step: what a step does and how far the job is then are one transaction.

Killed half way, nothing of a step is stored, and somebody takes it up again; each is done once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation

from accounts.operations.job_actors import actor_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError
from tenancy.models import Job
from tenancy.operations.jobs import (
    claim_job,
    drop_input,
    fail_job,
    finish_job,
    give_back,
    hold_job,
)


@dataclass(frozen=True, slots=True)
class Step:
    """How far a job is after a step, and its result so far.

    Attributes:
        done: of its total; what is not less is through.
        result: as the job keeps it.
        keeps_input: what it worked on is needed once more when it is through.
    """

    done: int
    result: Mapping[str, Any]
    keeps_input: bool = False


Act = Callable[[Actor, Job], Step]
"""Does the next step of a job that is held, in the name of whoever asked for it."""


def work_step(
    actor: Actor,
    job_id: UUID,
    act: Act,
    *,
    waits_for: tuple[type[BillingError], ...] = (),
    now: datetime,
) -> bool:
    """Do the next step of a job; what refuses it breaks the job off, and is kept with it.

    Args:
        actor: the system.
        job_id: which; of one that nobody waits for, or another worker has, nothing comes.
        act: does the step, and asks for the rights that it takes.
        waits_for: refusals that pass by themselves: the timetable comes by again.
        now: the instant.

    Returns:
        Whether there is a next step.
    """
    job = claim_job(actor, job_id, now=now)
    if job is None:
        return False
    doer = actor_of(actor, job)
    with translation.override(job.params["language"]):
        try:
            return _step(actor, doer, job_id, act, now=now)
        except waits_for:
            give_back(actor, job_id, done=job.done, result=job.result, now=now)
            return False
        except BillingError as refusal:
            fail_job(actor, job_id, code=refusal.code, detail=refusal.detail, now=now)
            return False


@operation
def _step(actor: Actor, doer: Actor, job_id: UUID, act: Act, *, now: datetime) -> bool:
    job = hold_job(actor, job_id)
    if job is None:
        return False
    step = act(doer, job)
    if step.done < job.total:
        give_back(actor, job_id, done=step.done, result=step.result, now=now)
        return True
    if not step.keeps_input:
        drop_input(actor, job_id)
    finish_job(actor, job_id, result=step.result, changes={"done": step.done}, now=now)
    return False
