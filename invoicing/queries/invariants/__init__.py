"""The books' invariants in SQL: what must hold at any time, whatever happened."""

from invoicing.queries.invariants.changes import OF_CHANGES
from invoicing.queries.invariants.charges import OF_CHARGES
from invoicing.queries.invariants.documents import OF_DOCUMENTS, OF_FILES, OTHER_FILE
from invoicing.queries.invariants.history import OF_HISTORY
from invoicing.queries.invariants.invariant import Invariant
from invoicing.queries.invariants.usage import OF_USAGE

__all__ = ["INVARIANTS", "OF_FILES", "OTHER_FILE", "Invariant"]

INVARIANTS = (*OF_CHARGES, *OF_DOCUMENTS, *OF_CHANGES, *OF_USAGE, *OF_HISTORY)
