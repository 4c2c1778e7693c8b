"""Figures of runs for those who watch, judge and approve them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Coalesce, RowNumber

from accounts import access, tree
from accounts.access import Action
from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Account, SettingName
from accounts.queries.settings import settings_of
from invoicing.models import BillingRun, Invoice, RunFamily, RunProblem
from invoicing.queries.runs import get_run, runs
from subscriptions.models import Item

CHANGES_SHOWN = 10
NOTABLE_PERCENT = 20


@dataclass(frozen=True, slots=True)
class RunSum:
    """What the documents of a run add up to in one currency, in minor units."""

    currency: str
    count: int
    net_minor: int
    gross_minor: int
    drafts: int
    draft_net_minor: int
    draft_gross_minor: int


@dataclass(frozen=True, slots=True)
class RunChange:
    """One bill-to beside the run before: ``before_minor`` or ``after_minor`` None if not there."""

    account_id: UUID
    name: str
    currency: str
    before_minor: int | None
    after_minor: int | None

    @property
    def difference_minor(self) -> int:
        """What it is more than before."""
        return (self.after_minor or 0) - (self.before_minor or 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside the one before: sums by currency, and who is new, gone or changed most."""

    previous_date: date
    sums: dict[str, tuple[int, int]]
    new: int
    gone: int
    changed: int
    top: tuple[RunChange, ...]


@dataclass(frozen=True, slots=True)
class NextNumbers:
    """The numbers that the drafts of one seller will get."""

    seller: str
    count: int
    first: str
    last: str


