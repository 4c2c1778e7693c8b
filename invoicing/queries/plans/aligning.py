"""What an alignment makes of the subscriptions below an account: to the day and to the cent."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from accounts import tree
from invoicing.engine.aligning import Aligned, Aligner, Left, Method, Running
from invoicing.engine.families import Families
from invoicing.engine.reading import coming_items, periods_since
from invoicing.engine.reading_charges import charges_since
from invoicing.engine.reading_families import read_families
from invoicing.engine.rows import ItemRow
from invoicing.engine.what_if import Realignment
from invoicing.queries.plans.aligned_settings import TIMING, AlignmentTooLarge, reached
from invoicing.queries.plans.checking import NothingToChange
from invoicing.queries.plans.standing import Standing, one_of
from invoicing.queries.plans.wanted import Alignment, Wanted, world_of
from subscriptions.models import Subscription
from tenancy.actor import Actor
from tenancy.ids import public_id
from tenancy.models import Tenant

MOST_ITEMS: Final = 20_000
"""So many are computed while somebody waits, and change in one transaction."""


@dataclass(frozen=True, slots=True)
class Row:
    """A subscription whose periods come to begin on other days.

    One with items of several intervals has a row for each.
    """

    items: tuple[Aligned, ...]

    @property
    def first(self) -> Aligned:
        """The first of its items; their days are the same."""
        return self.items[0]

    @property
    def amount_minor(self) -> int:
        """What is charged for the days up to the common date, less credits, in minor units."""
        return sum(one.amount_minor for one in self.items)

    @property
    def invoice_on(self) -> date | None:
        """When that is invoiced, None where nothing is charged."""
        days = [charge.invoice_on for one in self.items for charge in one.charges]
        return min(days, default=None)

    @property
    def currency(self) -> str:
        """Of its prices."""
        return str(self.first.item.price.currency)


@dataclass(frozen=True)
class Alignings:
    """What an alignment makes of everything in its reach."""

    after: Families
    aligned: Sequence[Aligned]
    left: Sequence[Left]

    @cached_property
    def rows(self) -> list[Row]:
        """What comes to begin on other days: in the order of the tree, then of the old days."""
        found: dict[tuple[Any, ...], list[Aligned]] = defaultdict(list)
        for one in self.aligned:
            found[one.item.subscription.id, one.old_date, one.new_date].append(one)
        rows = [Row(tuple(items)) for items in found.values()]
        place = self.after.position
        return sorted(
            rows,
            key=lambda row: (
                place[row.first.item.account_id], row.first.old_date, row.first.item.id,
            ),
        )  # fmt: skip

    @property
    def everything(self) -> list[Aligned | Left]:
        """What is aligned and what is not."""
        return [*self.aligned, *self.left]

    @property
    def realignments(self) -> tuple[Realignment, ...]:
        """What differs about items."""
        kept = (one.change for one in self.left if one.change is not None)
        return (*(one.change for one in self.aligned), *kept)

    @cached_property
    def own_days(self) -> list[UUID]:
        """The subscriptions whose own billing day ends, or holds again."""
        changed = {one.item_id: one.own_day_until for one in self.realignments}
        found = {
            one.item.subscription.id
            for one in self.everything
            if one.item.id in changed
            and one.item.subscription.billing_day is not None
            and one.item.subscription.billing_day_until != changed[one.item.id]
        }
        return sorted(found)

    def reference(self, account_id: UUID) -> dict[str, Any]:
        """Return an account as integrators see it."""
        account = self.after.accounts[account_id]
        return {"id": account.public_id, "external_id": account.external_id, "name": account.name}

    def payers(self) -> dict[tuple[UUID, str], list[Row]]:
        """Return the rows by who pays for the days up to the common date, and by currency."""
        found: dict[tuple[UUID, str], list[Row]] = defaultdict(list)
        for row in self.rows:
            item, day = row.first.item, row.invoice_on or row.first.old_date
            override = item.subscription.override_on(day)
            bill_to_id, _by = self.after.bill_to(item.account_id, override, day)
            payers = self.after.on(day).payers
            payer_id = payers[bill_to_id][0] if bill_to_id in payers else bill_to_id
            found[payer_id, row.currency].append(row)
        return dict(found)


def alignings_of(standing: Standing, *, tenant: Tenant) -> Alignings | None:
    """Return what an alignment makes of its subscriptions; None of other plans.

    Nothing is locked or stored: whoever carries it out holds the trees. At most fifteen statements.

    Args:
        standing: with the settings that make it.
        tenant: the actor's.

    Raises:
        AlignmentTooLarge: see its text.
    """
    wanted = standing.wanted
    if wanted.alignment is None:
        return None
    actor = standing.actor
    items = coming_items(actor, reached(standing, wanted.alignment))
    if len(items) > MOST_ITEMS:
        raise AlignmentTooLarge(count=len(items), most=MOST_ITEMS)
    trees = tree.families(actor.tenant_id, standing.roots)
    before = read_families(actor, trees, None, tenant=tenant)
    after = before.as_if(world_of(wanted, ()), wanted.day)
    method = Method(wanted.alignment.method)
    running = running_of(actor, items, wanted.day) if method == Method.REBILL else {}
    aligner = Aligner(before, after, wanted.day, method, running)
    found = [aligner.of(item, _until(wanted, wanted.alignment, item)) for item in items]
    found += _paid_by_themselves(standing, wanted.alignment)
    return Alignings(
        after,
        [one for one in found if isinstance(one, Aligned)],
        [one for one in found if isinstance(one, Left)],
    )


def _paid_by_themselves(standing: Standing, alignment: Alignment) -> list[Left]:
    """Return what a payer pays for of accounts that it does not pay for: it keeps their days.

    One statement at most, and one or more where there is any.
    """
    if not alignment.is_for_payer or alignment.is_back:
        return []
    follow, settings, day = {*reached(standing, alignment)}, standing.before, standing.wanted.day
    payer_id = standing.wanted.account_id
    recipients = {
        key for key, _up in standing.members if settings.payers.get(key, (key, None))[0] == payer_id
    }
    rows = Subscription.objects.filter(
        tenant_id=standing.actor.tenant_id,
        override_bill_to_id__in=one_of(recipients),
        account_id__in=one_of(key for key, _up in standing.members if key not in follow),
    )
    owners = set(rows.order_by().values_list("account_id", flat=True)) - {*standing.scope}
    return [
        Left(item, "own_recipient")
        for item in (coming_items(standing.actor, owners) if owners else ())
        if item.subscription.override_on(day) in recipients
    ]


def running_of(actor: Actor, items: Sequence[ItemRow], day: date) -> dict[UUID, Running]:
    """Return the last stored periods that run on a day, or begin later. Four statements."""
    ends = {item.id: item.chain_end for item in items if (item.chain_end or day) > day}
    periods = periods_since(actor, list(ends), day)
    last = [one for some in periods.values() for one in some if one.ends == ends[one.item_id]]
    charges = charges_since(actor, last)
    return {one.item_id: Running(one, charges.get(one.item_id, ())) for one in last}


def _until(wanted: Wanted, alignment: Alignment, item: ItemRow) -> date | None:
    """Return until when the subscription's own billing day holds."""
    one = item.subscription
    if alignment.is_back:
        return None if one.id in alignment.own_days else one.billing_day_until
    return one.billing_day_until if one.own_billing_day(wanted.day) is None else wanted.day


