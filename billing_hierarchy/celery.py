"""The entry point of Celery's worker and timetable: ``celery -A billing_hierarchy worker``."""

from billing_hierarchy.embedded.joining import ensure_services

# Before the settings are read.
ensure_services()

from billing_hierarchy.task_queue import app  # noqa: E402

__all__ = ["app"]
