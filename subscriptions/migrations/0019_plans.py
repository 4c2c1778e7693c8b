"""Plans, and which of them a subscription has."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureReferences, SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0018_price_versions"),
        ("tenancy", "0010_price_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="plan_since",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=200, null=True)),
                ("name", models.CharField(max_length=200)),
                ("trial_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("minimum_term_months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("renewal_months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("notice_months", models.PositiveSmallIntegerField(default=0)),
                ("notice_days", models.PositiveSmallIntegerField(default=0)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
        ),
        migrations.AddField(
            model_name="subscription",
            name="former_plan",
            field=tenancy.database.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.plan",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="plan",
            field=tenancy.database.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.plan",
            ),
        ),
        migrations.CreateModel(
            name="PlanItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("is_addon", models.BooleanField(default=False)),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=18)),
                (
                    "minimum",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True),
                ),
                (
                    "maximum",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "plan",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="subscriptions.plan",
                    ),
                ),
                (
                    "price",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.price",
                    ),
                ),
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
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="plan_name"),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                fields=("tenant", "external_id"), name="plan_external_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="planitem",
            constraint=models.UniqueConstraint(
                fields=("tenant", "plan", "price"), name="plan_price_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="planitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 0)), name="plan_quantity_not_negative"
            ),
        ),
        SecureTables(models=["plan", "planitem"]),
        SecureReferences(model="subscription", fields=["plan", "former_plan"]),
    ]
