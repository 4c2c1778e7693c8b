"""Subscriptions know where their contract terms come from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0024_minimum_commitments"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="contract_source",
            field=models.CharField(
                blank=True,
                choices=[("own", "Own"), ("plan", "Plan"), ("default", "Default")],
                db_default="",
                default="",
                max_length=7,
            ),
        ),
    ]
