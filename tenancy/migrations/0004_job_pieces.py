"""The file of a job in pieces, each a row: so that none is written again for the next one."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models

import tenancy.database.fields
import tenancy.ids
from tenancy.database.migrations import SecureTables

TABLES = ("accounts_job", "tenancy_jobpiece")
KEEP = """
    INSERT INTO tenancy_jobpiece (id, tenant_id, job_id, number, content)
    SELECT gen_random_uuid(), tenant_id, id, 0, input FROM accounts_job
    WHERE input IS NOT NULL AND (
        status IN ('waiting', 'running') OR status = 'done' AND problems = '[]'::jsonb)
"""


def keep(_apps: Any, schema_editor: Any) -> None:
    """Take over files that are still needed. Under forced row security the owner sees no row."""
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        cursor.execute(KEEP)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    """Make the table, take over what is needed, and drop the column."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("tenancy", "0003_outbox"),
        ("accounts", "0014_ground_parted"),
    ]
    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="JobPiece",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "job",
                    tenancy.database.fields.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.job",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "job", "number"), name="job_piece_once"
                    )
                ],
            },
        ),
        SecureTables(models=["jobpiece"]),
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.RemoveField("job", "input"),
    ]
