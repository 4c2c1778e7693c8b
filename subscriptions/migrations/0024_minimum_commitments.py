"""What a period of what is metered costs at least."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("subscriptions", "0023_held_subscriptions"),
        ("tenancy", "0011_discount_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="price",
            name="minimum_amount",
            field=models.DecimalField(blank=True, decimal_places=8, max_digits=20, null=True),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("minimum_amount__isnull", True),
                    models.Q(("meter__isnull", False), ("minimum_amount__gt", 0)),
                    _connector="OR",
                ),
                name="price_minimum_of_metered",
            ),
        ),
    ]
