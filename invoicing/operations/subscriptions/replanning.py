"""Giving a subscription another plan: the items of one replaced by the other's, in one change."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from invoicing.operations.subscriptions.changing import Changed, carry_out
from invoicing.operations.subscriptions.opening import (
    InvalidChange,
    Opened,
    natural_day,
    open_subscription,
    require_possible,
)
from invoicing.operations.subscriptions.wanting import ItemAddition, ItemChange
from subscriptions.models import Item, Plan, Price, Subscription, Uncharged
from subscriptions.operations.plans.starting import Bundled, PlanChoice, bundled
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.events import Happening, record_event
from tenancy.ids import public_id


@operation
def change_plan(
    actor: Actor,
    subscription_id: UUID,
    choice: PlanChoice,
    *,
    day: date | None,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Changed:
    """Let a subscription have a plan from a day on, instead of the items that it has.

    An item of the same product goes on at the plan's price and in its quantity; what the plan does
    not have goes, what it has comes in. Credits and charges are those of any change. Where it has
    just these items already, it has the plan from then on and nothing is charged. Trial and
    contract terms stay: they are of what has begun.

    Args:
        actor: who changes it.
        subscription_id: which.
        choice: the plan, its variant, quantities and add-ons.
        day: since when, past days too; None for the end of what has been charged.
        is_billed_now: don't wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        InvalidChange: the plan, its variant, a price or a quantity can't be.
        ChangeBeforeStart, ChangeAfterEnd, TooLongAgo: see their texts.
        NothingChanges: it has this plan then, and just these items.

    Source: docs/billing-rules.md, Plans; docs/billing-rules.md, Changes.
    """
    opened = open_subscription(actor, subscription_id, require_seen)
    since = require_possible(opened.subscription, day or natural_day(actor, opened, today))
    had = bundled(actor, choice)
    if had.errors or had.plan is None:
        raise InvalidChange(errors=had.errors)
    differences = _differences(actor, opened, had, since)
    if differences or opened.subscription.plan_id_on(since) == had.plan.pk:
        result = carry_out(
            actor,
            opened,
            differences,
            since=since,
            is_billed_now=is_billed_now,
            is_dry_run=is_dry_run,
            today=today,
            now=now,
        )
    else:
        result = Changed(opened.subscription, since, before={}, after={}, charges=())
    if not is_dry_run:
        _write(actor, opened.subscription, had.plan, since, now)
    return result


def _differences(
    actor: Actor, opened: Opened, had: Bundled, since: date
) -> Sequence[ItemChange | ItemAddition]:
    """Return what becomes of the items: each goes on at the price of its product, or goes."""
    prices = Price.objects.filter(tenant_id=actor.tenant_id).in_bulk(had.items)
    left = _held(opened, since)
    changes: list[ItemChange | ItemAddition] = []
    coming = dict(had.items)
    # The very price first, so that two items of one product do not change places.
    for same in (_is_price, _is_product):
        for price_id, quantity in list(coming.items()):
            found = next((one for one in left if same(one, prices[price_id])), None)
            if found is not None:
                item, price = found
                left.remove(found)
                del coming[price_id]
                if price.pk != price_id or _quantity(opened, item, since) != quantity:
                    changes.append(ItemChange(item.pk, price_id, quantity))
    changes += [ItemAddition(key, quantity) for key, quantity in coming.items()]
    return [*changes, *(ItemChange(item.pk, is_removed=True) for item, _price in left)]


def _held(opened: Opened, since: date) -> list[tuple[Item, Price]]:
    """Return the items that are part of the subscription on a day, with their prices then."""
    found = []
    for item in sorted(opened.items, key=lambda one: one.pk):
        for one in opened.timelines[item.pk]:
            if one.holds_on(since) and one.value.uncharged != Uncharged.ABSENT:
                found.append((item, one.value.price))
    return found


def _quantity(opened: Opened, item: Item, since: date) -> object:
    terms = next(one.value for one in opened.timelines[item.pk] if one.holds_on(since))
    return terms.quantity


def _is_price(held: tuple[Item, Price], price: Price) -> bool:
    return held[1].pk == price.pk


def _is_product(held: tuple[Item, Price], price: Price) -> bool:
    return held[1].product_id == price.product_id


def _write(
    actor: Actor, subscription: Subscription, plan: Plan, since: date, now: datetime
) -> None:
    before = subscription.plan_id_on(since)
    subscription.former_plan_id, subscription.plan, subscription.plan_since = before, plan, since
    subscription.save(update_fields=["plan", "former_plan", "plan_since"])
    data = {"plan": plan.public_id, "since": since.isoformat()}
    if subscription.external_id is not None:
        data["external_id"] = subscription.external_id
    happening = Happening(
        "subscription.plan_changed",
        subscription.pk,
        subscription.account_id,
        before={"plan": before and public_id("pln", before)},
        after={"plan": plan.public_id, "since": since.isoformat()},
        data=data,
    )
    record_event(actor, happening, now=now)
