"""Meters, what was used event by event and day by day, and prices that name a meter."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureReferences, SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0019_plans"),
        ("tenancy", "0009_uncounted_json"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("events", models.PositiveIntegerField()),
                ("total", models.DecimalField(decimal_places=6, max_digits=40)),
                ("highest", models.DecimalField(decimal_places=6, max_digits=18)),
                ("last_at", models.DateTimeField()),
                ("last_event", models.CharField(max_length=200)),
                ("last_quantity", models.DecimalField(decimal_places=6, max_digits=18)),
            ],
        ),
        migrations.CreateModel(
            name="UsageEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event_id", models.CharField(max_length=200)),
                ("meter_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("day", models.DateField()),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=18)),
                ("unique_key", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="UsageKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("unique_key", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="LateUsage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
            ],
        ),
        migrations.CreateModel(
            name="Meter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=200)),
                ("unit", models.CharField(blank=True, default="", max_length=20)),
                (
                    "aggregation",
                    models.CharField(
                        choices=[
                            ("sum", "sum"),
                            ("max", "max"),
                            ("last", "last"),
                            ("unique_count", "unique_count"),
                        ],
                        max_length=12,
                    ),
                ),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
        migrations.AddField(
            model_name="price",
            name="meter",
            field=tenancy.database.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.meter",
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("meter__isnull", True),
                    models.Q(("timing", "arrears"), models.Q(("model", "flat"), _negated=True)),
                    _connector="OR",
                ),
                name="price_metered_in_arrears",
            ),
        ),
        migrations.AddField(
            model_name="usageday",
            name="meter",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.meter",
            ),
        ),
        migrations.AddField(
            model_name="usageday",
            name="subscription",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.subscription",
            ),
        ),
        migrations.AddField(
            model_name="usageday",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="subscription",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.subscription",
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
        migrations.AddField(
            model_name="usagekey",
            name="meter",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.meter",
            ),
        ),
        migrations.AddField(
            model_name="usagekey",
            name="subscription",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.subscription",
            ),
        ),
        migrations.AddField(
            model_name="usagekey",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="lateusage",
            constraint=models.UniqueConstraint(
                fields=("tenant", "item", "period"), name="late_usage_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="meter",
            constraint=models.UniqueConstraint(
                fields=("tenant", "external_id"), name="meter_external_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.UniqueConstraint(
                fields=("tenant", "subscription", "meter", "day"), name="usage_day_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.CheckConstraint(
                condition=models.Q(("events__gte", 1)), name="usage_day_events"
            ),
        ),
        migrations.AddConstraint(
            model_name="usageevent",
            constraint=models.UniqueConstraint(
                fields=("tenant", "event_id"), name="usage_event_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="usageevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 0)), name="usage_event_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="usagekey",
            constraint=models.UniqueConstraint(
                fields=("tenant", "subscription", "meter", "day", "unique_key"),
                name="usage_key_once",
            ),
        ),
        migrations.AddIndex(
            model_name="usageday",
            index=models.Index(fields=["tenant", "day", "id"], name="usage_by_day"),
        ),
        SecureTables(models=["meter", "usageevent", "usageday", "usagekey", "lateusage"]),
        SecureReferences(model="price", fields=["meter"]),
    ]
