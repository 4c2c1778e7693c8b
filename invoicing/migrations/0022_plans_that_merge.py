"""Change plans that merge a duplicate into another account."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("invoicing", "0021_uncounted_json"),
        ("subscriptions", "0011_earlier_owners"),
    ]

    operations = [
        migrations.AlterField(
            model_name="changeplan",
            name="kind",
            field=models.CharField(
                choices=[
                    ("move", "Move"),
                    ("payer", "Payer"),
                    ("bill_to", "Bill To"),
                    ("consolidation", "Consolidation"),
                    ("closing", "Closing"),
                    ("promotion", "Promotion"),
                    ("subscription", "Subscription"),
                    ("merge", "Merge"),
                ],
                max_length=13,
            ),
        ),
    ]
