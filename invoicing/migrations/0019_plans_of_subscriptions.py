"""Change plans that are about one subscription."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_tags"),
        ("invoicing", "0018_invoice_unissued"),
        ("subscriptions", "0009_earlier_recipients"),
        ("tenancy", "0005_kept_answers"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="changeplan",
            name="plan_open_once",
        ),
        migrations.AddField(
            model_name="changeplan",
            name="subscription",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.subscription",
            ),
        ),
        migrations.AlterField(
            model_name="changeplan",
            name="kind",
            field=models.CharField(
                choices=[
                    ("move", "Move"),
                    ("payer", "Payer"),
                    ("bill_to", "Bill To"),
                    ("consolidation", "Consolidation"),
                    ("closing", "Closing"),
                    ("promotion", "Promotion"),
                    ("subscription", "Subscription"),
                ],
                max_length=13,
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["waiting_approval", "waiting_acceptance", "scheduled"]),
                    ("subscription__isnull", True),
                ),
                fields=("tenant", "account"),
                name="plan_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["waiting_approval", "waiting_acceptance", "scheduled"])
                ),
                fields=("tenant", "subscription"),
                name="plan_open_once_of_subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="changeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "subscription"), ("subscription__isnull", False)),
                    models.Q(
                        models.Q(("kind", "subscription"), _negated=True),
                        ("subscription__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="plan_names_its_subscription",
            ),
        ),
        SecureReferences(model="changeplan", fields=["subscription"]),
    ]
