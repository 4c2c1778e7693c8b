"""Whose subscriptions were before."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables


def _reference(to: str) -> models.ForeignKey:
    return tenancy.database.fields.TenantForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=to,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("subscriptions", "0010_earlier_terms"),
        ("tenancy", "0005_kept_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="EarlierOwner",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("until", models.DateField()),
                ("account", _reference("accounts.account")),
                ("subscription", _reference("subscriptions.subscription")),
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
                        fields=("tenant", "subscription", "until"), name="earlier_owner_once"
                    )
                ],
            },
        ),
        SecureTables(models=["earlierowner"]),
    ]
