"""An item knows the account of its subscription."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
from tenancy.database.migrations import SecureReferences

# Under forced row security the owner would fill nothing, without a word.
FILL = """
    ALTER TABLE subscriptions_item NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE subscriptions_subscription NO FORCE ROW LEVEL SECURITY;
    UPDATE subscriptions_item AS item SET account_id = subscription.account_id
    FROM subscriptions_subscription AS subscription
    WHERE subscription.id = item.subscription_id;
    ALTER TABLE subscriptions_item FORCE ROW LEVEL SECURITY;
    ALTER TABLE subscriptions_subscription FORCE ROW LEVEL SECURITY;
"""


def _reference(*, null: bool) -> Any:
    return tenancy.database.fields.TenantForeignKey(
        db_constraint=False,
        db_index=False,
        null=null,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="accounts.account",
    )


class Migration(migrations.Migration):
    """Add it, fill it, require it."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("subscriptions", "0002_tenants_apart")]
    operations: ClassVar[list[Any]] = [
        migrations.AddField("item", "account", _reference(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("item", "account", _reference(null=False)),
        migrations.AddIndex(
            "item", models.Index(fields=["tenant", "account"], name="item_of_account")
        ),
        SecureReferences(model="item", fields=["account"]),
    ]
