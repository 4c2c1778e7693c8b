"""Telling apart: what distinguishes the documents that one recipient gets from one run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from billing_rules.consolidation import ConsolidationKey

PARTS: Final = (
    "po_number",
    "currency",
    "service_owner",
    "payer",
    "seller",
    "payment_terms_days",
    "collection",
)


def parts_apart(keys: Iterable[ConsolidationKey]) -> dict[ConsolidationKey, Sequence[str]]:
    """Return the parts of each key in which another document of the same recipient differs.

    Where a recipient gets one document alone there are none.

    Source: docs/billing-rules.md, R12.
    """
    of_recipient: dict[object, list[ConsolidationKey]] = defaultdict(list)
    for key in keys:
        of_recipient[key.bill_to].append(key)
    return {
        key: parts
        for siblings in of_recipient.values()
        for parts in [[part for part in PARTS if _differ(siblings, part)]]
        for key in siblings
    }


def _differ(keys: Sequence[ConsolidationKey], part: str) -> bool:
    return len({getattr(key, part) for key in keys}) > 1
