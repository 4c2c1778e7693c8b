"""Who has moved is found without looking at everybody else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_declared_settings"),
        ("tenancy", "0004_job_pieces"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=models.Q(("valid_to__isnull", False)),
                fields=["tenant", "account"],
                name="placement_past",
            ),
        ),
    ]
