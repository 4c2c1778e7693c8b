"""Giving discounts to subscriptions and ending them: made good to the cent, as any change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from accounts import tree
from billing_rules.discounts import Given
from billing_rules.timelines import Stretch
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.subscriptions.opening import (
    Opened,
    natural_day,
    open_subscription,
    require_possible,
)
from invoicing.operations.subscriptions.settling import as_charge, settled, store_charges
from subscriptions.models import Discount, DiscountedItem, Subscription
from subscriptions.operations.discounts.checking import WantedDiscount
from subscriptions.operations.discounts.redeeming import (
    DiscountForNothing,
    DiscountHeld,
    new_discount,
)
from subscriptions.operations.discounts.resolving import (
    given_to,
    in_order,
    resolved,
    store_given,
)
from subscriptions.operations.discounts.spans import Calendar
from subscriptions.operations.subscriptions.terms import write_all_terms
from subscriptions.queries.renewals import charged_until
from subscriptions.queries.terms import ItemTerms
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, NotFound
from tenancy.events import Happening, record_event

Timeline = Sequence[Stretch[ItemTerms]]
GivenTo = Mapping[UUID, Sequence[Given[Discount]]]


class AlreadyGiven(Conflict):
    """It was given before: somebody has sent the same form twice."""

    code = "already_created"
    message = gettext_lazy("This has been created already. Nothing was created twice.")


class DiscountOver(Conflict):
    """It has ended by that day."""

    code = "discount_over"
    message = gettext_lazy("This discount has ended by then.")


class DiscountOfAccount(Conflict):
    """It is ended where it was given: for all that have it."""

    code = "discount_of_account"
    message = gettext_lazy(
        "This discount is given by an account; it is ended there, for all below it."
    )


@dataclass(frozen=True, slots=True)
class Discounted:
    """What a discount, or its end, comes to for a subscription.

    Attributes:
        subscription: as it is afterwards.
        discount: what is given, or ended.
        day: since when.
        until: the first day on which no item has it, None if one has it for ever.
        before: the terms of the items that cost something else, as they were.
        after: as they are then.
        charges: credits and charges that make good what was charged for days since.
    """

    subscription: Subscription
    discount: Discount
    day: date
    until: date | None
    before: Mapping[UUID, Timeline]
    after: Mapping[UUID, Timeline]
    charges: Sequence[Charge]


@operation
def discount_subscription(
    actor: Actor,
    subscription_id: UUID,
    wanted: WantedDiscount,
    *,
    day: date | None,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Discounted:
    """Redeem a coupon for a subscription, or give it a discount without one, from a day on.

    What was charged for days since is credited and charged anew with the discount.

    Args:
        actor: who gives it.
        subscription_id: which.
        wanted: the coupon, or what is taken off.
        day: since when, past days too; None for the end of what has been charged.
        is_billed_now: don't wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        ChangeBeforeStart, ChangeAfterEnd, TooLongAgo, AlreadyGiven: see their texts.
        UnknownCoupon, CouponArchived, CouponTooEarly, CouponExpired, CouponUsedUp,
        CouponUsedUpHere, DiscountHeld, DiscountForNothing: see their texts.
        InvalidDiscount: what is to be taken off can't be.

    Source: docs/billing-rules.md, Discounts.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    subscription = opened.subscription
    if wanted.key is not None and _is_stored(actor, wanted.key):
        raise AlreadyGiven
    since = require_possible(subscription, day or _default_day(actor, opened, today))
    discount = new_discount(
        actor,
        wanted,
        root_id=tree.path_ids(actor.tenant_id, subscription.account_id)[0],
        subscription=subscription,
        day=since,
        today=today,
        now=now,
    )
    known = given_to(actor, [item.pk for item in opened.items])
    new = spans_of(actor, opened, discount)
    for key, one in new.items():
        _require_room(known.get(key, ()), one)
    after = {
        key: resolved(
            opened.timelines[key],
            in_order(actor, subscription.account_id, [one, *known.get(key, ())]),
        )
        for key, one in new.items()
    }
    result, store = applied(
        actor, opened, discount, after, since, today=today, is_billed_now=is_billed_now, now=now
    )
    if not result.after:
        raise DiscountForNothing
    if not is_dry_run:
        discount.save(force_insert=True)
        store_given(actor, {key: [one] for key, one in new.items()})
        store()
        record_given(actor, "subscription.discounted", result, now)
    return replace(result, until=_last([one.end for one in new.values()]))


