"""The check of the books in slices: each invariant in a transaction of its own, its result kept.

So a check of a large tenant holds no transaction open for long, one that is broken off has kept
what it found, and a page can say when each invariant was last looked at.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from accounts import access
from accounts.access import Action
from accounts.operations.job_actors import actor_of
from accounts.queries.jobs import open_job_ids
from invoicing.models import BooksCheck
from invoicing.operations.checking import check_some_files
from invoicing.queries.books import (
    CHECKS,
    VIOLATIONS_SHOWN,
    Checked,
    Violation,
    files_still_bad,
    verify_one,
    violations_of_files,
)
from invoicing.queries.invariants import OF_FILES
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import BillingError
from tenancy.models import Job, Tenant
from tenancy.operations.jobs import claim_job, fail_job, finish_job, give_back, note_request
from tenancy.operations.jobs import request_job as put_into_queue


def check_books(actor: Actor, *, now: datetime) -> Iterator[Violation]:
    """Make every check of a tenant, keep what each found, and yield the violations.

    Of the stored files, which are much to read, this night's part is read.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    for name in CHECKS:
        yield from check_one(actor, name, now=now)


def check_one(actor: Actor, name: str, *, now: datetime) -> list[Violation]:
    """Make one of ``CHECKS``, keep what it found, and return the violations.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    if name == OF_FILES:
        return _keep_files(actor, check_some_files(actor), now=now)
    return _check_and_keep(actor, name, now=now)


@operation
def _check_and_keep(actor: Actor, name: str, *, now: datetime) -> list[Violation]:
    return _kept(actor, name, verify_one(actor, name), now=now)


@operation
def _keep_files(actor: Actor, checked: Checked, *, now: datetime) -> list[Violation]:
    """Keep what a night's part of the files found, and what was bad before and still is."""
    kept = BooksCheck.objects.filter(tenant_id=actor.tenant_id, name=OF_FILES).first()
    earlier = [one["object"] for one in kept.violations] if kept is not None else []
    now_found = {one.object for one in checked.violations}
    bad = [key for key in files_still_bad(actor, earlier) if str(key) not in now_found]
    violations = [*checked.violations, *violations_of_files(actor, bad)]
    return _kept(actor, OF_FILES, Checked(checked.objects, violations), now=now)


def _kept(actor: Actor, name: str, checked: Checked, *, now: datetime) -> list[Violation]:
    shown = checked.violations[:VIOLATIONS_SHOWN]
    BooksCheck.objects.update_or_create(
        tenant_id=actor.tenant_id,
        name=name,
        defaults={
            "objects_checked": checked.objects,
            "violations": [{"object": one.object, "detail": one.detail} for one in shown],
            "checked_at": now,
        },
    )
    return checked.violations


@operation
def request_books_check(actor: Actor, *, now: datetime) -> UUID:
    """Put a check of all books into the queue; one that is under way is joined.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant_id)
    if under_way := open_job_ids(actor, Job.Kind.CHECK):
        job = Job.objects.get(tenant_id=actor.tenant_id, pk=under_way[0])
        note_request(actor, job, "job.joined", now=now)
        return job.pk
    return put_into_queue(actor, Job.Kind.CHECK, params={}, total=len(CHECKS), now=now).pk


def work_on_books_check(actor: Actor, job_id: UUID, *, now: datetime) -> bool:
    """Make the next check of a job.

    Returns:
        Whether there is a next one.
    """
    job = claim_job(actor, job_id, now=now)
    if job is None:
        return False
    try:
        found = check_one(actor_of(actor, job), CHECKS[job.done], now=now)
    except BillingError as refusal:
        fail_job(actor, job.pk, code=refusal.code, detail=refusal.detail, now=now)
        return False
    done, result = job.done + 1, {"violations": job.result.get("violations", 0) + len(found)}
    if done < len(CHECKS):
        give_back(actor, job.pk, done=done, result=result, now=now)
        return True
    finish_job(actor, job.pk, result=result, changes={"done": done}, now=now)
    return False
