"""Changing what a subscription costs from a day on: what was charged is made good to the cent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_rules.timelines import Stretch, changed
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.runs.loading import load_families
from invoicing.operations.subscriptions.settling import (
    as_charge,
    root_of,
    settled,
    store_charges,
)
from subscriptions.models import Item, Price, Subscription
from subscriptions.models.limits import QUANTITY_DECIMALS, QUANTITY_DIGITS, fits
from subscriptions.operations.subscriptions.locking import locked_subscription
from subscriptions.operations.subscriptions.terms import write_terms
from subscriptions.queries.renewals import charged_until, running_period_end
from subscriptions.queries.terms import ItemTerms, timelines_of
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.errors import Conflict, FieldError, Invalid
from tenancy.events import Happening, record_event
from tenancy.files.cells import LATEST

Timelines = Mapping[UUID, Sequence[Stretch[ItemTerms]]]


class InvalidChange(Invalid):
    """Terms that can't be; ``errors`` names each member."""

    code = "invalid_change"
    message = gettext_lazy("This change is not valid.")


class ChangeBeforeStart(Invalid):
    """Nothing can change before it begins."""

    code = "change_before_start"
    message = gettext_lazy("A change can hold from the start on, %(day)s.")


class ChangeAfterEnd(Conflict):
    """Nothing changes any more once it has ended."""

    code = "change_after_end"
    message = gettext_lazy("This subscription ends on %(day)s.")


class NothingChanges(Invalid):
    """It is so already."""

    code = "nothing_to_change"
    message = gettext_lazy("Price and quantity are the same already.")


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item at another price or in another quantity; None is what it is."""

    item_id: UUID
    price_id: UUID | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change comes to.

    Attributes:
        subscription: as it is afterwards.
        day: since when the new terms hold.
        before: the terms of the changed items up to then.
        after: the terms since.
        charges: credits and charges that make good what was charged for days since.
    """

    subscription: Subscription
    day: date
    before: Mapping[UUID, ItemTerms]
    after: Mapping[UUID, ItemTerms]
    charges: Sequence[Charge]


