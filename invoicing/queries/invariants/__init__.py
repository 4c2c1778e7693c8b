"""The books' invariants in SQL: what must hold at any time, whatever happened."""

from invoicing.queries.invariants import changes, charges, documents, history, usage
from invoicing.queries.invariants.documents import OF_FILES, OTHER_FILE
from invoicing.queries.invariants.invariant import Invariant

__all__ = ["INVARIANTS", "OF_FILES", "OTHER_FILE", "Invariant"]

INVARIANTS = (
    *charges.INVARIANTS,
    *documents.INVARIANTS,
    *changes.INVARIANTS,
    *usage.INVARIANTS,
    *history.INVARIANTS,
)
