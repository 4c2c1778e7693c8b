"""The nightly check of stored files remembers where it stands."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.migrations
import tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0015_documents_to_make"),
        ("tenancy", "0004_job_pieces"),
    ]

    operations = [
        migrations.CreateModel(
            name="FileCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("invoice_id", models.UUIDField(null=True)),
                ("kind", models.CharField(blank=True, max_length=10)),
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
                    models.UniqueConstraint(fields=("tenant",), name="file_check_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invoice_id__isnull", True), ("kind", "")),
                            models.Q(
                                models.Q(("invoice_id__isnull", False)),
                                models.Q(("kind", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="file_check_place",
                    ),
                ],
            },
        ),
        tenancy.database.migrations.SecureTables(models=["filecheck"]),
    ]
