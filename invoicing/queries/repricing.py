"""What another version of a price makes of all that is had at it: whose, and what it brings in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts import access, tree
from accounts.access import Action
from accounts.models import Account
from accounts.queries.recipients import addresses_for_invoices
from accounts.queries.settings import setting_history
from billing_rules.timelines import Stretch, held_on
from subscriptions.models import EarlierTerms, Item, Price, Uncharged
from subscriptions.queries.price_lists import (
    PriceLists,
    before_the_end,
    price_lists,
    repriced_terms,
)
from subscriptions.queries.recipients import recipients_on
from subscriptions.queries.terms import ItemTerms, timelines_of
from tenancy.actor import Actor
from tenancy.ids import public_id

MOST_ITEMS: Final = 50_000
"""So many are computed while somebody waits; the job changes all, however many."""
MOST_TOLD: Final = 5_000
"""Of so many items at most an event says who is told: it is written while somebody waits."""
NAMED: Final = 100
"""So many of those who are told are named there."""
_BATCH: Final = 2_000
Timeline = Sequence[Stretch[ItemTerms]]


class Way(StrEnum):
    """What happens to a version."""

    BEGIN = "begin"
    END = "end"


class Why(StrEnum):
    """What becomes of an item."""

    CHANGED = "changed"
    OWN_CHOICE = "own_choice"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Beside:
    """A stored version that begins or ends by the same act: whose it is, and since when."""

    price_id: UUID
    account_id: UUID | None
    since: date
    way: Way


@dataclass(frozen=True)
class Repricing:
    """A version that begins, or one that ends: with the day from which something is other.

    ``beside`` are others of the same price, by the same act: a file may bring many.
    """

    price: Price
    way: Way
    beside: Sequence[Beside] = ()

    @cached_property
    def since(self) -> date:
        """The first day on which something costs something else."""
        return min(self._days.values())

    @cached_property
    def _days(self) -> Mapping[UUID | None, date]:
        """Since when something is other at each account and below it; at None for everybody."""
        day = self.price.valid_from if self.way == Way.BEGIN else self.price.ends_on
        assert day is not None  # noqa: S101 - whoever plans it has said so
        days = {self.price.account_id: day}
        for one in self.beside:
            days[one.account_id] = min(one.since, days.get(one.account_id, one.since))
        return days

    @property
    def account_ids(self) -> Collection[UUID] | None:
        """The accounts it is about, with all below them; None for everybody."""
        return None if None in self._days else [key for key in self._days if key is not None]

    def since_at(self, path: Iterable[UUID]) -> date:
        """Return the first day on which something may be other at the last account of a path."""
        found = (self._days[key] for key in (None, *path) if key in self._days)
        return min(found, default=self.since)

    def lists(self, actor: Actor, account_ids: Iterable[UUID]) -> tuple[PriceLists, PriceLists]:
        """Return the versions for some accounts, before and after. Three statements."""
        stored = price_lists(actor, [self.price.family_id], account_ids)
        after = stored.having(self.price)
        before = _before(after, self.price, self.way)
        known = after.versions[self.price.family_id]
        for one in self.beside:
            held = next((v for v in known.get(one.account_id, ()) if v.pk == one.price_id), None)
            if held is not None:
                before = _before(before, held, one.way)
        return before, after


def _before(lists: PriceLists, price: Price, way: Way) -> PriceLists:
    """Return lists as they were before a version began, or got its end."""
    return lists.without(price) if way == Way.BEGIN else lists.having(before_the_end(price))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an item costs day by day, before and after; other since ``since`` at the earliest."""

    item: Item
    before: Timeline
    after: Timeline
    why: Why
    since: date

    @property
    def is_changed(self) -> bool:
        """Whether it costs something else on any day."""
        return self.why == Why.CHANGED

    def monthly(self, timeline: Timeline, day: date) -> int:
        """Return what it brings in a month on a day; nothing in a trial, or when it does not run.

        As ``running_items`` and MRR have it.
        """
        one = self.item.subscription
        runs = one.anchor_date <= day and (one.end_date is None or day < one.end_date)
        held = held_on(timeline, day)
        return held.value.monthly_minor if runs and held is not None else 0


