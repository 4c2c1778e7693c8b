"""Rights, row security, composite keys, the tree's sequence and the look-up of sign-ins."""

from typing import Any, ClassVar

from django.db import migrations

from tenancy.database.migrations import (
    AppendOnly,
    GrantTables,
    SecureTables,
    SecureTenants,
)

MODELS = [
    "account",
    "accountnode",
    "apikey",
    "auditentry",
    "contact",
    "event",
    "grant",
    "membership",
    "placement",
    "seller",
    "settinginterval",
    "taxrate",
]

# Finding the login or the key precedes the tenant, so it can't be asked under row security. The
# function runs as the owner, for whom these policies (and they alone) open three tables to read.
SIGN_IN = """
    CREATE POLICY sign_in ON accounts_apikey FOR SELECT TO CURRENT_USER USING (true);
    CREATE POLICY sign_in ON accounts_membership FOR SELECT TO CURRENT_USER USING (true);
    CREATE POLICY sign_in ON accounts_contact FOR SELECT TO CURRENT_USER USING (true);
    CREATE FUNCTION accounts_find_principal(kind text, value text)
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
    $$;
"""


class Migration(migrations.Migration):
    """Everything about tenants that Django's models can't say."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0001_initial")]
    operations: ClassVar[list[Any]] = [
        GrantTables(),
        migrations.RunSQL("CREATE SEQUENCE accounts_tree_id", "DROP SEQUENCE accounts_tree_id"),
        SecureTenants(),
        SecureTables(models=MODELS),
        AppendOnly(models=["auditentry", "event"]),
        migrations.RunSQL(
            SIGN_IN,
            """
            DROP FUNCTION accounts_find_principal(text, text);
            DROP POLICY sign_in ON accounts_apikey;
            DROP POLICY sign_in ON accounts_membership;
            DROP POLICY sign_in ON accounts_contact;
            """,
        ),
    ]
