"""The few drafts of a tenant are found without its issued invoices, whatever the planner believes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_tags"),
        ("invoicing", "0017_change_plans"),
        ("tenancy", "0005_kept_answers"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("status", "to_approve")),
                fields=["tenant", "run"],
                name="invoice_unissued",
            ),
        ),
    ]