def concerned_items(actor: Actor, repricing: Repricing) -> QuerySet[Item]:
    """Return the items that are had at any version of a price from a day on. One statement.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    family, since = repricing.price.family_id, repricing.since
    named = Q(pk=family) | Q(first_id=family)
    keys = Price.objects.filter(named, tenant_id=actor.tenant_id).order_by().values("pk")
    before = EarlierTerms.objects.filter(
        tenant_id=actor.tenant_id, item_id=OuterRef("pk"), until__gt=since, price__in=keys
    )
    found = Item.objects.filter(
        Q(price__in=keys) | Q(terms_since__gt=since) & Exists(before.order_by()),
        Q(subscription__end_date=None) | Q(subscription__end_date__gt=since),
        tenant_id=actor.tenant_id,
        subscription__tenant_id=actor.tenant_id,
    )
    if repricing.account_ids is not None:
        found = found.filter(tree.lies_below(actor.tenant_id, repricing.account_ids, "account_id"))
    return found.select_related("price", "discount", "subscription", "account").order_by("id")


def outcomes(
    actor: Actor, repricing: Repricing, items: Sequence[Item], lists: tuple[PriceLists, PriceLists]
) -> list[Outcome]:
    """Return what becomes of some items. One statement, none where no terms ever changed."""
    access.require_everywhere(actor, Action.VIEW_SUBSCRIPTION)
    found = []
    timelines = timelines_of(actor, items, None)
    for item in items:
        before = timelines[item.pk]
        after = repriced_terms(lists, item, repricing.price.family_id, before)
        since = repricing.since_at(lists[1].paths.get(item.account_id, ()))
        why = _why(repricing.price.family_id, since, item, before, after, lists)
        found.append(Outcome(item, before, after, why, since))
    return found


def _why(
    family: UUID,
    since: date,
    item: Item,
    before: Timeline,
    after: Timeline,
    lists: tuple[PriceLists, PriceLists],
) -> Why:
    """Return what becomes of an item: what nobody's place decides was chosen for it."""
    if before != after:
        return Why.CHANGED
    for one in before:
        day = max(one.start, since)
        is_had = (one.end is None or day < one.end) and one.value.uncharged != Uncharged.ABSENT
        if not is_had or one.value.price.family_id != family:
            continue
        held = one.value.price
        if held not in {some.on(item.account_id, family, day) for some in lists}:
            return Why.OWN_CHOICE
    return Why.ELSEWHERE


@dataclass(slots=True)
class Effect:
    """What another version comes to, all in all; amounts are MRR in minor units.

    Attributes:
        day: on which the MRR is looked at: the day of the change, today if that has passed.
        currency: of the price.
        items: had at the price, of which ``changed`` come to cost something else.
        own_choice: had at a version that was chosen for them: they stay.
        elsewhere: whose account has the price from a version that stays as it is.
        begun: of those that change, already charged for days since: made good to the cent.
        is_complete: whether all were computed.
    """

    day: date
    currency: str
    items: int = 0
    changed: int = 0
    own_choice: int = 0
    elsewhere: int = 0
    begun: int = 0
    before_minor: int = 0
    after_minor: int = 0
    is_complete: bool = True
    subscriptions: set[UUID] = field(default_factory=set)
    accounts: set[UUID] = field(default_factory=set)
    bill_tos: set[UUID] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    without_address: int = 0

    @property
    def difference_minor(self) -> int:
        """How much more it brings in a month, negative for less."""
        return self.after_minor - self.before_minor


