"""What items cost and how much of it is had, day by day."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    DecimalField,
    Exists,
    F,
    Field,
    OuterRef,
    Q,
    Subquery,
    UUIDField,
    When,
)
from django.db.models.expressions import Combinable

from accounts import access
from accounts.access import Action
from billing_rules.periods import Period
from billing_rules.timelines import Stretch, altered
from subscriptions.models import Discount, EarlierTerms, Item, Price, Subscription, Uncharged
from tenancy.actor import Actor

MONTHLY_ON: Final = """
    CASE WHEN item.terms_since > %s THEN (
        SELECT earlier.monthly_minor FROM subscriptions_earlierterms AS earlier
        WHERE earlier.tenant_id = item.tenant_id AND earlier.item_id = item.id
        AND earlier.until > %s ORDER BY earlier.until LIMIT 1
    ) ELSE item.monthly_minor END
"""
"""What ``item`` brings in a month on a day, in SQL; the day is given twice.

What was before is looked up for those items alone whose terms have changed since.
"""


_QUANTITY: "Final[DecimalField[Any, Any]]" = DecimalField(max_digits=18, decimal_places=6)
_MONTHLY: "Final[DecimalField[Any, Any]]" = DecimalField(max_digits=40, decimal_places=0)


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """A price in a quantity, what it brings in a month in minor units, and why it is not charged.

    ``discount`` is what is taken off. What is paused, or no part of the subscription, brings
    nothing in.
    """

    price: Price
    quantity: Decimal
    monthly_minor: int
    uncharged: str = ""
    discount: Discount | None = None


def terms_of(
    price: Price, quantity: Decimal, uncharged: str = "", discount: Discount | None = None
) -> ItemTerms:
    """Return a price in a quantity, charged or not, with what it brings in a month."""
    brings = uncharged in ("", Uncharged.FREE)
    off = None if discount is None else discount.off
    monthly = price.monthly_minor(quantity, off) if brings else 0
    return ItemTerms(price, quantity, monthly, uncharged, discount)


V = TypeVar("V")


def with_free(uncharged: str, *, is_free: bool) -> str:
    """Return why terms are not charged once they are free, or are no longer.

    What is paused, or no part of the subscription, stays so.
    """
    if uncharged in ("", Uncharged.FREE):
        return Uncharged.FREE.value if is_free else ""
    return uncharged


def freed(
    timeline: Sequence[Stretch[V]],
    begins: date,
    period: Period | None,
    charged: Callable[[V], V],
    free: Callable[[V], V],
) -> list[Stretch[V]]:
    """Return terms in which these days are free from a day on, and no others.

    Args:
        timeline: the terms.
        begins: whatever was to be free from then on is charged, but for ``period``.
        period: the days that are free, None for none.
        charged: makes terms charged.
        free: makes terms free.
    """
    found = altered(timeline, begins, None, charged)
    return found if period is None else altered(found, period.start, period.end, free)


def had_between(timeline: Sequence[Stretch[ItemTerms]]) -> tuple[date | None, date | None]:
    """Return since when an item is part of its subscription, and until when.

    None is as long as the subscription. In between it may be absent too, and is not charged then.
    """
    first, last = timeline[0], timeline[-1]
    begins = first.end if first.value.uncharged == Uncharged.ABSENT else None
    ends = last.start if last.value.uncharged == Uncharged.ABSENT else None
    return begins, ends


def earlier_terms(
    actor: Actor, item_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[EarlierTerms]]:
    """Return what items had before, with prices and products, the first ones first.

    One statement, none without items. Whoever asks has read the items.
    """
    found: dict[UUID, list[EarlierTerms]] = defaultdict(list)
    if item_ids:
        rows = EarlierTerms.objects.filter(tenant_id=actor.tenant_id, item_id__in=set(item_ids))
        for row in rows.select_related("price__product", "discount").order_by("until"):
            found[row.item_id].append(row)
    return dict(found)


def _kept_earlier(actor: Actor, items: Sequence[Item]) -> Mapping[UUID, Sequence[EarlierTerms]]:
    """Return what items had before; each is asked once, whoever wants to know it next."""
    unknown = [item for item in items if item.earlier is None]
    read = earlier_terms(actor, {item.pk for item in unknown})
    for item in unknown:
        item.earlier = read.get(item.pk, ())
    return {item.pk: item.earlier or () for item in items}


def items_on(actor: Actor, items: Iterable[Item], day: date) -> list[Item]:
    """Return items with the price and quantity of a day: to be shown, never to be saved.

    Those that are no part of their subscription then are left out.

    No statement where nothing has changed since, else one.

    Args:
        actor: who asks.
        items: that have been read, with their prices.
        day: the day; before a subscription begins, what it will begin with.
    """
    found = list(items)
    changed = [item for item in found if item.terms_since and item.terms_since > day]
    earlier = _kept_earlier(actor, changed)
    then = (_as_on(item, earlier.get(item.pk, ()), day) for item in found)
    return [item for item in then if item.uncharged != Uncharged.ABSENT]


def with_items_on(
    actor: Actor, subscriptions: Iterable[Subscription], day: date
) -> list[Subscription]:
    """Let subscriptions that were read with their items have those of a day.

    ``agreed`` keeps all of their items, as they were agreed last.

    Statements as of ``items_on``.
    """
    found = list(subscriptions)
    for one in found:
        one.agreed = one.agreed or list(one.items.all())
    items = items_on(actor, (item for one in found for item in one.agreed), day)
    of_each: dict[UUID, list[Item]] = defaultdict(list)
    for item in items:
        of_each[item.subscription_id].append(item)
    for one in found:
        # As Django keeps what was read beforehand: asked otherwise, it is read anew.
        shown: Any = Item.objects.filter(tenant_id=actor.tenant_id, subscription=one)
        shown._result_cache, shown._prefetch_done = of_each[one.pk], True
        known = getattr(one, "_prefetched_objects_cache", {})
        one._prefetched_objects_cache = {**known, "items": shown}  # type: ignore[attr-defined]
    return found


def timelines_of(
    actor: Actor, items: Iterable[Item], begun: date | None
) -> dict[UUID, list[Stretch[ItemTerms]]]:
    """Return the terms of items of a subscription from the day on which it began, in order.

    No statement where none has ever changed, else one.

    Args:
        actor: who asks.
        items: that have been read, with their prices.
        begun: the start of their subscription; None for items of many that were read with them.
    """
    found = list(items)
    earlier = _kept_earlier(actor, [item for item in found if item.terms_since])
    return {
        item.pk: _timeline(item, earlier.get(item.pk, ()), begun or item.subscription.start_date)
        for item in found
    }


def changing_terms(
    actor: Actor, subscription: Subscription
) -> dict[UUID, list[Stretch[ItemTerms]]]:
    """Return the terms of those items of a subscription whose terms change, in order.

    Also of items that come later, or have gone. No statement where none does, else three.

    Args:
        actor: who asks.
        subscription: with its account, and with its items as ``with_items_on`` reads them.

    Raises:
        NotFound: it is out of the actor's sight.
    """
    items = sorted((one for one in subscription.agreed if one.terms_since), key=lambda one: one.pk)
    if not items:
        return {}
    access.require(actor, Action.VIEW_SUBSCRIPTION, subscription.account)
    return timelines_of(actor, items, subscription.start_date)


def monthly_on(actor: Actor, day: date, *, item: str = "") -> Combinable:
    """Return what an item brings in a month on a day, as the ORM computes it.

    Args:
        actor: whose tenant.
        day: the day.
        item: how the query comes to the item, with two underscores at its end.
    """
    return _column_on(actor, "monthly_minor", day, item, _MONTHLY)


def price_on(actor: Actor, day: date) -> Combinable:
    """Return the key of an item's price on a day, as the ORM computes it."""
    return _column_on(actor, "price_id", day, "", UUIDField())


