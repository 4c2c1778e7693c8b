"""Pools of usage, and what was charged with them."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("subscriptions", "0021_setup_fees"),
        ("tenancy", "0011_discount_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsagePool",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts", models.DateField()),
                ("ends", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
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
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PoolShare",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts", models.DateField()),
                ("ends", models.DateField()),
                (
                    "item",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.item",
                    ),
                ),
                (
                    "period",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.period",
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
            ],
        ),
        migrations.AddConstraint(
            model_name="usagepool",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends__isnull", True), ("ends__gte", models.F("starts")), _connector="OR"
                ),
                name="usage_pool_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="poolshare",
            index=models.Index(fields=["tenant", "item", "period"], name="pool_share_of_item"),
        ),
        migrations.AddConstraint(
            model_name="poolshare",
            constraint=models.UniqueConstraint(
                fields=("tenant", "pool", "starts", "item", "period"), name="pool_share_once"
            ),
        ),
        SecureTables(models=["usagepool", "poolshare"]),
    ]
