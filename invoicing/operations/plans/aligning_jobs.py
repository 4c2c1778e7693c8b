"""Large alignments: prepared as a whole, then carried out piece by piece, each exactly once.

What becomes of every subscription is computed once, in the transaction that sets the days of the
accounts, and kept with the job. Each piece is then written together with how far the job is. Until
its turn a subscription is held: no run bills it, and nothing else changes it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts import tree
from billing_rules.periods import Period
from invoicing.engine.reading import subscription_rows
from invoicing.engine.rows import ChargeRow
from invoicing.models import ChangePlan
from invoicing.operations.plans.locking import keep_plan, record_step
from invoicing.operations.subscriptions.settling import pending, store_charges
from invoicing.queries.plans.preview import require_deciding
from subscriptions.models import Subscription
from subscriptions.operations.subscriptions.aligning import NewDays, let_begin
from subscriptions.operations.subscriptions.holding import hold, release
from tenancy.actor import Actor, Requester
from tenancy.database import operation
from tenancy.errors import NotFound
from tenancy.models import Job
from tenancy.operations.jobs import (
    claim_job,
    drop_input,
    finish_job,
    give_back,
    go_on,
    hold_job,
    keep_input,
    piece_of,
    request_job,
    stop_job,
)

AT_ONCE: Final = 500
"""So many subscriptions are aligned in the transaction of their plan."""
PIECE: Final = 500
"""So many are aligned in one transaction of a job."""


@dataclass(slots=True)
class Changed:
    """What becomes of one subscription: of its items, its own billing day, and what is credited.

    ``invoiced_on`` says of items whose period ends early when what waited for its end is invoiced.
    """

    items: dict[UUID, NewDays] = field(default_factory=dict)
    has_own_day: bool = False
    credits: list[ChargeRow] = field(default_factory=list)
    invoiced_on: dict[UUID, date] = field(default_factory=dict)


def write_aligned(
    actor: Actor,
    changed: Mapping[UUID, Changed],
    *,
    own_days_until: date | None,
    now: datetime,
) -> None:
    """Write what becomes of subscriptions; the caller has asked, and locked the trees."""
    let_begin(
        actor,
        {key: new for one in changed.values() for key, new in one.items.items()},
        [key for key, one in changed.items() if one.has_own_day],
        own_days_until=own_days_until,
        now=now,
    )
    _move_up(actor, changed.values())
    made = [pending(credit) for one in changed.values() for credit in one.credits]
    if made:
        store_charges(actor, made, now)


# What waited for the later end of a period is due when that ends now.
_MOVED_UP = """
    UPDATE invoicing_charge AS charge SET due_date = new.due, invoice_on = new.day,
        reason = charge.reason
            || jsonb_build_object('due_date', new.due::text, 'invoice_on', new.day::text)
    FROM unnest(%s::uuid[], %s::date[], %s::date[]) AS new (id, due, day)
    WHERE charge.tenant_id = %s AND charge.item_id = new.id AND charge.status = 'pending'
    AND LEAST(charge.due_date, new.due) IS DISTINCT FROM charge.due_date
"""


def _move_up(actor: Actor, changed: Iterable[Changed]) -> None:
    found = [
        (key, one.items[key].new_date, day)
        for one in changed
        for key, day in one.invoiced_on.items()
    ]
    if found:
        ids, ends, days = zip(*found, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                _MOVED_UP, [[str(key) for key in ids], [*ends], [*days], actor.tenant_id]
            )


def begin_aligning(
    actor: Actor,
    plan: ChangePlan,
    changed: Mapping[UUID, Changed],
    *,
    own_days_until: date | None,
    keeps: bool,
    now: datetime,
) -> Job:
    """Put subscriptions into the queue and hold them; the caller has locked plan and trees.

    Args:
        actor: in whose name.
        plan: is carried out with it.
        changed: by subscription, what becomes of it.
        own_days_until: for which periods own billing days hold; None for all.
        keeps: the caller goes on with it at once, and nobody else is to take it up.
        now: the instant.
    """
    until = None if own_days_until is None else own_days_until.isoformat()
    params = {"plan": str(plan.pk), "own_days_until": until, "piece": PIECE}
    job = request_job(actor, Job.Kind.ALIGN, params=params, total=len(changed), now=now)
    if keeps:
        job.status, job.beat_at, job.started_at = Job.Status.RUNNING, now, now
        job.save(update_fields=["status", "beat_at", "started_at"])
    keys = list(changed)
    for number, start in enumerate(range(0, len(keys), PIECE)):
        some = {key: changed[key] for key in keys[start : start + PIECE]}
        said = json.dumps({str(key): _stored(one) for key, one in some.items()})
        keep_input(actor, job.pk, number, said.encode())
    hold(actor, keys, job.pk)
    return job


def work_on_alignment(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Align the next piece of a job's subscriptions.

    Returns:
        Whether there is a next one.
    """
    if claim_job(actor, job_id, now=now) is None:
        return False
    return _work(actor, job_id, keeps=False, now=now)


def finish_alignment(actor: Actor, job_id: UUID, *, now: datetime) -> None:
    """Align all that is left of a job that its caller has kept, piece by piece."""
    while _work(actor, job_id, keeps=True, now=now):
        pass


