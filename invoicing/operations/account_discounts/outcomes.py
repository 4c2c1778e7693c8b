"""What a discount of an account makes of what is subscribed to below it.

The job that carries it out and the preview ask the same function: what one shows, the other does.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from accounts import access, tree
from accounts.access import Action
from billing_rules.discounts import Given
from billing_rules.pricing import InvalidQuantity
from billing_rules.schedule import MAX_STEPS
from billing_rules.timelines import Stretch
from invoicing.engine.families import Families
from invoicing.engine.rating import MAX_AMOUNT_MINOR
from invoicing.engine.reading import periods_since, subscription_rows
from invoicing.engine.reading_charges import charges_since
from invoicing.engine.reading_families import read_families
from invoicing.engine.rows import ChargeRow
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.subscriptions.discounting import ended_for, spans_of
from invoicing.operations.subscriptions.opening import Opened
from invoicing.operations.subscriptions.settling import (
    AmountTooLarge,
    TooLongAgo,
    fallen_due,
    item_row,
    pending,
)
from subscriptions.models import Discount, Item, Subscription
from subscriptions.operations.discounts.checking import InvalidDiscount
from subscriptions.operations.discounts.resolving import given_to, in_order, resolved
from subscriptions.operations.discounts.spans import Calendar
from subscriptions.operations.subscriptions.holding import SubscriptionHeld
from subscriptions.queries.terms import ItemTerms, timelines_of
from tenancy.actor import Actor
from tenancy.queries.tenants import own_tenant

MOST_SHOWN: Final = 5_000
"""So many subscriptions are computed while somebody waits; the job goes through all."""
_BATCH: Final = 1_000
Timeline = Sequence[Stretch[ItemTerms]]


class Way(StrEnum):
    """What happens to a discount of an account."""

    GIVE = "give"
    END = "end"


@dataclass(frozen=True, slots=True)
class Giving:
    """A discount that is given to what is below its account, or ended for it, from a day on."""

    discount: Discount
    way: Way
    day: date


@dataclass(slots=True)
class Outcome:
    """What becomes of one subscription.

    Attributes:
        subscription: with its account.
        since: its first day on which something is other.
        code: ``changed``; ``behind``, where it has another discount that goes before; ``same``,
            where there is nothing to do; or why it can't be.
        new: from when to when its items have the discount.
        shortened: until when they have one that ends.
        written: the items that cost something else, with their terms.
        charges: what makes good what was charged for days since.
    """

    subscription: Subscription
    since: date
    code: str = "same"
    new: Mapping[UUID, Given[Discount]] = field(default_factory=dict)
    shortened: Mapping[UUID, date] = field(default_factory=dict)
    written: Sequence[tuple[Item, Timeline]] = ()
    charges: Sequence[ChargeRow] = ()

    @property
    def is_changed(self) -> bool:
        """Whether something of it costs something else."""
        return self.code == "changed"

    @property
    def currency(self) -> str:
        """The currency of its prices, empty where nothing of it changes."""
        return next((item.price.currency for item, _terms in self.written), "")

    @property
    def credited_minor(self) -> int:
        """What is credited to it, not below 0."""
        return -sum(one.net_minor for one in self.charges if one.kind == Charge.Kind.CREDIT)

    @property
    def charged_minor(self) -> int:
        """What is charged anew."""
        return sum(one.net_minor for one in self.charges if one.kind != Charge.Kind.CREDIT)


def outcomes(
    actor: Actor,
    families: Families,
    giving: Giving,
    ids: Collection[UUID],
    *,
    today: date,
    is_locked: bool = False,
) -> list[Outcome]:
    """Return what becomes of some subscriptions; nothing is stored.

    Some fifteen statements, whatever their number; of a coupon for some periods one more for each
    item.

    Args:
        actor: who gives it.
        families: the tree of the account, read or loaded.
        giving: the discount, stored or not.
        ids: the subscriptions; those that are not there are left out.
        today: the tenant's day; nothing that is made good falls due before.
        is_locked: lock them; the tree is locked.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
        SubscriptionHeld: a job is about to change one that is to be locked.

    Source: docs/billing-rules.md, Discounts.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    of_tenant = Subscription.objects.filter(tenant_id=actor.tenant_id, pk__in=list(ids))
    found = of_tenant.select_related("account").order_by("pk")
    rows = Item.objects.filter(tenant_id=actor.tenant_id, subscription_id__in=list(ids))
    rows = rows.select_related("price", "discount", "subscription").order_by("id")
    if is_locked:
        found, rows = (
            found.select_for_update(of=("self",)),
            rows.select_for_update(of=("self",)),
        )
    subscriptions, items = list(found), list(rows)
    if is_locked and any(one.is_held for one in subscriptions):
        raise SubscriptionHeld
    of_each: dict[UUID, list[Item]] = defaultdict(list)
    for item in items:
        of_each[item.subscription_id].append(item)
    timelines = timelines_of(actor, items, None)
    known = given_to(actor, list(timelines))
    owners = {one.account_id for one in subscriptions}
    calendar, paths = Calendar(actor, owners), tree.paths(actor.tenant_id, owners)
    planned: list[tuple[Outcome, Opened, dict[UUID, Timeline]]] = []
    for subscription in subscriptions:
        some = of_each[subscription.pk]
        opened = Opened(families, subscription, some, {one.pk: timelines[one.pk] for one in some})
        had = {one.pk: known[one.pk] for one in some if one.pk in known}
        outcome, after = _planned(actor, giving, opened, had, calendar, paths)
        planned.append((outcome, opened, after))
    _settle(actor, giving, families, planned, today)
    return [outcome for outcome, _opened, _after in planned]


