"""The entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from billing_hierarchy.embedded.joining import ensure_services
from billing_hierarchy.embedded.migrating import migrate_if_embedded
from billing_hierarchy.role_check import forget_powerful_addresses, refuse_powerful_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_hierarchy.settings")
# Before the settings are read, which happens below.
ensure_services()
application = get_wsgi_application()
migrate_if_embedded()
refuse_powerful_role()
forget_powerful_addresses()
# Read all pages' code before anybody is let in: the first visitor would wait for it.
get_resolver().reverse_dict  # noqa: B018
