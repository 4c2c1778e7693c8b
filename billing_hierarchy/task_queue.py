"""The Celery application: where tasks go to, read from Django's settings.

Tasks are only ever a nudge: what has to happen stands in tables, and the timetable comes by.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
app = Celery("billing_hierarchy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
