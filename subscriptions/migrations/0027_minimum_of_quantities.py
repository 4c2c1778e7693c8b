"""Whatever is priced by quantity may cost something at least."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0026_pool_prices"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="price", name="price_minimum_of_metered"),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("minimum_amount__isnull", True),
                    models.Q(("minimum_amount__gt", 0), models.Q(("model", "flat"), _negated=True)),
                    _connector="OR",
                ),
                name="price_minimum_of_quantity",
            ),
        ),
    ]
