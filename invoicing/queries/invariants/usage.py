"""Usage: what is charged is what was measured, alone, up to a minimum and together."""

from invoicing.queries.invariants.invariant import Invariant, counted

OF_USAGE = (
    Invariant(
        "used",
        counted("subscriptions_usageday"),
        """
        SELECT COALESCE(known.id, found.id), 'a day and its events do not agree' FROM (
            SELECT min(id::text)::uuid AS id, subscription_id, meter_id, day, count(*) AS events,
                sum(quantity) AS total, max(quantity) AS highest, max(at) AS last_at
            FROM subscriptions_usageevent WHERE tenant_id = %(tenant)s
            GROUP BY subscription_id, meter_id, day
        ) AS found FULL JOIN (
            SELECT * FROM subscriptions_usageday WHERE tenant_id = %(tenant)s
        ) AS known USING (subscription_id, meter_id, day)
        WHERE (known.events, known.total, known.highest, known.last_at)
            IS DISTINCT FROM (found.events, found.total, found.highest, found.last_at)
        """,
    ),
    Invariant(
        "metered",
        counted("invoicing_charge", "calculation ? 'usage'"),
        """
        WITH standing AS (
            SELECT charge.id, charge.item_id, charge.period_id, charge.subscription_id,
                charge.period_start, charge.period_end, meter.id AS meter_id, meter.aggregation,
                (charge.calculation->>'quantity')::numeric AS quantity
            FROM invoicing_charge AS charge JOIN subscriptions_meter AS meter
                ON meter.tenant_id = charge.tenant_id
                AND meter.external_id = charge.calculation->'usage'->'meter'->>'external_id'
            LEFT JOIN (
                SELECT credited_id, min(net_minor) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
            ) AS credits ON credits.credited_id = charge.id
            WHERE charge.tenant_id = %(tenant)s AND charge.kind = 'recurring'
            AND charge.calculation ? 'usage' AND credits.credited_id IS NULL
        ), measured AS (
            SELECT standing.id, COALESCE(CASE standing.aggregation
                WHEN 'sum' THEN sum(used.total) WHEN 'max' THEN max(used.highest)
                ELSE (array_agg(used.last_quantity ORDER BY used.last_at DESC,
                    used.last_event COLLATE "C" DESC))[1] END, 0) AS quantity
            FROM standing LEFT JOIN subscriptions_usageday AS used
                ON used.tenant_id = %(tenant)s AND used.subscription_id = standing.subscription_id
                AND used.meter_id = standing.meter_id AND used.day >= standing.period_start
                AND used.day < standing.period_end
            WHERE standing.aggregation <> 'unique_count'
            GROUP BY standing.id, standing.aggregation
            UNION ALL
            SELECT standing.id, count(DISTINCT met.unique_key) FROM standing
            LEFT JOIN subscriptions_usagekey AS met
                ON met.tenant_id = %(tenant)s AND met.subscription_id = standing.subscription_id
                AND met.meter_id = standing.meter_id AND met.day >= standing.period_start
                AND met.day < standing.period_end
            WHERE standing.aggregation = 'unique_count' GROUP BY standing.id
        )
        SELECT standing.id, 'what was used is not what is charged, and nothing is to make it good'
        FROM standing JOIN measured ON measured.id = standing.id
        LEFT JOIN subscriptions_lateusage AS late ON late.tenant_id = %(tenant)s
            AND late.item_id = standing.item_id AND late.period_id = standing.period_id
        WHERE standing.quantity <> measured.quantity AND late.id IS NULL
        """,
    ),
    Invariant(
        "committed",
        counted("invoicing_charge", "kind = 'commitment'"),
        """
        WITH standing AS (
            SELECT charge.id, charge.item_id, charge.period_start, charge.period_end,
                charge.net_minor, (charge.calculation->'commitment'->>'least_minor')::bigint
                    AS least_minor
            FROM invoicing_charge AS charge
            LEFT JOIN (
                SELECT credited_id, min(net_minor) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
            ) AS credits ON credits.credited_id = charge.id
            WHERE charge.tenant_id = %(tenant)s AND charge.kind = 'commitment'
            AND credits.credited_id IS NULL
        ), used AS (
            SELECT standing.id, COALESCE(sum(charge.net_minor), 0) AS net_minor
            FROM standing LEFT JOIN invoicing_charge AS charge
                ON charge.tenant_id = %(tenant)s AND charge.item_id = standing.item_id
                AND charge.period_id IS NOT NULL AND NOT charge.calculation ? 'pool'
                AND charge.period_start >= standing.period_start
                AND charge.period_start < standing.period_end
            GROUP BY standing.id
        )
        SELECT standing.id, 'usage and what makes it up to the minimum do not add up to it'
        FROM standing JOIN used ON used.id = standing.id
        LEFT JOIN subscriptions_period AS period ON period.tenant_id = %(tenant)s
            AND period.item_id = standing.item_id AND period.starts = standing.period_start
        LEFT JOIN subscriptions_lateusage AS late ON late.tenant_id = %(tenant)s
            AND late.item_id = standing.item_id AND late.period_id = period.id
        WHERE standing.net_minor + used.net_minor <> standing.least_minor AND late.id IS NULL
        """,
    ),
    Invariant(
        "pooled",
        counted("subscriptions_poolshare"),
        # Each charge says what the pool came to as it was made; the latest one says what holds.
        """
        WITH standing AS (
            SELECT charge.id, charge.item_id, charge.period_id,
                charge.calculation->'pool'->>'id' AS pool,
                charge.calculation->'pool'->'period'->>'start' AS starts,
                (charge.calculation->'pool'->>'share_minor')::bigint AS share_minor,
                (charge.calculation->>'quantity')::numeric AS used,
                (charge.calculation->'pool'->>'net_minor')::bigint AS net_minor,
                (charge.calculation->'pool'->>'quantity')::numeric AS quantity,
                (charge.calculation->'pool'->>'members')::int AS members
            FROM invoicing_charge AS charge
            LEFT JOIN (
                SELECT credited_id, min(net_minor) FROM invoicing_charge
                WHERE tenant_id = %(tenant)s AND kind = 'credit' GROUP BY credited_id
            ) AS credits ON credits.credited_id = charge.id
            WHERE charge.tenant_id = %(tenant)s AND charge.kind = 'recurring'
            AND charge.calculation ? 'pool' AND credits.credited_id IS NULL
        )
        SELECT found.id, 'the shares of a pool do not add up to what it has used and costs' FROM (
            SELECT (array_agg(standing.id ORDER BY standing.id DESC))[1] AS id,
                (array_agg(standing.net_minor ORDER BY standing.id DESC))[1] AS net_minor,
                (array_agg(standing.quantity ORDER BY standing.id DESC))[1] AS quantity,
                (array_agg(standing.members ORDER BY standing.id DESC))[1] AS members,
                count(*) AS charged, sum(standing.share_minor) AS shares, sum(used) AS used,
                bool_or(late.id IS NOT NULL) AS is_late
            FROM standing LEFT JOIN subscriptions_lateusage AS late
                ON late.tenant_id = %(tenant)s AND late.item_id = standing.item_id
                AND late.period_id = standing.period_id
            GROUP BY standing.pool, standing.starts
        ) AS found
        WHERE NOT is_late AND charged >= members
            AND (charged, shares, used) IS DISTINCT FROM (members, net_minor, quantity)
        UNION ALL
        SELECT standing.id, 'what is charged with a pool is not noted as its share'
        FROM standing LEFT JOIN subscriptions_poolshare AS share
            ON share.tenant_id = %(tenant)s AND share.item_id = standing.item_id
            AND share.period_id = standing.period_id AND share.starts = standing.starts::date
        WHERE share.id IS NULL
        """,
    ),
)
