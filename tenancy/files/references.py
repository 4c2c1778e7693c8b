"""What cells name: by its external id, or by its own id where it has none."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from tenancy.ids import parse_public_id, public_id

Row = TypeVar("Row", bound=Model)


def named_by(found: QuerySet[Row], prefix: str, cells: Iterable[str]) -> dict[str, Row]:
    """Return rows by the cells that name them. One statement, none where nothing is named.

    Args:
        found: rows of a tenant that have an ``external_id``.
        prefix: that of their public ids.
        cells: of a column.
    """
    texts = {text for text in cells if text}
    if not texts:
        return {}
    keys = {key: text for text in texts if (key := parse_public_id(prefix, text)) is not None}
    rows = list(found.filter(Q(external_id__in=texts) | Q(pk__in=list(keys))))
    named = {keys[row.pk]: row for row in rows if row.pk in keys}
    # What is called so goes before what has such an id.
    return named | {row.external_id: row for row in rows if row.external_id in texts}  # type: ignore[attr-defined]


def name_of(prefix: str, external_id: str | None, key: UUID) -> str:
    """Return what files call a row: so that ``named_by`` finds it."""
    return external_id or public_id(prefix, key)