def _planned(
    actor: Actor,
    giving: Giving,
    opened: Opened,
    known: Mapping[UUID, Sequence[Given[Discount]]],
    calendar: Calendar,
    paths: Mapping[UUID, Sequence[UUID]],
) -> tuple[Outcome, dict[UUID, Timeline]]:
    """Return which of its items get the discount or lose it, and their terms then."""
    subscription, discount = opened.subscription, giving.discount
    path = paths.get(subscription.account_id, ())
    if giving.way == Way.END:
        ended, shortened = ended_for(actor, opened, known, discount, giving.day, path)
        return Outcome(subscription, giving.day, shortened=shortened), ended
    outcome = Outcome(subscription, max(giving.day, subscription.start_date))
    try:
        spans = spans_of(actor, opened, discount, calendar)
    except InvalidDiscount as refusal:
        outcome.code = refusal.code
        return outcome, {}
    outcome.new = {
        key: one
        for key, one in spans.items()
        if all(held.discount.pk != discount.pk for held in known.get(key, ()))
    }
    owner = subscription.account_id
    after: dict[UUID, Timeline] = {
        key: resolved(
            opened.timelines[key], in_order(actor, owner, [one, *known.get(key, ())], path)
        )
        for key, one in outcome.new.items()
    }
    return outcome, after


def _settle(
    actor: Actor,
    giving: Giving,
    families: Families,
    planned: Sequence[tuple[Outcome, Opened, Mapping[UUID, Timeline]]],
    today: date,
) -> None:
    """Note what makes good what was charged, or why it can't be. Five statements at most."""
    changed = {
        item.pk: item
        for _outcome, opened, after in planned
        for item in opened.items
        if item.pk in after and after[item.pk] != opened.timelines[item.pk]
    }
    periods = periods_since(actor, list(changed), giving.day)
    stored = charges_since(actor, [one for some in periods.values() for one in some])
    rows = subscription_rows(actor, {item.subscription_id for item in changed.values()})
    settler = Settler(families, today=today, is_billed_now=False)
    for outcome, opened, after in planned:
        if not outcome.new and not outcome.shortened:
            continue
        some = [item for item in opened.items if item.pk in changed]
        if sum(len(periods.get(item.pk, ())) for item in some) > MAX_STEPS:
            _refuse(outcome, TooLongAgo.code)
            continue
        made: list[ChargeRow] = []
        try:
            for item in some:
                row = item_row(item, rows[item.subscription_id], after[item.pk])
                due = fallen_due(item, periods.get(item.pk, ()))
                made += settler.settle(row, due, stored.get(item.pk, ()))
        except InvalidQuantity:
            _refuse(outcome, AmountTooLarge.code)
            continue
        if any(abs(charge.net_minor) > MAX_AMOUNT_MINOR for charge in made):
            _refuse(outcome, AmountTooLarge.code)
            continue
        outcome.written = [(item, after[item.pk]) for item in some]
        outcome.charges = [pending(charge) for charge in made]
        outcome.code = "changed" if some else "behind"


def _refuse(outcome: Outcome, code: str) -> None:
    """Leave a subscription as it is, with why."""
    outcome.code, outcome.new, outcome.shortened = code, {}, {}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a discount comes to for all that is subscribed to below its account.

    Attributes:
        changed: the subscriptions that cost something else, in the order of the job.
        credited: what is credited to them in all, by currency.
        charged: what is charged anew.
        counts: how many there are of each ``code``.
        is_complete: whether all were computed.
    """

    changed: Sequence[Outcome]
    credited: Mapping[str, int]
    charged: Mapping[str, int]
    counts: Mapping[str, int]
    is_complete: bool

    @property
    def refused(self) -> int:
        """How many can't be changed."""
        return sum(
            count
            for code, count in self.counts.items()
            if code not in ("changed", "behind", "same")
        )


def foreseen(actor: Actor, giving: Giving, ids: Sequence[UUID], *, today: date) -> Foreseen:
    """Return what the job would make of some subscriptions; nothing is locked or stored.

    Some twenty-five statements for each 1,000 of them.

    Args:
        actor: who gives it.
        giving: the discount, stored or not.
        ids: the subscriptions, as the job goes through them.
        today: the tenant's day.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    some = ids[:MOST_SHOWN]
    found: list[Outcome] = []
    if some:
        roots = tree.families(actor.tenant_id, [giving.discount.root_id])
        families = read_families(actor, roots, None, tenant=own_tenant(actor))
        for start in range(0, len(some), _BATCH):
            piece = some[start : start + _BATCH]
            found += outcomes(actor, families, giving, piece, today=today)
    changed = [one for one in found if one.is_changed]
    credited, charged = Counter[str](), Counter[str]()
    for one in changed:
        credited[one.currency] += one.credited_minor
        charged[one.currency] += one.charged_minor
    counts = Counter(one.code for one in found)
    return Foreseen(changed, credited, charged, counts, len(some) == len(ids))
