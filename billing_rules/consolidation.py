"""Which charges share a document."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final
from uuid import UUID


class Consolidation(StrEnum):
    """Whether accounts with the same bill-to share an invoice; read at the service owner (R9)."""

    ONE_INVOICE = "one_invoice"
    PER_ACCOUNT = "per_account"


@dataclass(frozen=True, slots=True)
class ConsolidationKey:
    """What charges of one run must have in common to be on one document.

    ``payment_method`` is set where one is pinned, ``po_number`` where the bill-to splits by it,
    ``service_owner`` where it is billed per account, and ``tax_regime`` where tax follows the
    service owner's country, because a document has one regime (R14).

    Source: docs/billing-rules.md, R12.
    """

    seller: UUID
    bill_to: UUID
    payer: UUID
    currency: str
    payment_terms_days: int
    collection: str
    payment_method: UUID | None = None
    po_number: str | None = None
    service_owner: UUID | None = None
    tax_regime: str | None = None


def key_of(
    *,
    seller: UUID,
    bill_to: UUID,
    payer: UUID,
    service_owner: UUID,
    currency: str,
    payment_terms_days: int,
    collection: str,
    consolidation: Consolidation = Consolidation.ONE_INVOICE,
    payment_method: UUID | None = None,
    split_by_po: bool = False,
    po_number: str | None = None,
    tax_regime: str | None = None,
) -> ConsolidationKey:
    """Return the key of a charge.

    Args:
        seller: who issues the document.
        bill_to: whom it is addressed to.
        payer: whose payment method is used.
        service_owner: the account that the subscription belongs to.
        currency: ISO 4217.
        payment_terms_days: days between issue and due date.
        collection: how the document is collected.
        consolidation: whether the service owner has documents of its own.
        payment_method: the pinned method, if there is one.
        split_by_po: whether the bill-to wants a document per PO number.
        po_number: of the charge; empty is the same as none.
        tax_regime: given where tax follows the service owner's country.

    Source: docs/billing-rules.md, R12.
    """
    return ConsolidationKey(
        seller=seller,
        bill_to=bill_to,
        payer=payer,
        currency=currency,
        payment_terms_days=payment_terms_days,
        collection=collection,
        payment_method=payment_method,
        po_number=(po_number or None) if split_by_po else None,
        service_owner=service_owner if consolidation == Consolidation.PER_ACCOUNT else None,
        tax_regime=tax_regime,
    )


def differences(one: ConsolidationKey, other: ConsolidationKey) -> tuple[str, ...]:
    """Return the names of the parts in which two keys differ: why charges are not together."""
    return tuple(
        field.name
        for field in fields(ConsolidationKey)
        if getattr(one, field.name) != getattr(other, field.name)
    )


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
