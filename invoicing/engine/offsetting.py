"""Offsetting: what was taken back as a whole before it was invoiced stands on no document."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from invoicing.engine.rows import OFFSET, ChargeRow


def offset_among(charges: Iterable[ChargeRow]) -> set[UUID]:
    """Return which charges of one document, with their credits, come to nothing.

    A charge does whose credits here are for each of its days, and sum to just as much. What is
    taken back in part stays with its credit, and so does what a credit elsewhere takes back of.

    Args:
        charges: of the document, none of which was invoiced.

    Returns:
        The ids of such charges and of their credits.

    Source: docs/billing-rules.md, Changes.
    """
    charges = list(charges)
    taken_back: dict[UUID, list[ChargeRow]] = defaultdict(list)
    for charge in charges:
        if charge.credited_id is not None:
            taken_back[charge.credited_id].append(charge)
    found: set[UUID] = set()
    if taken_back:
        for charge in charges:
            back = taken_back.get(charge.id, ())
            if back and _is_whole(charge, back):
                found.update((charge.id, *(credit.id for credit in back)))
    return found


def _is_whole(charge: ChargeRow, back: Sequence[ChargeRow]) -> bool:
    """Return whether no day of a charge, and nothing of its amount, is left."""
    days = sum(_days(credit) for credit in back)
    return days == _days(charge) and charge.net_minor + sum(one.net_minor for one in back) == 0


def _days(charge: ChargeRow) -> int:
    return (charge.period_end - charge.period_start).days


def set_aside(charge: ChargeRow) -> None:
    """Say of a placed charge that it stands nowhere, and of whom it would have been asked."""
    kept: Mapping[str, object] = charge.reason
    charge.reason = {
        **{name: value for name, value in kept.items() if name not in ("tax", "apart")},
        "code": OFFSET,
    }
