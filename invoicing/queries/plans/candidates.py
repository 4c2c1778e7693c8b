"""Which dates an account could renew on, and what the days up to each would cost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from accounts import tree
from accounts.models import Account
from billing_rules.periods import (
    Interval,
    OutsideCalendar,
    Period,
    Unit,
    anchor_of,
    full_period,
    next_period,
)
from billing_rules.proration import prorate
from billing_rules.schedule import MAX_STEPS
from billing_rules.settling import Charged, since
from invoicing.engine.aligning import Method, Running, begun_by_then, ends_early
from invoicing.engine.calculations import Calculations
from invoicing.engine.commitments import is_beside
from invoicing.engine.pooling import Pooling
from invoicing.engine.rating import Rater
from invoicing.engine.reading import coming_items
from invoicing.engine.reading_families import read_families
from invoicing.engine.rows import ItemRow
from invoicing.engine.settling import charged_so_far
from invoicing.queries.plans.aligned_settings import AlignmentTooLarge, reached
from invoicing.queries.plans.aligning import MOST_ITEMS, running_of
from invoicing.queries.plans.preview import require_planning
from invoicing.queries.plans.standing import standing_of
from invoicing.queries.plans.wanted import Wanted
from tenancy.actor import Actor
from tenancy.collecting import collecting_afterwards
from tenancy.models import Tenant

_MOST_OFTEN: Final = 6
"""So many of today's renewal dates are candidates, those that most have."""


class Merit(StrEnum):
    """What speaks for a date."""

    CHEAPEST = "cheapest"
    FEWEST = "fewest"
    LATEST = "latest"
    FISCAL_YEAR = "fiscal_year"


