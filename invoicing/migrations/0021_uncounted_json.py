"""Keep no statistics of JSON that is only shown."""

from typing import Any, ClassVar

from django.db import migrations

from tenancy.database.migrations import Uncounted


class Migration(migrations.Migration):
    """Leave it out when tables are counted: it was most of what counting charges took."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("invoicing", "0020_credits")]
    operations: ClassVar[list[Any]] = [
        Uncounted("charge", ["calculation", "reason"]),
        Uncounted("invoice", ["snapshot", "approved_by"]),
        Uncounted("invoicesection", ["path", "lineage"]),
        Uncounted("runproblem", ["params"]),
    ]
