"""What an invariant is, and what several of them say in the same words of SQL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must hold: how many objects it speaks of, and those that break it.

    Both statements filter by ``%(tenant)s``; the second yields an object and a sentence. It joins
    whole tables of the tenant, and asks nothing row by row.
    """

    name: str
    counted: str
    broken: str


def counted(table: str, condition: str = "true") -> str:
    """Return the statement that counts a tenant's rows of a table."""
    return f"SELECT count(*) FROM {table} WHERE tenant_id = %(tenant)s AND {condition}"  # noqa: S608


ISSUED = "status <> 'to_approve'"
CHARGES = counted("invoicing_charge")
INVOICES = counted("invoicing_invoice")
ISSUED_INVOICES = counted("invoicing_invoice", ISSUED)
