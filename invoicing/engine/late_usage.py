"""Usage that came in after its period was charged: what makes it good."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from billing_rules.pricing import InvalidQuantity
from invoicing.engine.commitments import is_beside
from invoicing.engine.families import Families, Problem
from invoicing.engine.measuring import window_of
from invoicing.engine.pooling import Pooling
from invoicing.engine.reading import ITEM, item_rows
from invoicing.engine.reading_charges import charges_since
from invoicing.engine.reading_pools import charged_with
from invoicing.engine.rows import ChargeRow, ItemRow, PeriodRow
from invoicing.engine.settling import Settler
from subscriptions.models import Item, LateUsage
from subscriptions.queries.measured import Window
from tenancy.actor import Actor
from tenancy.database.prepared import Given, Prepared
from tenancy.ids import parse_public_id

LatePeriods = Mapping[UUID, Sequence[PeriodRow]]
"""By item, its charged periods for which usage came in late."""


@dataclass(frozen=True, slots=True)
class Late:
    """Charged periods that are made good, with all that is needed for it.

    Attributes:
        periods: by item.
        items: the items, in the order of their ids.
        charges: by item, all charges and credits of the periods.
    """

    periods: LatePeriods = field(default_factory=dict)
    items: Sequence[ItemRow] = ()
    charges: Mapping[UUID, Sequence[ChargeRow]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.periods)


_LATE = Prepared(
    lambda: (
        LateUsage.objects.filter(
            tenant_id=Given("tenant"), item__account_id__among=Given("accounts")
        )
        .order_by("item_id", "period_id")
        .values_list(
            "item_id", "period_id", "period__starts", "period__ends", "period__prev_ends",
            "period__full_start", "period__full_end", "period__quantity",
        )
    )
)  # fmt: skip
_ITEMS = Prepared(
    lambda: (
        Item.objects.filter(tenant_id=Given("tenant"), pk__among=Given("ids"))
        .order_by("id")
        .values_list(*ITEM)
    )
)


def late_periods(actor: Actor, account_ids: Iterable[UUID]) -> LatePeriods:
    """Return the charged periods of accounts for which usage came in late. One statement."""
    found: dict[UUID, list[PeriodRow]] = defaultdict(list)
    for item_id, period_id, *columns in _LATE.rows(
        tenant=actor.tenant_id, accounts=list(account_ids)
    ):
        found[item_id].append(PeriodRow(period_id, item_id, *columns))
    return found


def with_mates(
    families: Families, late: LatePeriods, charges: Iterable[ChargeRow]
) -> tuple[LatePeriods, list[PeriodRow]]:
    """Return also what was charged before with pools of which more is charged now.

    One statement where something is, else none.

    Args:
        families: of the accounts.
        late: as ``late_periods`` says.
        charges: what is charged now.

    Returns:
        What is made good now, and what is not, as its accounts are not in scope.

    Source: docs/billing-rules.md, Pools.
    """
    before = charged_with(families.actor, {one for one in map(pool_period_of, charges) if one})
    if not before:
        return late, []
    found = {item_id: list(periods) for item_id, periods in late.items()}
    others: list[PeriodRow] = []
    for account_id, period in before:
        if account_id not in families.in_scope:
            others.append(period)
        elif period not in found.setdefault(period.item_id, []):
            found[period.item_id].append(period)
    return found, others


def pool_period_of(charge: ChargeRow) -> tuple[UUID, date] | None:
    """Return the pool with which something was charged, and the first day of its period."""
    pool = charge.calculation.get("pool")
    key = None if pool is None else parse_public_id("pol", pool["id"])
    if pool is None or key is None:
        return None
    return key, date.fromisoformat(pool["period"]["start"])


def settle_late(
    families: Families, late: LatePeriods, *, run_date: date
) -> tuple[list[ChargeRow], list[PeriodRow]]:
    """Return the credits and charges that make good what was used late, and the periods settled.

    A period that is not charged yet is charged right anyway; what comes to the same amount stays
    as it is. Six statements, none where nothing is late. Nothing is locked or written.

    Args:
        families: of the accounts.
        late: as ``late_periods`` says.
        run_date: nothing falls due before.

    Source: docs/billing-rules.md, Usage; docs/billing-rules.md, Changes.
    """
    return settled(families, read_late(families.actor, late), run_date=run_date)


def read_late(actor: Actor, late: LatePeriods) -> Late:
    """Return what it takes to make good some periods. Six statements, none where there is none."""
    if not late:
        return Late()
    rows = [
        (*row[:4], row[4] or date.max, *row[5:])
        for row in _ITEMS.rows(tenant=actor.tenant_id, ids=[*late])
    ]
    charges = charges_since(actor, [one for periods in late.values() for one in periods])
    return Late(late, list(item_rows(actor, rows)), charges)


def settled(
    families: Families, late: Late, *, run_date: date
) -> tuple[list[ChargeRow], list[PeriodRow]]:
    """Return as ``settle_late`` does for what has been read already; no statement but of meters.

    Source: docs/billing-rules.md, Usage; docs/billing-rules.md, Changes.
    """
    settler = Settler(families, today=run_date, is_billed_now=False)
    made: list[ChargeRow] = []
    done: list[PeriodRow] = []
    for item in late.items:
        periods = late.periods[item.id]
        try:
            made += _settled(settler, item, periods, late.charges.get(item.id, ()))
        except InvalidQuantity:
            families.problems.append(
                Problem("amount_out_of_range", item.account_id, item.subscription.id)
            )
            continue
        done += periods
    return made, done


def windows_of(families: Families, late: Late) -> Iterator[Window | None]:
    """Yield what making good some periods asks of meters."""
    pooling = Pooling(families)
    for item in late.items:
        if not item.is_metered:
            continue
        for period in late.periods[item.id]:
            end = min(period.ends, item.subscription.end_date or period.ends)
            for part in pooling.parts(item, period.starts, end) if period.starts < end else ():
                if part.pooled is not None:
                    yield from pooling.windows(part.pooled)
                yield window_of(item.subscription, part.terms.price, part.period)


def _settled(
    settler: Settler, item: ItemRow, periods: Sequence[PeriodRow], charges: Collection[ChargeRow]
) -> list[ChargeRow]:
    """Return what makes good each period; one that has no charge costs nothing."""
    made: list[ChargeRow] = []
    for period in sorted(periods, key=lambda one: one.starts):
        own = [
            charge
            for charge in charges
            if charge.period_id == period.id
            or (is_beside(charge) and charge.period_start == period.starts)
        ]
        made += settler.settle(item, [period], own)
    return made
