"""Secret addresses of calendars, and what was told there."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("reports", "0001_calendar"),
        ("tenancy", "0009_uncounted_json"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kinds", models.JSONField(default=list)),
                ("shows_amounts", models.BooleanField(default=True)),
                ("language", models.CharField(max_length=5)),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                ("rotated_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("fetched_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(null=True)),
                (
                    "account",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            name="ToldEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=250)),
                ("date", models.DateField()),
                ("sequence", models.PositiveIntegerField(default=0)),
                ("content", models.JSONField(default=dict)),
                ("is_cancelled", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
                (
                    "feed",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reports.calendarfeed",
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
            model_name="calendarfeed",
            constraint=models.UniqueConstraint(
                fields=("tenant", "digest"), name="feed_digest_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="toldevent",
            constraint=models.UniqueConstraint(
                fields=("tenant", "feed", "key"), name="told_event_once"
            ),
        ),
        SecureTables(models=["calendarfeed", "toldevent"]),
    ]
