"""Matching: which draft of before a document continues."""

from collections.abc import Sequence
from typing import Any

from billing_rules.consolidation import ConsolidationKey
from invoicing.models import Invoice


def facts_of(draft: Invoice) -> tuple[Any, ...]:
    """Return what of a draft's consolidation key is stored with it."""
    return (
        draft.seller_id,
        draft.bill_to_id,
        draft.payer_id,
        draft.currency,
        draft.payment_terms_days,
        draft.collection,
        draft.service_owner_id,
        (draft.po_number or None) if draft.splits_by_po else None,
    )


def facts_of_key(key: ConsolidationKey) -> tuple[Any, ...]:
    """Return the same of a key."""
    return (
        key.seller,
        key.bill_to,
        key.payer,
        key.currency,
        key.payment_terms_days,
        key.collection,
        key.service_owner,
        key.po_number,
    )


def matched(
    keys: Sequence[ConsolidationKey], earlier: Sequence[Invoice]
) -> dict[ConsolidationKey, Invoice]:
    """Return which draft of before each document continues: that of its key, else one like it.

    Terms or payer may have changed since: then it is the same document to whoever looks at it.
    """
    left, found = list(earlier), dict[ConsolidationKey, Invoice]()
    for of_draft, of_key in ((facts_of, facts_of_key), (_likeness_of, _likeness)):
        by_facts: dict[tuple[Any, ...], list[Invoice]] = {}
        for draft in left:
            by_facts.setdefault(of_draft(draft), []).append(draft)
        for key in keys:
            if key not in found and by_facts.get(of_key(key)):
                found[key] = by_facts[of_key(key)].pop(0)
        taken = {draft.id for draft in found.values()}
        left = [draft for draft in left if draft.id not in taken]
    return found


def _likeness(key: ConsolidationKey) -> tuple[Any, ...]:
    return (key.bill_to, key.currency, key.service_owner)


def _likeness_of(draft: Invoice) -> tuple[Any, ...]:
    return (draft.bill_to_id, draft.currency, draft.service_owner_id)
