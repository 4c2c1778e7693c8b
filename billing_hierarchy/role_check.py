"""Row security protects nothing from a role that may pass it by: such a role is refused."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

_POWERFUL = {"owner": "DATABASE_OWNER_URL", "maintenance": "DATABASE_MAINTENANCE_URL"}


def refuse_powerful_role(alias: str = "default") -> None:
    """Return if the connection's role is bound by row security. One statement.

    Raises:
        ImproperlyConfigured: it is a superuser, may bypass row security, or may become a role
            that can.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(
            """
            SELECT current_user, string_agg(powerful.rolname, ', ')
            FROM pg_roles AS powerful
            WHERE (powerful.rolsuper OR powerful.rolbypassrls)
                AND pg_has_role(current_user, powerful.oid, 'MEMBER')
            """
        )
        role, powerful = cursor.fetchone()
    if powerful:
        raise ImproperlyConfigured(
            f"The database role {role} of the connection {alias!r} passes row security by"
            f" (as {powerful}), so tenants would not be kept apart. Connect as a role that is"
            " neither superuser nor BYPASSRLS: see DATABASE_URL."
        )


def forget_powerful_addresses() -> None:
    """Leave this process nothing but the application's own role: what the web server does.

    A fault in a page then can't reach past row security, whatever it lets a visitor do.
    """
    for alias, variable in _POWERFUL.items():
        os.environ.pop(variable, None)
        connections[alias].close()
        settings.DATABASES[alias].update(NAME="none", USER="", PASSWORD="", HOST="", PORT="")
