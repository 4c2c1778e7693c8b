"""Commands name a tenant by its slug: finding it precedes the tenant, as signing in does."""

from typing import Any, ClassVar

from django.db import migrations

FIND = """
    CREATE POLICY sign_in ON accounts_tenant FOR SELECT TO CURRENT_USER USING (true);
    CREATE OR REPLACE FUNCTION accounts_find_principal(kind text, value text)
    RETURNS TABLE (tenant_id uuid, principal_kind text, principal_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT k.tenant_id, 'key', k.id FROM accounts_apikey AS k
            WHERE kind = 'key' AND k.digest = value
        UNION ALL
        SELECT m.tenant_id, 'staff', m.id FROM accounts_membership AS m
            WHERE kind = 'person' AND m.person_id::text = value
        UNION ALL
        SELECT DISTINCT ON (c.tenant_id) c.tenant_id, 'customer', c.id FROM accounts_contact AS c
            WHERE kind = 'person' AND c.person_id::text = value
        UNION ALL
        SELECT t.id, 'tenant', t.id FROM accounts_tenant AS t WHERE kind = 'slug' AND t.slug = value
    $$;
"""


class Migration(migrations.Migration):
    """Let the look-up answer for slugs too."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0002_tenants_apart")]
    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(FIND, "DROP POLICY sign_in ON accounts_tenant"),
    ]
