"""Checking the books: that all invariants hold."""

from dataclasses import dataclass

from django.db import connection

from accounts import access, tree
from accounts.access import Action
from invoicing.queries.invariants import INVARIANTS
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


def verify_books(actor: Actor) -> tuple[dict[str, int], list[Violation]]:
    """Check every invariant of one tenant. Two statements each, whatever the size.

    Returns:
        How many objects each invariant was checked on, and at most a hundred violations each.

    Raises:
        Forbidden: the actor may not see all invoices.
    """
    access.require_everywhere(actor, Action.VIEW_INVOICE)
    slug = Tenant.objects.values_list("slug", flat=True).get(pk=actor.tenant_id)
    checked: dict[str, int] = {}
    violations: list[Violation] = []
    for invariant in INVARIANTS:
        with connection.cursor() as cursor:
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
