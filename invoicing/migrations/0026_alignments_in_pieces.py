"""An alignment is carried out piece by piece."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("invoicing", "0025_credits_of_recipients"),
        ("subscriptions", "0021_setup_fees"),
        ("tenancy", "0012_alignment_jobs"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="changeplan",
            name="plan_open_once",
        ),
        migrations.AddField(
            model_name="changeplan",
            name="job_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="changeplan",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("waiting_approval", "Waiting for approval"),
                    ("waiting_acceptance", "Waiting for acceptance"),
                    ("scheduled", "Scheduled"),
                    ("applying", "Being applied"),
                    ("applied", "Applied"),
                    ("failed", "Failed"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="draft",
                max_length=18,
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["waiting_approval", "waiting_acceptance", "scheduled", "applying"],
                    ),
                    ("subscription__isnull", True),
                ),
                fields=("tenant", "account"),
                name="plan_open_once",
            ),
        ),
    ]
