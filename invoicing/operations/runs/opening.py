"""Opening a run, or joining the one that exists for the date, and queueing its families."""

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateField, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.access import Action
from accounts.models import Seller
from accounts.queries.accounts import get_account
from invoicing.models import BillingRun, DocumentKind, NumberSeries, RunFamily
from invoicing.operations.runs.closing import close_run
from invoicing.operations.runs.four_eyes import require_four_eyes
from invoicing.queries.concerned_trees import CONCERNED_TREES
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.prepared import Given, Prepared
from tenancy.errors import Invalid
from tenancy.events import Happening, record_event
from tenancy.files import EARLIEST, LATEST
from tenancy.ids import public_id, uuid7
from tenancy.models import Tenant
from tenancy.queries.tenants import own_tenant


class RunRefused(Invalid):
    """A run can't be for this date."""

    code = "run_refused"


class RunDateOutOfRange(RunRefused):
    """A date that no subscription can have."""

    code = "date_out_of_range"
    message = _("A run's date lies between %(earliest)s and %(latest)s.")


class RunDateInFuture(RunRefused):
    """A live tenant is never billed ahead (R6)."""

    code = "run_date_in_future"
    message = _("A live tenant cannot be billed for %(date)s: today is %(today)s.")


class RunDateBeforeLastIssue(RunRefused):
    """Numbers rise with the date of issue (R6)."""

    code = "run_date_before_last_issue"
    message = _("An invoice was issued on %(last)s already; a run cannot be for %(date)s.")


# Whoever joins a run takes nothing back: what waits to be issued for somebody else stays so, and
# in their name.
_QUEUE = f"""{CONCERNED_TREES}
    INSERT INTO invoicing_runfamily
        (id, tenant_id, run_id, root_id, within_id, issues, requested_by, position, status)
    SELECT gen_random_uuid(), %(tenant)s, %(run)s, root.account_id, %(within)s, %(issue)s,
        %(by)s::jsonb, account.sort_key, 'waiting'
    FROM trees
    JOIN accounts_accountnode AS root
        ON root.tenant_id = %(tenant)s AND root.tree_id = trees.tree_id AND root.parent_id IS NULL
    JOIN accounts_account AS account
        ON account.tenant_id = root.tenant_id AND account.id = root.account_id
    ORDER BY root.account_id
    ON CONFLICT (tenant_id, run_id, root_id, within_id)
    DO UPDATE SET status = 'waiting', approves = false, issues = EXCLUDED.issues OR (
        invoicing_runfamily.issues AND invoicing_runfamily.status = 'waiting'),
        requested_by = CASE
            WHEN invoicing_runfamily.status = 'waiting'
                AND (invoicing_runfamily.issues OR NOT EXCLUDED.issues)
            THEN invoicing_runfamily.requested_by ELSE EXCLUDED.requested_by END
"""  # noqa: S608 - our own text

# Whoever asks twice for the same stands there once. A row that this statement made was not there
# before it, which is what ``xmax`` tells.
_OPEN = """
    INSERT INTO invoicing_billingrun AS run
        (id, tenant_id, date, status, started_at, started_by, requested_by)
    VALUES (%(id)s, %(tenant)s, %(date)s, %(status)s, %(started_at)s, %(started_by)s,
        jsonb_build_array(%(who)s::jsonb || jsonb_build_object('at', %(at)s::text)))
    ON CONFLICT (tenant_id, date) DO UPDATE SET requested_by = run.requested_by || CASE
        WHEN run.requested_by @> jsonb_build_array(%(who)s::jsonb - 'request_id')
        THEN '[]'::jsonb ELSE EXCLUDED.requested_by END
    RETURNING run.*, run.xmax = 0 AS is_new
"""


@operation
def request_run(
    actor: Actor,
    *,
    run_date: date,
    within: UUID | None,
    issue: bool,
    today: date,
    now: datetime,
) -> BillingRun:
    """Open the run for a date, or join it, and queue every family with something to do.

    A run that finds nothing to do is done at once.

    Args:
        actor: who asks.
        run_date: everything due up to this day is taken; it becomes the date of issue.
        within: only accounts of this subtree; None for all.
        issue: whether drafts are issued at once.
        today: the tenant's date.
        now: the instant, for the audit trail.

    Raises:
        Forbidden: the actor may not run billing, or not issue.
        FourEyes: the actor would issue what nobody else has seen, and the tenant wants two.
        NotFound: there is no such account.
        RunDateOutOfRange, RunDateInFuture, RunDateBeforeLastIssue: see their texts.

    Source: docs/billing-rules.md, R4, R6, R8, R25.
    """
    issues = require_startable(actor, run_date=run_date, within=within, issue=issue, today=today)
    run = _open(actor, run_date, within=within, issue=issues, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE,
            {
                "tenant": actor.tenant_id,
                "run": run.id,
                "within": within,
                "issue": issues,
                "date": run_date,
                "by": json.dumps(actor.requester.stored()),
            },
        )
        is_busy = cursor.rowcount > 0
    status = _status(issues)
    if is_busy and (run.status != status or run.finished_at is not None):
        BillingRun.objects.filter(tenant_id=actor.tenant_id, pk=run.pk).update(
            status=status, finished_at=None
        )
        run.status, run.finished_at = status, None
    elif not is_busy and run.finished_at is None and not _has_queue(actor, run):
        run = close_run(actor, run.id, now=now)
    return run


