"""Periods and amounts: each day of an item is charged once, for what it costs."""

from billing_rules.money import CURRENCIES, exponent
from invoicing.queries.invariants.invariant import CHARGES, Invariant, counted


def _exponent() -> str:
    """Return the currency's number of decimals as SQL; two for all that are not named."""
    cases = " ".join(
        f"WHEN '{code}' THEN {exponent(code)}" for code in sorted(CURRENCIES) if exponent(code) != 2
    )
    return f"(CASE currency {cases} ELSE 2 END)"


OF_CHARGES = (
    Invariant(
        "I1",
        CHARGES,
        """
        -- A period that was ended early is credited from its end on, and charged anew from there.
        SELECT id, 'an item is charged twice for the same days' FROM (
            SELECT charge.id, charge.period_start, lag(LEAST(charge.period_end, period.ends)) OVER (
                PARTITION BY charge.item_id, kind, revision ORDER BY charge.period_start
            ) AS before FROM invoicing_charge AS charge LEFT JOIN subscriptions_period AS period
                ON period.tenant_id = %(tenant)s AND period.id = charge.period_id
            WHERE charge.tenant_id = %(tenant)s AND charge.item_id IS NOT NULL AND kind <> 'setup'
        ) AS charge WHERE period_start < before
        """,
    ),
    Invariant(
        "I2",
        counted("subscriptions_period"),
        """
        SELECT id, 'a gap or an overlap before this period' FROM (
            SELECT id, starts, lag(ends) OVER (PARTITION BY item_id ORDER BY starts) AS before
            FROM subscriptions_period WHERE tenant_id = %(tenant)s
        ) AS period WHERE starts <> before
        UNION ALL
        SELECT item.id, 'the chain does not end where its last period does'
        FROM subscriptions_item AS item LEFT JOIN (
            SELECT item_id, max(ends) AS ends FROM subscriptions_period
            WHERE tenant_id = %(tenant)s GROUP BY item_id
        ) AS chain ON chain.item_id = item.id
        WHERE item.tenant_id = %(tenant)s AND item.chain_end IS DISTINCT FROM chain.ends
        """,
    ),
    Invariant(
        "I3",
        CHARGES,
        # What is put in is made of constants.
        f"""
        SELECT id, 'the amount is not price times days over full days' FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND kind = 'recurring' AND calculation->'taken_over' IS NULL
        AND net_minor <> round(
            (calculation->>'full_amount')::numeric * power(10::numeric, {_exponent()})
            * (period_end - period_start) / (calculation->>'full_days')::int)
        UNION ALL
        SELECT id, 'the price of a full period is not the list price less the discount'
        FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND kind = 'recurring' AND calculation ? 'discount' AND (
            (calculation->>'full_amount')::numeric <> GREATEST(0,
                (calculation->'discount'->>'before')::numeric
                * (1 - COALESCE((calculation->'discount'->>'percent')::numeric, 0) / 100)
                - COALESCE((calculation->'discount'->>'amount')::numeric, 0)))
        UNION ALL
        SELECT id, 'the amount is not what was agreed' FROM invoicing_charge
        WHERE tenant_id = %(tenant)s AND kind IN ('one_off', 'setup') AND net_minor <> round(
            (calculation->>'full_amount')::numeric * power(10::numeric, {_exponent()}))
        """,  # noqa: S608
    ),
)
