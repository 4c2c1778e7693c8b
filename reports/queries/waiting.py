"""What waits in the queue of this app, of all tenants: a statement for the timetable."""

from typing import Final

FORECASTS_WAITING: Final = """
    SELECT forecast.tenant_id, forecast.root_id::text FROM reports_forecast AS forecast
    WHERE forecast.wanted_at IS NOT NULL
    AND (forecast.claimed_until IS NULL OR forecast.claimed_until < now())
"""
