"""The trees that a run for a day concerns, before it is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connection

from invoicing.engine.reading_charges import ON_NO_DOCUMENT
from tenancy.actor import Actor

# A tree has a place in the queue when something of it falls due, was used late, waits, or stands
# on a draft of this day's run; and when a run that issues finds drafts of an earlier one. Then all
# its drafts up to the run's date are placed again by what holds now (R21, R27). A run that only
# drafts leaves a tree alone for which it has nothing new: else every night would move what
# somebody is looking at.
# Each step is computed once and by key, so that the plan does not hang on statistics that a big
# import has just made wrong. Asks for ``tenant``, ``date``, ``within`` and ``issue``.
CONCERNED_TREES: Final = f"""
    WITH concerned AS MATERIALIZED (
        SELECT item.account_id FROM subscriptions_item AS item
        WHERE item.tenant_id = %(tenant)s AND item.next_action_date <= %(date)s
        UNION
        SELECT item.account_id FROM subscriptions_lateusage AS late
        JOIN subscriptions_item AS item ON item.tenant_id = late.tenant_id
            AND item.id = late.item_id
        WHERE late.tenant_id = %(tenant)s
        UNION
        SELECT account_id FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND status = 'pending'
        AND (NOT is_held OR held_until <= %(date)s)
        AND invoice_on <= %(date)s AND {ON_NO_DOCUMENT}
        UNION
        SELECT invoice.bill_to_id FROM invoicing_invoice AS invoice
        WHERE invoice.tenant_id = %(tenant)s AND invoice.status = 'to_approve'
        AND (
            SELECT run.date = %(date)s OR %(issue)s AND run.date < %(date)s
            FROM invoicing_billingrun AS run
            WHERE run.tenant_id = invoice.tenant_id AND run.id = invoice.run_id
        )
    ), trees AS MATERIALIZED (
        SELECT DISTINCT node.tree_id FROM concerned
        JOIN accounts_accountnode AS node
            ON node.tenant_id = %(tenant)s AND node.account_id = concerned.account_id
        LEFT JOIN accounts_accountnode AS top
            ON top.tenant_id = node.tenant_id AND top.account_id = %(within)s
        WHERE %(within)s IS NULL OR (
            node.tree_id = top.tree_id AND node.lft >= top.lft AND node.rght <= top.rght)
    )
"""  # noqa: S608 - our own text

# In the run's order.
_CONCERNED: Final = f"""{CONCERNED_TREES}
    SELECT root_id, size, trees FROM (
        SELECT root.account_id AS root_id, (root.rght - root.lft + 1) / 2 AS size,
            count(*) OVER () AS trees,
            row_number() OVER (ORDER BY account.sort_key, account.id) AS place
        FROM trees
        JOIN accounts_accountnode AS root ON root.tenant_id = %(tenant)s
            AND root.tree_id = trees.tree_id AND root.parent_id IS NULL
        JOIN accounts_account AS account
            ON account.tenant_id = root.tenant_id AND account.id = root.account_id
    ) AS queue
    WHERE place > %(after)s AND place <= %(until)s
    AND (%(only)s::uuid[] IS NULL OR root_id = ANY(%(only)s::uuid[]))
    ORDER BY place
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class ConcernedTrees:
    """The trees that a run concerns, in its order."""

    actor: Actor
    run_date: date
    within: UUID | None
    issue: bool

    def after(self, done: int, count: int) -> tuple[list[tuple[UUID, int]], int]:
        """Return the next ``count`` trees, each with its size, and how many there are in all."""
        rows = self._read(done, done + count, None)
        return [(root, size) for root, size, _all in rows], rows[0][2] if rows else done

    def done_of(self, root_ids: Iterable[UUID], done: int) -> set[UUID]:
        """Return which of these trees are among the first ``done``."""
        return {root for root, _size, _all in self._read(0, done, [str(key) for key in root_ids])}

    def _read(self, after: int, until: int, only: list[str] | None) -> list[Any]:
        values: dict[str, Any] = {
            "tenant": self.actor.tenant_id, "date": self.run_date, "within": self.within,
            "issue": self.issue, "after": after, "until": until, "only": only,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_CONCERNED, values)
            rows: list[Any] = cursor.fetchall()
        return rows
