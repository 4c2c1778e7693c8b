"""Calendars of large trees are made part by part; none is too large any more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0002_calendar_feeds"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="forecast",
            name="problem",
        ),
        migrations.AddField(
            model_name="forecast",
            name="claim",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="forecast",
            name="claimed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="forecast",
            name="ready_until",
            field=models.DateField(null=True),
        ),
    ]
