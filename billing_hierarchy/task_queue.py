"""The Celery application: where tasks go to, read from Django's settings.

Tasks are only ever a nudge: what has to happen stands in tables, and the timetable comes by.
"""

import os
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab
from django.conf import settings
from kombu.entity import Queue

from billing_hierarchy import task_log  # noqa: F401 - listens to what Celery tells

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
app = Celery("billing_hierarchy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [
    Queue(name)  # type: ignore[no-untyped-call]
    for name in settings.TASK_QUEUES
]
# Each comes by often and finds little: what has to happen stands in tables.
app.conf.beat_schedule = {
    "start-daily-runs": {
        "task": "invoicing.tasks.start_daily_runs",
        "schedule": crontab(minute="7"),
    },
    "refresh-all-drafts": {
        "task": "invoicing.tasks.refresh_all_drafts",
        "schedule": crontab(minute="*/15"),
    },
    "look-for-work": {
        "task": "tenancy.tasks.look_for_work",
        "schedule": timedelta(seconds=5),
    },
    "forget-old-answers": {
        "task": "tenancy.tasks.forget_old_answers",
        "schedule": crontab(hour="4", minute="15"),
    },
    "verify-everything": {
        "task": "invoicing.tasks.verify_everything",
        "schedule": crontab(hour="3", minute="30"),
    },
}
app.autodiscover_tasks()
