"""Changed rows by the thousand: one statement, one parameter beside the tenant."""

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from uuid import UUID

import orjson
from django.db import connection, models


def update_rows(rows: Sequence[models.Model], columns: Sequence[str], *, tenant_id: UUID) -> None:
    """Write some columns of rows that are stored, as a ``save`` of each would.

    Args:
        rows: instances of one model.
        columns: the names of what has changed in some of them.
        tenant_id: whose they are.

    Raises:
        IntegrityError: a constraint refused a row; nothing of this call is stored then.
    """
    if not rows:
        return
    names = ("id", *columns)
    read = attrgetter(*names)
    said = [dict(zip(names, read(row), strict=True)) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(type(rows[0]), tuple(columns)), [orjson.dumps(said).decode(), tenant_id]
        )


@cache
def _statement(model: type[models.Model], columns: tuple[str, ...]) -> str:
    fields = [model._meta.get_field(name) for name in ("id", *columns)]
    typed = ", ".join(f'"{field.attname}" {field.db_type(connection)}' for field in fields)  # type: ignore[union-attr]
    changed = ", ".join(f'"{field.column}" = new."{field.attname}"' for field in fields[1:])  # type: ignore[union-attr]
    return (
        f'UPDATE "{model._meta.db_table}" AS old SET {changed}'  # noqa: S608  # names of models
        f" FROM json_to_recordset(%s::json) AS new ({typed})"
        " WHERE old.id = new.id AND old.tenant_id = %s"
    )
