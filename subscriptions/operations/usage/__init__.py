"""What was used: reporting it, event by event and by the file."""

from subscriptions.operations.usage.reporting import (
    MOST_EVENTS,
    InvalidUsage,
    NewUsage,
    Reported,
    report_usage,
)

__all__ = ["MOST_EVENTS", "InvalidUsage", "NewUsage", "Reported", "report_usage"]
