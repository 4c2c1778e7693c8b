"""The credit of an account is found without all else that was posted for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0031_credit_note_entries")]

    operations = [
        migrations.AddIndex(
            model_name="ledgerposting",
            index=models.Index(
                condition=models.Q(("ledger", "customer_credit")),
                fields=["tenant", "account"],
                name="ledger_credit_of",
            ),
        ),
    ]
