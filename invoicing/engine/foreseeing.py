"""Foreseeing: the runs of days to come, one after another, in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from billing_rules.drafting import DocumentDraft
from billing_rules.schedule import Followed
from invoicing.engine.crediting import Billed, MadeOver, made_over
from invoicing.engine.families import Families
from invoicing.engine.late_usage import Late, settled, windows_of
from invoicing.engine.numbering import numbered
from invoicing.engine.placing import PlacedDocument, place_charges
from invoicing.engine.pooling import Pooling
from invoicing.engine.pools import Pools
from invoicing.engine.rating import rate, read_usage_so_far
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.engine.what_if import Crediting, WhatIf


@dataclass(frozen=True, slots=True)
class Stored:
    """What some families have and owe, as it was read.

    Attributes:
        families: where they stand, and what holds for them.
        items: what is due some day.
        begun: the last stored period of items that are billed in arrears.
        waiting: charges that no issued document holds.
        billed: what was charged for days on which others may be invoiced, where that matters.
        late: charged periods that the first run makes good.
        moved: these, and those that are shared otherwise once somebody has moved, where that
            matters.
    """

    families: Families
    items: Sequence[ItemRow]
    begun: Mapping[UUID, PeriodRow]
    waiting: Sequence[ChargeRow]
    billed: Sequence[Billed] = ()
    late: Late = field(default_factory=Late)
    moved: Late = field(default_factory=Late)


@dataclass(frozen=True, slots=True)
class ForeseenRun:
    """What a run of a day would make; documents without numbers wait for something."""

    day: date
    families: Families
    documents: Sequence[tuple[PlacedDocument, DocumentDraft | None]]


class ForeseenDays:
    """The runs of the days on which there is something to do, in order, in one world.

    Each goes on from what the one before it left, as runs that were really made would; only what
    waits and one day's charges are kept.

    Source: docs/billing-rules.md, R3 to R5, R9 to R16, R20, R21, R27.
    """

    def __init__(
        self,
        stored: Stored,
        what_if: WhatIf,
        *,
        first: date,
        crediting: Crediting | None = None,
    ) -> None:
        """Take what was read, how the world differs, and the day of the first run.

        The first run takes what is overdue. What may be credited in another world than this one is
        remembered.
        """
        self._stored = stored
        self._what_if = what_if
        self._items = {item.id: item for item in what_if.items(stored.items)}
        self._begun = dict(stored.begun)
        self._waiting = what_if.owed([*stored.waiting, *what_if.new_charges])
        self._worlds: dict[int, Families] = {}
        self._late = stored.moved if what_if.moves else stored.late
        self._made_good: list[ChargeRow] = []
        self._pools = self._having_pools()
        self._changes = _change_days(self._world(date.max))
        self._last_run: date | None = None
        self._next: date | None = first
        self._first, self._crediting = first, crediting
        self._billed = {one.charge.id: one for one in stored.billed}
        self.made_over = MadeOver()
        self._read_usage(first)

    def runs(self, until: date) -> Iterator[ForeseenRun]:
        """Yield the runs up to a day that have not been yielded yet."""
        while self._next is not None and self._next <= until:
            day = self._next
            yield self.run(day)
            self._last_run, self._next = day, self.after(day)

    def otherwise(self, what_if: WhatIf) -> "ForeseenDays":
        """Return how it goes on from here in another world, in which items are the same."""
        other = copy(self)
        other._what_if = what_if
        items = what_if.owned(self._items.values())
        other._items, other._begun = {item.id: item for item in items}, what_if.begun(self._begun)
        other._waiting = [*what_if.owed(self._waiting), *what_if.credited()]
        other._worlds = {}
        if self._pools is not None:
            pools = self._pools
            for one in what_if.hand_overs:
                pools = pools.handed_over(one.account_id, one.day)
            other._pools = pools.having(items)
        other._changes = _change_days(other._world(date.max))
        other._late, other._made_good = self._also_charged(self._stored.moved), []
        if what_if.crediting is not None:
            other._credit(self._world(what_if.crediting.day), what_if.crediting.day)
        if self._last_run is not None:
            other._next = other.after(self._last_run)
        if other._late and what_if.since is not None:
            # Whoever carries the change out notes what it makes other; that day's run finds it.
            since = max(what_if.since, self._first)
            other._next = since if other._next is None else min(other._next, since)
        if self._last_run is not None or other._late:
            other._read_usage(max(filter(None, (self._last_run, self._first, what_if.since))))
        return other

    def _also_charged(self, late: Late) -> Late:
        """Return what is to be made good, with what has been made good by now."""
        charges = {key: list(found) for key, found in late.charges.items()}
        for charge in self._made_good:
            if charge.item_id in charges:
                charges[charge.item_id].append(charge)
        return replace(late, charges=charges)

    def _credit(self, stored: Families, day: date) -> None:
        """Let what is credited, and charged instead, wait for the runs to come."""
        self._crediting = None
        self.made_over = made_over(
            stored, self._world(day), self._what_if, self._billed.values(), today=self._first
        )
        kept = {credit.id: credit for credit in self.made_over.kept}
        self._waiting = [
            replace(charge, bill_to_id=own.bill_to_id, payer_id=own.payer_id) if own else charge
            for charge in self._waiting
            for own in [kept.get(charge.id)]
        ]
        for made in self.made_over.transfers:
            self._waiting += [replace(made.credit), replace(made.charge)]

    def _having_pools(self) -> Pools | None:
        """Return what is charged together, with items as they would be; None without any."""
        late = (*self._stored.late.items, *self._stored.moved.items)
        if not any(item.is_metered for item in (*self._items.values(), *late)):
            return None
        return Pooling(self._stored.families).pools.having(self._items.values())

    def _read_usage(self, day: date) -> None:
        """Read what has been used so far."""
        world = self._world(day)
        also = windows_of(world, self._late) if self._late else ()
        read_usage_so_far(world, self._items.values(), self._begun, day, also=also)

    def run(self, day: date) -> ForeseenRun:
        """Do what a run of a day does."""
        families = self._world(day)
        families.problems.clear()
        due = [item for item in self._items.values() if item.next_action_date <= day]
        rated = rate(families, due, self._begun, until=day)
        self._go_on(rated.moved, rated.periods)
        known = [*self._waiting, *rated.charges, *self._settle_late(families, day)]
        ready = [charge for charge in known if _ready_on(charge) <= day]
        documents = place_charges(families, ready, run_date=day)
        numbers = {
            document.key: found for document, found in numbered(families, documents, run_date=day)
        }
        placed = {
            one.charge.id
            for document in documents
            if document.key in numbers
            for one in document.placed
        }
        done = placed | {charge.id for charge in ready if charge.is_offset}
        self._waiting = [charge for charge in known if charge.id not in done]
        if self._crediting is not None:
            self._remember(documents, placed, self._crediting)
        return ForeseenRun(day, families, [(one, numbers.get(one.key)) for one in documents])

    def _settle_late(self, families: Families, day: date) -> list[ChargeRow]:
        """Return what makes good the periods that are charged otherwise now; once."""
        late, self._late = self._late, Late()
        made, _done = settled(families, late, run_date=day) if late else ([], [])
        self._made_good += made
        return made

    def _remember(
        self, documents: Iterable[PlacedDocument], placed: Set[UUID], crediting: Crediting
    ) -> None:
        """Remember to whom was charged what may be credited."""
        for document in documents:
            parties = document.key.bill_to, document.key.payer
            for charge in (one.charge for one in document.placed):
                known = self._billed.get(charge.id)
                if known and known.charge.invoice_on >= crediting.day:
                    continue  # its draft is taken back, and it follows
                if charge.id in placed and (known or crediting.concerns(charge)):
                    owner_id = known.owner_id if known else charge.account_id
                    self._billed[charge.id] = Billed(charge, owner_id, parties)

    def after(self, day: date) -> date | None:
        """Return the next day on which a run has something to do, None if there is none.

        What was tried in vain is tried again when a setting, a place or a rate begins or ends.
        """
        actions = [item.next_action_date for item in self._items.values()]
        ready = [_ready_on(charge) for charge in self._waiting]
        ahead = [one for one in (*actions, *ready) if one > day]
        if len(ahead) < len(actions) + len(ready):
            ahead += [one for one in self._changes if one > day][:1]
            ahead += self._pools.ends_after(day) if self._pools else []
        return min(ahead, default=None)

    def _go_on(self, moved: Iterable[tuple[UUID, Followed]], periods: Iterable[PeriodRow]) -> None:
        for item_id, followed in moved:
            item = self._items.pop(item_id)
            self._begun.pop(item_id, None)
            if followed.next_action is not None:
                self._items[item_id] = replace(
                    item, chain_end=followed.chain_end, next_action_date=followed.next_action
                )
        for period in periods:
            item_after = self._items.get(period.item_id)
            if item_after is not None and item_after.chain_end == period.ends:
                self._begun[period.item_id] = period

    def _world(self, day: date) -> Families:
        """Return the families as they stand on a day; they change when somebody moves."""
        moves = len(self._what_if.moves_until(day))
        if moves not in self._worlds:
            world = self._stored.families.as_if(self._what_if, day)
            world.pools = self._pools
            self._worlds[moves] = world
        return self._worlds[moves]


def _ready_on(charge: ChargeRow) -> date:
    """Return the first day on which a run takes a charge."""
    return max(charge.invoice_on, charge.held_until or charge.invoice_on)


def _change_days(families: Families) -> list[date]:
    """Return the days on which something begins or ends that decides about billing, in order."""
    rates = [rate for rates in families.rates.values() for rate in rates]
    days = {*families.history.changes, *(rate.valid_from for rate in rates)}
    return sorted(days | {rate.valid_to for rate in rates if rate.valid_to})
