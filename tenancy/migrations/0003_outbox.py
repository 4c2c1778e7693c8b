"""What each reader of events still has to do."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0002_typed_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reader", models.CharField(max_length=20)),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("failed", "Failed")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("claim", models.UUIDField(null=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=200)),
                (
                    "event",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.event",
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
            options={
                "db_table": "tenancy_outboxentry",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["tenant", "reader", "id"],
                        name="outbox_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "event", "reader"), name="outbox_event_once"
                    )
                ],
            },
        ),
        SecureTables(models=["outboxentry"]),
    ]