@operation
def change_subscription(
    actor: Actor,
    subscription_id: UUID,
    changes: Sequence[ItemChange],
    *,
    day: date | None,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Changed:
    """Let items cost something else from a day on, up to the next change agreed for a later day.

    What was charged for days since is credited as far as it is no longer right, and charged anew
    at the same fraction; both wait for the bill-to's billing day. What is not charged yet is
    charged right when it falls due. Documents that were issued stay as they are.

    Args:
        actor: who changes it.
        subscription_id: which.
        changes: what becomes of which items; items that are not named stay as they are.
        day: since when, past days too; None for the end of what has been charged.
        is_billed_now: don't wait for the billing day.
        is_dry_run: compute everything, store nothing.
        require_seen: refuses if it is not as the caller has seen it; asked under the locks.
        today: the tenant's day.
        now: the instant, for the audit trail.

    Raises:
        NotFound: it is out of the actor's sight.
        Forbidden: the actor may not change subscriptions there.
        ChangeBeforeStart, ChangeAfterEnd, NothingChanges, TooLongAgo: see their texts.
        InvalidChange: an item, a price or a quantity can't be.

    Source: docs/billing-rules.md, Changes.
    """
    families = load_families(actor, [root_of(actor, subscription_id)], None)
    subscription, items = locked_subscription(actor, subscription_id)
    if require_seen is not None:
        require_seen()
    since = day or charged_until(items) or running_period_end(actor, subscription, today)
    since = _possible(subscription, since or LATEST)
    before = timelines_of(actor, items, subscription.start_date)
    after = _changed(actor, items, before, changes, since)
    if not after:
        raise NothingChanges
    changing = [item for item in items if item.pk in after]
    charges = settled(
        actor,
        Settler(families, today=today, is_billed_now=is_billed_now),
        subscription,
        changing,
        after,
        since,
    )
    result = Changed(
        subscription=subscription,
        day=since,
        before={key: _on(before[key], since) for key in after},
        after={key: _on(after[key], since) for key in after},
        charges=[as_charge(actor, subscription, charge, now) for charge in charges],
    )
    if not is_dry_run:
        for item in changing:
            write_terms(actor, item, after[item.pk])
        store_charges(actor, charges, now)
        _record(actor, result, now)
    return result


def _possible(subscription: Subscription, day: date) -> date:
    if day < subscription.start_date:
        raise ChangeBeforeStart(day=subscription.start_date)
    if subscription.end_date is not None and day >= subscription.end_date:
        raise ChangeAfterEnd(day=subscription.end_date)
    if day >= LATEST:
        detail = _("A date before 2200 is expected.")
        raise InvalidChange(errors=[FieldError("out_of_range", detail, "/effective")])
    return day


def _changed(
    actor: Actor,
    items: Sequence[Item],
    before: Timelines,
    changes: Sequence[ItemChange],
    day: date,
) -> dict[UUID, list[Stretch[ItemTerms]]]:
    """Return the terms of the items that are others from a day on.

    Raises:
        InvalidChange: an item, a price or a quantity can't be.
    """
    wanted = [change.price_id for change in changes if change.price_id is not None]
    offered = Price.objects.filter(tenant_id=actor.tenant_id, pk__in=wanted)
    prices = {price.pk: price for price in offered.select_related("product")}
    known = {item.pk for item in items}
    found: dict[UUID, list[Stretch[ItemTerms]]] = {}
    errors: list[FieldError] = []
    for place, change in enumerate(changes):
        if change.item_id not in known or change.item_id in found:
            detail = _("The subscription has no such item, or it is named twice.")
            errors.append(FieldError("unknown_item", detail, f"/items/{place}/id"))
            continue
        old = _on(before[change.item_id], day)
        price = old.price if change.price_id is None else prices.get(change.price_id)
        quantity = old.quantity if change.quantity is None else change.quantity
        faults = _faults(old, price, quantity, f"/items/{place}")
        errors += faults
        if price is None or faults:
            continue
        new = ItemTerms(price, quantity, price.monthly_minor(quantity))
        if new != old:
            found[change.item_id] = changed(before[change.item_id], day, new)
    if errors:
        raise InvalidChange(errors=errors)
    return found


def _faults(old: ItemTerms, price: Price | None, quantity: Decimal, at: str) -> list[FieldError]:
    errors = []
    if price is None:
        errors.append(FieldError("unknown_price", _("There is no such price."), f"{at}/price"))
    elif price.currency != old.price.currency:
        detail = _("All prices of a subscription are in one currency.")
        errors.append(FieldError("mixed_currencies", detail, f"{at}/price"))
    elif (price.cycle, price.timing) != (old.price.cycle, old.price.timing):
        detail = _(
            "The new price is charged at other times. End this subscription and begin another one."
        )
        errors.append(FieldError("other_interval", detail, f"{at}/price"))
    if not fits(quantity, QUANTITY_DIGITS, QUANTITY_DECIMALS) or quantity < 0:
        detail = _(
            "A quantity of 0 or more is expected, with at most 12 digits before and 6 after"
            " the point."
        )
        errors.append(FieldError("out_of_range", detail, f"{at}/quantity"))
    return errors


def _on(timeline: Sequence[Stretch[ItemTerms]], day: date) -> ItemTerms:
    """Return the terms of a day; they hold from the first day on, so there are some."""
    return next(one.value for one in timeline if one.holds_on(day))


def _record(actor: Actor, result: Changed, now: datetime) -> None:
    subscription = result.subscription
    said = {"since": result.day.isoformat()}
    if subscription.external_id is not None:
        said["external_id"] = subscription.external_id
    happening = Happening(
        "subscription.changed",
        subscription.pk,
        subscription.account_id,
        before={"items": [_said(one) for one in result.before.values()]},
        after={"items": [_said(one) for one in result.after.values()], "since": said["since"]},
        data=said,
    )
    record_event(actor, happening, now=now)


def _said(terms: ItemTerms) -> dict[str, str]:
    return {"price": terms.price.public_id, "quantity": f"{terms.quantity:f}"}
