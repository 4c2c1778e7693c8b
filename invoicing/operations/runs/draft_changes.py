"""In what a draft differs from what was seen of it."""

from dataclasses import dataclass
from uuid import UUID

from invoicing.models import Invoice


@dataclass(frozen=True, slots=True)
class DraftChange:
    """A draft that is not what was seen, in minor units of its currency.

    Attributes:
        account_id: its recipient.
        before_minor: the total that was seen.
        after_minor: the total now, None where the draft is gone.
        what: which parts differ: ``recipient``, ``payer``, ``seller``, ``terms``, ``po_number``,
            ``tax``, ``lines`` or ``other``.
    """

    account_id: UUID
    currency: str
    before_minor: int
    after_minor: int | None
    what: tuple[str, ...]


def _parts(draft: Invoice) -> dict[str, object]:
    return {
        "recipient": (draft.bill_to_id, draft.snapshot["bill_to"]),
        "payer": draft.payer_id,
        "seller": draft.snapshot["seller"],
        "terms": (draft.payment_terms_days, draft.collection),
        "po_number": draft.po_number,
        "tax": (draft.regime, draft.tax_minor),
        "lines": (draft.net_minor, draft.line_count, draft.section_count),
    }


def change_of(before: Invoice, after: Invoice | None) -> DraftChange:
    """Say in which parts a draft differs from what was seen."""
    what: list[str] = []
    if after is not None:
        old, new = _parts(before), _parts(after)
        what = [name for name in old if old[name] != new[name]] or ["other"]
    return DraftChange(
        before.bill_to_id,
        before.currency,
        before.gross_minor,
        None if after is None else after.gross_minor,
        tuple(what),
    )
