"""Checking the books: that all invariants hold, and what the last check of each found."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from accounts import access, tree
from accounts.access import Action
from invoicing.models import BooksCheck
from invoicing.queries.invariants import INVARIANTS, OF_FILES, OTHER_FILE
from tenancy.actor import Actor
from tenancy.ids import public_id
from tenancy.models import Tenant

VIOLATIONS_SHOWN: Final = 100
"""So many violations of a check are named; there may be more."""
OF_TREES: Final = "I17"
_IN_SQL: Final = {invariant.name: invariant for invariant in INVARIANTS}
CHECKS: Final = (*_IN_SQL, OF_TREES)
"""The names of all checks, in the order they are made in."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One object that breaks an invariant."""

    invariant: str
    tenant: str
    object: str
    detail: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check found: on how many objects it was made, and at most a hundred violations."""

    objects: int
    violations: list[Violation]


@contextmanager
def _joining_whole_tables() -> Iterator[CursorWrapper]:
    """Yield a cursor whose statements never look up one table for each row of another.

    A check reads all rows of a tenant. Beside much larger or very many other tenants the planner
    may take those for a handful, look each up in all the others, and be busy for a minute.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_nestloop', 'off', true)")
        try:
            yield cursor
        finally:
            if not connection.needs_rollback:
                cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")


def verify_books(
    actor: Actor, *, with_files: bool = True
) -> tuple[dict[str, int], list[Violation]]:
    """Check every invariant of one tenant. Two statements each, whatever the size.

    Args:
        actor: whose tenant.
        with_files: whether every stored file is read as well (I8).

    Returns:
        How many objects each invariant was checked on, and at most a hundred violations each.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    slug = Tenant.objects.values_list("slug", flat=True).get(pk=actor.tenant_id)
    with _joining_whole_tables() as cursor:
        found = {
            name: _checked(actor, cursor, name, slug)
            for name in CHECKS
            if with_files or name != OF_FILES
        }
    counts = {name: checked.objects for name, checked in found.items()}
    return counts, [one for checked in found.values() for one in checked.violations]


def verify_one(actor: Actor, name: str) -> Checked:
    """Make one of ``CHECKS``.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    slug = Tenant.objects.values_list("slug", flat=True).get(pk=actor.tenant_id)
    with _joining_whole_tables() as cursor:
        return _checked(actor, cursor, name, slug)


def _checked(actor: Actor, cursor: CursorWrapper, name: str, slug: str) -> Checked:
    if name == OF_TREES:
        _trees, nodes, faults = tree.check(actor.tenant_id)
        broken = [(public_id("acc", fault.account_id), fault.detail) for fault in faults]
        return Checked(nodes, _violations(name, slug, broken[:VIOLATIONS_SHOWN]))
    invariant, values = _IN_SQL[name], {"tenant": actor.tenant_id}
    cursor.execute(invariant.counted, values)
    (count,) = cursor.fetchone()
    cursor.execute(f"{invariant.broken} LIMIT {VIOLATIONS_SHOWN}", values)
    return Checked(count, _violations(name, slug, cursor.fetchall()))


def _violations(name: str, slug: str, broken: Sequence[tuple[object, str]]) -> list[Violation]:
    return [Violation(name, slug, str(key), detail) for key, detail in broken]


def last_checks(actor: Actor) -> Mapping[str, BooksCheck]:
    """Return the last result of each check that was made, by its name. One statement.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    return {kept.name: kept for kept in BooksCheck.objects.filter(tenant_id=actor.tenant_id)}


def violations_of_files(actor: Actor, bad: Sequence[UUID]) -> list[Violation]:
    """Return a violation for each of some stored files. One statement, none for none."""
    if not bad:
        return []
    slug = Tenant.objects.values_list("slug", flat=True).get(pk=actor.tenant_id)
    return [Violation(OF_FILES, slug, str(key), OTHER_FILE) for key in bad]


def files_still_bad(actor: Actor, keys: Sequence[str]) -> list[UUID]:
    """Return those of some stored files that are still not what was stored. One statement.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM invoicing_storeddocument WHERE tenant_id = %s"
            " AND id = ANY (%s::uuid[]) AND encode(sha256(content), 'hex') <> sha256 ORDER BY id",
            [actor.tenant_id, list(keys)],
        )
        return [key for (key,) in cursor.fetchall()]
