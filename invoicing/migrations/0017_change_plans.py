"""Change plans, and what is said about them."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.database.migrations
import tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_ground_parted"),
        ("invoicing", "0016_files_checked_in_parts"),
        ("tenancy", "0004_job_pieces"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangePlan",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("move", "Move"),
                            ("payer", "Payer"),
                            ("bill_to", "Bill To"),
                            ("consolidation", "Consolidation"),
                            ("closing", "Closing"),
                            ("promotion", "Promotion"),
                        ],
                        max_length=13,
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                ("effective_date", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("waiting_approval", "Waiting for approval"),
                            ("waiting_acceptance", "Waiting for acceptance"),
                            ("scheduled", "Scheduled"),
                            ("applied", "Applied"),
                            ("failed", "Failed"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="draft",
                        max_length=18,
                    ),
                ),
                ("world", models.JSONField(default=dict)),
                ("preview", models.JSONField(default=dict)),
                ("result", models.JSONField(default=dict)),
                ("failure", models.JSONField(default=dict)),
                ("author", models.JSONField(default=dict)),
                ("approver", models.JSONField(default=dict)),
                ("acceptance_until", models.DateField(blank=True, null=True)),
                ("acceptance", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
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
                    "receiver",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "reverse_of",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing.changeplan",
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
            name="PlanComment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField()),
                ("author", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                (
                    "plan",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoicing.changeplan",
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
        migrations.AddIndex(
            model_name="changeplan",
            index=models.Index(
                condition=models.Q(("status__in", ["scheduled", "waiting_acceptance"])),
                fields=["tenant", "effective_date"],
                name="plan_due",
            ),
        ),
        migrations.AddIndex(
            model_name="changeplan",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="plan_latest"),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["waiting_approval", "waiting_acceptance", "scheduled"])
                ),
                fields=("tenant", "account"),
                name="plan_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("reverse_of__isnull", False),
                    models.Q(("status__in", ["failed", "withdrawn"]), _negated=True),
                ),
                fields=("tenant", "reverse_of"),
                name="plan_reversed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("applied_at__isnull", False), ("status", "applied")),
                    models.Q(
                        models.Q(("status", "applied"), _negated=True), ("applied_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="plan_applied_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("failure__has_key", "code"), ("status", "failed")),
                    models.Q(models.Q(("status", "failed"), _negated=True), ("failure", {})),
                    _connector="OR",
                ),
                name="plan_failure_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "waiting_acceptance"), _negated=True),
                    models.Q(("acceptance_until__isnull", False), ("receiver__isnull", False)),
                    _connector="OR",
                ),
                name="plan_waits_for_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="plancomment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="plan_comment_says_something"
            ),
        ),
        tenancy.database.migrations.SecureTables(models=["changeplan", "plancomment"]),
    ]
