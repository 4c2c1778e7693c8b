"""Working through the queue of a run: batch by batch, each batch one transaction."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet

from invoicing.engine.families import Problem
from invoicing.models import BillingRun, RunFamily
from invoicing.operations.runs.billing import bill_families, set_aside
from invoicing.operations.runs.closing import close_run_if_empty
from invoicing.operations.runs.issuing_approved import issue_approved
from invoicing.operations.runs.opening import request_run
from tenancy.actor import Actor, Requester
from tenancy.collecting import collecting_afterwards
from tenancy.database import operation, scope
from tenancy.database.statistics import refresh_outdated_statistics
from tenancy.errors import BillingError

logger = logging.getLogger(__name__)

FAMILIES_PER_BATCH = 25
_DEADLOCK_TRIES = 4
_RETRYABLE = {"40001", "40P01"}

R = TypeVar("R")


@dataclass(slots=True)
class RunReport:
    """What came of one call: documents that it made or issued; the run may hold more.

    Of ``run_billing`` those that came into being or were issued while it ran, whoever did it.
    ``taken_from`` are the earlier runs whose drafts it took up. It ``is_complete`` unless the time
    was over before the run was.
    """

    run: BillingRun
    invoice_ids: list[UUID] = field(default_factory=list)
    taken_from: set[UUID] = field(default_factory=set)
    is_complete: bool = True


def run_billing(
    actor: Actor,
    *,
    run_date: date,
    within: UUID | None = None,
    issue: bool = False,
    today: date,
    now: datetime,
) -> RunReport:
    """Bill everything due up to a date: open or join the run, and work until its queue is empty.

    Doing it again makes nothing new. Two at once share the work, and both report all of it. One
    bad account never stops it: it is listed as a problem (R25).

    Args:
        actor: who runs it.
        run_date: everything due up to this day is taken; it becomes the date of issue.
        within: only accounts of this subtree; None for all.
        issue: issue at once, whatever the tenant says about approval (R8).
        today: the tenant's date.
        now: the instant.

    Raises:
        Forbidden, NotFound: not the actor's to run, or no such account.
        RunRefused: the date can't be.

    Source: docs/billing-rules.md, R4 to R8, R25.
    """
    with scope(actor.tenant_id):
        # Nobody can have begun with what is asked for here: it is not committed yet.
        before = _documents(actor, run_date)
        run = request_run(
            actor, run_date=run_date, within=within, issue=issue, today=today, now=now
        )
    report = _work_on(actor, run, today=today, now=now)
    with scope(actor.tenant_id):
        after = _documents(actor, run_date)
    changed = {key for key, state in after.items() if before.get(key) != state}
    own = [key for key in dict.fromkeys(report.invoice_ids) if key in changed]
    report.invoice_ids = [*own, *sorted(changed - {*own})]
    return report


def _documents(actor: Actor, run_date: date) -> dict[UUID, tuple[bool, str]]:
    """Return the documents of runs up to a date: whether each is issued, and what it says.

    Drafts of earlier runs are among them, because the run may take them up. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, {"tenant": actor.tenant_id, "date": run_date})
        return {key: (is_issued, content) for key, is_issued, content in cursor.fetchall()}


# Each half by its index: the invoices of one run, and the few that are not issued.
_DOCUMENTS: Final = """
    SELECT id, status <> 'to_approve', content_hash FROM invoicing_invoice
    WHERE tenant_id = %(tenant)s AND run_id = (
        SELECT id FROM invoicing_billingrun WHERE tenant_id = %(tenant)s AND date = %(date)s)
    UNION ALL
    SELECT id, false, content_hash FROM invoicing_invoice AS draft
    WHERE tenant_id = %(tenant)s AND status = 'to_approve' AND (
        SELECT date FROM invoicing_billingrun AS run
        WHERE run.tenant_id = %(tenant)s AND run.id = draft.run_id) < %(date)s
    ORDER BY id
"""


def work_on_run(
    actor: Actor, run_id: UUID, *, today: date, now: datetime, until: float = math.inf
) -> RunReport:
    """Claim families of a run until none waits, then close the run.

    Args:
        actor: who works on it.
        run_id: the run.
        today: the tenant's date: what is approved late is issued with it (R28).
        now: the instant.
        until: the reading of ``time.monotonic()`` from which on no other batch is begun. The
            report of a run that is not through then is no ``is_complete``.

    A family that another worker holds is waited for, so that the run is complete on return; if
    that worker dies, its families come back and are taken here.
    """
    with scope(actor.tenant_id):
        run = BillingRun.objects.get(tenant_id=actor.tenant_id, pk=run_id)
    return _work_on(actor, run, today=today, now=now, until=until)


