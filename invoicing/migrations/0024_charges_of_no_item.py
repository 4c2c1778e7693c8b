"""Charges may be for no item: what is charged once, setup fees, usage, commitments."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("invoicing", "0023_plans_that_align"),
        ("subscriptions", "0015_percentage_price"),
        ("tenancy", "0009_uncounted_json"),
    ]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="external_id",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="charge",
            name="po_number",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AlterField(
            model_name="charge",
            name="item",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.item",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="kind",
            field=models.CharField(
                choices=[
                    ("recurring", "Recurring"),
                    ("credit", "Credit"),
                    ("one_off", "One-off"),
                    ("setup", "Setup fee"),
                    ("usage", "Usage"),
                    ("commitment", "Minimum commitment"),
                ],
                default="recurring",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="period",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.period",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
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
            model_name="invoiceline",
            name="subscription",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "setup")),
                fields=("tenant", "item"),
                name="charge_setup_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("item__isnull", True), ("kind", "credit")),
                fields=("tenant", "credited", "revision"),
                name="charge_credit_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id__isnull", False)),
                fields=("tenant", "external_id"),
                name="charge_external_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("item__isnull", False), ("subscription__isnull", False)),
                        models.Q(("period__isnull", False)),
                        ("kind", "recurring"),
                    ),
                    models.Q(
                        models.Q(("item__isnull", False), ("subscription__isnull", False)),
                        ("kind", "credit"),
                    ),
                    models.Q(
                        ("item__isnull", True),
                        ("kind__in", ["credit", "one_off"]),
                        ("period__isnull", True),
                    ),
                    models.Q(
                        models.Q(("item__isnull", False), ("subscription__isnull", False)),
                        models.Q(("period__isnull", False), _negated=True),
                        ("kind__in", ["setup", "usage", "commitment"]),
                    ),
                    _connector="OR",
                ),
                name="charge_of_what",
            ),
        ),
    ]
