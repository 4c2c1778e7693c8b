"""Charges may be credits for what a change takes back of earlier ones."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_tags"),
        ("invoicing", "0019_plans_of_subscriptions"),
        ("subscriptions", "0010_earlier_terms"),
        ("tenancy", "0008_audit_of_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="credited",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoicing.charge",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="kind",
            field=models.CharField(
                choices=[("recurring", "Recurring"), ("credit", "Credit")],
                default="recurring",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("credited__isnull", False), ("kind", "credit"), ("net_minor__lte", 0)
                    ),
                    models.Q(
                        models.Q(("kind", "credit"), _negated=True), ("credited__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="charge_credit",
            ),
        ),
        SecureReferences(model="charge", fields=["credited"]),
    ]
