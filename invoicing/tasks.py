"""Background work. The tables are the queues: a task looks there; twice does no harm."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from invoicing.documents.making import make_files
from invoicing.models import BillingRun, ChangePlan, Charge
from invoicing.operations import checking_books, clock_jobs, runs
from invoicing.operations.account_discounts.working import work_on_discount as work_on_piece
from invoicing.operations.checking_books import check_books
from invoicing.operations.days import do_scheduled_day
from invoicing.operations.plans import aligning_jobs
from invoicing.operations.plans.applying import carry_out_due_plans
from invoicing.operations.prices import working
from invoicing.operations.rendering import render_waiting
from invoicing.operations.runs.changed import refresh_drafts
from invoicing.operations.runs.scheduling import missed_days
from invoicing.queries.runs import progress_of, runs_of_drafts_made_good
from invoicing.queries.waiting import DOCUMENTS_WAITING, PLANS_WAITING, RUNS_WAITING
from tenancy.actor import Actor, Requester
from tenancy.clock import today_of
from tenancy.database import scope
from tenancy.database.lookup import all_tenant_ids
from tenancy.database.work import WorkQueue, register_queue
from tenancy.models import Job, Tenant
from tenancy.operations.jobs import fail_job
from tenancy.tasks import (
    GOES_ON,
    STALE_SECONDS,
    TURN_SECONDS,
    jobs_waiting,
    priority_of_rest,
)

logger = logging.getLogger(__name__)

RENDERED_AT_ONCE = 20
MOST_WORKERS = 8
"""So many are called for one run at once; more hosts join when the timetable comes by."""


@shared_task
def start_daily_runs() -> None:
    """Start each live tenant's billing of today, so that one's failure stays its own (R7)."""
    for tenant_id in all_tenant_ids(live_only=True):
        bill_missed_days.delay(tenant_id=str(tenant_id))


@shared_task
def bill_missed_days(*, tenant_id: str) -> None:
    """Bill a tenant for every day since the scheduler's last, in order (R4).

    After its turn it makes room for others and goes on behind them.
    """
    actor = Actor.system(UUID(tenant_id))
    until = time.monotonic() + TURN_SECONDS
    with scope(actor.tenant_id):
        today = today_of(Tenant.objects.get(pk=actor.tenant_id))
        days = missed_days(actor, today=today)
    for day in days:
        if not do_scheduled_day(actor, day=day, today=today, now=datetime.now(UTC), until=until):
            bill_missed_days.apply_async(
                kwargs={"tenant_id": tenant_id}, priority=priority_of_rest()
            )
            return


@shared_task
def refresh_all_drafts() -> None:
    """Have each tenant's drafts drafted again where their sources have changed (R21)."""
    for tenant_id in all_tenant_ids():
        refresh_drafts_of.apply_async(kwargs={"tenant_id": str(tenant_id)}, priority=GOES_ON)


@shared_task
def refresh_drafts_of(*, tenant_id: str) -> None:
    """Draft again what has changed of one tenant's drafts."""
    refresh_drafts(Actor.system(UUID(tenant_id)), now=datetime.now(UTC))


@shared_task
def refresh_drafts_of_run(*, tenant_id: str, run_id: str, asker: dict[str, Any]) -> None:
    """Draft again what has changed of one run's drafts, for whoever asked for it."""
    actor = Actor.system(UUID(tenant_id)).acting_for(Requester.read(asker))
    refresh_drafts(actor, run_id=UUID(run_id), now=datetime.now(UTC))


def refresh_soon(actor: Actor, run: BillingRun) -> None:
    """Have a run's drafts drafted again where they have changed, else by the timetable."""
    asker = actor.requester.stored()

    def call() -> None:
        refresh_drafts_of_run.delay(tenant_id=str(actor.tenant_id), run_id=str(run.pk), asker=asker)

    transaction.on_commit(call, robust=True)


def rewrite_soon(actor: Actor, made: Sequence[Charge]) -> None:
    """Have the drafts drafted again that charges just made good, else by the timetable."""
    for run in runs_of_drafts_made_good(actor, made):
        refresh_soon(actor, run)


@shared_task
def work_on_run(*, tenant_id: str, run_id: str) -> None:
    """Work on one run for a turn; if its queue is not empty then, go on behind what else waits."""
    actor = Actor.system(UUID(tenant_id))
    with scope(actor.tenant_id):
        today = today_of(Tenant.objects.get(pk=actor.tenant_id))
    until = time.monotonic() + TURN_SECONDS
    report = runs.work_on_run(actor, UUID(run_id), today=today, now=datetime.now(UTC), until=until)
    if not report.is_complete:
        values = {"tenant_id": tenant_id, "run_id": run_id}
        work_on_run.apply_async(kwargs=values, priority=priority_of_rest())


