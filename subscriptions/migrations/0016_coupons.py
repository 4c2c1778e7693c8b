"""Coupons, and the discounts that accounts and subscriptions have."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureReferences, SecureTables


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_merged_accounts"),
        ("subscriptions", "0015_percentage_price"),
        ("tenancy", "0009_uncounted_json"),
    ]

    operations = [
        migrations.CreateModel(
            name="Coupon",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "percent",
                    models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True),
                ),
                (
                    "amount",
                    models.DecimalField(blank=True, decimal_places=8, max_digits=20, null=True),
                ),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "duration",
                    models.CharField(
                        choices=[("once", "once"), ("periods", "periods"), ("forever", "forever")],
                        max_length=7,
                    ),
                ),
                ("periods", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "products",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("code", models.CharField(max_length=50)),
                ("code_key", models.CharField(max_length=50)),
                ("redeem_from", models.DateField(blank=True, null=True)),
                ("redeem_until", models.DateField(blank=True, null=True)),
                ("max_redemptions", models.PositiveIntegerField(blank=True, null=True)),
                ("max_per_root", models.PositiveIntegerField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
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
        migrations.CreateModel(
            name="Discount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "percent",
                    models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True),
                ),
                (
                    "amount",
                    models.DecimalField(blank=True, decimal_places=8, max_digits=20, null=True),
                ),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "duration",
                    models.CharField(
                        choices=[("once", "once"), ("periods", "periods"), ("forever", "forever")],
                        max_length=7,
                    ),
                ),
                ("periods", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "products",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("starts", models.DateField()),
                ("ends", models.DateField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("given_by", models.CharField(max_length=200)),
                (
                    "account",
                    tenancy.database.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "coupon",
                    tenancy.database.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.coupon",
                    ),
                ),
                (
                    "root",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "subscription",
                    tenancy.database.fields.TenantForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.subscription",
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
        migrations.AddField(
            model_name="earlierterms",
            name="discount",
            field=tenancy.database.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.discount",
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="discount",
            field=tenancy.database.fields.TenantForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="subscriptions.discount",
            ),
        ),
        migrations.CreateModel(
            name="DiscountedItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("starts", models.DateField()),
                ("ends", models.DateField(blank=True, null=True)),
                (
                    "discount",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscriptions.discount",
                    ),
                ),
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
            model_name="coupon",
            constraint=models.UniqueConstraint(fields=("tenant", "code_key"), name="coupon_code"),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__isnull", True),
                        ("currency", ""),
                        ("percent__gt", 0),
                        ("percent__lte", 100),
                    ),
                    models.Q(
                        ("amount__gt", 0),
                        ("percent__isnull", True),
                        models.Q(("currency", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="coupon_takes_off",
            ),
        ),
        migrations.AddConstraint(
            model_name="coupon",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("duration", "periods"), ("periods__gte", 1)),
                    models.Q(
                        models.Q(("duration", "periods"), _negated=True), ("periods__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="coupon_periods",
            ),
        ),
        migrations.AddConstraint(
            model_name="discount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__isnull", True),
                        ("currency", ""),
                        ("percent__gt", 0),
                        ("percent__lte", 100),
                    ),
                    models.Q(
                        ("amount__gt", 0),
                        ("percent__isnull", True),
                        models.Q(("currency", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="discount_takes_off",
            ),
        ),
        migrations.AddConstraint(
            model_name="discount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account__isnull", False), ("subscription__isnull", True)),
                    models.Q(("account__isnull", True), ("subscription__isnull", False)),
                    _connector="OR",
                ),
                name="discount_of_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="discount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends__isnull", True), ("ends__gte", models.F("starts")), _connector="OR"
                ),
                name="discount_dates",
            ),
        ),
        migrations.AddConstraint(
            model_name="discounteditem",
            constraint=models.UniqueConstraint(
                fields=("tenant", "discount", "item"), name="discounted_item_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="discounteditem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends__isnull", True), ("ends__gte", models.F("starts")), _connector="OR"
                ),
                name="discounted_item_dates",
            ),
        ),
        SecureTables(models=["coupon", "discount", "discounteditem"]),
        SecureReferences(model="item", fields=["discount"]),
        SecureReferences(model="earlierterms", fields=["discount"]),
    ]