def effect_of(actor: Actor, repricing: Repricing, *, today: date) -> Effect:
    """Return what another version would come to; nothing is locked or stored.

    Some eight statements for each 2,000 items.

    Args:
        actor: who asks.
        repricing: the version, stored or not.
        today: the tenant's day.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.

    Source: docs/billing-rules.md, Versions of a price.
    """
    effect = Effect(max(repricing.since, today), repricing.price.currency)
    found = concerned_items(actor, repricing)
    told: dict[UUID, tuple[str, ...]] = {}
    for some in _batches(found):
        if effect.items >= MOST_ITEMS:
            effect.is_complete = False
            break
        effect.items += len(some)
        lists = repricing.lists(actor, {item.account_id for item in some})
        shown = outcomes(actor, repricing, some, lists)
        changed = [one for one in shown if one.is_changed]
        effect.changed += len(changed)
        effect.own_choice += sum(one.why == Why.OWN_CHOICE for one in shown)
        effect.elsewhere += sum(one.why == Why.ELSEWHERE for one in shown)
        for one in changed:
            effect.before_minor += one.monthly(one.before, effect.day)
            effect.after_minor += one.monthly(one.after, effect.day)
            end = one.item.chain_end
            effect.begun += end is not None and end > one.since
            effect.subscriptions.add(one.item.subscription_id)
            effect.accounts.add(one.item.account_id)
        told |= {one.bill_to.pk: one.addresses for one in recipients(
            actor, [one.item for one in changed], effect.day).values()}  # fmt: skip
    effect.bill_tos = set(told)
    effect.addresses = {text for addresses in told.values() for text in addresses}
    effect.without_address = sum(not addresses for addresses in told.values())
    return effect


def told_of(actor: Actor, repricing: Repricing, *, today: date) -> dict[str, Any]:
    """Return whom the event of a version names: of how many it is, and who is told.

    As ``effect_of`` counts them. One statement, and some eight for each 2,000 items, where there
    are at most ``MOST_TOLD``.

    Returns:
        ``subscriptions`` and ``accounts`` that have the price from its first day on. Of those that
        come to cost something else (``changed``) how many ``recipients`` are invoiced, at how many
        ``addresses``, how many of them ``without_address``, and in ``told`` the first of them by
        their ids; these five are missing where there are more.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    found = concerned_items(actor, repricing).order_by().aggregate(
        items=Count("pk"),
        subscriptions=Count("subscription", distinct=True),
        accounts=Count("account", distinct=True),
    )  # fmt: skip
    items = found.pop("items")
    if items > MOST_TOLD:
        return found
    effect = effect_of(actor, repricing, today=today)
    told = sorted(public_id("acc", key) for key in effect.bill_tos)
    return {
        **found,
        "changed": len(effect.subscriptions),
        "recipients": len(told),
        "addresses": len(effect.addresses),
        "without_address": effect.without_address,
        "told": told[:NAMED],
    }


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is invoiced for an item, and where a notice would go."""

    bill_to: Account
    addresses: tuple[str, ...]


def recipients(actor: Actor, items: Collection[Item], day: date) -> dict[UUID, Recipient]:
    """Return who is invoiced for items on a day, by item. Five statements, none without items.

    Raises:
        Forbidden: the actor may not read subscriptions everywhere.
    """
    if not items:
        return {}
    named = recipients_on(actor, {item.subscription for item in items}, day)
    owners = {item.account_id for item in items}
    wanted = owners | {key for key in named.values() if key is not None}
    settings = setting_history(actor, tree.with_those_above(actor.tenant_id, wanted)).on(day)
    of_each = {
        item.pk: named[item.subscription_id] or settings.bill_tos[item.account_id][0]
        for item in items
    }
    accounts = Account.objects.filter(tenant_id=actor.tenant_id).in_bulk(set(of_each.values()))
    known = {
        key: Recipient(account, addresses_for_invoices(settings, account))
        for key, account in accounts.items()
    }
    return {key: known[bill_to_id] for key, bill_to_id in of_each.items()}


def _batches(found: QuerySet[Item]) -> Iterator[list[Item]]:
    last = None
    while some := list((found if last is None else found.filter(pk__gt=last))[:_BATCH]):
        yield some
        if len(some) < _BATCH:
            return
        last = some[-1].pk


def by_root(actor: Actor, accounts: Mapping[UUID, UUID]) -> list[UUID]:
    """Return keys in the order of the trees that their accounts stand in. One statement."""
    paths = tree.paths(actor.tenant_id, set(accounts.values()))
    roots: dict[UUID, Any] = {key: path[0] for key, path in paths.items()}
    of_each: dict[UUID, list[UUID]] = defaultdict(list)
    for key, account_id in accounts.items():
        of_each[roots.get(account_id, account_id)].append(key)
    return [key for root in sorted(of_each) for key in sorted(of_each[root])]
