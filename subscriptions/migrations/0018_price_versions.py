"""Prices have versions: for everybody, or negotiated for an account and those below it."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences


def _reference(to: str, related_name: str) -> Any:
    return tenancy.database.fields.TenantForeignKey(
        db_constraint=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=to,
    )


class Migration(migrations.Migration):
    """Add who follows whom, since when, and up to when."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("accounts", "0018_merged_accounts"),
        ("subscriptions", "0017_contract_terms"),
        ("tenancy", "0010_price_jobs"),
    ]
    operations: ClassVar[list[Any]] = [
        migrations.AddField("price", "account", _reference("accounts.account", "+")),
        migrations.AddField("price", "ends_on", models.DateField(blank=True, null=True)),
        migrations.AddField("price", "first", _reference("subscriptions.price", "versions")),
        migrations.AddField(
            "price", "number", models.PositiveIntegerField(db_default=1, default=1)
        ),
        migrations.AddField("price", "valid_from", models.DateField(blank=True, null=True)),
        migrations.AddConstraint(
            "price",
            models.UniqueConstraint(
                name="price_version_once",
                fields=["tenant", "first", "account", "number"],
                nulls_distinct=False,
                condition=Q(first__isnull=False),
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                name="price_version_dated",
                condition=Q(
                    first__isnull=True,
                    account__isnull=True,
                    number=1,
                    valid_from__isnull=True,
                    ends_on__isnull=True,
                )
                | Q(first__isnull=False, valid_from__isnull=False),
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                name="price_version_ends",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("valid_from")),
            ),
        ),
        SecureReferences(model="price", fields=["account", "first"]),
    ]
