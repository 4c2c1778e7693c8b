"""The money model is opened: documents of two kinds, and entries of whatever caused them.

An entry of the ledger was of one invoice. Now it has a source, and its postings name the document
and the account that they are about. Old entries keep their source, the invoice that was issued.
"""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences

# What an entry was of is what it was caused by.
SOURCE = """
    ALTER TABLE invoicing_ledgerentry
        DROP CONSTRAINT invoicing_ledgerentry_invoice_id_tenant_fk;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT indexname FROM pg_indexes
            WHERE tablename = 'invoicing_ledgerentry' AND indexdef LIKE '%(invoice_id)' LOOP
            EXECUTE format('DROP INDEX %I', name);
        END LOOP;
    END $$;
    ALTER TABLE invoicing_ledgerentry RENAME COLUMN invoice_id TO source_id;
"""
# Entries of anything else than an invoice stand in the way: the reference is refused then.
INVOICE_AGAIN = """
    ALTER TABLE invoicing_ledgerentry RENAME COLUMN source_id TO invoice_id;
    CREATE INDEX invoicing_ledgerentry_invoice_id ON invoicing_ledgerentry (invoice_id);
    ALTER TABLE invoicing_ledgerentry ADD CONSTRAINT invoicing_ledgerentry_invoice_id_tenant_fk
        FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoicing_invoice (tenant_id, id)
        DEFERRABLE INITIALLY IMMEDIATE;
"""

# Rows of the ledger are never changed but here: what the entry said stands with its postings now.
DOCUMENTS_OF_POSTINGS = """
    ALTER TABLE invoicing_ledgerentry NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_ledgerposting NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_ledgerposting DISABLE TRIGGER keep_rows;
    UPDATE invoicing_ledgerposting AS posting SET invoice_id = entry.source_id
    FROM invoicing_ledgerentry AS entry
    WHERE entry.tenant_id = posting.tenant_id AND entry.id = posting.entry_id;
    ALTER TABLE invoicing_ledgerposting ENABLE TRIGGER keep_rows;
    ALTER TABLE invoicing_ledgerentry FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_ledgerposting FORCE ROW LEVEL SECURITY;
"""


