"""Changes: nothing is forgotten, and no more is taken back than was charged."""

from invoicing.queries.invariants.invariant import Invariant, counted

# The days of periods that are not charged, for their item is paused, absent or free then.
_UNCHARGED = """
    WITH terms AS (
        SELECT item_id, uncharged, until AS ends,
            lag(until) OVER (PARTITION BY item_id ORDER BY until) AS starts
        FROM subscriptions_earlierterms WHERE tenant_id = %(tenant)s
        UNION ALL
        SELECT id, uncharged, NULL, terms_since
        FROM subscriptions_item WHERE tenant_id = %(tenant)s AND uncharged > ''
    ), uncharged AS (
        SELECT period.id AS period_id,
            sum(LEAST(period.ends, subscription.end_date, terms.ends)
                - GREATEST(period.starts, terms.starts)) AS days
        FROM terms JOIN subscriptions_item AS item
            ON item.tenant_id = %(tenant)s AND item.id = terms.item_id
        JOIN subscriptions_subscription AS subscription
            ON subscription.tenant_id = %(tenant)s AND subscription.id = item.subscription_id
        JOIN subscriptions_period AS period
            ON period.tenant_id = %(tenant)s AND period.item_id = terms.item_id
            AND LEAST(period.ends, subscription.end_date, terms.ends)
                > GREATEST(period.starts, terms.starts)
        WHERE terms.uncharged > '' GROUP BY period.id
    )
"""

OF_CHANGES = (
    Invariant(
        "charged",
        counted("subscriptions_period"),
        f"""
        {_UNCHARGED}
        SELECT period.id, 'a period that fell due was never charged'
        FROM subscriptions_period AS period
        JOIN subscriptions_item AS item
            ON item.tenant_id = period.tenant_id AND item.id = period.item_id
        JOIN subscriptions_price AS price
            ON price.tenant_id = item.tenant_id AND price.id = item.price_id
        JOIN subscriptions_subscription AS subscription
            ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
            AND (subscription.end_date IS NULL OR subscription.end_date > period.starts)
        LEFT JOIN uncharged ON uncharged.period_id = period.id
        WHERE period.tenant_id = %(tenant)s
        AND COALESCE(uncharged.days, 0)
            < LEAST(period.ends, subscription.end_date) - period.starts
        AND (price.timing = 'advance' OR period.ends < item.chain_end
            OR item.next_action_date IS NULL)
        AND NOT EXISTS (
            SELECT FROM invoicing_charge AS charge WHERE charge.tenant_id = %(tenant)s
            AND charge.item_id = period.item_id AND charge.period_id = period.id
            AND charge.kind = 'recurring')
        """,  # noqa: S608 - what is put in is constant
    ),
    Invariant(
        "days",
        counted("subscriptions_period"),
        f"""
        {_UNCHARGED}
        SELECT min(charge.period_id::text)::uuid, 'not each day of this period is charged once'
        FROM invoicing_charge AS charge
        JOIN subscriptions_period AS period
            ON period.tenant_id = charge.tenant_id AND period.id = charge.period_id
        JOIN subscriptions_item AS item
            ON item.tenant_id = period.tenant_id AND item.id = period.item_id
        JOIN subscriptions_subscription AS subscription
            ON subscription.tenant_id = item.tenant_id AND subscription.id = item.subscription_id
        LEFT JOIN uncharged ON uncharged.period_id = period.id
        WHERE charge.tenant_id = %(tenant)s
        GROUP BY charge.period_id HAVING
            sum((charge.period_end - charge.period_start)
                * CASE charge.kind WHEN 'credit' THEN -1 ELSE 1 END)
            <> min(GREATEST(0, LEAST(period.ends, subscription.end_date) - period.starts)
                - COALESCE(uncharged.days, 0))
        """,  # noqa: S608 - what is put in is constant
    ),
    Invariant(
        "credited",
        counted("invoicing_charge", "kind = 'credit'"),
        """
        SELECT charge.id, 'more is taken back than was charged'
        FROM invoicing_charge AS charge JOIN (
            SELECT credited_id, sum(net_minor) AS net FROM invoicing_charge
            WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
        ) AS credits ON credits.credited_id = charge.id
        WHERE charge.tenant_id = %(tenant)s AND charge.net_minor + credits.net < 0
        UNION ALL
        SELECT credit.id, 'it is for another item, period or subscription than what it takes back'
        FROM invoicing_charge AS credit JOIN invoicing_charge AS charge
            ON charge.tenant_id = credit.tenant_id AND charge.id = credit.credited_id
        WHERE credit.tenant_id = %(tenant)s AND credit.kind = 'credit'
        AND (credit.item_id, credit.period_id, credit.subscription_id)
            IS DISTINCT FROM (charge.item_id, charge.period_id, charge.subscription_id)
        """,
    ),
    Invariant(
        "offset",
        counted("invoicing_charge", "status = 'offset'"),
        """
        SELECT charge.id, 'it was taken back before invoicing, and stands on a document'
        FROM invoicing_charge AS charge JOIN invoicing_invoiceline AS line
            ON line.tenant_id = charge.tenant_id AND line.charge_id = charge.id
        WHERE charge.tenant_id = %(tenant)s AND charge.status = 'offset'
        UNION ALL
        SELECT root, 'what was taken back before invoicing is not a charge and all its credits'
        FROM (
            SELECT COALESCE(credited_id, id) AS root, net_minor, status,
                (period_end - period_start) * CASE kind WHEN 'credit' THEN -1 ELSE 1 END AS days,
                reason->'bill_to'->>'id' AS bill_to, reason->'payer'->>'id' AS payer
            FROM invoicing_charge WHERE tenant_id = %(tenant)s
            AND COALESCE(credited_id, id) IN (
                SELECT COALESCE(credited_id, id) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND status = 'offset')
        ) AS charge GROUP BY root
        HAVING bool_or(status <> 'offset') OR sum(net_minor) <> 0 OR sum(days) <> 0
            OR min(bill_to) <> max(bill_to) OR min(payer) <> max(payer)
        """,
    ),
    Invariant(
        "transferred",
        counted("invoicing_charge", "revision > 0 AND calculation->'taken_over' IS NOT NULL"),
        """
        SELECT charge.id, 'what is credited is not what another is charged'
        FROM (
            SELECT id, item_id, revision, period_start, period_end, net_minor
            FROM invoicing_charge WHERE tenant_id = %(tenant)s AND kind = 'recurring'
            AND revision > 0 AND calculation->'taken_over' IS NOT NULL
        ) AS charge LEFT JOIN (
            SELECT id, item_id, revision, period_start, period_end, net_minor
            FROM invoicing_charge WHERE tenant_id = %(tenant)s AND bill_to_id IS NOT NULL
        ) AS credit USING (item_id, revision, period_start, period_end)
        WHERE charge.net_minor + credit.net_minor IS DISTINCT FROM 0
        """,
    ),
)