def _work_on(
    actor: Actor, run: BillingRun, *, today: date, now: datetime, until: float = math.inf
) -> RunReport:
    report, pause = RunReport(run), 0.05
    while True:
        with collecting_afterwards():
            turn = _patiently(lambda: _work_on_batch(actor, run, today=today, now=now))
        report.invoice_ids += turn.invoice_ids
        report.taken_from |= turn.taken_from
        if turn.claimed:
            pause = 0.05
        is_over = time.monotonic() >= until
        # A full batch says that there is more; after any other the queue is mostly empty.
        if is_over or turn.claimed < FAMILIES_PER_BATCH:
            closed = close_run_if_empty(actor, run.id, taken_from=report.taken_from, now=now)
            if closed is not None:
                if report.invoice_ids:
                    refresh_outdated_statistics()
                report.run = closed
                return report
        if is_over:
            report.is_complete = False
            return report
        if turn.claimed:
            continue
        time.sleep(pause)
        pause = min(1.0, pause * 2)


@dataclass(slots=True)
class _Turn:
    """What came of one batch: how many families were claimed, and what of them."""

    claimed: int = 0
    invoice_ids: list[UUID] = field(default_factory=list)
    taken_from: set[UUID] = field(default_factory=set)

    def add(self, invoice_ids: list[UUID], taken_from: set[UUID]) -> None:
        self.invoice_ids += invoice_ids
        self.taken_from |= taken_from


def _patiently(work: Callable[[], R]) -> R:
    """Do the work again when the database broke off one of two that waited for each other."""
    for attempt in range(1, _DEADLOCK_TRIES + 1):
        try:
            return work()
        except OperationalError as error:
            code = getattr(error.__cause__, "pgcode", None)
            if code not in _RETRYABLE or attempt == _DEADLOCK_TRIES:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")  # pragma: no cover


def _work_on_batch(actor: Actor, run: BillingRun, *, today: date, now: datetime) -> _Turn:
    """Work on the next families of the queue; if that fails, on each of them alone."""
    try:
        return _bill_next(actor, run, today=today, now=now, limit=FAMILIES_PER_BATCH)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("run.batch_failed", extra={"run": run.id})
    turn = _Turn()
    for _number in range(FAMILIES_PER_BATCH):
        one = _bill_one(actor, run, today=today, now=now)
        if not one.claimed:
            break
        turn.claimed += one.claimed
        turn.add(one.invoice_ids, one.taken_from)
    return turn


def _bill_one(actor: Actor, run: BillingRun, *, today: date, now: datetime) -> _Turn:
    """Bill the next family alone; a failure is noted and keeps to itself."""
    with scope(actor.tenant_id):
        family = _waiting(actor, run.id).order_by("position", "id").first()
    if family is None:
        return _Turn()
    try:
        return _bill_next(actor, run, today=today, now=now, limit=1, only=family.id)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("run.family_failed", extra={"run": run.id, "root": family.root_id})
        code = error.code if isinstance(error, BillingError) else "internal_error"
        set_aside(actor, family, Problem(code, family.root_id))
        return _Turn(1)


def _waiting(actor: Actor, run_id: UUID) -> QuerySet[RunFamily]:
    return RunFamily.objects.filter(
        tenant_id=actor.tenant_id, run_id=run_id, status=RunFamily.Status.WAITING
    )


@operation
def _bill_next(
    actor: Actor,
    run: BillingRun,
    *,
    today: date,
    now: datetime,
    limit: int,
    only: UUID | None = None,
) -> _Turn:
    """Claim some families and take them all the way; one transaction."""
    wanted = {"tenant": actor.tenant_id, "run": run.id, "limit": limit, "only": only}
    claims = list(RunFamily.objects.raw(_CLAIM, wanted))
    turn = _Turn(len(claims))
    if not claims:
        return turn
    groups: dict[tuple[UUID | None, bool, bool, Requester | None], list[RunFamily]] = {}
    for claim in claims:
        asker = Requester.read(claim.requested_by)
        groups.setdefault((claim.within_id, claim.issues, claim.approves, asker), []).append(claim)
    for (within, issues, approves, asker), group in groups.items():
        doer = actor.acting_for(asker)
        if approves:
            turn.add(issue_approved(doer, run, group, today=today, now=now), set())
        else:
            billed = bill_families(doer, run, group, within, issues, now)
            turn.add(billed.invoice_ids, billed.taken_from)
    with connection.cursor() as cursor:
        cursor.execute(
            _DONE,
            [RunFamily.Status.DONE.value, actor.tenant_id, [str(claim.id) for claim in claims]],
        )
    return turn


_CLAIM: Final = """
    SELECT * FROM invoicing_runfamily
    WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND status = 'waiting'
    AND (%(only)s::uuid IS NULL OR id = %(only)s)
    ORDER BY position, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_DONE: Final = """
    UPDATE invoicing_runfamily SET status = %s, done_at = statement_timestamp()
    WHERE tenant_id = %s AND id = ANY(%s::uuid[])
"""
