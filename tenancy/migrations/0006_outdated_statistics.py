"""Count anew those tables alone in which much was written since they were last counted."""

from typing import Any, ClassVar

from django.db import migrations

# Only a table's owner may count it, so the function runs as the owner. A table that somebody else
# counts or changes at this moment is passed over: nobody waits for statistics.
REFRESH = """
    CREATE FUNCTION tenancy_refresh_outdated_statistics() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE name text; counted integer := 0;
    BEGIN
        FOR name IN SELECT relname FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND pg_stat_get_mod_since_analyze(oid) > 100 + 0.2 * greatest(reltuples, 0)
            ORDER BY relname
        LOOP
            EXECUTE format('ANALYZE (SKIP_LOCKED) %I', name);
            counted := counted + 1;
        END LOOP;
        RETURN counted;
    END $$;
"""


class Migration(migrations.Migration):
    """Make the function."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("tenancy", "0005_kept_answers")]
    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(REFRESH, "DROP FUNCTION tenancy_refresh_outdated_statistics()"),
    ]
