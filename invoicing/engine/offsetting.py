"""Offsetting: what was taken back as a whole before it was invoiced stands on no document."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
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


def with_held(
    charges: Iterable[ChargeRow], held: Collection[UUID], *, run_date: date
) -> list[ChargeRow]:
    """Return of what waits what a run of a day may take, each with the day from which on.

    What takes back of a charge that is held back waits with it: nobody is credited what was not
    invoiced. What is taken back as a whole is held back no longer.

    Args:
        charges: what waits; of what is held back also what its credits come along with.
        held: the ids of those that are held back.
        run_date: what is held back until then may be taken.

    Source: docs/billing-rules.md, Changes.
    """
    charges = list(charges)
    gone, known = offset_among(charges), {one.id: one for one in charges}
    ready: dict[UUID, date] = {}
    for one in charges:
        root = one.credited_id or one.id
        if one.id in gone:
            ready[root] = max(one.invoice_on, ready.get(root, one.invoice_on))
    found = []
    for one in charges:
        root = one.credited_id or one.id
        if root in held and one.id in gone:
            one.held_until = ready[root]
        elif root in held:
            until = known[root].held_until
            if until is None or until > run_date:
                continue
            one.held_until = max(until, one.held_until or until)
        found.append(one)
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