def keep_issued(*more: str) -> str:
    """Return the function that lets an issued document change in what settles it, and no more."""
    changing = " ".join(f"- '{name}'" for name in ("status", "paid_minor", *more))
    return f"""
    CREATE OR REPLACE FUNCTION invoicing_keep_issued_invoice() RETURNS trigger
    LANGUAGE plpgsql AS $$
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
            OR to_jsonb(NEW) {changing} IS DISTINCT FROM to_jsonb(OLD) {changing} THEN
            RAISE EXCEPTION 'invoice % is issued and cannot be changed', OLD.number
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    """


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_seller_credit_note_format"),
        ("invoicing", "0026_alignments_in_pieces"),
        ("subscriptions", "0025_contract_source"),
        ("tenancy", "0012_alignment_jobs"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_number_once",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_not_negative",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_paid_within_gross",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_number_when_issued",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_status_follows_payment",
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_issue_once",
        ),
        migrations.RemoveConstraint(
            model_name="numberseries",
            name="series_once",
        ),
        migrations.AddField(
            model_name="invoice",
            name="corrected_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="invoice",
            name="corrects",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoicing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credited_minor",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="invoice",
            name="kind",
            field=models.CharField(
                choices=[("invoice", "Invoice"), ("credit_note", "Credit note")],
                db_default="invoice",
                default="invoice",
                max_length=11,
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="corrects",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoicing.invoiceline",
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="tax_minor",
            field=models.BigIntegerField(null=True),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SOURCE, INVOICE_AGAIN)],
            state_operations=[
                migrations.RemoveField(model_name="ledgerentry", name="invoice"),
                migrations.AddField(
                    model_name="ledgerentry", name="source_id", field=models.UUIDField()
                ),
            ],
        ),
        migrations.AddField(
            model_name="ledgerposting",
            name="invoice",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoicing.invoice",
            ),
        ),
        migrations.RunSQL(DOCUMENTS_OF_POSTINGS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="numberseries",
            name="kind",
            field=models.CharField(
                choices=[("invoice", "Invoice"), ("credit_note", "Credit note")],
                default="invoice",
                max_length=11,
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="status",
            field=models.CharField(
                choices=[
                    ("to_approve", "To approve"),
                    ("open", "Open"),
                    ("partly_paid", "Partly paid"),
                    ("paid", "Paid"),
                    ("corrected", "Corrected"),
                    ("issued", "Issued"),
                ],
                max_length=11,
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="charge",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoicing.charge",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerposting",
            name="account",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerposting",
            name="ledger",
            field=models.CharField(
                choices=[
                    ("receivable", "Receivable"),
                    ("revenue", "Revenue"),
                    ("deferred", "Deferred"),
                    ("tax", "Tax"),
                    ("bank", "Bank"),
                    ("clearing", "Clearing"),
                    ("customer_credit", "Customer Credit"),
                    ("fees", "Fees"),
                    ("write_off", "Write Off"),
                    ("rounding", "Rounding"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("corrects__isnull", False)),
                fields=["tenant", "corrects"],
                name="invoice_corrections",
            ),
        ),
        migrations.AddIndex(
            model_name="invoiceline",
            index=models.Index(
                condition=models.Q(("corrects__isnull", False)),
                fields=["tenant", "corrects"],
                name="line_corrections",
            ),
        ),
        migrations.AddIndex(
            model_name="ledgerposting",
            index=models.Index(
                condition=models.Q(("ledger", "receivable")),
                fields=["tenant", "invoice"],
                name="ledger_receivable_of",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                fields=("tenant", "seller", "kind", "series_year", "series_number"),
                name="invoice_number_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("issue_date__isnull", True),
                        ("issued_at__isnull", True),
                        ("number__isnull", True),
                        ("series_number__isnull", True),
                        ("status", "to_approve"),
                    ),
                    models.Q(
                        models.Q(("status", "to_approve"), _negated=True),
                        ("issue_date__isnull", False),
                        ("issued_at__isnull", False),
                        ("number__isnull", False),
                        ("series_number__isnull", False),
                        models.Q(
                            models.Q(("due_date__isnull", False), ("kind", "invoice")),
                            models.Q(("due_date__isnull", True), ("kind", "credit_note")),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="invoice_number_when_issued",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("corrects__isnull", True),
                        ("gross_minor__gte", 0),
                        ("kind", "invoice"),
                        ("reason", ""),
                    ),
                    models.Q(
                        ("corrected_minor", 0),
                        ("corrects__isnull", False),
                        ("credited_minor", 0),
                        ("gross_minor__lt", 0),
                        ("kind", "credit_note"),
                        ("paid_minor", 0),
                    ),
                    _connector="OR",
                ),
                name="invoice_sign_of_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "credit_note"),
                    models.Q(
                        ("corrected_minor__lte", models.F("gross_minor")),
                        ("credited_minor__gte", 0),
                        ("credited_minor__lte", models.F("corrected_minor")),
                        (
                            "gross_minor__gte",
                            django.db.models.expressions.CombinedExpression(
                                models.F("paid_minor"), "+", models.F("credited_minor")
                            ),
                        ),
                        ("paid_minor__gte", 0),
                    ),
                    _connector="OR",
                ),
                name="invoice_settled_within_gross",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("corrected_minor", 0), ("paid_minor", 0), ("status", "to_approve")),
                    models.Q(("kind", "credit_note"), ("status", "issued")),
                    models.Q(
                        models.Q(
                            (
                                "gross_minor__gt",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid_minor"), "+", models.F("credited_minor")
                                ),
                            ),
                            ("kind", "invoice"),
                        ),
                        ("paid_minor", 0),
                        ("status", "open"),
                    ),
                    models.Q(
                        models.Q(
                            (
                                "gross_minor__gt",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid_minor"), "+", models.F("credited_minor")
                                ),
                            ),
                            ("kind", "invoice"),
                        ),
                        ("paid_minor__gt", 0),
                        ("status", "partly_paid"),
                    ),
                    models.Q(
                        models.Q(
                            (
                                "gross_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid_minor"), "+", models.F("credited_minor")
                                ),
                            ),
                            ("kind", "invoice"),
                        ),
                        models.Q(
                            ("gross_minor", 0),
                            ("corrected_minor__lt", models.F("gross_minor")),
                            _connector="OR",
                        ),
                        ("status", "paid"),
                    ),
                    models.Q(
                        models.Q(
                            (
                                "gross_minor",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("paid_minor"), "+", models.F("credited_minor")
                                ),
                            ),
                            ("kind", "invoice"),
                        ),
                        ("corrected_minor", models.F("gross_minor")),
                        ("gross_minor__gt", 0),
                        ("status", "corrected"),
                    ),
                    _connector="OR",
                ),
                name="invoice_status_follows_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoiceline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("charge__isnull", False),
                        ("corrects__isnull", True),
                        ("tax_minor__isnull", True),
                    ),
                    models.Q(
                        ("charge__isnull", True),
                        ("corrects__isnull", False),
                        ("tax_minor__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="line_of_charge_or_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                fields=("tenant", "source_id", "kind"), name="ledger_source_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerposting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ledger__in", ["receivable", "customer_credit"]), _negated=True),
                    models.Q(
                        ("account__isnull", False),
                        ("invoice__isnull", False),
                        ("ledger", "receivable"),
                    ),
                    models.Q(("account__isnull", False), ("ledger", "customer_credit")),
                    _connector="OR",
                ),
                name="ledger_posting_whose",
            ),
        ),
        migrations.AddConstraint(
            model_name="numberseries",
            constraint=models.UniqueConstraint(
                fields=("tenant", "seller", "kind", "year"), name="series_once"
            ),
        ),
        SecureReferences(model="invoice", fields=["corrects"]),
        SecureReferences(model="invoiceline", fields=["corrects"]),
        SecureReferences(model="ledgerposting", fields=["invoice"]),
        migrations.RunSQL(keep_issued("credited_minor", "corrected_minor"), keep_issued()),
    ]
