"""On which day subscriptions are invoiced next of which something waits for its invoice."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from accounts import tree
from invoicing.engine.foreseeing import ForeseenDays
from invoicing.engine.what_if import AS_STORED
from invoicing.models import Charge
from invoicing.queries.foreseeing import seen_families, stored_of
from tenancy.actor import Actor
from tenancy.queries.tenants import own_tenant

MOST_ACCOUNTS: Final = 1_000
"""Trees of so many accounts together are computed while somebody waits for a list."""
_MOST_CHARGES: Final = 5_000
_FARTHEST: Final = timedelta(days=1_100)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A charge or a credit that waits, and from when; a credit has negative days."""

    charge_id: UUID
    subscription_id: UUID
    owner_id: UUID
    net_minor: int
    days: int
    day: date


def first_invoice_days(actor: Actor, subscription_ids: Collection[UUID]) -> dict[UUID, date]:
    """Return the next day of invoice of those subscriptions of which something waits.

    What waits is charged or credited, maybe on a draft, and on no issued document; of what is held
    back without a day nobody knows. A charge is taken by the first run on or after its day. A
    credit comes with what else its recipient is invoiced: which run that is, the runs' own rules
    say, unless the trees are too large for that. One statement where no credit waits, else at most
    twenty more, whatever the number of subscriptions.

    It tells no more than a day, of subscriptions that the caller has found in sight.

    Source: docs/billing-rules.md, Next invoice.
    """
    charged: dict[UUID, date] = {}
    credited: dict[UUID, UUID] = {}
    for key, owner_id, net_minor, day in _to_be_invoiced(_waiting(actor, subscription_ids)):
        if net_minor < 0:
            credited[key] = owner_id
        else:
            charged[key] = min(charged.get(key, date.max), max(day, actor.today))
    if not credited:
        return charged
    families = tree.families(actor.tenant_id, {*credited.values()})
    computed = _small(families.items())
    members = {key for root in computed for key, _parent in families[root]}
    wanted = {key for key, owner_id in credited.items() if owner_id in members}
    return charged | _computed(actor, computed, wanted)


def _to_be_invoiced(waiting: Iterable[_Waiting]) -> Iterator[tuple[UUID, UUID, int, date]]:
    """Yield of each charge its subscription, its account, what it is and from when.

    What was taken back as a whole before it was invoiced comes on no invoice.
    """
    by_charge: dict[UUID, list[_Waiting]] = defaultdict(list)
    for one in waiting:
        by_charge[one.charge_id].append(one)
    for alike in by_charge.values():
        is_left = sum(one.net_minor for one in alike) or sum(one.days for one in alike)
        if is_left or len(alike) == 1:
            for one in alike:
                yield one.subscription_id, one.owner_id, one.net_minor, one.day


def _waiting(actor: Actor, subscription_ids: Collection[UUID]) -> Iterator[_Waiting]:
    """Yield what waits of some subscriptions. One statement."""
    rows = (
        Charge.objects.filter(
            Q(is_held=False) | Q(held_until__isnull=False),
            tenant_id=actor.tenant_id,
            subscription_id__in=subscription_ids,
            status=Charge.Status.PENDING,
        )
        .order_by()
        .values_list(
            "id",
            "credited_id",
            "subscription_id",
            "account_id",
            "net_minor",
            "period_start",
            "period_end",
            Greatest("invoice_on", Coalesce("held_until", F("invoice_on"))),
        )
    )
    for charge_id, credited_id, key, owner_id, net_minor, start, end, day in rows:
        days = (end - start).days * (1 if credited_id is None else -1)
        if key is not None:
            yield _Waiting(credited_id or charge_id, key, owner_id, net_minor, days, day)


def _small(families: Iterable[tuple[UUID, Collection[object]]]) -> list[UUID]:
    """Return trees that have no more accounts together than are computed at once."""
    chosen, size = [], 0
    for root, members in sorted(families, key=lambda one: (len(one[1]), one[0])):
        size += len(members)
        if size <= MOST_ACCOUNTS:
            chosen.append(root)
    return chosen


def _computed(actor: Actor, roots: list[UUID], wanted: set[UUID]) -> dict[UUID, date]:
    """Return on which day a run makes a document for each, as far as that is found."""
    if not wanted:
        return {}
    # Of the tree no more than the day is told, which whoever sees a section of it is told as well.
    system = Actor.system(actor.tenant_id, origin=actor.origin)
    families = seen_families(
        system, roots, AS_STORED, tenant=own_tenant(system), most=2 * MOST_ACCOUNTS
    )
    days = ForeseenDays(stored_of(families), AS_STORED, first=actor.today)
    found: dict[UUID, date] = {}
    charges = 0
    for run in days.runs(actor.today + _FARTHEST):
        for document, draft in run.documents:
            charges += len(document.placed)
            if draft is not None:
                for placed in document.placed:
                    key = placed.charge.subscription_id
                    if key in wanted and key is not None:
                        found.setdefault(key, run.day)
        if len(found) == len(wanted) or charges > _MOST_CHARGES:
            break
    return found
