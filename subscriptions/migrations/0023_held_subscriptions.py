"""A job holds the subscriptions that it is about to change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("subscriptions", "0022_usage_pools"),
        ("tenancy", "0012_alignment_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="held_by",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("held_by__isnull", False)),
                fields=["tenant", "account"],
                name="subscription_held",
            ),
        ),
    ]
