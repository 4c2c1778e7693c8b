"""The nightly check of stored files: some each night, all of them in four weeks.

To read every file every night would take longer the longer a tenant is with us, while files that
nobody touches go bad slowly. Each tenant's check goes round: a row remembers where it stands.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from accounts import access
from accounts.access import Action
from invoicing.models import FileCheck, StoredDocument
from invoicing.queries.books import Checked, Violation, violations_of_files
from tenancy.actor import Actor
from tenancy.database import operation

NIGHTS: Final = 28
"""In so many nights a round is done."""
LEAST: Final = 500
"""So many files are read each night, if there are: most tenants' all."""
AT_ONCE: Final = 200
"""So many files are read in one transaction."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What became of one transaction's files."""

    read: int
    violations: list[Violation]
    is_last: bool


def check_some_files(actor: Actor) -> Checked:
    """Compare this night's part of the stored files with their digests.

    Returns:
        How many were read, and those that differ.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    left, read = _part_of_a_night(actor), 0
    found: list[Violation] = []
    while left > 0:
        part = _check_next(actor, limit=min(left, AT_ONCE))
        found += part.violations
        read += part.read
        if part.is_last:
            break
        left -= AT_ONCE
    return Checked(read, found)


@operation
def _part_of_a_night(actor: Actor) -> int:
    """Return how many files one night has to read."""
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    stored = StoredDocument.objects.filter(tenant_id=actor.tenant_id).count()
    return max(LEAST, -(-stored // NIGHTS))


@operation
def _check_next(actor: Actor, *, limit: int) -> _Part:
    """Read the files behind the place of the check, and keep the place of the last one.

    Locks the place, so that two checks of one tenant go one behind the other.
    """
    place, _is_new = FileCheck.objects.select_for_update().get_or_create(tenant_id=actor.tenant_id)
    further = _files_behind(actor, place, limit + 1)
    rows, is_last = further[:limit], len(further) <= limit
    if is_last:
        place.invoice_id, place.kind = None, ""
    else:
        _id, place.invoice_id, place.kind, _is_same = rows[-1]
    place.save(update_fields=["invoice_id", "kind"])
    bad = [row[0] for row in rows if not row[3]]
    return _Part(len(rows), violations_of_files(actor, bad), is_last)


def _files_behind(actor: Actor, place: FileCheck, limit: int) -> list[tuple[Any, ...]]:
    """Return id, invoice, kind and whether they are sound, in the order of the unique index."""
    begun = place.invoice_id is not None
    behind = "AND (invoice_id, kind) > (%(invoice)s, %(kind)s)" if begun else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, invoice_id, kind, encode(sha256(content), 'hex') = sha256
            FROM invoicing_storeddocument WHERE tenant_id = %(tenant)s {behind}
            ORDER BY invoice_id, kind LIMIT %(limit)s
            """,  # noqa: S608
            {
                "tenant": actor.tenant_id,
                "invoice": place.invoice_id,
                "kind": place.kind,
                "limit": limit,
            },
        )
        return list(cursor.fetchall())