@dataclass(frozen=True)
class Candidate:
    """A date to renew on.

    Attributes:
        billing_day: the day of the month.
        billing_month: the month of longer intervals, None where all are monthly.
        changes: how many items would renew on another day than they do.
        until: when the last of them is on the common date.
        costs: what the days up to it cost, less what is credited of periods that end early, in
            minor units by currency.
        waived: what the days up to it would cost and are free, likewise.
        merits: what speaks for it.
    """

    billing_day: int
    billing_month: int | None
    changes: int
    until: date | None
    costs: Mapping[str, int]
    waived: Mapping[str, int] = field(default_factory=dict)
    merits: list[Merit] = field(default_factory=list)

    def amount_minor(self, currency: str) -> int:
        """Return what is charged, credited or given away in a currency: dates are ranked by it."""
        return self.costs.get(currency, 0) + self.waived.get(currency, 0)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What an account could renew on.

    Attributes:
        ranked: the dates that something speaks for, then the others by what they cost.
        days: one for each day of the month, or for each month, in order: to be drawn.
        items: how many could be aligned.
        months: how many renew next in which month, as year and month.
        currency: that of most items; the others are not compared.
    """

    ranked: Sequence[Candidate]
    days: Sequence[Candidate]
    items: int
    months: Mapping[str, int]
    currency: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """Items that go the same way: since when, how long, and what a full period costs.

    ``running`` is a period that may end early, with what stands charged for it. ``stub`` says
    whether the days after it can be charged: what ends before has none.
    """

    anchor_date: date
    interval: Interval
    start: date
    old_end: date
    amount: Fraction
    currency: str
    stub: bool = True
    end: date | None = None
    running: Period | None = None
    charged: tuple[Charged, ...] = ()


@collecting_afterwards()
def candidates_of(actor: Actor, wanted: Wanted, *, tenant: Tenant) -> Candidates:
    """Return the dates on which what an account has could renew, ranked for a method.

    At most 25 statements, four more where periods may end early.

    Args:
        actor: who asks.
        wanted: an alignment; its date is not read, its method is.
        tenant: the actor's.

    Raises:
        NotFound, Forbidden: the account is out of sight, or the actor may not plan changes.
        AlignmentTooLarge: see its text.
    """
    require_planning(actor, wanted)
    if wanted.alignment is None:  # pragma: no cover - asked of alignments alone
        raise ValueError(wanted.kind)
    standing = standing_of(actor, wanted)
    items = coming_items(actor, reached(standing, wanted.alignment))
    if len(items) > MOST_ITEMS:
        raise AlignmentTooLarge(count=len(items), most=MOST_ITEMS)
    trees = tree.families(actor.tenant_id, standing.roots)
    families = read_families(actor, trees, None, tenant=tenant)
    rater, calculations = Rater(families, wanted.day), Calculations(families, Pooling(families))
    method = Method(wanted.alignment.method)
    running = running_of(actor, items, wanted.day) if method == Method.REBILL else {}
    kinds: Counter[_Kind] = Counter()
    for item in items:
        kind = _kind(item, rater, calculations, wanted.day)
        if kind is not None and method == Method.REBILL:
            early = running.get(item.id) or begun_by_then(rater, item, wanted.day)
            kind = _that_may_end_early(kind, early)
        if kind is not None and (kind.stub or kind.running is not None):
            kinds[kind] += 1
    return _candidates(kinds, method, wanted.day)


def paid_accounts(actor: Actor, wanted: Wanted) -> list[Account]:
    """Return the accounts whose invoices one pays, in the order of the trees. Eight statements.

    Raises:
        NotFound, Forbidden: the account is out of sight, or the actor may not plan changes.
    """
    require_planning(actor, wanted)
    standing = standing_of(actor, wanted)
    return [standing.accounts[key] for key in standing.scope]


def _kind(item: ItemRow, rater: Rater, calculations: Calculations, day: date) -> _Kind | None:
    """Return what decides about an item, None for one that cannot be aligned."""
    interval = Interval(Unit(item.price.interval), item.price.interval_count)
    if interval.months is None:
        return None
    start = item.chain_end or item.subscription.first_charged_day
    try:
        for _step in range(MAX_STEPS):
            period = next_period(rater.anchor(item, start), start)
            if start >= day:
                break
            start = period.end
    except OutsideCalendar:
        return None
    end = item.subscription.end_date
    if start < day:
        return None
    terms = item.terms_on(start)
    amount = Fraction(0)
    if not terms.uncharged:
        amount = calculations.amount(terms.price, terms.quantity, terms.discount)
    return _Kind(
        item.subscription.anchor_date,
        interval,
        start,
        period.end,
        amount,
        item.price.currency,
        stub=end is None or end > period.end,
        end=end,
    )


def _that_may_end_early(kind: _Kind, running: Running | None) -> _Kind:
    """Return what decides about an item whose period that runs may end early."""
    if running is None:
        return kind
    period, charges = running
    pieces = charged_so_far([one for one in charges if not is_beside(one)]) if charges else []
    return replace(
        kind,
        running=Period(period.starts, period.ends),
        charged=tuple(replace(one, charge=None, terms=None) for one in pieces),
    )


def _candidates(kinds: Mapping[_Kind, int], method: Method, since_day: date) -> Candidates:
    currencies: Counter[str] = Counter()
    months: Counter[str] = Counter()
    for kind, count in kinds.items():
        currencies[kind.currency] += count
        months[f"{kind.start:%Y-%m}"] += count
    currency = currencies.most_common(1)[0][0] if currencies else ""
    days = [_candidate(kinds, *one, method, since_day) for one in _drawn(kinds)]
    known = {(one.billing_day, one.billing_month): one for one in days}
    for one in _often(kinds):
        if one not in known:
            known[one] = _candidate(kinds, *one, method, since_day)
    return Candidates(
        ranked=_ranked(list(known.values()), kinds, currency) if kinds else [],
        days=days,
        items=sum(kinds.values()),
        months=dict(sorted(months.items())),
        currency=currency,
    )


def _has_months(kinds: Iterable[_Kind]) -> bool:
    """Return whether some intervals are longer than a month."""
    return any(kind.interval.length > 1 for kind in kinds)


def _drawn(kinds: Iterable[_Kind]) -> Iterator[tuple[int, int | None]]:
    """Yield the dates that are drawn: the first of each month, or each day of one."""
    if _has_months(kinds):
        yield from ((1, month) for month in range(1, 13))
    else:
        yield from ((day, None) for day in range(1, 32))


def _often(kinds: Mapping[_Kind, int]) -> Iterator[tuple[int, int | None]]:
    """Yield the dates that most have today."""
    found: Counter[tuple[int, int | None]] = Counter()
    has_months = _has_months(kinds)
    for kind, count in kinds.items():
        is_long = kind.interval.length > 1
        if is_long or not has_months:
            found[kind.start.day, kind.start.month if has_months else None] += count
    yield from (one for one, _count in found.most_common(_MOST_OFTEN))


def _candidate(
    kinds: Mapping[_Kind, int], day: int, month: int | None, method: Method, since_day: date
) -> Candidate:
    sums: dict[str, int] = defaultdict(int)
    changes, until = 0, None
    for kind, count in kinds.items():
        anchor = anchor_of(kind.anchor_date, kind.interval, billing_day=day, billing_month=month)
        if kind.running and (cut := ends_early(kind.running, anchor, since_day, kind.end)):
            changes += count
            until = max(until or cut, cut)
            back = since(kind.charged, cut, kind.currency)
            sums[kind.currency] -= count * sum(piece.net_minor for piece in back)
            continue
        full = full_period(anchor, kind.start)
        if not kind.stub or full == Period(kind.start, kind.old_end):
            continue
        changes += count
        until = max(until or full.end, kind.start if full.start == kind.start else full.end)
        if full.start != kind.start:
            part = Period(kind.start, full.end)
            sums[kind.currency] += count * prorate(kind.amount, part, full, kind.currency)
    if method == Method.FREE:
        return Candidate(day, month, changes, until, {}, waived=dict(sums))
    return Candidate(day, month, changes, until, dict(sums))


def _ranked(
    known: Sequence[Candidate], kinds: Mapping[_Kind, int], currency: str
) -> list[Candidate]:
    """Return candidates by what speaks for them, then by what they cost."""
    by_cost = sorted(known, key=lambda one: (one.amount_minor(currency), one.changes))
    fewest = min(known, key=lambda one: (one.changes, one.amount_minor(currency)))
    last = max(kind.start for kind in kinds)
    latest = next(
        (one for one in known if _is_on(one, last)),
        max(known, key=lambda one: one.until or date.min),
    )
    fiscal = next((one for one in known if (one.billing_day, one.billing_month) == (1, 1)), None)
    found: list[Candidate] = []
    for one, merit in (
        (by_cost[0], Merit.CHEAPEST),
        (fewest, Merit.FEWEST),
        (latest, Merit.LATEST),
        (fiscal, Merit.FISCAL_YEAR),
    ):
        if one is not None:
            one.merits.append(merit)
            if one not in found:
                found.append(one)
    return [*found, *(one for one in by_cost if one not in found)]


def _is_on(one: Candidate, day: date) -> bool:
    return one.billing_day == day.day and one.billing_month in (None, day.month)
