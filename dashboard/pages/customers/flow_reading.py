"""What a money flow shows: amounts from those who use to those who are invoiced and those who pay.

Who uses is told by the branches below the account that is looked at, so that a picture of a large
tree has few bands.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts.queries.answering import answering
from accounts.queries.paths import paths_of
from accounts.queries.trees import TreeRow
from invoicing.queries.flows import billed_for
from subscriptions.queries.flows import monthly_uses
from tenancy.actor import Actor

MOST_ACCOUNTS: Final = 5_000
"""A larger tree is looked at branch by branch."""


class Basis(StrEnum):
    """Which amounts flow: what runs now, or what was invoiced."""

    MONTHLY = "monthly"
    INVOICED = "invoiced"


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows from a branch to a recipient and to a payer: net in minor units.

    ``count`` is of how many subscriptions, or documents. ``account_ids`` are those that use it.
    """

    branch_id: UUID
    bill_to_id: UUID
    payer_id: UUID
    currency: str
    net_minor: int
    count: int


@dataclass(frozen=True, slots=True)
class Flows:
    """All flows, and the names of whom they concern."""

    rows: Sequence[Flow]
    names: Mapping[UUID, str]


def flows(actor: Actor, top: TreeRow, basis: Basis) -> Flows:
    """Return what flows within a subtree. Five statements at most.

    Args:
        actor: who asks.
        top: its top, which has at most ``MOST_ACCOUNTS`` below it.
        basis: which amounts.
    """
    if basis == Basis.MONTHLY:
        return _monthly(actor, top)
    return _invoiced(actor, top)


def _monthly(actor: Actor, top: TreeRow) -> Flows:
    uses = monthly_uses(actor, top.id, actor.today)
    overrides = [use.override_bill_to_id for use in uses if use.override_bill_to_id]
    used_by = {use.account_id for use in uses}
    answers = answering(actor, {top.id, *used_by}, actor.today, beside=overrides)
    found = []
    for use in uses:
        bill_to = answers.bill_to(use.account_id, use.override_bill_to_id)
        branch = _branch(use.account_id, top.id, answers.parents)
        found.append(
            Flow(branch, bill_to, answers.payer(bill_to), use.currency, use.net_minor,
                 use.subscriptions)
        )  # fmt: skip
    rows = _added(found)
    names = {key: account.name for key, account in answers.named.items()}
    return Flows(rows, _all_names(actor, rows, names))


def _invoiced(actor: Actor, top: TreeRow) -> Flows:
    billed = billed_for(actor, top.id, _year_before(actor.today))
    paths = paths_of(actor, {top.id, *(one.account_id for one in billed)})
    parents = {
        key: above
        for path in paths.values()
        for (above, _name), (key, _own) in zip([(None, ""), *path], path, strict=False)
    }
    rows = _added(
        Flow(_branch(one.account_id, top.id, parents), one.bill_to_id, one.payer_id, one.currency,
             one.net_minor, one.documents)
        for one in billed
    )  # fmt: skip
    names = {key: name for path in paths.values() for key, name in path}
    return Flows(rows, _all_names(actor, rows, names))


def _branch(account_id: UUID, top_id: UUID, parents: Mapping[UUID, UUID | None]) -> UUID:
    """Return the account below the top to whose branch another belongs, or the top itself."""
    branch, above = account_id, parents.get(account_id)
    while branch != top_id and above is not None and above != top_id:
        branch, above = above, parents.get(above)
    return branch


def _added(found: Iterable[Flow]) -> list[Flow]:
    """Return flows of the same way as one, the largest first."""
    sums: dict[tuple[UUID, UUID, UUID, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in found:
        entry = sums[one.branch_id, one.bill_to_id, one.payer_id, one.currency]
        entry[0] += one.net_minor
        entry[1] += one.count
    rows = [Flow(*way, net, count) for way, (net, count) in sums.items()]
    return sorted(rows, key=lambda row: (row.currency, -row.net_minor, str(row.branch_id)))


def _all_names(actor: Actor, rows: Iterable[Flow], names: Mapping[UUID, str]) -> Mapping[UUID, str]:
    wanted = {key for row in rows for key in (row.branch_id, row.bill_to_id, row.payer_id)}
    missing = wanted - names.keys()
    if not missing:
        return names
    paths = paths_of(actor, missing)
    return {**names, **{key: path[-1][1] for key, path in paths.items()}}


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return date(day.year - 1, 2, 28)