def require_changing(standing: Standing, alignings: Alignings | None) -> None:
    """Return if an alignment changes anything: a date of a subscription, or what new ones get.

    Raises:
        NothingToChange: everything is so already.
    """
    if alignings is None or alignings.aligned or alignings.own_days:
        return
    before, after = standing.before, standing.after
    scope: Collection[UUID] = standing.scope
    if all(before.value(key, name) == after.value(key, name) for key in scope for name in TIMING):
        raise NothingToChange


MOST_ROWS: Final = 100


def alignment_shown(standing: Standing, alignings: Alignings, name: Any) -> dict[str, Any]:
    """Return an alignment as plain JSON: the first rows, and sums of all.

    Args:
        standing: the accounts.
        alignings: what becomes of the subscriptions.
        name: names an account by its id.
    """
    wanted: Alignment | None = standing.wanted.alignment
    if wanted is None:  # pragma: no cover - alignments alone have alignings
        raise ValueError(standing.wanted.kind)
    rows = alignings.rows
    left = [one for one in alignings.left if one.code != "aligned"]
    return {
        **wanted.stored(),
        "subscriptions": len(rows),
        "aligned_already": sum(1 for one in alignings.left if one.code == "aligned"),
        "rows": [row_shown(row, name) for row in rows[:MOST_ROWS]],
        "more_rows": max(0, len(rows) - MOST_ROWS),
        "left": [_left(one, name) for one in left[:MOST_ROWS]],
        "more_left": max(0, len(left) - MOST_ROWS),
        "totals": [*_totals(alignings, name)],
        "before": _months(row.first.old_date for row in rows),
        "after": _months(row.first.new_date for row in rows),
    }


def row_shown(row: Row, name: Any) -> dict[str, Any]:
    """Return a row as integrators see it."""
    one = row.first
    stub, credited = one.stub, one.credited
    return {
        "subscription": public_id("sub", one.item.subscription.id),
        "external_id": one.item.subscription.external_id,
        "name": ", ".join(dict.fromkeys(each.item.price.name for each in row.items)),
        "account": name(one.item.account_id),
        "old_date": one.old_date.isoformat(),
        "new_date": one.new_date.isoformat(),
        "stub": stub and {"start": stub.start.isoformat(), "end": stub.end.isoformat()},
        "days": one.days,
        "credited": credited
        and {
            "start": credited.start.isoformat(),
            "end": credited.end.isoformat(),
        },
        "full_days": one.full.days,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "invoice_on": None if row.invoice_on is None else row.invoice_on.isoformat(),
    }


def _left(one: Left, name: Any) -> dict[str, Any]:
    subscription = one.item.subscription
    return {
        "subscription": public_id("sub", subscription.id),
        "external_id": subscription.external_id,
        "name": one.item.price.name,
        "account": name(one.item.account_id),
        "code": one.code,
        "day": None if one.day is None else one.day.isoformat(),
    }


def _totals(alignings: Alignings, name: Any) -> Iterator[dict[str, Any]]:
    for (payer_id, currency), rows in alignings.payers().items():
        yield {
            "payer": name(payer_id),
            "currency": currency,
            "subscriptions": len(rows),
            "amount_minor": sum(row.amount_minor for row in rows),
        }


def _months(days: Any) -> Mapping[str, int]:
    """Return how many begin in which month."""
    found: dict[str, int] = defaultdict(int)
    for day in days:
        found[f"{day:%Y-%m}"] += 1
    return dict(sorted(found.items()))
