"""Previewing a run: what it would draft, by its own steps and storing nothing.

A run may concern more trees than anybody waits for. So the preview goes through them in the run's
order, some at a time, and says from where the next part goes on.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F

from accounts import access, tree
from accounts.access import Action
from accounts.models import AccountNode
from invoicing.engine.families import Families
from invoicing.engine.late_usage import late_periods, settle_late, with_mates
from invoicing.engine.numbering import numbered
from invoicing.engine.placing import place_charges
from invoicing.engine.rating import rate
from invoicing.engine.reading import coming_items, open_periods
from invoicing.engine.reading_charges import charges_of, open_drafts, waiting_charges
from invoicing.engine.reading_families import read_families
from invoicing.engine.rows import ChargeRow
from invoicing.queries.concerned_trees import ConcernedTrees
from invoicing.queries.joined import joined_with
from subscriptions.models import Price
from tenancy.actor import Actor
from tenancy.models import Tenant

TREES_AT_ONCE: Final = 25
MOST_ACCOUNTS: Final = 5_000
"""A larger tree is counted and not computed while somebody waits for a page."""
SECONDS: Final = 2.0
"""So long a part begins further trees."""


@dataclass(frozen=True, slots=True)
class OpenDrafts:
    """Drafts of one earlier run that this one takes along."""

    run_date: date
    currency: str
    count: int
    net_minor: int


@dataclass(slots=True)
class RunPreview:
    """What a run would draft of the trees seen so far.

    Attributes:
        trees: how many trees the run concerns.
        done: how many of them are in the figures.
        too_large: how many of those were left out because they are too large.
        lines, documents: how many.
        accounts: how many accounts the lines belong to.
        held: lines that wait for something, so that they are on no document.
        net_minor: the documents' net sums by currency.
        drafts: by run and currency, the drafts that are taken along: count and net sum.
        days: on which something is to be done for what would be rated: a period begins or falls
            due, or a charge comes to its billing day. Not kept for the next part by ``stored``.
        held_since: the first day of a line that waits for something; not kept either.
        joined: the roots of trees that were billed along with others, so that their turn is over.
    """

    trees: int = 0
    done: int = 0
    too_large: int = 0
    lines: int = 0
    documents: int = 0
    accounts: int = 0
    held: int = 0
    net_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    drafts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)
    held_since: date | None = None
    joined: set[UUID] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be seen."""
        return self.done >= self.trees

    @property
    def open_drafts(self) -> list[OpenDrafts]:
        """The drafts that are taken along, the earliest run first."""
        return [
            OpenDrafts(date.fromisoformat(day), currency, *figures)
            for (day, currency), figures in sorted(self.drafts.items())
        ]

    def stored(self) -> dict[str, Any]:
        """Return it as plain JSON, for whoever asks for the next part."""
        return {
            **{name: getattr(self, name) for name in _COUNTS},
            "net_minor": dict(self.net_minor),
            "drafts": [[*key, *figures] for key, figures in self.drafts.items()],
            "joined": [str(root) for root in sorted(self.joined)],
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "RunPreview":
        """Return the preview that ``stored`` describes."""
        drafts = {(day, code): (count, net) for day, code, count, net in stored["drafts"]}
        counts = {name: stored[name] for name in _COUNTS}
        return cls(
            **counts,
            net_minor=defaultdict(int, stored["net_minor"]),
            drafts=drafts,
            joined={UUID(text) for text in stored["joined"]},
        )


_COUNTS: Final = ("trees", "done", "too_large", "lines", "documents", "accounts", "held")


def preview_run(
    actor: Actor,
    *,
    run_date: date,
    within: UUID | None,
    tenant: Tenant,
    now: datetime,
    issue: bool = False,
    so_far: RunPreview | None = None,
) -> RunPreview:
    """Return what a run for a day would draft; of many trees a part, added to ``so_far``.

    Nothing is locked or stored. At most twelve statements for each 25 trees, six more where usage
    came in late, and some more where trees are billed together because accounts moved; no further
    trees are begun after two seconds.

    Args:
        actor: who asks.
        run_date: the date of the run.
        within: only accounts of this subtree; None for all.
        tenant: the actor's.
        now: the instant.
        issue: whether the run would issue: then it also takes drafts of earlier runs along where
            nothing new is due.
        so_far: what an earlier part returned.

    Raises:
        Forbidden: the actor may not see billing runs.

    Source: docs/billing-rules.md, R4, R12, R21, R27.
    """
    access.require_everywhere(actor, Action.VIEW_RUNS)
    preview, until = so_far or RunPreview(), time.monotonic() + SECONDS
    queue = ConcernedTrees(actor, run_date, within, issue)
    while True:
        roots, preview.trees = queue.after(preview.done, TREES_AT_ONCE)
        _preview_trees(
            preview, queue, [one for one in roots if one[0] not in preview.joined], tenant
        )
        preview.done += len(roots)
        if preview.is_whole or not roots or time.monotonic() >= until:
            return preview


def _preview_trees(
    preview: RunPreview, queue: ConcernedTrees, trees: Sequence[tuple[UUID, int]], tenant: Tenant
) -> None:
    """Add some trees, with those that a run bills along (``load_families``)."""
    actor = queue.actor
    roots = [root for root, size in trees if size <= MOST_ACCOUNTS]
    others = joined_with(actor, roots) if roots else set()
    if large := _large(actor, others):
        roots = [root for root in roots if not joined_with(actor, [root]) & large]
        others = joined_with(actor, roots) if roots else set()
    preview.too_large += len(trees) - len(roots)
    if not roots:
        return
    counted = others and preview.joined & others | queue.done_of(others, preview.done)
    preview.joined |= others
    members = tree.families(actor.tenant_id, [*roots, *others])
    families = read_families(actor, members, queue.within, tenant=tenant)
    _add(preview, families, queue.run_date, counted)


def _large(actor: Actor, root_ids: Collection[UUID]) -> set[UUID]:
    """Return which trees are too large to be computed while somebody waits."""
    if not root_ids:
        return set()
    nodes = AccountNode.objects.filter(
        tenant_id=actor.tenant_id, account_id__in=root_ids, rght__gt=F("lft") + 2 * MOST_ACCOUNTS
    )
    return set(nodes.values_list("account_id", flat=True))


def _add(
    preview: RunPreview, families: Families, run_date: date, counted: Collection[UUID]
) -> None:
    """Take some trees through the steps of a run, and count what comes of it.

    Of trees that are ``counted`` already it is known where they stand, no more.
    """
    everybody, new = (
        families,
        {key for key in families.in_scope if families.root_of[key] not in counted},
    )
    families = replace(everybody, in_scope=new)
    drafts = open_drafts(families, run_date)
    rated, days = _rated(families, run_date)
    preview.days |= days
    charges = [
        *waiting_charges(families, run_date=run_date),
        *charges_of(families.actor, [draft.id for draft in drafts]),
        *(one for one in rated if one.invoice_on <= run_date),
    ]
    documents = place_charges(everybody, charges, run_date=run_date)
    owners: set[UUID] = set()
    made: set[UUID] = set()
    for document, numbers in numbered(everybody, documents, run_date=run_date):
        made |= {placed.charge.id for placed in document.placed}
        owners |= {placed.charge.account_id for placed in document.placed}
        preview.documents += 1
        preview.net_minor[document.key.currency] += numbers.net_minor
    held = [one.invoice_on for one in charges if one.id not in made and not one.is_offset]
    preview.lines += len(made)
    preview.accounts += len(owners)
    preview.held += len(held)
    if held:
        preview.held_since = min(*held, preview.held_since or date.max)
    for draft in drafts:
        assert draft.run is not None  # noqa: S101  # it was looked for by its run
        key = (draft.run.date.isoformat(), draft.currency)
        count, net = preview.drafts.get(key, (0, 0))
        preview.drafts[key] = (count + 1, net + draft.net_minor)


def _rated(families: Families, run_date: date) -> tuple[Sequence[ChargeRow], set[date]]:
    """Return the charges of what is due, and the days on which a run has something to do for it.

    Among them is what makes good usage that came in late.
    """
    items = [
        item
        for item in coming_items(families.actor, families.in_scope)
        if item.next_action_date <= run_date
    ]
    rated = rate(families, items, open_periods(families.actor, items), until=run_date)
    late, _others = with_mates(
        families, late_periods(families.actor, families.in_scope), rated.charges
    )
    charges = [*rated.charges, *settle_late(families, late, run_date=run_date)[0]]
    days = {item.next_action_date for item in items}
    days |= {charge.invoice_on for charge in charges}
    in_advance = {item.id for item in items if item.price.timing == Price.Timing.ADVANCE}
    for item_id, followed in rated.moved:
        ends = [stretch.period.end for stretch in followed.begun]
        if followed.next_action is None and item_id in in_advance:
            ends = ends[:-1]  # nothing is done on the day on which it ends
        days.update(ends)
    return charges, {day for day in days if day <= run_date}
