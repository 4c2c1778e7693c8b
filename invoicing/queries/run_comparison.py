"""A run beside what was billed before: each recipient beside its own previous document."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import access
from accounts.access import Action
from invoicing.models import BillingRun
from tenancy.actor import Actor
from tenancy.ids import public_id

CHANGES_SHOWN = 10
NOTABLE_PERCENT = 20
LOOKS_BACK_DAYS = 400
"""A little more than a year; who got nothing for longer is new."""


@dataclass(frozen=True, slots=True)
class RunChange:
    """One recipient beside its previous document of the same seller and currency.

    ``before_minor`` or ``after_minor`` is None where there is no such document; ``before_on`` is
    the date of the run that made the previous one.
    """

    account_id: UUID
    name: str
    currency: str
    before_minor: int | None
    after_minor: int | None
    before_on: date | None = None
    external_id: str | None = None

    @property
    def public_id(self) -> str:
        """The recipient's id as integrators see it."""
        return public_id("acc", self.account_id)

    @property
    def difference_minor(self) -> int:
        """What it is more than before."""
        return (self.after_minor or 0) - (self.before_minor or 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run beside what came before: sums by currency, and who is new, gone or changed most."""

    sums: dict[str, tuple[int, int]]
    new: int
    gone: int
    changed: int
    top: tuple[RunChange, ...]


# What one recipient gets from one seller in one currency is compared with what it got the last time
# that it got anything, however long ago: a yearly invoice with the one a year before. Gone is who
# should have got something by now: what was billed in advance is through, what was billed in
# arrears is through once more (months differ by three days). It is said of the first run after
# that alone. A run that was limited to subtrees is compared within them.
_COMPARE = """
    WITH last_run AS (
        SELECT max(run.date) AS date FROM invoicing_billingrun AS run
        WHERE run.tenant_id = %(tenant)s AND run.date < %(date)s AND EXISTS (
            SELECT FROM invoicing_invoice AS invoice
            WHERE invoice.tenant_id = run.tenant_id AND invoice.run_id = run.id)
    ), limits AS (
        SELECT DISTINCT top.tree_id, top.lft, top.rght
        FROM invoicing_runfamily AS family JOIN accounts_accountnode AS top
            ON top.tenant_id = family.tenant_id AND top.account_id = family.within_id
        WHERE family.tenant_id = %(tenant)s AND family.run_id = %(run)s AND NOT EXISTS (
            SELECT FROM invoicing_runfamily AS whole WHERE whole.tenant_id = family.tenant_id
                AND whole.run_id = family.run_id AND whole.within_id IS NULL)
    ), now AS (
        SELECT bill_to_id, seller_id, currency, sum(net_minor) AS net
        FROM invoicing_invoice WHERE tenant_id = %(tenant)s AND run_id = %(run)s GROUP BY 1, 2, 3
    ), documents AS (
        SELECT invoice.bill_to_id, invoice.seller_id, invoice.currency, run.date,
            invoice.net_minor, invoice.period_end,
            invoice.period_end - invoice.period_start AS days,
            max(run.date) OVER (
                PARTITION BY invoice.bill_to_id, invoice.seller_id, invoice.currency) AS latest
        FROM invoicing_billingrun AS run JOIN invoicing_invoice AS invoice
            ON invoice.tenant_id = run.tenant_id AND invoice.run_id = run.id
        WHERE run.tenant_id = %(tenant)s AND run.date < %(date)s
        AND run.date >= %(date)s::date - %(reach)s
    ), before AS (
        SELECT bill_to_id, seller_id, currency, date, sum(net_minor) AS net,
            max(period_end + CASE WHEN period_end <= date THEN days ELSE 0 END) AS expected
        FROM documents WHERE date = latest GROUP BY 1, 2, 3, 4
    ), pairs AS (
        SELECT bill_to_id, currency, before.date, before.net AS before, now.net AS after
        FROM now FULL JOIN before USING (bill_to_id, seller_id, currency) CROSS JOIN last_run
        WHERE now.net IS NOT NULL
        OR before.expected - 3 <= %(date)s AND (
            before.expected - 3 > last_run.date OR before.date = last_run.date)
    )
    SELECT pairs.date, pairs.bill_to_id, account.name, account.external_id, pairs.currency,
        pairs.before, pairs.after
    FROM pairs CROSS JOIN last_run JOIN accounts_account AS account
        ON account.tenant_id = %(tenant)s AND account.id = pairs.bill_to_id
    WHERE last_run.date IS NOT NULL AND (NOT EXISTS (SELECT FROM limits) OR EXISTS (
        SELECT FROM limits JOIN accounts_accountnode AS node
            ON node.tree_id = limits.tree_id AND node.lft BETWEEN limits.lft AND limits.rght
        WHERE node.tenant_id = %(tenant)s AND node.account_id = pairs.bill_to_id))
    ORDER BY abs(coalesce(pairs.after, 0) - coalesce(pairs.before, 0)) DESC, account.sort_key,
        account.id, pairs.currency
"""


def comparison_of(actor: Actor, run: BillingRun) -> Comparison | None:
    """Return each recipient of a run beside its previous document; None before the first run.

    One statement.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    values: dict[str, Any] = {
        "tenant": actor.tenant_id, "date": run.date, "run": run.pk, "reach": LOOKS_BACK_DAYS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, values)
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
            day,
            external_id,
        )
        for day, account_id, name, external_id, currency, before, after in rows
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
