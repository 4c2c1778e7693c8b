"""An item keeps what it brings in a month."""

import json
from decimal import Decimal
from typing import Any, ClassVar

from django.db import migrations, models

from billing_rules.mrr import monthly_minor
from billing_rules.periods import Interval, Unit
from billing_rules.pricing import Model, PriceTerms, Tier

# Under forced row security the owner would see and fill nothing, without a word.
_TABLES = ("subscriptions_item", "subscriptions_price")
_WANTED = """
    SELECT DISTINCT item.price_id, item.quantity, price.model, price.currency, price.unit_amount,
        price.tiers, price.package_size, price.interval, price.interval_count
    FROM subscriptions_item AS item JOIN subscriptions_price AS price ON price.id = item.price_id
"""
_FILL = """
    UPDATE subscriptions_item AS item SET monthly_minor = new.monthly_minor
    FROM unnest(%s::uuid[], %s::numeric[], %s::numeric[]) AS new (price_id, quantity, monthly_minor)
    WHERE item.price_id = new.price_id AND item.quantity = new.quantity
"""


def fill(_apps: Any, schema_editor: Any) -> None:
    """Price every item that is there, each price in each quantity once."""
    with schema_editor.connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        cursor.execute(_WANTED)
        known = [(row[0], row[1], _monthly(*row[1:])) for row in cursor.fetchall()]
        if known:
            ids, quantities, amounts = zip(*known, strict=True)
            cursor.execute(_FILL, [[str(key) for key in ids], list(quantities), list(amounts)])
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _monthly(
    quantity: Decimal,
    model: str,
    currency: str,
    unit_amount: Decimal | None,
    tiers: Any,
    package_size: Decimal | None,
    interval: str,
    interval_count: int,
) -> int:
    rows = json.loads(tiers) if isinstance(tiers, str) else tiers
    steps = tuple(
        Tier(
            up_to=None if row["up_to"] is None else Decimal(row["up_to"]),
            unit_amount=Decimal(row["unit_amount"]),
            flat_amount=Decimal(row["flat_amount"]),
        )
        for row in rows
    )
    terms = PriceTerms(Model(model), unit_amount, steps, package_size)
    return monthly_minor(terms, quantity, Interval(Unit(interval), interval_count), currency)


def _field(*, null: bool) -> Any:
    return models.DecimalField(max_digits=40, decimal_places=0, null=null)


class Migration(migrations.Migration):
    """Add it, fill it, require it."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("subscriptions", "0003_item_account")]
    operations: ClassVar[list[Any]] = [
        migrations.AddField("item", "monthly_minor", _field(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("item", "monthly_minor", _field(null=False)),
    ]
