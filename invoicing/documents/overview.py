"""The sums of an overview of accounts: one for each branch that several of them lie in."""

from collections.abc import Sequence
from itertools import groupby

from invoicing.documents.formats import Formats
from invoicing.models import InvoiceSection

Closing = tuple[str, str]
"""The name of a branch below the bill-to, and the sum of its accounts."""


def closings(sections: Sequence[InvoiceSection], formats: Formats) -> dict[int, Closing]:
    """Return what is summed up behind which section, by its place from 0.

    A branch is the first level below the bill-to. One account alone needs no sum, and neither
    does a branch that all accounts lie in: its sum is the document's.
    """
    found: dict[int, Closing] = {}
    place = 0
    for branch, grouped in groupby(sections, key=lambda one: one.path[0] if one.path else ""):
        group = list(grouped)
        place += len(group)
        if branch and 1 < len(group) < len(sections):
            found[place - 1] = (branch, formats.amount(sum(one.net_minor for one in group)))
    return found
