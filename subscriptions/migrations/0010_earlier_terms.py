"""Since when an item has its price and quantity, and what it had before."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0009_earlier_recipients"),
        ("tenancy", "0008_audit_of_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="item",
            name="terms_since",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="EarlierTerms",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=18)),
                ("monthly_minor", models.DecimalField(decimal_places=0, max_digits=40)),
                ("until", models.DateField()),
                (
                    "item",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.item",
                    ),
                ),
                (
                    "price",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
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
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "item", "until"), name="earlier_terms_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 0)), name="earlier_terms_not_negative"
                    ),
                ],
            },
        ),
        SecureTables(models=["earlierterms"]),
    ]
