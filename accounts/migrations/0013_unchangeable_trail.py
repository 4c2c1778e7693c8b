"""Audit trail and events can't be changed by any role that comes by a connection of ours."""

from django.db import migrations

KEPT = """
    CREATE FUNCTION accounts_keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$;
""" + "".join(
    f"""
    CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION accounts_keep_rows();
    CREATE TRIGGER keep_from_truncation BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION accounts_keep_rows();
    """
    for table in ("accounts_auditentry", "accounts_event")
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_search")]

    operations = [
        migrations.RunSQL(
            KEPT,
            """
            DROP TRIGGER keep_rows ON accounts_auditentry;
            DROP TRIGGER keep_from_truncation ON accounts_auditentry;
            DROP TRIGGER keep_rows ON accounts_event;
            DROP TRIGGER keep_from_truncation ON accounts_event;
            DROP FUNCTION accounts_keep_rows();
            """,
        )
    ]