def require_startable(
    actor: Actor, *, run_date: date, within: UUID | None, issue: bool, today: date
) -> bool:
    """Return whether a run that these may start would issue; stores nothing.

    Args and Raises:
        As ``request_run``.
    """
    access.require_everywhere(actor, Action.RUN_BILLING)
    if issue:
        access.require_everywhere(actor, Action.ISSUE_INVOICE)
    if within is not None:
        get_account(actor, within)
    tenant = own_tenant(actor)
    _require_date(actor, tenant, run_date, today)
    issues = issue or not tenant.approval_required
    if issues:
        require_four_eyes(actor, tenant, [actor.requester.stored()])
    return issues


def _has_queue(actor: Actor, run: BillingRun) -> bool:
    """Return whether somebody still works on the run for somebody else."""
    return bool(_QUEUED.rows(tenant=actor.tenant_id, run=run.id))


_QUEUED = Prepared(
    lambda: RunFamily.objects.filter(
        tenant_id=Given("tenant"), run_id=Given("run"), status=RunFamily.Status.WAITING
    ).values_list("id")[:1]
)


def _status(issues: bool) -> BillingRun.Status:
    """Return where a run stands while its families are worked on."""
    return BillingRun.Status.ISSUING if issues else BillingRun.Status.DRAFTING


def _open(
    actor: Actor, run_date: date, *, within: UUID | None, issue: bool, now: datetime
) -> BillingRun:
    """Return the run of a date, made if there was none.

    Who asked for it or joined it is written down, beside it and in the audit trail.
    """
    values: dict[str, Any] = {
        "id": uuid7(),
        "tenant": actor.tenant_id,
        "date": run_date,
        "status": _status(issue).value,
        "started_at": now,
        "started_by": actor.label,
        "who": json.dumps({**actor.requester.stored(), "issue": issue}),
        "at": now.isoformat(),
    }
    run: BillingRun = BillingRun.objects.raw(_OPEN, values)[0]
    is_new: bool = run.is_new  # type: ignore[attr-defined]  # a column of the statement alone
    after = {
        "date": run.date.isoformat(),
        "issue": issue,
        "within": None if within is None else public_id("acc", within),
    }
    data = {name: value for name, value in after.items() if value is not None}
    happening = (
        Happening("run.requested", run.id, within, after=after, data=data)
        if is_new
        else Happening("run.joined", run.id, within, after=after)
    )
    record_event(actor, happening, now=now)
    return run


def _require_date(actor: Actor, tenant: Tenant, run_date: date, today: date) -> None:
    if not EARLIEST <= run_date < LATEST:
        raise RunDateOutOfRange(earliest=EARLIEST, latest=LATEST)
    if not tenant.is_sandbox and run_date > today:
        raise RunDateInFuture(date=run_date, today=today)
    found = [last for (last,) in _GONE_ON.rows(tenant=actor.tenant_id, day=run_date)]
    # Sellers whose series has not come that far can still issue; the run names the others.
    gone_on = [last for last in found if last is not None]
    if len(gone_on) == len(found):
        raise RunDateBeforeLastIssue(last=max(gone_on, default=None), date=run_date)


def _sellers_gone_on() -> QuerySet[Seller, Any]:
    """Return for each seller the last date of issue after a day, None where there is none."""
    later = NumberSeries.objects.filter(
        tenant_id=Given("tenant"),
        seller=OuterRef("pk"),
        kind=DocumentKind.INVOICE,
        last_issue_date__gt=Given("day", DateField()),
    )
    last = later.order_by("-last_issue_date").values("last_issue_date")[:1]
    sellers = Seller.objects.filter(tenant_id=Given("tenant")).annotate(last=Subquery(last))
    return sellers.values_list("last")


_GONE_ON = Prepared(_sellers_gone_on)
