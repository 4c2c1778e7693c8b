"""Trees that are billed together, because something on their way to a document stood elsewhere."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db import connection

from tenancy.actor import Actor

# What waits from before a move is invoiced by the path of its own days (R21), which may lie in
# another tree now; and a draft that stays with its recipient may hold charges of accounts that
# have moved away. A credit for a certain recipient is taken from what that one is invoiced. What is
# metered and not charged yet for days before a move may be charged with a pool of that tree; and
# what is made good of a pool is for all who were in it, wherever they stand now.
_JOINED: Final = """SELECT joined.account_id FROM (
    WITH own AS MATERIALIZED (
        SELECT DISTINCT tree_id FROM accounts_accountnode
        WHERE tenant_id = %(tenant)s AND account_id = ANY(%(ids)s::uuid[])
    ), moved AS MATERIALIZED (
        SELECT node.tree_id, node.lft, node.rght, above.tree_id AS other, placement.valid_to
        FROM accounts_placement AS placement
        JOIN accounts_accountnode AS node
            ON node.tenant_id = placement.tenant_id AND node.account_id = placement.account_id
        JOIN accounts_accountnode AS above
            ON above.tenant_id = placement.tenant_id AND above.account_id = placement.parent_id
        WHERE placement.tenant_id = %(tenant)s AND placement.valid_to IS NOT NULL
        AND node.tree_id IN (SELECT tree_id FROM own) AND above.tree_id <> node.tree_id
    ), credits AS MATERIALIZED (
        SELECT DISTINCT account_id, bill_to_id, payer_id FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND status = 'pending' AND bill_to_id IS NOT NULL
    ), uncharged AS MATERIALIZED (
        SELECT node.tree_id AS stands, above.tree_id AS stood
        FROM accounts_placement AS placement
        JOIN accounts_accountnode AS node
            ON node.tenant_id = placement.tenant_id AND node.account_id = placement.account_id
        JOIN accounts_accountnode AS above
            ON above.tenant_id = placement.tenant_id AND above.account_id = placement.parent_id
        WHERE placement.tenant_id = %(tenant)s AND placement.valid_to IS NOT NULL
        AND above.tree_id <> node.tree_id
        AND (node.tree_id IN (SELECT tree_id FROM own)
            OR above.tree_id IN (SELECT tree_id FROM own))
        AND EXISTS (SELECT FROM subscriptions_usagepool WHERE tenant_id = %(tenant)s)
        AND EXISTS (
            SELECT FROM accounts_accountnode AS below
            JOIN subscriptions_item AS item
                ON item.tenant_id = %(tenant)s AND item.account_id = below.account_id
            JOIN subscriptions_price AS price
                ON price.tenant_id = %(tenant)s AND price.id = item.price_id
            LEFT JOIN subscriptions_period AS period ON period.tenant_id = %(tenant)s
                AND period.item_id = item.id AND period.ends = item.chain_end
            WHERE below.tenant_id = %(tenant)s AND below.tree_id = node.tree_id
            AND below.lft BETWEEN node.lft AND node.rght
            AND (price.meter_id IS NOT NULL OR item.terms_since IS NOT NULL)
            AND COALESCE(period.starts, item.next_action_date) < placement.valid_to
            AND item.next_action_date IS NOT NULL
        )
    ), made_good AS MATERIALIZED (
        SELECT DISTINCT share.pool_id, share.starts FROM own
        JOIN accounts_accountnode AS node
            ON node.tenant_id = %(tenant)s AND node.tree_id = own.tree_id
        JOIN subscriptions_item AS item
            ON item.tenant_id = %(tenant)s AND item.account_id = node.account_id
        JOIN subscriptions_lateusage AS late
            ON late.tenant_id = %(tenant)s AND late.item_id = item.id
        JOIN subscriptions_poolshare AS share ON share.tenant_id = %(tenant)s
            AND share.item_id = late.item_id AND share.period_id = late.period_id
        WHERE EXISTS (SELECT FROM subscriptions_usagepool WHERE tenant_id = %(tenant)s)
    ), others AS (
        SELECT moved.other AS tree_id FROM moved
        JOIN accounts_accountnode AS below ON below.tenant_id = %(tenant)s
            AND below.tree_id = moved.tree_id AND below.lft BETWEEN moved.lft AND moved.rght
        WHERE EXISTS (
            SELECT FROM invoicing_charge AS charge
            WHERE charge.tenant_id = %(tenant)s AND charge.account_id = below.account_id
            AND charge.status = 'pending' AND charge.invoice_on < moved.valid_to
        ) OR EXISTS (
            SELECT FROM subscriptions_item AS item
            WHERE item.tenant_id = %(tenant)s AND item.account_id = below.account_id
            AND item.next_action_date < moved.valid_to
        )
        UNION
        SELECT stands.tree_id FROM own
        JOIN accounts_accountnode AS recipient
            ON recipient.tenant_id = %(tenant)s AND recipient.tree_id = own.tree_id
        JOIN invoicing_invoice AS draft ON draft.tenant_id = %(tenant)s
            AND draft.bill_to_id = recipient.account_id AND draft.status = 'to_approve'
        JOIN invoicing_invoicesection AS section
            ON section.tenant_id = %(tenant)s AND section.invoice_id = draft.id
        JOIN accounts_accountnode AS stands
            ON stands.tenant_id = %(tenant)s AND stands.account_id = section.account_id
        WHERE stands.tree_id <> own.tree_id
        UNION
        SELECT party.tree_id FROM credits
        JOIN accounts_accountnode AS party ON party.tenant_id = %(tenant)s
            AND party.account_id IN (credits.account_id, credits.bill_to_id, credits.payer_id)
        WHERE party.tree_id NOT IN (SELECT tree_id FROM own) AND EXISTS (
            SELECT FROM own JOIN accounts_accountnode AS mine
                ON mine.tenant_id = %(tenant)s AND mine.tree_id = own.tree_id
            WHERE mine.account_id IN (credits.account_id, credits.bill_to_id)
        )
        UNION
        SELECT stood FROM uncharged
        UNION
        SELECT stands FROM uncharged
        UNION
        SELECT node.tree_id FROM made_good
        JOIN subscriptions_poolshare AS mate ON mate.tenant_id = %(tenant)s
            AND mate.pool_id = made_good.pool_id AND mate.starts = made_good.starts
        JOIN subscriptions_item AS item ON item.tenant_id = %(tenant)s AND item.id = mate.item_id
        JOIN accounts_accountnode AS node
            ON node.tenant_id = %(tenant)s AND node.account_id = item.account_id
        UNION
        SELECT node.tree_id FROM made_good
        JOIN subscriptions_usagepool AS pool
            ON pool.tenant_id = %(tenant)s AND pool.id = made_good.pool_id
        JOIN accounts_accountnode AS node
            ON node.tenant_id = %(tenant)s AND node.account_id = pool.account_id
    )
    SELECT DISTINCT root.account_id FROM others
    JOIN accounts_accountnode AS root ON root.tenant_id = %(tenant)s
        AND root.tree_id = others.tree_id AND root.parent_id IS NULL
    WHERE others.tree_id NOT IN (SELECT tree_id FROM own)
    ) AS joined"""


# Asked by itself: to plan the other one takes longer than to answer this.
_HAS_ANYBODY_MOVED: Final = """SELECT EXISTS (
    SELECT FROM accounts_placement WHERE tenant_id = %(tenant)s AND valid_to IS NOT NULL
) OR EXISTS (
    SELECT FROM invoicing_charge
    WHERE tenant_id = %(tenant)s AND status = 'pending' AND bill_to_id IS NOT NULL)"""


def joined_with(actor: Actor, account_ids: Iterable[UUID]) -> set[UUID]:
    """Return the roots of other trees that those of some accounts are billed together with.

    One statement where nobody ever moved and nothing is credited to a certain recipient; else one
    more, and one for each step from tree to tree.

    Args:
        actor: whose tenant.
        account_ids: accounts of the trees asked for.

    Source: docs/billing-rules.md, R21.
    """
    known: set[UUID] = set(account_ids)
    found: set[UUID] = set()
    asked = known if _has_anybody_moved(actor) else set()
    while asked:
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                "tenant": actor.tenant_id,
                "ids": [str(key) for key in asked],
            }
            cursor.execute(_JOINED, values)
            asked = {key for (key,) in cursor.fetchall()} - found - known
        found |= asked
    return found


def _has_anybody_moved(actor: Actor) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_HAS_ANYBODY_MOVED, {"tenant": actor.tenant_id})
        return bool(cursor.fetchone()[0])
