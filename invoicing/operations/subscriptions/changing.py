"""Changing what a subscription has and costs from a day on: made good to the cent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy

from billing_rules.schedule import MAX_STEPS
from billing_rules.timelines import Stretch
from invoicing.engine.rating import MAX_AMOUNT_MINOR, rate
from invoicing.engine.reading import subscription_rows
from invoicing.engine.rows import ChargeRow, PeriodRow
from invoicing.engine.settling import Settler
from invoicing.models import Charge
from invoicing.operations.subscriptions.opening import (
    Opened,
    natural_day,
    open_subscription,
    require_possible,
)
from invoicing.operations.subscriptions.settling import (
    AmountTooLarge,
    TooLongAgo,
    as_charge,
    item_row,
    pending,
    settled,
    store_charges,
)
from invoicing.operations.subscriptions.wanting import (
    ItemAddition,
    ItemChange,
    timelines_after,
    with_discounts_of,
)
from subscriptions.models import Item, Period, Subscription, Uncharged
from subscriptions.operations.discounts.resolving import store_given
from subscriptions.operations.subscriptions.end import plan_next
from subscriptions.operations.subscriptions.terms import write_terms
from subscriptions.queries.terms import ItemTerms
from tenancy.actor import Actor
from tenancy.database import operation
from tenancy.database.inserting import insert_rows
from tenancy.errors import Invalid
from tenancy.events import Happening, record_event

Timeline = Sequence[Stretch[ItemTerms]]


class NothingChanges(Invalid):
    """It is so already."""

    code = "nothing_to_change"
    message = gettext_lazy("Price and quantity are the same already.")


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change comes to.

    Attributes:
        subscription: as it is afterwards.
        day: since when the new terms hold.
        before: the terms of the changed items up to then; of those that are added none.
        after: the terms since.
        charges: credits and charges that make good what was charged for days since, and what
            added items cost up to today.
    """

    subscription: Subscription
    day: date
    before: Mapping[UUID, ItemTerms]
    after: Mapping[UUID, ItemTerms]
    charges: Sequence[Charge]


@dataclass(frozen=True, slots=True)
class _Begun:
    """What an added item has come to by today."""

    periods: Sequence[PeriodRow] = ()
    charges: Sequence[ChargeRow] = ()


@operation
def change_subscription(
    actor: Actor,
    subscription_id: UUID,
    changes: Sequence[ItemChange | ItemAddition],
    *,
    day: date | None,
    is_billed_now: bool = False,
    is_dry_run: bool = False,
    require_seen: Callable[[], object] | None = None,
    today: date,
    now: datetime,
) -> Changed:
    """Let items cost something else, come in or go from a day on.

    Other terms hold up to the next change agreed for a later day. What was charged for days since
    is credited as far as it is no longer right, and charged anew at the same fraction; both wait
    for the bill-to's billing day. What is not charged yet is charged right when it falls due. An
    item that gets a price of another interval ends, and one with the new price begins. Documents
    that were issued stay as they are.

    Args:
        actor: who changes it.
        subscription_id: which.
        changes: what becomes of which items, and what is added; items that are not named stay as
            they are.
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
    opened = open_subscription(actor, subscription_id, require_seen)
    since = require_possible(opened.subscription, day or natural_day(actor, opened, today))
    return carry_out(
        actor,
        opened,
        changes,
        since=since,
        is_billed_now=is_billed_now,
        is_dry_run=is_dry_run,
        today=today,
        now=now,
    )


def carry_out(
    actor: Actor,
    opened: Opened,
    changes: Sequence[ItemChange | ItemAddition],
    *,
    since: date,
    is_billed_now: bool,
    is_dry_run: bool,
    today: date,
    now: datetime,
) -> Changed:
    """Carry out a change of a subscription that is open, as ``change_subscription`` says."""
    subscription = opened.subscription
    wanted = timelines_after(actor, opened, changes, since)
    given = with_discounts_of(actor, opened, wanted, since)
    if not wanted.changed and not wanted.added:
        raise NothingChanges
    items = {item.pk: item for item in opened.items}
    changing = [items[key] for key in wanted.changed]
    settler = Settler(opened.families, today=today, is_billed_now=is_billed_now)
    charges = settled(actor, settler, subscription, changing, wanted.changed, since)
    begun = {
        item.pk: _begun(actor, opened, item, wanted.added[item.pk], today, is_now=is_billed_now)
        for item in wanted.items
    }
    charges += [charge for one in begun.values() for charge in one.charges]
    after = {**wanted.changed, **wanted.added}
    result = Changed(
        subscription=subscription,
        day=since,
        before={key: _on(opened.timelines[key], since) for key in wanted.changed},
        after={key: _on(after[key], since) for key in after},
        charges=[as_charge(actor, subscription, charge, now) for charge in charges],
    )
    if not is_dry_run:
        for item in changing:
            plan_next(item, subscription, after[item.pk])
            write_terms(actor, item, after[item.pk])
        _store_added(actor, wanted.items, wanted.added, begun)
        store_given(actor, given)
        store_charges(actor, charges, now)
        _record(actor, result, now)
    return result


def _begun(
    actor: Actor, opened: Opened, item: Item, timeline: Timeline, today: date, *, is_now: bool
) -> _Begun:
    """Return what has begun of an added item by today; the item notes how far it has come.

    Raises:
        TooLongAgo, AmountTooLarge: see their texts.
    """
    plan_next(item, opened.subscription, timeline)
    if item.next_action_date is None or item.next_action_date > today:
        return _Begun()
    stored = subscription_rows(actor, [opened.subscription.pk])[opened.subscription.pk]
    known = len(opened.families.problems)
    rated = rate(opened.families, [item_row(item, stored, timeline)], {}, until=today)
    found = opened.families.problems[known:]
    if any(problem.code == "amount_out_of_range" for problem in found):
        raise AmountTooLarge
    if found:
        raise TooLongAgo(count=MAX_STEPS)
    [(_key, followed)] = rated.moved
    item.chain_end, item.next_action_date = followed.chain_end, followed.next_action
    charges = [
        pending(replace(one, invoice_on=one.due_date) if is_now else one) for one in rated.charges
    ]
    if any(abs(charge.net_minor) > MAX_AMOUNT_MINOR for charge in charges):
        raise AmountTooLarge
    return _Begun(rated.periods, charges)


def _store_added(
    actor: Actor,
    items: Sequence[Item],
    timelines: Mapping[UUID, Timeline],
    begun: Mapping[UUID, _Begun],
) -> None:
    for item in items:
        item.save(force_insert=True)
        write_terms(actor, item, timelines[item.pk])
        insert_rows(begun[item.pk].periods, into=Period, tenant_id=actor.tenant_id)


def _on(timeline: Timeline, day: date) -> ItemTerms:
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
        before={"items": _said(result.before.values())},
        after={"items": _said(result.after.values()), "since": said["since"]},
        data=said,
    )
    record_event(actor, happening, now=now)


def _said(terms: Iterable[ItemTerms]) -> list[dict[str, str]]:
    return [
        {"price": one.price.public_id, "quantity": f"{one.quantity:f}"}
        for one in terms
        if one.uncharged != Uncharged.ABSENT
    ]
