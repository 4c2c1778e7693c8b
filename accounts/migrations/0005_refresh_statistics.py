"""Let the application ask for fresh statistics after it has written very much at once."""

from typing import Any, ClassVar

from django.db import migrations

# A tenant whose rows the planner has never counted gets plans for one row. Only a table's owner
# may count them, so the function runs as the owner; the names are checked against the catalogue.
REFRESH = """
    CREATE FUNCTION accounts_refresh_statistics(tables text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE name text;
    BEGIN
        FOR name IN SELECT relname FROM pg_class
            WHERE relname = ANY(tables) AND relkind = 'r' AND relnamespace = 'public'::regnamespace
        LOOP
            EXECUTE format('ANALYZE %I', name);
        END LOOP;
    END $$;
"""


class Migration(migrations.Migration):
    """Make the function."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0004_scheduled_until")]
    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(REFRESH, "DROP FUNCTION accounts_refresh_statistics(text[])"),
    ]
