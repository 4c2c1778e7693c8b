"""What a reference refers to is looked up by its key, also in a table that was never counted.

The database checks each reference with a statement that it plans once for a connection. Of a new
table it knows nothing, so that every index that begins with the tenant is as good to it as the key,
and the newest one wins: each check would then read all rows of the tenant.
"""

import pytest
from django.db import connections, transaction

# In a database of its own: what other tests have written and taken back makes tables look large.
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

COUNTED_IN_TIME = {
    # An import counts these anew at its end, before anything refers to them by the thousand.
    "accounts_account",
    "subscriptions_item",
    "subscriptions_product",
    # Their keys are asked for a few rows at a time.
    "accounts_event",
    "accounts_job",
}
_REFERRED = """
    SELECT DISTINCT relname, attname FROM pg_constraint
    JOIN pg_class ON pg_class.oid = confrelid
    JOIN pg_attribute ON attrelid = confrelid AND attnum = confkey[2]
    WHERE contype = 'f' AND conname LIKE '%_tenant_fk' ORDER BY 1
"""
_CHECK = "SELECT 1 FROM ONLY {} x WHERE tenant_id = $1 AND {} = $2 FOR KEY SHARE OF x"
_ANY = "'00000000-0000-0000-0000-000000000000'"


def test_what_is_referred_to_is_found_by_its_key():
    others = {}
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(_REFERRED)
        tables = cursor.fetchall()
        for table, key in tables:
            cursor.execute(f"PREPARE checks (uuid, uuid) AS {_CHECK.format(table, key)}")
            cursor.execute(f"EXPLAIN EXECUTE checks ({_ANY}, {_ANY})")
            plan = "\n".join(row for (row,) in cursor.fetchall())
            cursor.execute("DEALLOCATE checks")
            if f"using {table}_tenant_key" not in plan and f"using {table}_pkey" not in plan:
                others[table] = plan

    assert len(tables) >= 25
    assert set(others) <= COUNTED_IN_TIME
