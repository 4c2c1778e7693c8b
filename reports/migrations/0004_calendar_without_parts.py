"""Reading a calendar past the parts of its invoices."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0003_made_in_parts"),
    ]

    operations = [
        # The constraint on keys begins with the calendar already.
        migrations.AlterField(
            model_name="calendarentry",
            name="forecast",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="reports.forecast",
            ),
        ),
        migrations.AddIndex(
            model_name="calendarentry",
            index=models.Index(
                fields=["tenant", "date", "kind", "key"],
                name="calendar_whole",
                condition=models.Q(("is_part", False)),
            ),
        ),
        migrations.AddIndex(
            model_name="calendarentry",
            index=models.Index(
                fields=["tenant", "forecast", "date"],
                name="calendar_parts",
                condition=models.Q(("is_part", True)),
            ),
        ),
    ]
