"""Events say of whom, where in the tree and in which transaction; readers go by the last."""

import django.contrib.postgres.fields
from django.db import migrations, models

import tenancy.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_ground_parted"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="event",
            name="event_by_time",
        ),
        migrations.AddField(
            model_name="event",
            name="actor_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="actor_kind",
            field=models.CharField(db_default="", default="", max_length=10),
        ),
        migrations.AddField(
            model_name="event",
            name="actor_label",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="event",
            name="path",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="transaction",
            field=tenancy.database.fields.TransactionField(),
        ),
        migrations.AddField(
            model_name="event",
            name="version",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["tenant", "transaction", "id"], name="event_in_order"),
        ),
    ]