@operation
def end_discount(
    actor: Actor,
    discount_id: UUID,
    *,
    day: date | None,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Discounted:
    """End the discount of a subscription from a day on; one that has not begun never does.

    What was charged with it for days since is credited and charged anew without. A discount of an
    account above that it went before holds again.

    Args:
        actor: who ends it.
        discount_id: which.
        day: the first day without it, past days too; None for the end of what has been charged.
        is_billed_now: don't wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        DiscountOfAccount, DiscountOver, TooLongAgo: see their texts.

    Source: docs/billing-rules.md, Discounts.
    """
    found = Discount.objects.filter(tenant_id=actor.tenant_id, pk=discount_id)
    subscription_id = found.values_list("subscription_id", flat=True).first()
    if subscription_id is None:
        raise (DiscountOfAccount if found.exists() else NotFound)
    opened = open_subscription(actor, subscription_id, require_seen)
    discount = found.select_for_update(of=("self",)).get()
    since = max(day or _default_day(actor, opened, today), discount.starts)
    if discount.ends is not None and discount.ends <= since:
        raise DiscountOver
    known = given_to(actor, [item.pk for item in opened.items])
    after, shortened = ended_for(actor, opened, known, discount, since)
    if not shortened:
        raise DiscountOver
    result, store = applied(
        actor, opened, discount, after, since, today=today, is_billed_now=is_billed_now, now=now
    )
    if not is_dry_run:
        discount.ends = since
        discount.save(update_fields=["ends"])
        shorten(actor, discount, shortened)
        store()
        record_given(actor, "subscription.discount_ended", result, now)
    return result


def spans_of(
    actor: Actor, opened: Opened, discount: Discount, calendar: Calendar | None = None
) -> dict[UUID, Given[Discount]]:
    """Return from when to when the items of a subscription have a discount."""
    calendar = calendar or Calendar(actor, [opened.subscription.account_id])
    found = {
        item.pk: calendar.given(discount, opened.subscription, item, opened.timelines[item.pk])
        for item in opened.items
    }
    return {key: one for key, one in found.items() if one is not None}


def ended_for(
    actor: Actor,
    opened: Opened,
    known: GivenTo,
    discount: Discount,
    since: date,
    path: Sequence[UUID] | None = None,
) -> tuple[dict[UUID, Timeline], dict[UUID, date]]:
    """Return the terms of the items once a discount has ended for them, and until when each has it.

    Items that do not have it on the day or later are left out. ``path`` is that of its account,
    where it is known.
    """
    after: dict[UUID, Timeline] = {}
    shortened: dict[UUID, date] = {}
    for key, some in known.items():
        held = next((one for one in some if one.discount == discount), None)
        if held is None or (held.end is not None and held.end <= since):
            continue
        shortened[key] = max(since, held.start)
        kept = [one if one is not held else replace(one, end=shortened[key]) for one in some]
        ordered = in_order(actor, opened.subscription.account_id, kept, path)
        after[key] = resolved(opened.timelines[key], ordered)
    return after, shortened


def shorten(actor: Actor, discount: Discount, ends: Mapping[UUID, date]) -> None:
    """Store until when items have a discount that was to hold longer. Two statements."""
    if not ends:
        return
    rows = DiscountedItem.objects.filter(tenant_id=actor.tenant_id, discount=discount)
    found = list(rows.filter(item_id__in=ends))
    for row in found:
        row.ends = ends[row.item_id]
    DiscountedItem.objects.bulk_update(found, ["ends"])


def applied(
    actor: Actor,
    opened: Opened,
    discount: Discount,
    after: Mapping[UUID, Timeline],
    since: date,
    *,
    today: date,
    is_billed_now: bool,
    now: datetime,
) -> tuple[Discounted, Callable[[], None]]:
    """Return what other terms of some items come to, and what stores it.

    Raises:
        TooLongAgo, AmountTooLarge: see their texts.
    """
    subscription = opened.subscription
    changed = {key: one for key, one in after.items() if one != opened.timelines[key]}
    items = [item for item in opened.items if item.pk in changed]
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    charges = settled(actor, settler, subscription, items, changed, since) if items else []
    result = Discounted(
        subscription=subscription,
        discount=discount,
        day=since,
        until=since,
        before={key: opened.timelines[key] for key in changed},
        after=changed,
        charges=[as_charge(actor, subscription, charge, now) for charge in charges],
    )

    def store() -> None:
        write_all_terms(actor, [(item, changed[item.pk]) for item in items])
        store_charges(actor, charges, now)

    return result, store


def _default_day(actor: Actor, opened: Opened, today: date) -> date:
    """Return the end of what has been charged, else the first day that is."""
    first: date = opened.subscription.first_charged_day
    if charged_until(opened.items) is None and first >= today:
        return first
    return natural_day(actor, opened, today)


def _require_room(known: Sequence[Given[Discount]], new: Given[Discount]) -> None:
    """Return if the subscription itself gives an item no other discount on any of the days.

    Raises:
        DiscountHeld: see its text.
    """
    for one in known:
        is_own = one.discount.subscription_id is not None
        begins_before_end = new.end is None or one.start < new.end
        if is_own and begins_before_end and (one.end is None or new.start < one.end):
            if one.end is not None and one.end <= one.start:
                continue
            raise DiscountHeld(name=one.discount.name, day=one.start)


def _is_stored(actor: Actor, key: UUID) -> bool:
    return Discount.objects.filter(tenant_id=actor.tenant_id, pk=key).exists()


def _last(ends: Sequence[date | None]) -> date | None:
    days = [day for day in ends if day is not None]
    return None if len(days) < len(ends) else max(days, default=None)


def record_given(actor: Actor, name: str, result: Discounted, now: datetime) -> None:
    """Note in the history of a subscription that it has a discount, or has it no longer."""
    subscription, discount = result.subscription, result.discount
    said = {"since": result.day.isoformat(), "discount": discount.public_id}
    after = {**said, "name": discount.name}
    if subscription.external_id is not None:
        said["external_id"] = subscription.external_id
    happening = Happening(name, subscription.pk, subscription.account_id, after=after, data=said)
    record_event(actor, happening, now=now)
