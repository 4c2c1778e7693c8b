"""Finding a tenant before its transaction can begin."""

from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections


def find_tenant_id(slug: str) -> UUID | None:
    """Return the tenant with this short name, None if there is none."""
    if "\x00" in slug:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id FROM accounts_find_principal('slug', %s)", [slug])
        row = cursor.fetchone()
    return row[0] if row else None


def all_tenant_ids(*, live_only: bool = False) -> list[UUID]:
    """Return every tenant, oldest first: for work across tenants, by the maintenance role.

    Args:
        live_only: leave out sandboxes, whose clock only moves by hand (R7).
    """
    if not settings.DATABASES["maintenance"].get("USER"):
        raise ImproperlyConfigured(
            "Work across tenants needs DATABASE_MAINTENANCE_URL, the role with BYPASSRLS."
        )
    condition = "WHERE NOT is_sandbox" if live_only else ""
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(f"SELECT id FROM accounts_tenant {condition} ORDER BY id")  # noqa: S608
        return [row[0] for row in cursor.fetchall()]
