"""Previewing a run: what it would draft, by its own steps and storing nothing.

A run may concern more trees than anybody waits for. So the preview goes through them in the run's
order, some at a time, and says from where the next part goes on.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts import access, tree
from accounts.access import Action
from invoicing.engine.families import Families, read_families
from invoicing.engine.numbering import numbered
from invoicing.engine.placing import place_charges
from invoicing.engine.rating import rate
from invoicing.engine.reading import (
    charges_of,
    coming_items,
    open_drafts,
    open_periods,
    waiting_charges,
)
from invoicing.engine.rows import ChargeRow
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
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "RunPreview":
        """Return the preview that ``stored`` describes."""
        drafts = {(day, code): (count, net) for day, code, count, net in stored["drafts"]}
        counts = {name: stored[name] for name in _COUNTS}
        return cls(**counts, net_minor=defaultdict(int, stored["net_minor"]), drafts=drafts)


_COUNTS: Final = ("trees", "done", "too_large", "lines", "documents", "accounts", "held")

# The trees that a run for a day concerns, in its order: as ``request_run`` queues them.
_CONCERNED: Final = """
    WITH concerned AS MATERIALIZED (
        SELECT item.account_id FROM subscriptions_item AS item
        WHERE item.tenant_id = %(tenant)s AND item.next_action_date <= %(date)s
        UNION
        SELECT charge.account_id FROM invoicing_charge AS charge
        LEFT JOIN invoicing_invoiceline AS line
            ON line.tenant_id = charge.tenant_id AND line.charge_id = charge.id
        WHERE charge.tenant_id = %(tenant)s AND charge.status = 'pending'
        AND (NOT charge.is_held OR charge.held_until <= %(date)s)
        AND charge.invoice_on <= %(date)s AND line.id IS NULL
        UNION
        SELECT invoice.bill_to_id FROM invoicing_invoice AS invoice
        JOIN invoicing_billingrun AS run
            ON run.tenant_id = invoice.tenant_id AND run.id = invoice.run_id
        WHERE invoice.tenant_id = %(tenant)s AND invoice.status = 'to_approve'
        AND (run.date = %(date)s OR %(issue)s AND run.date < %(date)s)
    ), trees AS MATERIALIZED (
        SELECT DISTINCT node.tree_id FROM concerned
        JOIN accounts_accountnode AS node
            ON node.tenant_id = %(tenant)s AND node.account_id = concerned.account_id
        LEFT JOIN accounts_accountnode AS top
            ON top.tenant_id = node.tenant_id AND top.account_id = %(within)s
        WHERE %(within)s IS NULL OR (
            node.tree_id = top.tree_id AND node.lft >= top.lft AND node.rght <= top.rght)
    )
    SELECT root.account_id, (root.rght - root.lft + 1) / 2, count(*) OVER ()
    FROM trees
    JOIN accounts_accountnode AS root
        ON root.tenant_id = %(tenant)s AND root.tree_id = trees.tree_id AND root.parent_id IS NULL
    JOIN accounts_account AS account
        ON account.tenant_id = root.tenant_id AND account.id = root.account_id
    ORDER BY account.sort_key, account.id
    OFFSET %(done)s LIMIT %(limit)s
"""


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

    Nothing is locked or stored. At most eleven statements for each 25 trees; no further trees are
    begun after two seconds.

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
    while True:
        roots, preview.trees = _concerned(actor, run_date, within, issue, preview.done)
        small = [root for root, size in roots if size <= MOST_ACCOUNTS]
        preview.too_large += len(roots) - len(small)
        if small:
            members = tree.families(actor.tenant_id, small)
            families = read_families(actor, members, within, tenant=tenant)
            _add(preview, families, run_date)
        preview.done += len(roots)
        if preview.is_whole or not roots or time.monotonic() >= until:
            return preview


def _concerned(
    actor: Actor, run_date: date, within: UUID | None, issue: bool, done: int
) -> tuple[list[tuple[UUID, int]], int]:
    """Return the next trees, each with its size, and how many there are in all."""
    values: dict[str, Any] = {
        "tenant": actor.tenant_id, "date": run_date, "within": within, "issue": issue,
        "done": done, "limit": TREES_AT_ONCE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CONCERNED, values)
        rows = cursor.fetchall()
    return [(root, size) for root, size, _all in rows], rows[0][2] if rows else done


def _add(preview: RunPreview, families: Families, run_date: date) -> None:
    """Take some trees through the steps of a run, and count what comes of it."""
    drafts = open_drafts(families, run_date)
    rated, days = _rated(families, run_date)
    preview.days |= days
    charges = [
        *waiting_charges(families, run_date=run_date),
        *charges_of(families.actor, [draft.id for draft in drafts]),
        *(one for one in rated if one.invoice_on <= run_date),
    ]
    documents = place_charges(families, charges, run_date=run_date)
    owners: set[UUID] = set()
    made: set[UUID] = set()
    for document, numbers in numbered(families, documents, run_date=run_date):
        made |= {placed.charge.id for placed in document.placed}
        owners |= {placed.charge.account_id for placed in document.placed}
        preview.documents += 1
        preview.net_minor[document.key.currency] += numbers.net_minor
    held = [charge.invoice_on for charge in charges if charge.id not in made]
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
    """Return the charges of what is due, and the days on which a run has something to do for it."""
    items = [
        item
        for item in coming_items(families.actor, families.in_scope)
        if item.next_action_date <= run_date
    ]
    rated = rate(families, items, open_periods(families.actor, items), until=run_date)
    days = {item.next_action_date for item in items}
    days |= {charge.invoice_on for charge in rated.charges}
    in_advance = {item.id for item in items if item.price.timing == Price.Timing.ADVANCE}
    for item_id, followed in rated.moved:
        ends = [stretch.period.end for stretch in followed.begun]
        if followed.next_action is None and item_id in in_advance:
            ends = ends[:-1]  # nothing is done on the day on which it ends
        days.update(ends)
    return rated.charges, {day for day in days if day <= run_date}