@operation
def _work(actor: Actor, job_id: UUID, *, keeps: bool, now: datetime) -> bool:
    job = hold_job(actor, job_id)
    if job is None:
        return False
    doer = Actor.system(actor.tenant_id, origin=actor.origin).acting_for(
        Requester.read(job.requested_by)
    )
    stored = json.loads(piece_of(actor, job_id, job.done // int(job.params["piece"])))
    ids = [UUID(key) for key in stored]
    tree.lock_families(actor.tenant_id, _owners(actor, ids))
    own = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=ids, held_by=job_id)
    held = set(own.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    changed = {key: _read(stored[str(key)]) for key in ids if key in held}
    _give_subscriptions(actor, changed)
    until = job.params["own_days_until"]
    write_aligned(
        doer,
        changed,
        own_days_until=None if until is None else date.fromisoformat(until),
        now=now,
    )
    release(actor, ids, job_id)
    done = job.done + len(ids)
    if done < job.total and keeps:
        Job.objects.filter(tenant_id=actor.tenant_id, pk=job_id).update(done=done, beat_at=now)
        return True
    if done < job.total:
        give_back(actor, job_id, done=done, result={}, now=now)
        return True
    drop_input(actor, job_id)
    finish_job(actor, job_id, result={"aligned": done}, changes={"done": done}, now=now)
    _note_applied(doer, UUID(job.params["plan"]), now=now)
    return False


def _owners(actor: Actor, ids: Sequence[UUID]) -> set[UUID]:
    some = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=ids)
    return set(some.order_by().values_list("account_id", flat=True).distinct())


def _give_subscriptions(actor: Actor, changed: Mapping[UUID, Changed]) -> None:
    """Let credits know their subscriptions again. Two statements where there are any."""
    wanted = [key for key, one in changed.items() if one.credits]
    rows = subscription_rows(actor, wanted)
    for key in wanted:
        for credit in changed[key].credits:
            credit.subscription = rows[key]


def _note_applied(actor: Actor, plan_id: UUID, *, now: datetime) -> None:
    plan = ChangePlan.objects.select_for_update(no_key=True).get(
        tenant_id=actor.tenant_id, pk=plan_id
    )
    was, plan.status, plan.applied_at = plan.status, ChangePlan.Status.APPLIED, now
    keep_plan(actor, plan, "status", "applied_at")
    record_step(actor, plan, "plan.applied", was=was, now=now)


@operation
def stop_alignment(actor: Actor, plan_id: UUID, *, now: datetime) -> ChangePlan:
    """Stop carrying an alignment out; what is aligned by then stays so, the rest goes on waiting.

    Asked again, or of one that is through, it does nothing.

    Raises:
        NotFound, Forbidden: there is no such plan, or it is not the actor's to stop.
    """
    plan, job = _locked(actor, plan_id)
    if job is not None:
        stop_job(actor, job, now=now)
    return plan


@operation
def resume_alignment(actor: Actor, plan_id: UUID, *, now: datetime) -> ChangePlan:
    """Let an alignment go on that was stopped or broken off; asked again, it does nothing.

    Raises:
        NotFound, Forbidden: there is no such plan, or it is not the actor's to carry out.
    """
    plan, job = _locked(actor, plan_id)
    if job is not None and job.status in (Job.Status.STOPPED, Job.Status.FAILED):
        go_on(actor, job, now=now)
    return plan


def _locked(actor: Actor, plan_id: UUID) -> tuple[ChangePlan, Job | None]:
    require_deciding(actor, ChangePlan.Kind.ALIGNMENT)
    plan = ChangePlan.objects.filter(tenant_id=actor.tenant_id, pk=plan_id).first()
    if plan is None:
        raise NotFound
    if plan.job_id is None:
        return plan, None
    jobs = Job.objects.select_for_update(of=("self",))
    return plan, jobs.get(tenant_id=actor.tenant_id, pk=plan.job_id)


_DATES: Final = ("period_start", "period_end", "due_date", "invoice_on", "held_until")
_KEYS: Final = ("id", "item_id", "period_id", "account_id", "credited_id", "bill_to_id", "payer_id")


def _stored(one: Changed) -> dict[str, Any]:
    """Return what becomes of a subscription as plain JSON."""
    return {
        "items": {str(key): _days_stored(new) for key, new in one.items.items()},
        "own_day": one.has_own_day,
        "invoiced_on": {str(key): day.isoformat() for key, day in one.invoiced_on.items()},
        "credits": [
            {
                each.name: _plain(getattr(credit, each.name))
                for each in fields(ChargeRow)
                if each.name != "subscription"
            }
            for credit in one.credits
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _days_stored(new: NewDays) -> list[Any]:
    free = new.free and [new.free.start.isoformat(), new.free.end.isoformat()]
    return [
        str(new.subscription_id), str(new.account_id), new.old_date.isoformat(),
        new.new_date.isoformat(), _plain(new.waits_from), free, new.changes_terms, new.ends,
    ]  # fmt: skip


def _read(stored: Mapping[str, Any]) -> Changed:
    """Return what becomes of a subscription as it was stored."""
    return Changed(
        items={UUID(key): _days_read(values) for key, values in stored["items"].items()},
        has_own_day=stored["own_day"],
        invoiced_on={
            UUID(key): date.fromisoformat(day) for key, day in stored.get("invoiced_on", {}).items()
        },
        credits=[ChargeRow(subscription=None, **dict(_values(one))) for one in stored["credits"]],
    )


def _values(stored: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in stored.items():
        if value is not None and name in _DATES:
            yield name, date.fromisoformat(value)
        elif value is not None and name in _KEYS:
            yield name, UUID(value)
        else:
            yield name, value


def _days_read(values: Sequence[Any]) -> NewDays:
    subscription_id, account_id, old, new, waits, free, changes_terms, ends = values
    return NewDays(
        subscription_id=UUID(subscription_id),
        account_id=UUID(account_id),
        old_date=date.fromisoformat(old),
        new_date=date.fromisoformat(new),
        waits_from=waits and date.fromisoformat(waits),
        free=free and Period(*(date.fromisoformat(one) for one in free)),
        changes_terms=changes_terms,
        ends=ends,
    )
