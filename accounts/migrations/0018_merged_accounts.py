"""Duplicate accounts that went up in another one."""

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences


class Migration(migrations.Migration):
    dependencies = [("accounts", "0017_tags"), ("tenancy", "0005_kept_answers")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="merged_into",
            field=tenancy.database.fields.TenantForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True), ("status", "archived"), _connector="OR"
                ),
                name="account_merged_is_archived",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into", models.F("id")), _negated=True),
                name="account_not_merged_into_itself",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["tenant", "merged_into"],
                name="account_merged",
            ),
        ),
        SecureReferences(model="account", fields=["merged_into"]),
    ]
