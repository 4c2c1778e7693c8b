"""Checking the books: that all invariants hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper

from accounts import access, tree
from accounts.access import Action
from invoicing.queries.invariants import INVARIANTS, OF_FILES
from tenancy.actor import Actor
from tenancy.ids import public_id
from tenancy.models import Tenant

_VIOLATIONS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Violation:
    """One object that breaks an invariant."""

    invariant: str
    tenant: str
    object: str
    detail: str


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
    checked: dict[str, int] = {}
    violations: list[Violation] = []
    with _joining_whole_tables() as cursor:
        for invariant in INVARIANTS:
            if invariant.name == OF_FILES and not with_files:
                continue
            cursor.execute(invariant.counted, {"tenant": actor.tenant_id})
            checked[invariant.name] = cursor.fetchone()[0]
            cursor.execute(
                f"{invariant.broken} LIMIT {_VIOLATIONS_SHOWN}", {"tenant": actor.tenant_id}
            )
            violations += [
                Violation(invariant.name, slug, str(key), detail)
                for key, detail in cursor.fetchall()
            ]
    _trees, checked["I17"], faults = tree.check(actor.tenant_id)
    violations += [
        Violation("I17", slug, public_id("acc", fault.account_id), fault.detail)
        for fault in faults[:_VIOLATIONS_SHOWN]
    ]
    return checked, violations
