"""Calendars of trees, kept so that nobody waits for them."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("tenancy", "0009_uncounted_json"),
    ]

    operations = [
        migrations.CreateModel(
            name="Forecast",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("today", models.DateField(null=True)),
                ("complete_until", models.DateField(null=True)),
                ("members", models.PositiveIntegerField(default=0)),
                ("settled", models.UUIDField(null=True)),
                ("seen", models.PositiveIntegerField(default=0)),
                ("problem", models.CharField(blank=True, default="", max_length=60)),
                ("made_at", models.DateTimeField(null=True)),
                ("took_seconds", models.PositiveIntegerField(default=0)),
                ("wanted_at", models.DateTimeField(null=True)),
                (
                    "root",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
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
            name="CalendarEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("date", models.DateField()),
                ("kind", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=250)),
                ("bill_to_id", models.UUIDField(null=True)),
                ("payer_id", models.UUIDField(null=True)),
                ("is_part", models.BooleanField(default=False)),
                ("amount_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("subject_type", models.CharField(blank=True, max_length=20)),
                ("subject_id", models.UUIDField(null=True)),
                ("details", models.JSONField(default=dict)),
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
                    "forecast",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reports.forecast",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="forecast",
            index=models.Index(
                condition=models.Q(("wanted_at__isnull", False)),
                fields=["tenant", "root"],
                name="forecast_wanted",
            ),
        ),
        migrations.AddConstraint(
            model_name="forecast",
            constraint=models.UniqueConstraint(fields=("tenant", "root"), name="forecast_once"),
        ),
        migrations.AddIndex(
            model_name="calendarentry",
            index=models.Index(fields=["tenant", "date", "kind", "key"], name="calendar_in_order"),
        ),
        migrations.AddConstraint(
            model_name="calendarentry",
            constraint=models.UniqueConstraint(
                fields=("tenant", "forecast", "key"), name="calendar_entry_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="calendarentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor__isnull", True),
                    models.Q(("currency", ""), _negated=True),
                    _connector="OR",
                ),
                name="calendar_amount_has_currency",
            ),
        ),
        SecureTables(models=["forecast", "calendarentry"]),
    ]
