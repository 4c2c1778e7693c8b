"""A part of a draft cannot be moved to an issued invoice either."""

from typing import Any, ClassVar

from django.db import migrations

# Looks at the invoice that a part leaves and at the one it comes to.
STAY = """
    CREATE OR REPLACE FUNCTION invoicing_keep_issued_parts() RETURNS trigger
    LANGUAGE plpgsql AS $$
    DECLARE issued text; arrives uuid := OLD.invoice_id;
    BEGIN
        IF TG_OP = 'UPDATE' THEN arrives := NEW.invoice_id; END IF;
        PERFORM FROM invoicing_invoice WHERE id IN (OLD.invoice_id, arrives) FOR SHARE;
        SELECT number INTO issued FROM invoicing_invoice
            WHERE id IN (OLD.invoice_id, arrives) AND status NOT IN ('draft', 'to_approve')
            LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'invoice % is issued, its parts cannot be changed', issued
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
"""


class Migration(migrations.Migration):
    """Replace the function behind the triggers."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("invoicing", "0003_run_families_within")]
    operations: ClassVar[list[Any]] = [migrations.RunSQL(STAY, migrations.RunSQL.noop)]
