"""Row security, composite keys, and triggers that keep issued documents and the ledger."""

from typing import Any, ClassVar

from django.db import migrations

from tenancy.database.migrations import AppendOnly, SecureTables

MODELS = [
    "billingrun",
    "runfamily",
    "runproblem",
    "charge",
    "numberseries",
    "invoice",
    "invoicesection",
    "invoiceline",
    "invoicetax",
    "storeddocument",
    "ledgerentry",
    "ledgerposting",
]

# An issued invoice changes in nothing but what is paid and the status that follows from it.
INVOICE = """
    CREATE FUNCTION invoicing_keep_issued_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status IN ('draft', 'to_approve') THEN
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END IF;
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'invoice % is issued and cannot be deleted', OLD.number
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.status IN ('draft', 'to_approve')
            OR to_jsonb(NEW) - 'status' - 'paid_minor'
                IS DISTINCT FROM to_jsonb(OLD) - 'status' - 'paid_minor' THEN
            RAISE EXCEPTION 'invoice % is issued and cannot be changed', OLD.number
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER keep_issued BEFORE UPDATE OR DELETE ON invoicing_invoice
        FOR EACH ROW EXECUTE FUNCTION invoicing_keep_issued_invoice();
"""

# What stands on an invoice is as fixed as the invoice. FOR SHARE waits for somebody who is just
# issuing it. Lines come in by the thousand, so insertion looks once per statement.
PARTS = """
    CREATE FUNCTION invoicing_keep_issued_parts() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE issued text;
    BEGIN
        SELECT number INTO issued FROM invoicing_invoice
            WHERE id = OLD.invoice_id AND status NOT IN ('draft', 'to_approve') FOR SHARE;
        IF FOUND THEN
            RAISE EXCEPTION 'invoice % is issued, its parts cannot be changed', issued
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE FUNCTION invoicing_keep_issued_from_growing() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM invoicing_invoice
            WHERE id IN (SELECT DISTINCT invoice_id FROM added)
                AND status NOT IN ('draft', 'to_approve')
        ) THEN
            RAISE EXCEPTION 'the invoice is issued, nothing can be added to it'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$;
"""


def _triggers(table: str) -> str:
    return f"""
        CREATE TRIGGER keep_issued BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION invoicing_keep_issued_parts();
        CREATE TRIGGER keep_issued_from_growing AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION invoicing_keep_issued_from_growing();
    """


# A charge on an issued document is as fixed as the document, and one on none can't claim to be.
KEPT = """
    CREATE FUNCTION invoicing_keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON invoicing_storeddocument
        FOR EACH ROW EXECUTE FUNCTION invoicing_keep_rows();
    CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON invoicing_ledgerentry
        FOR EACH ROW EXECUTE FUNCTION invoicing_keep_rows();
    CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON invoicing_ledgerposting
        FOR EACH ROW EXECUTE FUNCTION invoicing_keep_rows();
    CREATE FUNCTION invoicing_keep_invoiced_charge() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.status = 'invoiced' AND (
            TG_OP = 'DELETE' OR to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)
        ) THEN
            RAISE EXCEPTION 'charge % is invoiced and cannot be changed', OLD.id
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER keep_invoiced BEFORE UPDATE OR DELETE ON invoicing_charge
        FOR EACH ROW EXECUTE FUNCTION invoicing_keep_invoiced_charge();
"""

# Checked when the transaction ends, once per posting written.
BALANCE = """
    CREATE FUNCTION invoicing_ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT COALESCE(sum(amount_minor), 0) FROM invoicing_ledgerposting
            WHERE tenant_id = NEW.tenant_id AND entry_id = NEW.entry_id) <> 0 THEN
            RAISE EXCEPTION 'ledger entry % does not balance', NEW.entry_id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON invoicing_ledgerposting
        DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION invoicing_ledger_balances();
"""

TRUNCATION = "".join(
    f"CREATE TRIGGER keep_from_truncation BEFORE TRUNCATE ON invoicing_{name}"
    " FOR EACH STATEMENT EXECUTE FUNCTION invoicing_keep_rows();"
    for name in (
        "invoice",
        "invoicesection",
        "invoiceline",
        "invoicetax",
        "storeddocument",
        "ledgerentry",
        "ledgerposting",
    )
)


class Migration(migrations.Migration):
    """What Django's models can't say."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("invoicing", "0001_initial"),
        ("subscriptions", "0002_tenants_apart"),
    ]
    operations: ClassVar[list[Any]] = [
        SecureTables(models=MODELS),
        AppendOnly(models=["storeddocument", "ledgerentry", "ledgerposting"]),
        migrations.RunSQL(INVOICE, migrations.RunSQL.noop),
        migrations.RunSQL(
            PARTS
            + _triggers("invoicing_invoicesection")
            + _triggers("invoicing_invoiceline")
            + _triggers("invoicing_invoicetax"),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(KEPT + BALANCE + TRUNCATION, migrations.RunSQL.noop),
    ]
