"""The entry point of Celery's worker and timetable: ``celery -A billing_hierarchy worker``."""

from billing_hierarchy.embedded.joining import ensure_services

# Before the settings are read.
ensure_services()

import django  # noqa: E402
from django.db import connections  # noqa: E402

from billing_hierarchy.role_check import refuse_powerful_role  # noqa: E402
from billing_hierarchy.schema_check import refuse_older_tables  # noqa: E402
from billing_hierarchy.task_queue import app  # noqa: E402

django.setup()
refuse_powerful_role()
refuse_older_tables()
# The worker forks after this: its children must not share one connection.
connections.close_all()

__all__ = ["app"]
