"""Keep no statistics of JSON that is only shown."""

from typing import Any, ClassVar

from django.db import migrations

from tenancy.database.migrations import Uncounted


class Migration(migrations.Migration):
    """Leave it out when tables are counted."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("tenancy", "0008_audit_of_people")]
    operations: ClassVar[list[Any]] = [
        Uncounted("auditentry", ["before", "after"]),
        Uncounted("event", ["data"]),
    ]
