"""Numbers: what documents add up to, and which of them can be made."""

from collections.abc import Iterator, Sequence
from datetime import date

from billing_rules.drafting import (
    ChargeIn,
    Disposition,
    DocumentDraft,
    disposition,
    draft_document,
)
from invoicing.engine.families import Families, Problem
from invoicing.engine.holding_back import hold_back
from invoicing.engine.placing import Placed, PlacedDocument

MAX_LINES = 100_000
MAX_GROSS_MINOR = 10**15


def numbered(
    families: Families, documents: Sequence[PlacedDocument], *, run_date: date | None
) -> Iterator[tuple[PlacedDocument, DocumentDraft]]:
    """Yield the documents that can be made, with their numbers; the others stay pending."""
    for document in hold_back(families, documents, run_date=run_date):
        numbers = draft_document(
            [_charge_in(placed) for placed in document.placed],
            families.position,
        )
        if disposition(numbers.gross_minor) is not Disposition.ISSUE:
            document.keep_pending("negative_total")
        elif len(document.placed) > MAX_LINES or numbers.gross_minor > MAX_GROSS_MINOR:
            document.keep_pending("out_of_bounds")
            families.problems.append(Problem("out_of_bounds", document.bill_to_id))
        else:
            yield document, numbers


def _charge_in(placed: Placed) -> ChargeIn:
    charge = placed.charge
    return ChargeIn(
        charge.id, charge.account_id, charge.net_minor, placed.tax, charge.place_in_section
    )
