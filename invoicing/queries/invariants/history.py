"""Settings and placements: what held on a day is told once."""

from invoicing.queries.invariants.invariant import Invariant, counted

OF_HISTORY = (
    Invariant(
        "history",
        counted("accounts_settinginterval"),
        """
        SELECT id, 'two values of a setting hold on the same day' FROM (
            SELECT id, valid_from, lag(COALESCE(valid_to, 'infinity')) OVER (
                PARTITION BY account_id, name ORDER BY valid_from
            ) AS before FROM accounts_settinginterval WHERE tenant_id = %(tenant)s
        ) AS setting WHERE valid_from < before
        UNION ALL
        SELECT id, 'an account stands in two places on the same day' FROM (
            SELECT id, valid_from, lag(COALESCE(valid_to, 'infinity')) OVER (
                PARTITION BY account_id ORDER BY valid_from
            ) AS before FROM accounts_placement WHERE tenant_id = %(tenant)s
        ) AS placement WHERE valid_from < before
        UNION ALL
        SELECT node.account_id, 'the tree and its history disagree on the parent'
        FROM accounts_accountnode AS node
        WHERE node.tenant_id = %(tenant)s AND NOT EXISTS (
            SELECT FROM accounts_placement AS placement WHERE placement.tenant_id = %(tenant)s
            AND placement.account_id = node.account_id AND placement.valid_to IS NULL
            AND placement.parent_id IS NOT DISTINCT FROM node.parent_id)
        """,
    ),
)
