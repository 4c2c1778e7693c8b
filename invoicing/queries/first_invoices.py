"""On which day subscriptions are invoiced next of which something waits for its invoice."""

from collections.abc import Collection, Iterable
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
    for key, owner_id, net_minor, day in _waiting(actor, subscription_ids):
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


def _waiting(
    actor: Actor, subscription_ids: Collection[UUID]
) -> Iterable[tuple[UUID, UUID, int, date]]:
    """Return of each charge that waits its subscription, its account, what it is and from when."""
    return (
        Charge.objects.filter(
            Q(is_held=False) | Q(held_until__isnull=False),
            tenant_id=actor.tenant_id,
            subscription_id__in=subscription_ids,
            status=Charge.Status.PENDING,
        )
        .order_by()
        .values_list(
            "subscription_id",
            "account_id",
            "net_minor",
            Greatest("invoice_on", Coalesce("held_until", F("invoice_on"))),
        )
    )


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
