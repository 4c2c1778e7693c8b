"""What was taken back before it was invoiced is offset by its credits; corrections are found."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0027_money_opened"),
    ]

    operations = [
        migrations.AlterField(
            model_name="charge",
            name="status",
            field=models.CharField(
                choices=[("pending", "Pending"), ("invoiced", "Invoiced"), ("offset", "Offset")],
                default="pending",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(
                condition=models.Q(("revision__gt", 0), ("status", "pending")),
                fields=["tenant", "account"],
                name="charge_correction",
            ),
        ),
    ]
