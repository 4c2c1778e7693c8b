"""The versions of its price by which a pool charged before."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0025_contract_source"),
    ]

    operations = [
        migrations.AddField(
            model_name="usagepool",
            name="price_since",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="EarlierPoolPrice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("until", models.DateField()),
                (
                    "pool",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.usagepool",
                    ),
                ),
                (
                    "price",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.price",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="earlierpoolprice",
            constraint=models.UniqueConstraint(
                fields=("tenant", "pool", "until"), name="earlier_pool_price_once"
            ),
        ),
        SecureTables(models=["earlierpoolprice"]),
    ]