def problem_counts(actor: Actor, run_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return how many problems and warnings each run has. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    rows = (
        RunProblem.objects.filter(tenant_id=actor.tenant_id, run_id__in=list(run_ids))
        .order_by("run_id")
        .values_list("run_id")
        .annotate(
            problems=Count("id", filter=Q(severity=RunProblem.Severity.PROBLEM)),
            warnings=Count("id", filter=Q(severity=RunProblem.Severity.WARNING)),
        )
    )
    return {run_id: (problems, warnings) for run_id, problems, warnings in rows}


def sums_of(actor: Actor, run_ids: Iterable[UUID]) -> dict[UUID, list[RunSum]]:
    """Return what each run's documents add up to, by currency. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = Invoice.objects.filter(tenant_id=actor.tenant_id, run_id__in=list(run_ids))
    found: dict[UUID, list[RunSum]] = {}
    for run_id, *values in _summed(invoices, "run_id", "currency"):
        found.setdefault(run_id, []).append(RunSum(*values))
    return found


def sums_of_all(actor: Actor) -> list[RunSum]:
    """Return what the documents of all runs add up to, by currency. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = Invoice.objects.filter(tenant_id=actor.tenant_id, run_id__isnull=False)
    return [RunSum(*row) for row in _summed(invoices, "currency")]


def sums_of_drafts(actor: Actor, run_id: UUID, invoice_ids: Iterable[UUID]) -> list[RunSum]:
    """Return what some drafts of a run add up to, by currency. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    invoices = Invoice.objects.filter(
        tenant_id=actor.tenant_id,
        run_id=run_id,
        pk__in=list(invoice_ids),
        status__in=Invoice.UNISSUED,
    )
    return [RunSum(*row) for row in _summed(invoices, "currency")]


def _summed(found: QuerySet[Invoice], *key: str) -> QuerySet[Any, Any]:
    is_draft = Q(status__in=Invoice.UNISSUED)
    return (
        found.order_by(*key)
        .values_list(*key)
        .annotate(
            count=Count("id"),
            net=Sum("net_minor"),
            gross=Sum("gross_minor"),
            drafts=Count("id", filter=is_draft),
            draft_net=Sum("net_minor", filter=is_draft, default=0),
            draft_gross=Sum("gross_minor", filter=is_draft, default=0),
        )
    )


def get_run_with_progress(actor: Actor, run_id: UUID) -> tuple[BillingRun, int, int]:
    """Return a run, how many of its families are through, and how many there are.

    One statement.

    Raises:
        NotFound: there is none.
        Forbidden: the actor may not see runs.
    """
    families = (
        RunFamily.objects.filter(tenant_id=actor.tenant_id, run_id=OuterRef("pk"))
        .order_by()
        .values("run_id")
        .annotate(count=Count("id"))
    )
    waiting = families.filter(status=RunFamily.Status.WAITING)
    found = runs(actor).annotate(
        total=Coalesce(Subquery(families.values("count")), 0),
        waiting=Coalesce(Subquery(waiting.values("count")), 0),
    )
    run: Any = found.filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run, run.total - run.waiting, run.total


def scopes_of(actor: Actor, run_id: UUID) -> list[UUID | None]:
    """Return the accounts whose subtrees a run is limited to; None for all. One statement."""
    access.require_everywhere(actor, Action.VIEW_RUNS)
    found = (
        RunFamily.objects.filter(tenant_id=actor.tenant_id, run_id=run_id)
        .order_by("within_id")
        .values_list("within_id", flat=True)
        .distinct()
    )
    scopes: list[UUID | None] = list(found)
    return [None] if None in scopes else scopes


def first_problems(actor: Actor, run_id: UUID, *, each: int) -> list[Any]:
    """Return the first problems of every kind, each with ``alike``, its kind's count.

    One statement.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    kind = [F("severity"), F("code")]
    found = RunProblem.objects.filter(tenant_id=actor.tenant_id, run_id=run_id).annotate(
        alike=Window(Count("id"), partition_by=kind),
        place=Window(
            RowNumber(), partition_by=kind, order_by=[F("account__sort_key").asc(), F("id").asc()]
        ),
    )
    return list(
        found.filter(place__lte=each)
        .select_related("account")
        .order_by("severity", "code", "place")
    )


# The run a month before, if there was one that made documents, else the last before. A run that
# was limited to subtrees is compared with what the other billed in them.
_COMPARE = """
    WITH previous AS (
        SELECT run.id, run.date FROM invoicing_billingrun AS run
        WHERE run.tenant_id = %(tenant)s AND run.date < %(date)s AND EXISTS (
            SELECT FROM invoicing_invoice AS invoice
            WHERE invoice.tenant_id = run.tenant_id AND invoice.run_id = run.id)
        ORDER BY run.date = (%(date)s::date - interval '1 month')::date DESC, run.date DESC
        LIMIT 1
    ), limits AS (
        SELECT DISTINCT top.tree_id, top.lft, top.rght
        FROM invoicing_runfamily AS family JOIN accounts_accountnode AS top
            ON top.tenant_id = family.tenant_id AND top.account_id = family.within_id
        WHERE family.tenant_id = %(tenant)s AND family.run_id = %(run)s AND NOT EXISTS (
            SELECT FROM invoicing_runfamily AS whole WHERE whole.tenant_id = family.tenant_id
                AND whole.run_id = family.run_id AND whole.within_id IS NULL)
    ), sums AS (
        SELECT invoice.bill_to_id, invoice.currency,
            sum(net_minor) FILTER (WHERE invoice.run_id = previous.id) AS before,
            sum(net_minor) FILTER (WHERE invoice.run_id = %(run)s) AS after
        FROM previous JOIN invoicing_invoice AS invoice
            ON invoice.tenant_id = %(tenant)s AND invoice.run_id IN (previous.id, %(run)s)
        WHERE NOT EXISTS (SELECT FROM limits) OR EXISTS (
            SELECT FROM limits JOIN accounts_accountnode AS node
                ON node.tree_id = limits.tree_id AND node.lft BETWEEN limits.lft AND limits.rght
            WHERE node.tenant_id = %(tenant)s AND node.account_id = invoice.bill_to_id)
        GROUP BY 1, 2
    )
    SELECT previous.date, sums.bill_to_id, account.name, sums.currency, sums.before, sums.after
    FROM sums CROSS JOIN previous JOIN accounts_account AS account
        ON account.tenant_id = %(tenant)s AND account.id = sums.bill_to_id
    ORDER BY abs(coalesce(sums.after, 0) - coalesce(sums.before, 0)) DESC, account.sort_key,
        account.id, sums.currency
"""


def comparison_of(actor: Actor, run: BillingRun) -> Comparison | None:
    """Return a run beside the one a month before, else the last before; None without any.

    One statement.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, {"tenant": actor.tenant_id, "date": run.date, "run": run.pk})
        rows = cursor.fetchall()
    if not rows:
        return None
    changes = [
        RunChange(
            account_id,
            name,
            currency,
            None if before is None else int(before),
            None if after is None else int(after),
        )
        for _date, account_id, name, currency, before, after in rows
    ]
    sums: dict[str, tuple[int, int]] = {}
    for change in changes:
        before_sum, after_sum = sums.get(change.currency, (0, 0))
        sums[change.currency] = (
            before_sum + (change.before_minor or 0),
            after_sum + (change.after_minor or 0),
        )
    notable = [change for change in changes if _is_notable(change)]
    return Comparison(
        previous_date=rows[0][0],
        sums=sums,
        new=sum(change.before_minor is None for change in notable),
        gone=sum(change.after_minor is None for change in notable),
        changed=sum(None not in (change.before_minor, change.after_minor) for change in notable),
        top=tuple(notable[:CHANGES_SHOWN]),
    )


def _is_notable(change: RunChange) -> bool:
    """Return whether it is new, gone, or differs by more than a fifth."""
    if change.before_minor is None or change.after_minor is None:
        return True
    return abs(change.difference_minor) * 100 > NOTABLE_PERCENT * abs(change.before_minor)


_NEXT = """
    SELECT seller.name, seller.number_format, count(*), coalesce(max(series.last_number), 0)
    FROM invoicing_invoice AS invoice
    JOIN accounts_seller AS seller
        ON seller.tenant_id = invoice.tenant_id AND seller.id = invoice.seller_id
    LEFT JOIN invoicing_numberseries AS series
        ON series.tenant_id = invoice.tenant_id AND series.seller_id = invoice.seller_id
        AND series.year = %(year)s
    WHERE invoice.tenant_id = %(tenant)s AND invoice.run_id = %(run)s
    AND invoice.status IN ('draft', 'to_approve')
    AND (%(ids)s::uuid[] IS NULL OR invoice.id = ANY (%(ids)s::uuid[]))
    GROUP BY seller.id, seller.name, seller.number_format ORDER BY seller.name, seller.id
"""


def next_numbers(
    actor: Actor, run: BillingRun, *, only: Collection[UUID] | None = None
) -> list[NextNumbers]:
    """Return the numbers that issuing a run's drafts, or some of them, would take now.

    One statement.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    values: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "run": run.pk,
        "year": run.date.year,
        "ids": None if only is None else [str(key) for key in only],
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, values)
        rows = cursor.fetchall()
    return [
        NextNumbers(
            name,
            count,
            text.format(year=run.date.year, number=last + 1),
            text.format(year=run.date.year, number=last + count),
        )
        for name, text, count, last in rows
    ]


