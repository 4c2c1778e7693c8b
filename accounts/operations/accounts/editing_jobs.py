"""Changing more accounts than one transaction takes: as a job, looked at first, stopped at will.

The ids that were selected are kept with the job, so many to a piece as are changed at once.
Each piece is changed and counted in one transaction: stopped or broken off, the job goes on
with the next, and what is so already is not changed again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.declarations import SETTINGS
from accounts.models import Account
from accounts.operations.accounts._keepers import below_changed
from accounts.operations.accounts._many_outcomes import ManyReport, Outcome, WantedOfMany
from accounts.operations.accounts._many_wanted import checked_wanted
from accounts.operations.accounts.editing_many import edit_many
from accounts.operations.job_steps import Step, work_step
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import Job
from tenancy.operations.jobs import go_on, ids_of, keep_ids, stop_job
from tenancy.operations.jobs import request_job as put_into_queue

PIECE: Final = 1_000
"""So many accounts are changed in one transaction."""
MOST_IN_JOB: Final = 50_000
CHECK, APPLY = "check", "apply"
_SHOWN: Final = 10


class TooManyForJob(Invalid):
    """More accounts than one job changes."""

    code = "too_many_accounts"
    message = _("At most %(most)s accounts are changed with one job. Narrow the list.")


class NotLookedAt(Conflict):
    """Nobody has seen yet what the change would do."""

    code = "edit_not_checked"
    message = _("It has not been shown yet what this would change; nothing was changed.")


@operation
def request_edit(
    actor: Actor,
    account_ids: Iterable[UUID],
    wanted: WantedOfMany,
    *,
    back: str = "",
    today: date,
    now: datetime,
) -> Job:
    """Put into the queue to look at what a change would do to many accounts.

    Args:
        actor: who changes them, allowed to do so everywhere.
        account_ids: which; each once.
        wanted: see there.
        back: from where they were selected, for the page.
        today: the tenant's day.
        now: the instant.

    Raises:
        NotFound, Forbidden: an account is not there, or they are not the actor's to change.
        TooManyForJob, NothingWanted, InvalidAccount, InvalidSettings, EffectiveDatePassed,
        NotSchedulable: see their texts.
    """
    wanted = checked_wanted(actor, wanted, today)
    ids = [*dict.fromkeys(account_ids)]
    if len(ids) > MOST_IN_JOB:
        raise TooManyForJob(most=MOST_IN_JOB)
    there = Account.objects.filter(tenant_id=actor.tenant_id, pk__in=ids).count()
    if not ids or there < len(ids):
        raise NotFound
    params = {
        "stage": CHECK,
        "today": today.isoformat(),
        "language": translation.get_language() or "en",
        "wanted": _written(wanted),
        "back": back,
    }
    job = put_into_queue(actor, Job.Kind.EDIT, params=params, total=len(ids), now=now)
    keep_ids(actor, job.pk, (ids[start : start + PIECE] for start in range(0, len(ids), PIECE)))
    return job


@operation
def apply_edit(actor: Actor, job_id: UUID, *, today: date, now: datetime) -> Job:
    """Put the change into the queue once it was looked at; a stopped one goes on where it stood.

    Asked for again, it changes nothing.

    Args:
        actor: who changes them.
        job_id: the job that looked at it.
        today: the tenant's day; what was to hold from the day of the look holds from this one.
        now: the instant, for the audit trail.

    Raises:
        NotFound, Forbidden: there is no such job, or it is not the actor's to do.
        NotLookedAt: see its text.
    """
    job = _locked(actor, job_id)
    is_stopped = job.status in (Job.Status.STOPPED, Job.Status.FAILED)
    if job.params["stage"] == APPLY and not is_stopped:
        return job
    if job.params["stage"] == CHECK and job.status != Job.Status.DONE:
        raise NotLookedAt
    if job.params["stage"] == CHECK:
        job.params["stage"], job.done = APPLY, 0
    since = job.params["today"]
    if job.params["wanted"]["day"] == since:
        job.params["wanted"]["day"] = today.isoformat()
    job.params["today"] = today.isoformat()
    go_on(actor, job, now=now)
    return job


@operation
def stop_edit(actor: Actor, job_id: UUID, *, now: datetime) -> Job:
    """Stop a job that waits or runs; what is changed by then stays changed.

    Raises:
        NotFound, Forbidden: as for ``apply_edit``.
    """
    job = _locked(actor, job_id)
    stop_job(actor, job, now=now)
    return job


def _locked(actor: Actor, job_id: UUID) -> Job:
    access.require_everywhere(actor, Action.EDIT_ACCOUNT)
    job = (
        Job.objects.select_for_update(of=("self",))
        .filter(tenant_id=actor.tenant_id, pk=job_id, kind=Job.Kind.EDIT)
        .first()
    )
    if job is None:
        raise NotFound
    return job


def work_on_edit(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Look at, or change, the next piece of a job's accounts.

    Returns:
        Whether there is a next one.
    """
    return work_step(
        actor, job_id, lambda editor, job: _look_or_change(editor, job, now=now), now=now
    )


