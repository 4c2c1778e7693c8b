"""Tenants, jobs, events and the audit trail, as tables that another app has made."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0013_unchangeable_trail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Tenant",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=tenancy.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("slug", models.CharField(max_length=63, unique=True)),
                        ("name", models.CharField(max_length=200)),
                        ("country", models.CharField(max_length=2)),
                        ("currency", models.CharField(max_length=3)),
                        ("language", models.CharField(default="en", max_length=5)),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        ("is_sandbox", models.BooleanField(default=False)),
                        ("test_clock_at", models.DateTimeField(blank=True, null=True)),
                        ("approval_required", models.BooleanField(default=True)),
                        ("four_eyes", models.BooleanField(db_default=False, default=False)),
                        ("scheduled_until", models.DateField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "db_table": "accounts_tenant",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("is_sandbox", True), ("test_clock_at__isnull", False)
                                    ),
                                    models.Q(
                                        ("is_sandbox", False), ("test_clock_at__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="tenant_test_clock_in_sandbox",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Job",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=tenancy.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("import", "Import"), ("clock", "Clock")], max_length=10
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("failed", "Failed"),
                                ],
                                default="waiting",
                                max_length=7,
                            ),
                        ),
                        ("done", models.PositiveIntegerField(default=0)),
                        ("total", models.PositiveIntegerField(default=0)),
                        ("input", models.BinaryField(null=True)),
                        ("params", models.JSONField(default=dict)),
                        ("result", models.JSONField(default=dict)),
                        ("problems", models.JSONField(default=list)),
                        ("created_by_label", models.CharField(max_length=200)),
                        ("requested_by", models.JSONField(db_default={}, default=dict)),
                        ("created_at", models.DateTimeField()),
                        ("started_at", models.DateTimeField(null=True)),
                        ("beat_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
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
                    options={
                        "db_table": "accounts_job",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("status__in", ["waiting", "running"])),
                                fields=["tenant", "kind", "id"],
                                name="job_open",
                            ),
                            models.Index(fields=["tenant", "created_at", "id"], name="job_by_time"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=tenancy.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("kind", models.CharField(max_length=60)),
                        ("subject_type", models.CharField(max_length=40)),
                        ("subject_id", models.UUIDField()),
                        ("data", models.JSONField(default=dict)),
                        ("at", models.DateTimeField()),
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
                        "db_table": "accounts_event",
                        "indexes": [models.Index(fields=["tenant", "at"], name="event_by_time")],
                    },
                ),
                migrations.CreateModel(
                    name="AuditEntry",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=tenancy.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("actor_kind", models.CharField(max_length=10)),
                        ("actor_id", models.UUIDField(null=True)),
                        ("actor_label", models.CharField(max_length=200)),
                        ("origin", models.CharField(max_length=20)),
                        ("request_id", models.CharField(blank=True, max_length=40)),
                        ("action", models.CharField(max_length=60)),
                        ("object_type", models.CharField(max_length=40)),
                        ("object_id", models.UUIDField()),
                        ("before", models.JSONField(null=True)),
                        ("after", models.JSONField(null=True)),
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
                        "db_table": "accounts_auditentry",
                        "indexes": [
                            models.Index(
                                fields=["tenant", "object_id", "at"], name="audit_by_object"
                            ),
                            models.Index(fields=["tenant", "at"], name="audit_by_time"),
                        ],
                    },
                ),
            ]
        )
    ]
