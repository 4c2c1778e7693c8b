"""Row security, composite keys and the chain of periods."""

from typing import Any, ClassVar

from django.db import migrations

from tenancy.database.migrations import SecureTables

# A period refers to the end of the one before it, so a gap cannot be stored (R13).
CHAIN = """
    ALTER TABLE subscriptions_period ADD CONSTRAINT period_chain
    FOREIGN KEY (tenant_id, item_id, prev_ends)
    REFERENCES subscriptions_period (tenant_id, item_id, ends) DEFERRABLE INITIALLY IMMEDIATE
"""


class Migration(migrations.Migration):
    """What Django's models can't say."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("subscriptions", "0001_initial"),
        ("accounts", "0002_tenants_apart"),
    ]
    operations: ClassVar[list[Any]] = [
        SecureTables(models=["product", "price", "subscription", "item", "period"]),
        migrations.RunSQL(CHAIN, "ALTER TABLE subscriptions_period DROP CONSTRAINT period_chain"),
    ]
