"""References to invoices and entries are looked up by key, also before these tables are counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_seller_credit_note_format"),
        ("invoicing", "0028_charges_offset"),
        ("tenancy", "0012_alignment_jobs"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_number_text_once",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_number_once",
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_source_once",
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("series_number__isnull", False)),
                fields=("tenant", "seller", "kind", "series_year", "series_number"),
                name="invoice_number_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("number__isnull", False)),
                fields=("tenant", "seller", "number"),
                name="invoice_number_text_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                fields=("source_id", "tenant", "kind"), name="ledger_source_once"
            ),
        ),
    ]