def work_soon(run: BillingRun) -> None:
    """Have a run worked on as soon as it is committed, by as many as find a batch in its queue.

    Should the messages get lost, the timetable finds the run in its table.
    """
    actor = Actor.system(run.tenant_id)

    def call() -> None:
        with scope(actor.tenant_id):
            progress = progress_of(actor, run.pk)
        batches = -(-(progress.total - progress.done) // runs.FAMILIES_PER_BATCH)
        values = {"tenant_id": str(run.tenant_id), "run_id": str(run.pk)}
        for number in range(min(batches, MOST_WORKERS)):
            if number:
                work_on_run.apply_async(kwargs=values, priority=GOES_ON)
            else:
                work_on_run.delay(**values)

    transaction.on_commit(call, robust=True)


@shared_task
def render_documents(*, tenant_id: str) -> None:
    """Make the files of a tenant's issued documents that have none yet, for a turn.

    The timetable calls again while some are missing.
    """
    actor, until = Actor.system(UUID(tenant_id)), time.monotonic() + TURN_SECONDS
    render_waiting(actor, limit=RENDERED_AT_ONCE, now=datetime.now(UTC), until=until)


@shared_task
def render_document(*, tenant_id: str, invoice_id: str) -> None:
    """Make the files of one invoice that somebody waits for."""
    make_files(Actor.system(UUID(tenant_id)), UUID(invoice_id), now=datetime.now(UTC))


def render_soon(actor: Actor, invoice_id: UUID) -> None:
    """Have the files of an invoice made as soon as this is committed, else by the timetable."""

    def call() -> None:
        render_document.delay(tenant_id=str(actor.tenant_id), invoice_id=str(invoice_id))

    transaction.on_commit(call, robust=True)


@shared_task
def verify_everything() -> None:
    """Check the books of every tenant in slices; a violation is logged as an error.

    What goes wrong with one tenant keeps no other from being checked.
    """
    for tenant_id in all_tenant_ids():
        try:
            for violation in check_books(Actor.system(tenant_id), now=datetime.now(UTC)):
                logger.error(
                    "books.violated %s %s %s: %s",
                    violation.tenant,
                    violation.invariant,
                    violation.object,
                    violation.detail,
                )
        except Exception:
            logger.exception("books.unchecked", extra={"tenant": str(tenant_id)})


def check_books_soon(actor: Actor, job_id: UUID) -> None:
    """Have a check of the books worked on as soon as it is committed, else by the timetable."""

    def call() -> None:
        work_on_books_check.delay(tenant_id=str(actor.tenant_id), job_id=str(job_id))

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_books_check(*, tenant_id: str, job_id: str) -> None:
    """Make one check after another; what nobody foresaw ends the job, not the worker."""
    actor, key = Actor.system(UUID(tenant_id)), UUID(job_id)
    until = time.monotonic() + TURN_SECONDS
    try:
        while checking_books.work_on_books_check(actor, key, now=datetime.now(UTC)):
            if time.monotonic() >= until:
                values = {"tenant_id": tenant_id, "job_id": job_id}
                work_on_books_check.apply_async(kwargs=values, priority=priority_of_rest())
                return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("check.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped the check. What was found until then is kept.")
        fail_job(actor, key, code="internal_error", detail=detail, now=datetime.now(UTC))


def _begin_books_check(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_books_check.apply_async(kwargs=values, expires=STALE_SECONDS)


def move_clock_soon(actor: Actor, job_id: UUID) -> None:
    """Have a move of the clock worked on as soon as it is committed, else by the timetable."""

    def call() -> None:
        work_on_clock_move.delay(tenant_id=str(actor.tenant_id), job_id=str(job_id))

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_clock_move(*, tenant_id: str, job_id: str) -> None:
    """Move a clock as far as a job says; what nobody foresaw ends the job, not the worker."""
    actor, key = Actor.system(UUID(tenant_id)), UUID(job_id)
    until = time.monotonic() + TURN_SECONDS
    try:
        while clock_jobs.work_on_clock_move(actor, key, now=datetime.now(UTC)):
            if time.monotonic() >= until:
                values = {"tenant_id": tenant_id, "job_id": job_id}
                work_on_clock_move.apply_async(kwargs=values, priority=priority_of_rest())
                return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("clock.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped the clock. What was billed until then holds.")
        fail_job(actor, key, code="internal_error", detail=detail, now=datetime.now(UTC))


def reprice_soon(actor: Actor, job: Job) -> None:
    """Have a change of prices worked on as soon as it is committed, else by the timetable."""
    if not job.is_open:
        return
    values = {"tenant_id": str(actor.tenant_id), "job_id": str(job.pk)}

    def call() -> None:
        work_on_repricing.delay(**values)

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_repricing(*, tenant_id: str, job_id: str) -> None:
    """Change what is had at a price piece by piece for a turn; what nobody foresaw ends the job."""
    actor, key = Actor.system(UUID(tenant_id)), UUID(job_id)
    until = time.monotonic() + TURN_SECONDS
    try:
        while working.work_on_repricing(actor, key, now=datetime.now(UTC)):
            if time.monotonic() >= until:
                values = {"tenant_id": tenant_id, "job_id": job_id}
                work_on_repricing.apply_async(kwargs=values, priority=priority_of_rest())
                return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("prices.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped the change. What was changed until then holds.")
        fail_job(actor, key, code="internal_error", detail=detail, now=datetime.now(UTC))


@shared_task
def carry_out_plans(*, tenant_id: str) -> None:
    """Carry out what a tenant has planned for today or earlier; running it again does no harm."""
    actor = Actor.system(UUID(tenant_id))
    with scope(actor.tenant_id):
        today = today_of(Tenant.objects.get(pk=actor.tenant_id))
    carry_out_due_plans(actor, day=today, now=datetime.now(UTC))


def _begin_run(tenant_id: UUID, run_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "run_id": run_id}
    work_on_run.apply_async(kwargs=values, expires=STALE_SECONDS)


def _begin_documents(tenant_id: UUID, _key: str) -> None:
    render_documents.apply_async(kwargs={"tenant_id": str(tenant_id)}, expires=STALE_SECONDS)


def _begin_clock_move(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_clock_move.apply_async(kwargs=values, expires=STALE_SECONDS)


def _begin_repricing(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_repricing.apply_async(kwargs=values, expires=STALE_SECONDS)


def _begin_plans(tenant_id: UUID, _key: str) -> None:
    carry_out_plans.apply_async(kwargs={"tenant_id": str(tenant_id)}, expires=STALE_SECONDS)


register_queue(WorkQueue("plans", PLANS_WAITING, _begin_plans))
register_queue(WorkQueue("runs", RUNS_WAITING, _begin_run))
register_queue(WorkQueue("documents", DOCUMENTS_WAITING, _begin_documents))
register_queue(WorkQueue("clock moves", jobs_waiting(Job.Kind.CLOCK), _begin_clock_move))
register_queue(WorkQueue("checks", jobs_waiting(Job.Kind.CHECK), _begin_books_check))
register_queue(WorkQueue("prices", jobs_waiting(Job.Kind.PRICES), _begin_repricing))


def discount_soon(actor: Actor, job_id: UUID) -> None:
    """Have an account's discount carried out once it is committed, else by the timetable."""

    def call() -> None:
        work_on_discount.delay(tenant_id=str(actor.tenant_id), job_id=str(job_id))

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_discount(*, tenant_id: str, job_id: str) -> None:
    """Give subscriptions a discount piece by piece for a turn, or end it for them."""
    actor, key = Actor.system(UUID(tenant_id)), UUID(job_id)
    until = time.monotonic() + TURN_SECONDS
    try:
        while work_on_piece(actor, key, now=datetime.now(UTC)):
            if time.monotonic() >= until:
                values = {"tenant_id": tenant_id, "job_id": job_id}
                work_on_discount.apply_async(kwargs=values, priority=priority_of_rest())
                return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("discount.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped it. What was done until then holds.")
        fail_job(actor, key, code="internal_error", detail=detail, now=datetime.now(UTC))


def _begin_discount(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_discount.apply_async(kwargs=values, expires=STALE_SECONDS)


register_queue(WorkQueue("discounts", jobs_waiting(Job.Kind.DISCOUNT), _begin_discount))


def align_soon(actor: Actor, plan: ChangePlan) -> None:
    """Have a large alignment go on once this is committed, else by the timetable."""
    if plan.status != ChangePlan.Status.APPLYING:
        return
    values = {"tenant_id": str(actor.tenant_id), "job_id": str(plan.job_id)}

    def call() -> None:
        work_on_alignment.delay(**values)

    transaction.on_commit(call, robust=True)


@shared_task
def work_on_alignment(*, tenant_id: str, job_id: str) -> None:
    """Align subscriptions piece by piece for a turn; what nobody foresaw breaks the job off."""
    actor, key = Actor.system(UUID(tenant_id)), UUID(job_id)
    until = time.monotonic() + TURN_SECONDS
    try:
        while aligning_jobs.work_on_alignment(actor, key, now=datetime.now(UTC)):
            if time.monotonic() >= until:
                values = {"tenant_id": tenant_id, "job_id": job_id}
                work_on_alignment.apply_async(kwargs=values, priority=priority_of_rest())
                return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("alignment.failed", extra={"job": job_id})
        detail = _("Something unexpected stopped it. What was done until then holds.")
        fail_job(actor, key, code="internal_error", detail=detail, now=datetime.now(UTC))


def _begin_alignment(tenant_id: UUID, job_id: str) -> None:
    values = {"tenant_id": str(tenant_id), "job_id": job_id}
    work_on_alignment.apply_async(kwargs=values, expires=STALE_SECONDS)


register_queue(WorkQueue("alignments", jobs_waiting(Job.Kind.ALIGN), _begin_alignment))