def _look_or_change(editor: Actor, job: Job, *, now: datetime) -> Step:
    stage = job.params["stage"]
    ids, wanted = ids_of(editor, job.pk, job.done // PIECE), _read(job.params["wanted"])
    report = edit_many(
        editor,
        ids,
        wanted,
        today=date.fromisoformat(job.params["today"]),
        is_dry_run=stage == CHECK,
        is_piece=True,
        now=now,
    )
    result = {**job.result, stage: _added(job.result.get(stage, {}), report)}
    done = job.done + len(ids)
    if done >= job.total and stage == CHECK:
        result[stage] |= _below(editor, job, wanted, result[stage])
    return Step(done, result, keeps_input=stage == CHECK)


def _below(
    actor: Actor, job: Job, wanted: WantedOfMany, tally: Mapping[str, Any]
) -> dict[str, Any]:
    """Return who keeps a value of its own below any of them, and how many follow.

    No piece knows that by itself. Where some are refused it is not known which of those below
    follow: the tally names the first of them alone.
    """
    numbers = range(-(-job.total // PIECE)) if wanted.settings else ()
    chosen = {key for number in numbers for key in ids_of(actor, job.pk, number)}
    below = below_changed(actor, chosen, wanted.settings, wanted.day)
    return {
        "keepers": [[str(key), name] for key, name in below.keepers],
        "keeper_count": below.keeper_count,
        "follower_count": None if tally.get("refused") else below.follower_count,
    }


def _added(tally: Mapping[str, Any], report: ManyReport) -> dict[str, Any]:
    """Return the counts with those of one more piece, and the first accounts of each kind."""
    changing = report.changing
    refused = {code: [*ones] for code, ones in tally.get("refused", {}).items()}
    for one in report.refused:
        count, *first = refused.get(one.refusal, [0])
        named = [[str(one.account.pk), one.account.name]] if len(first) < _SHOWN else []
        refused[one.refusal] = [count + 1, *first, *named]
    first = [*tally.get("first", ())]
    first += [_said(one) for one in changing[: _SHOWN - len(first)]]
    unchanged = len(report.outcomes) - len(changing) - len(report.refused)
    return {
        "changing": tally.get("changing", 0) + len(changing),
        "same": tally.get("same", 0) + unchanged,
        "refused": refused,
        "first": first,
    }


def _said(outcome: Outcome) -> dict[str, Any]:
    before, after = outcome.said()
    account = outcome.account
    return {"id": str(account.pk), "name": account.name, "before": before, "after": after}


def _written(wanted: WantedOfMany) -> dict[str, Any]:
    values = {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in wanted.settings.items()
    }
    return {
        "day": wanted.day.isoformat(),
        "tags_way": wanted.tags_way,
        "tags": [*wanted.tags],
        "settings": values,
    }


def _read(stored: Mapping[str, Any]) -> WantedOfMany:
    tags: Sequence[str] = stored["tags"]
    values = {
        name: UUID(value) if value is not None and SETTINGS[name].kind.id_prefix else value
        for name, value in stored["settings"].items()
    }
    return WantedOfMany(date.fromisoformat(stored["day"]), stored["tags_way"], tags, values)
