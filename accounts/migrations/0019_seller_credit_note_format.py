"""Sellers number their credit notes in a series of their own."""

from django.db import migrations, models

# Whose invoices are numbered in English has credit notes that are.
ENGLISH = """
    ALTER TABLE accounts_seller NO FORCE ROW LEVEL SECURITY;
    UPDATE accounts_seller SET credit_note_format = 'CN-{year}-{number:06d}'
    WHERE number_format LIKE 'INV-%';
    ALTER TABLE accounts_seller FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="seller",
            name="credit_note_format",
            field=models.CharField(default="RK-{year}-{number:06d}", max_length=60),
        ),
        migrations.RunSQL(ENGLISH, migrations.RunSQL.noop),
    ]
