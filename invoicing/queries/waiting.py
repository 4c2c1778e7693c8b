"""What waits in the queues of this app, of all tenants: statements for the timetable."""

from typing import Final

# Where a family came out of the queue a moment ago somebody works already.
RUNS_WAITING: Final = """
    SELECT DISTINCT family.tenant_id, family.run_id::text FROM invoicing_runfamily AS family
    WHERE family.status = 'waiting' AND NOT EXISTS (
        SELECT FROM invoicing_runfamily AS done WHERE done.tenant_id = family.tenant_id
        AND done.run_id = family.run_id AND done.done_at > now() - interval '30 seconds')
"""

# One line for each twenty that wait, so that a large run's have several workers, but not all.
DOCUMENTS_WAITING: Final = """
    SELECT waiting.tenant_id, line::text FROM (
        SELECT tenant_id, count(*) AS documents FROM invoicing_documenttomake AS waiting
        WHERE NOT EXISTS (
            SELECT FROM invoicing_rendering AS tried WHERE tried.tenant_id = waiting.tenant_id
            AND tried.invoice_id = waiting.invoice_id
            AND (tried.blocked_until > now() OR tried.given_up_at IS NOT NULL))
        GROUP BY tenant_id
    ) AS waiting, generate_series(1, least(4, 1 + waiting.documents / 20)) AS line
"""

# A tenant's day begins by its own clock; few plans are open at a time.
PLANS_WAITING: Final = """
    SELECT DISTINCT plan.tenant_id, ''::text FROM invoicing_changeplan AS plan
    JOIN accounts_tenant AS tenant ON tenant.id = plan.tenant_id
    CROSS JOIN LATERAL (SELECT
        (coalesce(tenant.test_clock_at, now()) AT TIME ZONE tenant.time_zone)::date AS day) AS today
    WHERE plan.status IN ('scheduled', 'waiting_acceptance')
    AND (plan.status = 'scheduled' AND plan.effective_date <= today.day
        OR plan.status = 'waiting_acceptance' AND plan.acceptance_until < today.day)
"""