def due_by(actor: Actor, day: date, *, within: UUID | None) -> tuple[int, int]:
    """Return how many subscription items fall due by a day, and on how many accounts.

    One statement.

    Args:
        actor: who asks.
        day: the date of the run.
        within: only the subtree of this account; None for all.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    items = Item.objects.filter(tenant_id=actor.tenant_id, next_action_date__lte=day)
    if within is not None:
        below = Account.objects.filter(tree.lies_below(actor.tenant_id, [within]))
        items = items.filter(account_id__in=below.filter(tenant_id=actor.tenant_id).values("pk"))
    counts = items.aggregate(items=Count("id"), accounts=Count("account_id", distinct=True))
    return counts["items"], counts["accounts"]


def bill_to_above(actor: Actor, within: UUID, day: date) -> Account | None:
    """Return the account outside of a subtree that the subtree's top is invoiced through.

    A run that keeps to the subtree bills nothing of it then. None where the top is invoiced inside
    of it. Seven statements.

    Raises:
        NotFound: the account is out of the actor's sight.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    bill_to_id = settings_of(actor, within, day)[SettingName.BILL_TO].value
    inside = tree.lies_below(actor.tenant_id, [within])
    found = Account.objects.filter(tenant_id=actor.tenant_id, pk=bill_to_id)
    return found.exclude(inside).first()


def get_run_to_approve(actor: Actor, run_id: UUID) -> BillingRun:
    """Return a run for somebody who may approve it. One statement.

    Raises:
        NotFound: there is none.
        Forbidden: the actor may not issue invoices.
    """
    run = get_run(actor, run_id)
    access.require_everywhere(actor, Action.ISSUE_INVOICE)
    return run