def quantity_on(actor: Actor, day: date) -> Combinable:
    """Return how much is had of an item on a day, as the ORM computes it."""
    return _column_on(actor, "quantity", day, "", _QUANTITY)


def discount_on(actor: Actor, day: date) -> Combinable:
    """Return the key of the discount that holds for an item on a day, as the ORM computes it."""
    return _column_on(actor, "discount_id", day, "", UUIDField())


def uncharged_on(actor: Actor, day: date) -> Combinable:
    """Return why an item is not charged on a day, as the ORM computes it."""
    return _column_on(actor, "uncharged", day, "", CharField())


def paused_on(actor: Actor, day: date) -> Q:
    """Return the condition that a subscription is paused on a day, whatever its dates say."""
    paused: Any = {"tenant_id": actor.tenant_id, "uncharged": Uncharged.PAUSED}
    since = Q(terms_since__lte=day) | Q(terms_since=None)
    now = Item.objects.filter(since, **paused).values("subscription_id")
    later = EarlierTerms.objects.filter(
        tenant_id=actor.tenant_id, item_id=OuterRef("item_id"), until__gt=day
    )
    then = EarlierTerms.objects.filter(
        ~Exists(later.filter(until__lt=OuterRef("until"))), until__gt=day, **paused
    )
    return Q(pk__in=now) | Q(pk__in=then.values("item__subscription_id"))


def _column_on(
    actor: Actor, name: str, day: date, item: str, kind: "Field[Any, Any]"
) -> Combinable:
    earlier = EarlierTerms.objects.filter(
        tenant_id=actor.tenant_id, item_id=OuterRef(f"{item}pk"), until__gt=day
    ).order_by("until")
    changed: Any = {f"{item}terms_since__gt": day}
    return Case(
        When(**changed, then=Subquery(earlier.values(name)[:1])),
        default=F(f"{item}{name}"),
        output_field=kind,
    )


def _as_on(item: Item, earlier: Sequence[EarlierTerms], day: date) -> Item:
    row = next((row for row in earlier if day < row.until), None)
    if row is None:
        return item
    then = copy(item)
    then._state = copy(item._state)
    then._state.fields_cache = {**item._state.fields_cache, "price": row.price}
    then.price_id, then.quantity, then.monthly_minor = row.price_id, row.quantity, row.monthly_minor
    then._state.fields_cache["discount"] = row.discount
    then.uncharged, then.terms_until = row.uncharged, row.until
    then.discount_id = row.discount_id
    return then


def _terms(row: Item | EarlierTerms) -> ItemTerms:
    return ItemTerms(row.price, row.quantity, int(row.monthly_minor), row.uncharged, row.discount)


def _timeline(item: Item, earlier: Sequence[EarlierTerms], begun: date) -> list[Stretch[ItemTerms]]:
    found, since = [], begun
    for row in earlier:
        found.append(Stretch(since, row.until, _terms(row)))
        since = row.until
    return [*found, Stretch(since, None, _terms(item))]
