"""Credit notes are booked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0030_books_checks")]

    operations = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("invoice_issued", "Invoice Issued"),
                    ("credit_note_issued", "Credit Note Issued"),
                ],
                max_length=20,
            ),
        ),
    ]
