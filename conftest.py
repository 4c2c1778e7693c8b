"""The entry point of the tests: as in ``manage.py``, services come before settings."""

import os

import django
import pytest

from billing_hierarchy.embedded.errors import EmbeddedServiceError
from billing_hierarchy.embedded.joining import ensure_services

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
# Pages are tested without gathering static files first.
os.environ.setdefault("BILLING_PLAIN_STATIC", "1")

try:
    ensure_services()
except EmbeddedServiceError as error:
    pytest.exit(f"error: {error}", returncode=1)
django.setup()

pytest_plugins = ["tests.databases"]
