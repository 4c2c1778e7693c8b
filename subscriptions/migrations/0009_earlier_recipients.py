"""Since when a subscription has its recipient, and whom it had before."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_tags"),
        ("subscriptions", "0008_product_external_id"),
        ("tenancy", "0005_kept_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="override_since",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="EarlierRecipient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("until", models.DateField()),
                (
                    "bill_to",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "subscription",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.subscription",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "subscription", "until"), name="earlier_recipient_once"
                    )
                ],
            },
        ),
        SecureTables(models=["earlierrecipient"]),
    ]
