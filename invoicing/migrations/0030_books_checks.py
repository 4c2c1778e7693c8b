"""The last result of each check of the books is kept."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.migrations
import tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0029_references_by_key"),
        ("tenancy", "0013_job_of_checks"),
    ]

    operations = [
        migrations.CreateModel(
            name="BooksCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=20)),
                ("objects_checked", models.PositiveBigIntegerField()),
                ("violations", models.JSONField(default=list)),
                ("checked_at", models.DateTimeField()),
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
                    models.UniqueConstraint(fields=("tenant", "name"), name="books_check_once")
                ],
            },
        ),
        tenancy.database.migrations.SecureTables(models=["bookscheck"]),
    ]
