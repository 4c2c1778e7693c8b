"""Issued invoices whose files are to be made stand in a queue; families say when they were done."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.database.migrations
import tenancy.ids

# What an earlier version left without a file, whether or not somebody has tried.
FILL = """
    ALTER TABLE invoicing_invoice NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_storeddocument NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_documenttomake NO FORCE ROW LEVEL SECURITY;
    INSERT INTO invoicing_documenttomake (id, tenant_id, invoice_id)
    SELECT gen_random_uuid(), invoice.tenant_id, invoice.id FROM invoicing_invoice AS invoice
    WHERE invoice.number IS NOT NULL AND (
        NOT EXISTS (SELECT FROM invoicing_storeddocument AS stored
            WHERE stored.tenant_id = invoice.tenant_id AND stored.invoice_id = invoice.id
            AND stored.kind = 'pdf')
        OR invoice.payer_id <> invoice.bill_to_id AND invoice.gross_minor > 0
        AND NOT EXISTS (SELECT FROM invoicing_storeddocument AS stored
            WHERE stored.tenant_id = invoice.tenant_id AND stored.invoice_id = invoice.id
            AND stored.kind = 'payer'));
    ALTER TABLE invoicing_invoice FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_storeddocument FORCE ROW LEVEL SECURITY;
    ALTER TABLE invoicing_documenttomake FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_ground_parted"),
        ("invoicing", "0014_states_that_are_set"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DocumentToMake",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="runfamily",
            name="done_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="runfamily",
            index=models.Index(fields=["tenant", "run", "done_at"], name="run_family_done"),
        ),
        migrations.AddField(
            model_name="documenttomake",
            name="invoice",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoicing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="documenttomake",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="documenttomake",
            constraint=models.UniqueConstraint(
                fields=("tenant", "invoice"), name="document_to_make_once"
            ),
        ),
        tenancy.database.migrations.SecureTables(models=["documenttomake"]),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
