"""A run beside the one before: what is new, gone, or changed much."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from accounts import access
from accounts.access import Action
from accounts.actor import Actor
from invoicing.models import BillingRun

CHANGES_SHOWN = 10
NOTABLE_PERCENT = 20


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
