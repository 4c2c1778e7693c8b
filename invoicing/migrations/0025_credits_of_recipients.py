"""A credit may name whose it is, whoever is invoiced by then."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences


def _account() -> tenancy.database.fields.TenantForeignKey:
    return tenancy.database.fields.TenantForeignKey(
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="accounts.account",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("invoicing", "0024_charges_of_no_item"),
        ("subscriptions", "0015_percentage_price"),
        ("tenancy", "0009_uncounted_json"),
    ]

    operations = [
        migrations.AddField(model_name="charge", name="bill_to", field=_account()),
        migrations.AddField(model_name="charge", name="payer", field=_account()),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(
                condition=models.Q(("bill_to__isnull", False), ("status", "pending")),
                fields=["tenant", "bill_to"],
                name="charge_credited_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("bill_to__isnull", False), ("kind", "credit"), ("payer__isnull", False)
                    ),
                    models.Q(("bill_to__isnull", True), ("payer__isnull", True)),
                    _connector="OR",
                ),
                name="charge_parties",
            ),
        ),
        SecureReferences(model="charge", fields=["bill_to", "payer"]),
    ]
